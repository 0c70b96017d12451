"""One YAML 1.2 document as plain data with positions: text in, Document out, findings for everything else.

What the content should be is not known here: shapes are `shape`'s, meaning is `read`'s, editing is `splice`'s.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml.error import MarkedYAMLError

from tidegate.core.finding import Finding, Severity
from tidegate.core.nodes import (
    AliasNode,
    Entry,
    MappingNode,
    Node,
    Problem,
    SequenceNode,
    Unreadable,
    compose,
    plain,
)
from tidegate.core.scalars import Scalar
from tidegate.errors import InvalidManifest

Path: TypeAlias = Sequence[Scalar]

MAXIMUM_CHARACTERS = 1_000_000
BYTE_ORDER_MARK = "\ufeff"

# YAML 1.2.2 section 5.1, less the line breaks of Unicode and the lone carriage return, which editors, git and
# YAML 1.1 readers do not agree about.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the text as editors count it: from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Character offsets of a node in the text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """One document: the text, what it means, and where everything stands. A path is a sequence of keys and indexes."""

    text: str
    path: str
    data: Any
    root: Node | None
    lines: tuple[int, ...]

    def position(self, path: Path) -> Position:
        """Where the value stands; the nearest ancestor's place when it is not in the text."""
        return self._at(self._nearest(path))

    def key_position(self, path: Path) -> Position:
        """Where the key of the value stands; for an item of a list, and where there is none, the value's place."""
        entry = self._entry(path)
        return self._at(entry.key.start) if entry else self.position(path)

    def span(self, path: Path) -> Span:
        """The value's place in the text. Raises KeyError when the document has no such value."""
        node, rest = self._walk(path)
        if rest or node is None:
            raise KeyError(path)
        return Span(start=node.start, end=node.end)

    def _entry(self, path: Path) -> Entry | None:
        parent, rest = self._walk(path[:-1])
        parent = parent.target if isinstance(parent, AliasNode) else parent
        return parent.entries.get(path[-1]) if path and not rest and isinstance(parent, MappingNode) else None

    def _nearest(self, path: Path) -> int:
        node, _ = self._walk(path)
        return node.start if node else 0

    def _walk(self, path: Path) -> tuple[Node | None, Path]:
        """The deepest node on the path, and what is left of the path there. Aliases are followed."""
        node = self.root
        for index, step in enumerate(path):
            following = child(node.target if isinstance(node, AliasNode) else node, step)
            if following is None:
                return node, path[index:]
            node = following
        return node, ()

    def _at(self, offset: int) -> Position:
        return _position(self.lines, offset)


def child(node: Node | None, step: Scalar) -> Node | None:
    """The value under a key or index, or None."""
    match node:
        case MappingNode():
            entry = node.entries.get(step)
            return entry.value if entry else None
        case SequenceNode() if isinstance(step, int) and 0 <= step < len(node.items):
            return node.items[step]
        case _:
            return None


def read(text: str, path: str) -> Document:
    """Parse one YAML 1.2 document. Raises InvalidManifest with every finding, each on its line (I14)."""
    lines = _line_starts(text)
    root, problems = _compose(text)
    if problems:
        raise InvalidManifest([_finding(problem, lines, path) for problem in problems])
    return Document(text=text, path=path, data=plain(root), root=root, lines=lines)


def _compose(text: str) -> tuple[Node | None, list[Problem]]:
    if problem := _unfit(text):
        return None, [problem]
    try:
        return compose(text)
    except Unreadable as error:
        return None, [error.problem]
    except MarkedYAMLError as error:
        return None, [_syntax(error, text)]
    except Exception as error:  # noqa: BLE001 - ruamel leaks ValueError, IndexError and others on odd input (I14)
        return None, [Problem("yaml-syntax", 0, f"this is not YAML 1.2 ({error})", "check escapes and directives")]


def _unfit(text: str) -> Problem | None:
    """What must not reach the parser."""
    if len(text) > MAXIMUM_CHARACTERS:
        message = f"the file has {len(text):,} characters, more than {MAXIMUM_CHARACTERS:,}"
        return Problem("too-large", 0, message, "keep data elsewhere and refer to it")
    found = _FORBIDDEN.search(text, 1 if text.startswith(BYTE_ORDER_MARK) else 0)
    if found is None:
        return None
    message = f"the character U+{ord(found[0]):04X} may not stand in a YAML file"
    return Problem("bad-character", found.start(), message, "save the file as UTF-8 with LF or CRLF line ends")


def _syntax(error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark else 0
    if text[offset : offset + 1] == "\t":
        return Problem("tab", offset, "a tab cannot indent or separate in YAML", "use spaces")
    words = f"{error.problem or error.context}".replace("\n", " ")
    return Problem("yaml-syntax", offset, words, "check quotes, brackets and indentation here and just above")


def _finding(problem: Problem, lines: tuple[int, ...], path: str) -> Finding:
    place = _position(lines, problem.offset)
    return Finding(
        rule=problem.rule,
        severity=Severity.ERROR,
        path=path,
        line=place.line,
        column=place.column,
        message=problem.message,
        hint=problem.hint,
    )


def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(found.end() for found in re.finditer("\n", text)))


def _position(lines: tuple[int, ...], offset: int) -> Position:
    line = bisect_right(lines, offset)
    return Position(line=line, column=offset - lines[line - 1] + 1)
