"""Sentences with foreign text in them: what others wrote (names, values, paths, reasons) stays marked until it is
printed, so that each format makes it harmless in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

LISTED = 6
"""How many files, environments or models a line names before it counts the rest."""
LONG = 160
"""So much of a value is shown where there is room."""
_FAR = 8
"""How many times the shown length is looked at, in case most of it is blank."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text that somebody else wrote, or a command to type."""

    text: str
    typed: bool = False


Line: TypeAlias = tuple[str | Quoted, ...]
"""One line: our own words, and what is quoted in them."""


def quoted(value: object, longest: int = LONG) -> Quoted:
    """The value as one line of at most so many characters, all of them visible."""
    text = visible(" ".join(str(value)[: _FAR * longest].split())[: longest + 1])
    return Quoted(text if len(text) <= longest else f"{text[: longest - 1]}…")


def visible(text: str) -> str:
    """Escape sequences, marks that turn the direction of text, and bytes that are no text, spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def typed(command: str) -> Quoted:
    """A command or a setting as a person types it."""
    return Quoted(visible(command), typed=True)


def joined(lines: Iterable[Line], separator: str = ", ") -> Line:
    """The lines as one."""
    parts: list[str | Quoted] = []
    for line in lines:
        parts += [separator, *line] if parts else line
    return tuple(parts)


def some(values: Iterable[object], most: int) -> Line:
    """The values with commas between, at most so many and how many more."""
    known = list(values)
    line = joined((quoted(value),) for value in known[:most])
    more = len(known) - most
    return (*line, f" and {more} more") if more > 0 else line
