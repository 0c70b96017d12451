"""What a forge needs of git, and the refs that it keeps. Running git is the repository's work: it is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

FORGE = "refs/tidegate/forge"
MAIN = "refs/heads/main"
Moves = Mapping[str, tuple[str | None, str | None]]
"""From each full name of a ref to what it must be and what it shall be."""


class Blob(Protocol):
    @property
    def text(self) -> str: ...


class GitDirectory(Protocol):
    """The git commands that a forge needs. Refs are full names; `move` takes (must be, shall be) for each ref,
    moves all or none, and raises Raced."""

    @property
    def path(self) -> Path: ...
    def run(self, *arguments: str, stdin: bytes = b"", accepted: Sequence[int] = (0,)) -> bytes: ...
    def refs(self, names: Sequence[str]) -> Sequence[str | None]: ...
    def objects(self, names: Sequence[str]) -> Sequence[Blob | None]: ...
    def entries(self, commit: str, under: Sequence[str]) -> Mapping[str, tuple[str, str]]: ...
    def write_tree(self, base: str | None, files: Mapping[str, str | None]) -> str: ...
    def write_commit(self, tree: str, parents: Sequence[str], message: str, at: datetime) -> str: ...
    def move(self, moves: Moves) -> None: ...


def branch_ref(name: str) -> str:
    return f"refs/heads/{name}"


def kept_ref(number: int) -> str:
    """The ref that keeps the head of a closed proposal."""
    return f"refs/tidegate/heads/{number}"


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
