"""Files that travel with the program: schemas, the repository template and the demo's example, from wheel or
checkout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

_PACKAGED = files("tidegate") / "_bundled"
_CHECKOUT = Path(__file__).resolve().parents[2]


def _root() -> Traversable:
    return _PACKAGED if _PACKAGED.is_dir() and not (_CHECKOUT / "schemas").is_dir() else _CHECKOUT


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """The JSON Schema of every kind, by kind."""
    found = (
        json.loads(item.read_text(encoding="utf-8")) for item in (_root() / "schemas").iterdir() if _is_schema(item)
    )
    return {schema["properties"]["kind"]["const"]: schema for schema in found}


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
            with as_file(item) as path:
                (into / item.name).write_bytes(path.read_bytes())
            written.append(into / item.name)
