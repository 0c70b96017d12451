"""Where a clone came from. Here the user's own git configuration counts, as in any git command of theirs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tidegate.adapters.git.objects import decoded
from tidegate.errors import OutsideSystem, WrongUse, without_credentials


def origin_of(work_tree: Path) -> Path | str:
    """The repository that `origin` of a clone points to: a folder, or a server's address (no credentials).

    A bare repository is its own origin. Raises WrongUse where there is no repository or no `origin`.
    """
    if not work_tree.is_dir():
        raise WrongUse(f"{work_tree}: no such folder; name a clone of the models repository, or a bare one")
    said = _git(work_tree, "rev-parse", "--is-bare-repository", "--absolute-git-dir")
    if said.returncode != 0:
        why = decoded(said.stderr).strip().partition("\n")[0]  # not a repository, or one of another user
        raise WrongUse(f"{work_tree}: git says {why!r}; run this in a clone of the models repository of your own")
    bare, directory = _shown(said).split("\n", 1)
    if bare == "true":
        return Path(directory)
    address = _git(work_tree, "remote", "get-url", "origin")
    if address.returncode != 0:
        raise WrongUse(f"{work_tree} has no remote `origin`; add one: git remote add origin ADDRESS")
    return _folder_or_address(_shown(address), work_tree)


def _folder_or_address(address: str, work_tree: Path) -> Path | str:
    if address.startswith("file://"):
        return Path(address.removeprefix("file://"))
    if "://" in address:
        return without_credentials(address)
    # "only recognized if there are no slashes before the first colon" (git-clone(1), GIT URLS).
    if ":" in address.partition("/")[0]:
        return address
    if Path(address).is_absolute():
        return Path(address)
    root = Path(_shown(_git(work_tree, "rev-parse", "--show-toplevel")) or work_tree)
    return Path(os.path.normpath(root / address))


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise OutsideSystem("git is not on PATH; install git ≥ 2.38") from None


def _shown(done: subprocess.CompletedProcess[bytes]) -> str:
    return decoded(done.stdout).rstrip("\n")
