"""A person's clone: where its git directory and its work tree are, and the tree of what stands in it now.

Here the user's own git configuration counts (filters, line ends, what is ignored), as in any git command of theirs.
Not here: reading commits, which is `repository.py`'s work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.adapters.git.objects import decoded
from tidegate.errors import OutsideSystem, WrongUse

# Our index is a copy in another folder: nothing may be started for it, or written beside the user's own.
_QUIET = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "core.safecrlf=false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A git directory, and the top of its work tree; a bare repository has none."""

    directory: Path
    work_tree: Path | None


def clone_at(folder: Path) -> Clone:
    """The clone that a folder lies in. Raises WrongUse where there is none."""
    inside, directory = parsed(folder, "--is-inside-work-tree", "--absolute-git-dir").split("\n", 1)
    top = printed(ask(folder, "rev-parse", "--show-toplevel")) if inside == "true" else ""
    return Clone(directory=Path(directory), work_tree=Path(top) if top else None)


def tree_of(clone: Clone) -> str | None:
    """The git tree of what stands in the work tree now, less what is ignored; None without a work tree.

    Blobs and trees are written. The user's index stays as it is: a copy of it is brought up to date, so that only
    files are read that changed since git last looked. What a sparse checkout leaves out stays as the index has it.
    """
    if clone.work_tree is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
        own, index = clone.directory / "index", Path(folder) / "index"
        if own.is_file():
            shutil.copy2(own, index)  # with its time: git tells by it which files may have changed unseen
        where = (f"--git-dir={clone.directory}", f"--work-tree={clone.work_tree}")
        options = tuple(part for setting in _QUIET for part in ("-c", setting))
        variables = {"GIT_INDEX_FILE": str(index)}
        _done(clone, ask(clone.work_tree, *where, *options, "add", "--all", "--sparse", variables=variables))
        return _done(clone, ask(clone.work_tree, *where, *options, "write-tree", variables=variables))


def _done(clone: Clone, said: subprocess.CompletedProcess[bytes]) -> str:
    if said.returncode != 0:
        words = decoded(said.stderr).strip() or f"exit code {said.returncode}"
        raise WrongUse(f"the work tree {clone.work_tree} cannot be taken as it is: {words}; mend that, or commit")
    return printed(said)


def parsed(folder: Path, *questions: str) -> str:
    """What `git rev-parse` answers in a folder. Raises WrongUse where no repository is."""
    if not folder.is_dir():
        raise WrongUse(f"{folder}: no such folder; name a clone of the models repository, or a bare one")
    said = ask(folder, "rev-parse", *questions)
    if said.returncode != 0:
        why = decoded(said.stderr).strip().partition("\n")[0]  # not a repository, or one of another user
        raise WrongUse(f"{folder}: git says {why!r}; run this in a clone of the models repository of your own")
    return printed(said)


def ask(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """One git command as the user would run it in this folder."""
    environment = {**os.environ, "LC_ALL": "C", **(variables or {})}
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise OutsideSystem("git is not on PATH; install git ≥ 2.38") from None


def printed(said: subprocess.CompletedProcess[bytes]) -> str:
    return decoded(said.stdout).rstrip("\n")
