"""A new models repository in a folder: the bundled template, and the schemas by which editors check its files.

A repository is never written over. Its copies of the schemas are ours, and can be brought up to date.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tidegate import __version__, bundled
from tidegate.errors import WrongUse

TEMPLATE = "repo-template"
SCHEMAS = Path(".tidegate", "schemas")
WORKSPACE = "tidegate.yaml"
WORKFLOWS = Path(".github", "workflows")

_NO_ACTIONS = re.compile(r"OWNER/tidegate(?P<path>/[\w/-]+)@0{40} # v0\.0\.0")
"""How the template's workflows name our actions before somebody says where these are."""
_ACTIONS = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")

_Files = Mapping[Path, bytes]


def init(folder: Path, *, actions: str | None = None, dry_run: bool = False) -> tuple[Path, ...]:
    """Write template and schemas; returns the files, relative to the folder. The workflows take our actions from
    `actions` (`OWNER/NAME@COMMIT`).

    Raises WrongUse when one is there already, and for actions that are not pinned to a commit.
    """
    files = {**_with_actions(_template(), actions), **_schemas()}
    _require_free(folder, files)
    if not dry_run:
        _write(folder, files, over=False)
    return tuple(sorted(files))


def refresh_schemas(folder: Path, *, dry_run: bool = False) -> tuple[Path, ...]:
    """Write the schemas that are missing or differ from ours, and nothing else; returns them.

    Raises WrongUse when the folder is no models repository, or would have us write elsewhere.
    """
    if not (folder / WORKSPACE).is_file():
        raise WrongUse(f"{folder} holds no {WORKSPACE}; name a models repository, or leave --schemas out to make one")
    files = _schemas()
    _require_no_links(folder, files)
    stale = {file: text for file, text in files.items() if not _holds(folder / file, text)}
    if not dry_run:
        _write(folder, stale, over=True)
    return tuple(sorted(stale))


def _template() -> _Files:
    with tempfile.TemporaryDirectory(prefix="tidegate-init-") as room:
        copied = bundled.copy_tree(TEMPLATE, Path(room))
        return {path.relative_to(room): path.read_bytes() for path in copied}


def _with_actions(files: _Files, actions: str | None) -> _Files:
    if actions is None:
        return files
    if not _ACTIONS.fullmatch(actions):
        raise WrongUse(f"--actions is {actions!r}; give OWNER/NAME@COMMIT with the commit's 40 digits: a tag can move")
    repository, _, commit = actions.partition("@")

    def named(text: bytes) -> bytes:
        return _NO_ACTIONS.sub(rf"{repository}\g<path>@{commit} # v{__version__}", text.decode()).encode()

    return {file: named(text) if file.parent == WORKFLOWS else text for file, text in files.items()}


def _schemas() -> _Files:
    """Laid out as the bundled files are, under the names that their `$id` ends in."""
    return {
        SCHEMAS / schema["$id"].rpartition("/")[2]: (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
        for schema in bundled.schemas().values()
    }


def _require_free(folder: Path, files: _Files) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUse(f"{folder} is a file; name a folder")
    _require_no_links(folder, files)
    taken = [str(file) for file in sorted(files) if (folder / file).exists()]
    taken += [str(path) for path in _folders(files) if (folder / path).is_file()]
    if taken:
        raise WrongUse(f"{folder} holds {', '.join(taken)} already, and nothing is overwritten; name an empty folder")


def _require_no_links(folder: Path, files: _Files) -> None:
    """A clone may hold a link to anywhere; what stands there is not ours to write over."""
    for path in (*_folders(files), *files):
        if (folder / path).is_symlink():
            raise WrongUse(f"{folder / path} is a link; make it a file or folder of the repository's own")


def _folders(files: _Files) -> list[Path]:
    """Those that the files lie in, the outermost first; without the one that they are all written into."""
    return sorted({parent for file in files for parent in file.parents} - {Path()})


def _holds(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() == text
    except OSError:  # not there, or not readable: writing it will tell
        return False


def _write(folder: Path, files: _Files, *, over: bool) -> None:
    try:
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            with (folder / file).open("wb" if over else "xb") as there:
                there.write(text)
    except OSError as error:
        raise WrongUse(f"{error.filename or folder} cannot be written: {error.strerror}") from None
