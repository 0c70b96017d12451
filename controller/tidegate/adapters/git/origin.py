"""Where a clone came from. Here the user's own git configuration counts, as in any git command of theirs."""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.adapters.git.clone import ask, parsed, printed
from tidegate.errors import WrongUse, without_credentials


def origin_of(work_tree: Path) -> Path | str:
    """The repository that `origin` of a clone points to: a folder, or a server's address (no credentials).

    A bare repository is its own origin. Raises WrongUse where there is no repository or no `origin`.
    """
    bare, directory = parsed(work_tree, "--is-bare-repository", "--absolute-git-dir").split("\n", 1)
    if bare == "true":
        return Path(directory)
    address = ask(work_tree, "remote", "get-url", "origin")
    if address.returncode != 0:
        raise WrongUse(f"{work_tree} has no remote `origin`; add one: git remote add origin ADDRESS")
    return _folder_or_address(printed(address), work_tree)


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
    root = Path(printed(ask(work_tree, "rev-parse", "--show-toplevel")) or work_tree)
    return Path(os.path.normpath(root / address))
