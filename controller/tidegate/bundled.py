"""Files that travel with the program: schemas, the repository template and the demo's example, from wheel or
checkout."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_CHECKOUT = Path(__file__).resolve().parents[2]


def _root() -> Traversable:
    if (_CHECKOUT / "schemas").is_dir():
        return _CHECKOUT
    from importlib.resources import files

    return files("tidegate") / "_bundled"


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """The JSON Schema of every kind, by kind."""
    found = (
        json.loads(item.read_text(encoding="utf-8")) for item in (_root() / "schemas").iterdir() if _is_schema(item)
    )
    return {schema["properties"]["kind"]["const"]: schema for schema in found}


def fingerprint() -> str:
    """What tells this program with its rules and schemas from another: sizes and times of what they are made of.

    Installing a library changes the time of the folder that holds it.
    """
    package = Path(__file__).parent
    made_of = [*package.glob("core/*.py"), *package.glob("core/checks/*.py"), *_schema_files()]
    libraries = [Path(place) for place in sys.path if place.endswith("-packages")]
    stamps = [(str(place), (status := place.stat()).st_mtime_ns, status.st_size) for place in made_of + libraries]
    return hashlib.sha256(repr((sys.version, sorted(stamps))).encode()).hexdigest()


def _schema_files() -> list[Path]:
    root = _root()
    return sorted((root / "schemas").glob("*.schema.json")) if isinstance(root, Path) else []


def _is_schema(item: Traversable) -> bool:
    return item.name.endswith(".schema.json")


def copy_tree(name: str, into: Path) -> tuple[Path, ...]:
    """Copy a bundled folder (`repo-template`, `examples/digits`) into a folder; returns the files written."""
    written: list[Path] = []
    _copy(_root().joinpath(*name.split("/")), into, written)
    return tuple(written)


def _copy(source: Traversable, into: Path, written: list[Path]) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.name in ("__pycache__", ".DS_Store"):
            continue
        if item.is_dir():
            _copy(item, into / item.name, written)
        else:
            (into / item.name).write_bytes(item.read_bytes())
            written.append(into / item.name)
