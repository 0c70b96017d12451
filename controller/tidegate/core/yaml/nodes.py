"""The tree of one YAML document with the place of every node in the text. `composer` makes it, `document` shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tidegate.core.yaml.scalars import Scalar


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in syntax or meaning at one offset of the text."""

    rule: str
    offset: int
    message: str
    hint: str = ""


@dataclass(slots=True, kw_only=True)
class ScalarNode:
    """`style` is the quotation mark or block indicator, empty for a plain scalar; `end` excludes line ends."""

    start: int
    end: int
    anchor: str | None = None
    value: Scalar
    style: str = ""


@dataclass(slots=True, kw_only=True)
class AliasNode:
    """`*name`: the alias' own place, and the node that it repeats."""

    start: int
    end: int
    anchor: None = None
    target: Node


@dataclass(slots=True, kw_only=True)
class Entry:
    """One `key: value` of a mapping; `colon` is the offset behind the colon, None where there is none."""

    key: ScalarNode
    value: Node
    colon: int | None

    @property
    def start(self) -> int:
        return self.key.start

    @property
    def end(self) -> int:
        return max(self.value.end, self.colon or self.key.end)


@dataclass(slots=True, kw_only=True)
class MappingNode:
    """`end` is the end of the last entry in block style, behind the bracket in flow style."""

    start: int
    end: int
    anchor: str | None = None
    flow: bool
    entries: dict[Scalar, Entry] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class SequenceNode:
    """`end` is the end of the last item in block style, behind the bracket in flow style."""

    start: int
    end: int
    anchor: str | None = None
    flow: bool
    items: list[Node] = field(default_factory=list)


Node: TypeAlias = ScalarNode | AliasNode | MappingNode | SequenceNode


def plain(node: Node | None) -> Any:  # noqa: ANN401 - the one place where YAML becomes Python data
    """The node as plain data. Every alias is expanded to its own copy, so that changing one changes no other."""
    match node:
        case None:
            return None
        case ScalarNode():
            return node.value
        case AliasNode():
            return plain(node.target)
        case MappingNode():
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        case SequenceNode():
            return [plain(item) for item in node.items]
