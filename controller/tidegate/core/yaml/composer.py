"""From text to nodes by ruamel's events: the reader of record, with the place of everything.

ruamel's pure parser is used, not its C part: that one holds libyaml 0.1, which refuses `{pin: 12@sha256:…}`.
Events, not ruamel's own nodes: their end marks run over the comments behind a block. What is wrong in meaning
(duplicate keys, unknown tags, aliases to nothing) is collected as problems; `document` makes findings of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError

from tidegate.core.yaml import causes
from tidegate.core.yaml.nodes import AliasNode, Entry, MappingNode, Node, Problem, ScalarNode, SequenceNode
from tidegate.core.yaml.scalars import CORE, SCALAR_TAGS, Scalar, meaning, tagged

MAXIMUM_DEPTH = 64
MAXIMUM_NODES = 40_000  # aliases expanded: eight lines of aliases can otherwise ask for 10^9 nodes
_LONGEST = 60

_SURROGATE = re.compile("[\ud800-\udfff]")
_COLON = re.compile(r"\s*:")
_COLLECTION_TAGS = {events.MappingStartEvent: CORE + "map", events.SequenceStartEvent: CORE + "seq"}


class _Unreadable(Exception):
    """Carries the problem that ends the reading."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def compose(text: str) -> tuple[Node | None, list[Problem]]:
    """The document's root (None when it is empty or cannot be read) and all problems."""
    composer = _Composer(text)
    try:
        return composer.document(), composer.problems
    except _Unreadable as error:
        return None, [*composer.problems, error.problem]
    except MarkedYAMLError as error:
        return None, [*composer.problems, causes.cause(error, text)]
    except Exception as error:  # noqa: BLE001 - ruamel leaks ValueError, IndexError and others on odd input (I14)
        return None, [causes.leaked(error, text)]


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor names, and what each alias to it costs: nodes, and levels below the first."""

    node: Node
    size: int
    height: int


class _Composer:
    """Walks the events once; counts nodes with aliases expanded, and how deep the node at hand reaches."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        self._anchored: dict[str, _Anchored] = {}
        self._size = 0
        self._deepest = 0
        self.problems: list[Problem] = []

    def document(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), events.StreamEndEvent):
            return None
        root = self._node(next(self._events), 1)
        next(self._events)
        following = next(self._events)
        if not isinstance(following, events.StreamEndEvent):
            message, hint = "the file holds a second document", "keep one document to a file"
            raise _Unreadable(Problem("several-documents", following.start_mark.index, message, hint))
        return root

    def _node(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - ruamel's events are untyped
        if isinstance(event, events.AliasEvent):
            return self._alias(event, depth)
        size_before, outer_deepest, self._deepest = self._size, self._deepest, depth
        self._count(event, 1, depth)
        node = self._content(event, depth)
        if event.anchor:
            self._anchored[event.anchor] = _Anchored(node, self._size - size_before, self._deepest - depth)
        self._deepest = max(outer_deepest, self._deepest)
        return node

    def _count(self, event: Any, size: int, depth: int) -> None:  # noqa: ANN401
        self._size += size
        self._deepest = max(self._deepest, depth)
        offset = event.start_mark.index
        if depth > MAXIMUM_DEPTH:
            message = f"nested deeper than {MAXIMUM_DEPTH} levels"
            raise _Unreadable(Problem("too-deep", offset, message, "write it flatter"))
        if self._size > MAXIMUM_NODES:
            message = f"more than {MAXIMUM_NODES} values once aliases are expanded"
            raise _Unreadable(Problem("too-many-values", offset, message, "write less, or fewer aliases to aliases"))

    def _alias(self, event: Any, depth: int) -> Node:  # noqa: ANN401
        start, end = event.start_mark.index, event.end_mark.index
        anchored = self._anchored.get(event.anchor)
        if anchored is None:
            name = "…" if causes.is_private(self._text, start) else _cut(event.anchor)
            message = f"the alias *{name} names nothing that is complete above it"
            hint = f'define &{name} before; to mean the text, write "*{name}", with the quotes'
            raise _Unreadable(Problem("undefined-alias", start, message, hint))
        self._count(event, anchored.size, depth + anchored.height)
        return AliasNode(start=start, end=end, target=anchored.node)

    def _content(self, event: Any, depth: int) -> Node:  # noqa: ANN401
        start = event.start_mark.index
        if isinstance(event, events.ScalarEvent):
            return self._scalar(event)
        if event.tag not in (None, _COLLECTION_TAGS[type(event)]):
            self._unknown_tag(event)
        if isinstance(event, events.MappingStartEvent):
            mapping = MappingNode(start=start, end=start, anchor=event.anchor, flow=event.flow_style)
            return self._entries(mapping, depth)
        sequence = SequenceNode(start=start, end=start, anchor=event.anchor, flow=event.flow_style)
        return self._items(sequence, depth)

    def _entries(self, mapping: MappingNode, depth: int) -> MappingNode:
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key = self._key(event, depth + 1)
            colon = _COLON.match(self._text, key.end)
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, ScalarNode) and value.start == value.end:
                # ruamel puts an absent value at the next token, lines below; it belongs behind its colon.
                value.start = value.end = colon.end() if colon else key.end
            if key.value in mapping.entries:
                message = f"the key {_cut(self._text[key.start : key.end])} stands twice in this mapping"
                self.problems.append(Problem("duplicate-key", key.start, message, "remove one of the two"))
            mapping.entries[key.value] = Entry(key=key, value=value, colon=colon.end() if colon else None)
            mapping.end = mapping.entries[key.value].end
        if mapping.flow:
            mapping.end = event.end_mark.index
        return mapping

    def _items(self, sequence: SequenceNode, depth: int) -> SequenceNode:
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            sequence.items.append(self._node(event, depth + 1))
            sequence.end = sequence.items[-1].end
        if sequence.flow:
            sequence.end = event.end_mark.index
        return sequence

    def _key(self, event: Any, depth: int) -> ScalarNode:  # noqa: ANN401
        start = event.start_mark.index
        key = self._node(event, depth)
        if not isinstance(key, ScalarNode):
            if found := causes.template(self._text, start - 1):
                raise _Unreadable(found)
            raise _Unreadable(Problem("complex-key", start, "a key must be a plain text", "write the key as a word"))
        if key.value == "<<" and not key.style:
            hint = "write the keys out; YAML 1.2 has no merge key, and a reader should see what the file says"
            self.problems.append(Problem("merge-key", start, "merge keys (`<<`) are not supported", hint))
        return key

    def _scalar(self, event: Any) -> ScalarNode:  # noqa: ANN401
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):
            end = start + _block_length(self._text[start:end])
        return ScalarNode(start=start, end=end, anchor=event.anchor, value=self._value(event), style=event.style or "")

    def _value(self, event: Any) -> Scalar:  # noqa: ANN401
        text: str = event.value
        if _SURROGATE.search(text):
            message = "an escape that is half of a character"
            self.problems.append(Problem("bad-scalar", event.start_mark.index, message, "write the character itself"))
        tag = event.tag or (None if event.implicit[0] else CORE + "str")
        try:
            if tag is None:
                return meaning(text)
            if tag in SCALAR_TAGS:
                return tagged(text, tag)
        except ValueError as error:
            hint = "write it shorter, or quote it to make it a text"
            self.problems.append(Problem("bad-scalar", event.start_mark.index, _cut(str(error)), hint))
            return text
        self._unknown_tag(event)
        return text

    def _unknown_tag(self, event: Any) -> None:  # noqa: ANN401
        message = f"the tag {_cut(event.tag)} has no meaning here"
        self.problems.append(Problem("unknown-tag", event.start_mark.index, message, "remove the tag"))


def _block_length(text: str) -> int:
    """Up to the end of the last line that means something: ruamel's mark also spans the empty lines behind it."""
    keeps_them = "+" in text[:3]
    return len(text.removesuffix("\n").removesuffix("\r") if keeps_them else text.rstrip("\r\n"))


def _cut(text: str) -> str:
    """A word of the file, as much of it as a message can show."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
