"""The files on disk around a folder; and what `validate` works with beside them: cores, and what was found before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tidegate import __version__, bundled
from tidegate.adapters.memory import FolderMemory
from tidegate.adapters.processes import spread
from tidegate.adapters.worktree import WorkTree, root_of
from tidegate.errors import WrongUse
from tidegate.settings import cache
from tidegate.validate import Ports


def validation(folder: Path, paths: Sequence[str], *, remember: bool) -> tuple[Ports, WorkTree, tuple[str, ...]]:
    """The ports, the checkout, and the paths as it names them. Raises as `checkout` does."""
    tree, inside = checkout(folder, paths)
    ports = Ports(
        tree=tree,
        schemas=bundled.schemas,
        spread=spread,
        version=f"{__version__} {bundled.fingerprint()}",
        name=hashlib.sha256(str(tree.root).encode("utf-8", "surrogateescape")).hexdigest(),
        memory=_memory() if remember and tree.in_git else None,
    )
    return ports, tree, inside


def _memory() -> FolderMemory | None:
    """None for a user without a home, as in a container that runs under any number."""
    try:
        return FolderMemory(cache() / "validate")
    except RuntimeError:
        return None


def checkout(folder: Path, paths: Sequence[str]) -> tuple[WorkTree, tuple[str, ...]]:
    """The checkout around the first path, or around `folder` without any; and the paths from its root.

    Raises WrongUse for paths that are not there or lie in several checkouts, and without a workspace to look at.
    """
    places = [_place(folder, path) for path in paths]
    start = folder if not places else places[0] if places[0].is_dir() else places[0].parent
    root = root_of(start)
    if not places and not (root / "tidegate.yaml").exists():
        raise WrongUse(f"no tidegate.yaml in {root}: `tidegate init FOLDER` writes one, or name the files to check")
    inside = tuple(_inside(root, place) for place in places)
    return WorkTree(root), inside


def _place(folder: Path, path: str) -> Path:
    """Where a path leads. Folders on the way may be links; a file at its end that is one is looked at as one."""
    place = Path(os.path.abspath(folder / path))  # noqa: PTH100 - `..` goes up as it is written
    if not os.path.lexists(place):  # False for names beyond all length, and below a link to itself
        raise WrongUse(f"{path} is not there")
    return place.resolve() if place.is_dir() else place.parent.resolve() / place.name


def _inside(root: Path, place: Path) -> str:
    if not place.is_relative_to(root):
        raise WrongUse(f"{place} is not in {root}; check one repository at a time")
    inside = place.relative_to(root).as_posix()
    return "" if inside == "." else inside
