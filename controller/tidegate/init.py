"""A new models repository in a folder, from the bundled template. Never writes over anything."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tidegate import bundled
from tidegate.errors import WrongUse

TEMPLATE = "repo-template"


def init(folder: Path, *, dry_run: bool = False) -> tuple[Path, ...]:
    """Copy the template; returns the files, relative to the folder. Raises WrongUse when one is there already."""
    with tempfile.TemporaryDirectory(prefix="tidegate-init-") as room:
        copied = Path(room)
        files = sorted(path.relative_to(copied) for path in bundled.copy_tree(TEMPLATE, copied))
        _require_free(folder, files)
        if not dry_run:
            _put(copied, folder, files)
    return tuple(files)


def _require_free(folder: Path, files: list[Path]) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUse(f"{folder} is a file; name a folder")
    taken = [str(file) for file in files if (folder / file).exists() or (folder / file).is_symlink()]
    if taken:
        raise WrongUse(f"{folder} holds {', '.join(taken)} already, and nothing is overwritten; name an empty folder")


def _put(copied: Path, folder: Path, files: list[Path]) -> None:
    try:
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            with (copied / file).open("rb") as source, (folder / file).open("xb") as there:
                shutil.copyfileobj(source, there)
    except OSError as error:
        raise WrongUse(f"{error.filename or folder} cannot be written: {error.strerror}") from None
