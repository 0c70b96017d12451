"""The files on disk around a folder; and what `validate` works with beside them: cores, and what was found before."""

from __future__ import annotations

import hashlib
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
        memory=FolderMemory(cache() / "validate") if remember and tree.in_git else None,
    )
    return ports, tree, inside


def checkout(folder: Path, paths: Sequence[str]) -> tuple[WorkTree, tuple[str, ...]]:
    """The checkout around `folder`, or around the first path where that lies elsewhere; and the paths from its root.

    Raises WrongUse for paths of several checkouts, and without a workspace to look at.
    """
    places = [(folder / path).absolute() for path in paths]
    root = root_of(folder)
    if places and not places[0].is_relative_to(root):
        root = root_of(places[0] if places[0].is_dir() else places[0].parent)
    if not places and not (root / "tidegate.yaml").exists():
        raise WrongUse(f"no tidegate.yaml in {root}: `tidegate init FOLDER` writes one, or name the files to check")
    return WorkTree(root), tuple(_inside(root, place) for place in places)


def _inside(root: Path, place: Path) -> str:
    """The path from the root. A folder on the way may be a link; a link at its end is looked at as one."""
    for seen in (place, place.parent.resolve() / place.name):
        if seen.is_relative_to(root):
            inside = seen.relative_to(root).as_posix()
            return "" if inside == "." else inside
    raise WrongUse(f"{place} is not in {root}; check one repository at a time")
