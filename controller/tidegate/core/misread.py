"""A value that the schema cannot judge and that means nothing here, with its place in the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Misread(ValueError):
    """The value at `path` cannot be read."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path = path
        super().__init__(message)


def at(path: tuple[str | int, ...], convert: Callable[[object], T], value: object) -> T:
    """`convert(value)`, with the place added to what it complains about."""
    try:
        return convert(value)
    except ValueError as error:
        raise Misread(path, str(error)) from None
