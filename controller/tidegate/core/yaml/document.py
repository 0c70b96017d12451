"""One YAML 1.2 document as plain data with positions: text in, Document out, findings for everything else.

What the content should be is not known here: shapes are `shape`'s, meaning is `read`'s, editing is `splice`'s.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from tidegate.core.credentials import blanked
from tidegate.core.finding import Finding, Severity
from tidegate.core.yaml import ordinary
from tidegate.core.yaml.nodes import AliasNode, Entry, MappingNode, Node, Problem, SequenceNode, plain
from tidegate.core.yaml.scalars import Scalar
from tidegate.errors import InvalidManifest

Path: TypeAlias = Sequence[Scalar]

MAXIMUM_CHARACTERS = 250_000
BYTE_ORDER_MARK = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """One document: the text, what it means, and where everything stands. A path is a sequence of keys and indexes.

    `ordinary`: no anchor, no tag, and nothing that looks as if it meant something else. Where things stand is worked
    out when it is first asked: most files are read for what they say, thirty times as fast.
    """

    text: str
    path: str
    data: Any
    ordinary: bool = False
    composed: Node | None = None

    @cached_property
    def root(self) -> Node | None:
        """The tree behind `data`."""
        return _composed(self.text, self.path) if self.ordinary else self.composed

    @cached_property
    def lines(self) -> tuple[int, ...]:
        """Where each line starts."""
        return _line_starts(self.text)

    def position(self, path: Path) -> Position:
        """Where the value stands; the nearest ancestor's place when it is not in the text."""
        return self.at(self._nearest(path))

    def key_position(self, path: Path) -> Position:
        """Where the key of the value stands; for an item of a list, and where there is none, the value's place."""
        entry = self._entry(path)
        return self.at(entry.key.start) if entry else self.position(path)

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

    def at(self, offset: int) -> Position:
        """Where a character of the text stands."""
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


def decode(raw: bytes, path: str) -> str:
    """The text of a file. Raises InvalidManifest where it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        wide = raw[:2] in _UTF_16
        message = "the file is UTF-16" if wide else f"the byte 0x{raw[error.start]:02X} is not UTF-8"
        problem = Problem("bad-encoding", len(before), message, "save the file as UTF-8")
        raise InvalidManifest([_finding(problem, _line_starts(before), path)]) from None


def read(text: str, path: str) -> Document:
    """Parse one YAML 1.2 document. Raises InvalidManifest with every finding, each on its line (I14)."""
    try:
        if len(text) <= ordinary.MAXIMUM_CHARACTERS:
            return Document(text=text, path=path, data=ordinary.load(text), ordinary=True)
    except ordinary.Uncommon:
        pass
    root = _composed(text, path)
    return Document(text=text, path=path, data=plain(root), composed=root)


def _composed(text: str, path: str) -> Node | None:
    root, problems = _compose(text)
    if problems:
        lines = _line_starts(text)
        raise InvalidManifest([_finding(problem, lines, path) for problem in problems])
    return root


def _compose(text: str) -> tuple[Node | None, list[Problem]]:
    if problem := _unfit(text):
        return None, [problem]
    from tidegate.core.yaml.composer import compose  # ruamel: loaded for what is not ordinary, and for positions

    return compose(text)


def _unfit(text: str) -> Problem | None:
    """What must not reach the parser."""
    if len(text) > MAXIMUM_CHARACTERS:
        message = f"the file has {len(text):,} characters, more than {MAXIMUM_CHARACTERS:,}"
        return Problem("too-large", 0, message, "keep data elsewhere and refer to it")
    found = _FORBIDDEN.search(text, 1 if text.startswith(BYTE_ORDER_MARK) else 0)
    if found is None:
        return None
    return Problem("bad-character", found.start(), *_why_forbidden(text, found[0]))


def _why_forbidden(text: str, character: str) -> tuple[str, str]:
    message = f"the character U+{ord(character):04X} may not stand in a YAML file"
    if character == "\0":
        every_second = text.count("\0") * 3 > len(text)
        kind = "the file is UTF-16 without a mark" if every_second else "a NUL byte, as binary files have them"
        return f"{message}: {kind}", "save the file as text in UTF-8"
    if character == "\r":
        return f"{message} without a line feed behind it", "save the file with LF or CRLF line ends"
    return message, "take it out; in double quotes it can be written as an escape"


def _finding(problem: Problem, lines: tuple[int, ...], path: str) -> Finding:
    place = _position(lines, problem.offset)
    return Finding(
        rule=problem.rule,
        severity=Severity.ERROR,
        path=path,
        line=place.line,
        column=place.column,
        message=blanked(problem.message),
        hint=blanked(problem.hint),
    )


def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(found.end() for found in re.finditer("\n", text)))


def _position(lines: tuple[int, ...], offset: int) -> Position:
    line = bisect_right(lines, offset)
    return Position(line=line, column=offset - lines[line - 1] + 1)
