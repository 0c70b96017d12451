"""Edits of a YAML text that keep every byte outside the edit: the text is spliced at the node's span, read again, and
refused unless it then says exactly what it said before plus the edit (DESIGN.md section 3).

What the steps of an edit are is `difference`'s business, how fresh text looks is `layout`'s; the cuts are made here,
lines and commas in `cuts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tidegate.core.yaml import cuts
from tidegate.core.yaml.difference import Add, Change, Insert, Remove, Rename, Step, Way, applied, same, steps, value_at
from tidegate.core.yaml.document import Document, child, read
from tidegate.core.yaml.layout import block, dump, entry_lines, fits_a_line, flow, item_lines
from tidegate.core.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from tidegate.core.yaml.scalars import Scalar, written
from tidegate.errors import EditRefused, InvalidManifest

__all__ = ["dump", "edit", "rewrite"]

_COMMENT = re.compile(r"(?:^|\s)#")


def rewrite(text: str, after: dict[str, Any], path: str = "") -> str:
    """The text edited so that it says `after`; order of keys is kept, new keys follow their predecessor in `after`.

    Raises InvalidManifest when the text cannot be read, EditRefused when the edit would touch something else
    (a node that an alias repeats, a comment); then nothing may be written.
    """
    document = read(text, path)
    try:
        document = _edited(document, steps(document.data, after))
    except TypeError as error:
        raise EditRefused(f"{path}: the edit cannot be written: {error}") from error
    if not same(document.data, after):
        raise EditRefused(f"{path}: the edited text does not read back as what was asked for")
    return document.text


def edit(text: str, taken: Iterable[Step], path: str = "") -> str:
    """The text after these steps, each proved before the next one is taken. Raises as `rewrite` does."""
    return _edited(read(text, path), taken).text


def _edited(document: Document, taken: Iterable[Step]) -> Document:
    for step in taken:
        document = _take(document, step)
    return document


def _take(document: Document, step: Step) -> Document:
    if isinstance(step, Rename) and step.key in value_at(document.data, step.path[:-1]):
        raise EditRefused(f"{document.path}: {_named(step.path)} cannot be renamed: {step.key} is there already")
    wanted = applied(document.data, step)
    for attempt in _attempts(document, step, wanted):
        edited = _reread(_spliced(document, attempt), document.path)
        if edited is not None and same(edited.data, wanted):
            return edited
    place = document.position(step.path)
    raise EditRefused(
        f"{document.path}:{place.line}: {_named(step.path)} cannot be edited without touching something else (an alias,"
        " a comment, an unusual layout); write this place plainly by hand, then try again"
    )


def _named(path: Way) -> str:
    return ".".join(map(str, path)) or "the document"


def _attempts(document: Document, step: Step, wanted: Any) -> Iterator[Step]:  # noqa: ANN401 - data of a YAML file
    """The step itself; if that cannot be, the smallest enclosing node anew, as long as that loses nothing."""
    yield step
    for length in reversed(range(len(step.path))):
        path = step.path[:length]
        if not _is_plainly_data(document, path):
            return
        yield Change(path, value_at(wanted, path))


def _is_plainly_data(document: Document, path: Way) -> bool:
    """Whether the node could be written anew from its data alone: no comment, no anchor, no alias in it."""
    span, node = document.span(path), _node(document, path)
    return node is not None and not _COMMENT.search(document.text[span.start : span.end]) and not _is_shared(node)


def _is_shared(node: Node) -> bool:
    match node:
        case AliasNode():
            return True
        case MappingNode():
            inner = [part for entry in node.entries.values() for part in (entry.key, entry.value)]
        case SequenceNode():
            inner = node.items
        case ScalarNode():
            inner = []
    return node.anchor is not None or any(map(_is_shared, inner))


def _reread(text: str | None, path: str) -> Document | None:
    if text is None:
        return None
    try:
        return read(text, path)
    except InvalidManifest:
        return None


def _spliced(document: Document, step: Step) -> str | None:
    """The text after the step, still unproved; None where there is no place to make it."""
    match step:
        case Change(path, value):
            return _changed(document, path, value)
        case Add(path, value, behind):
            return _added(document, path, value, behind)
        case Insert(path, value):
            return _inserted(document, path, value)
        case Remove(path):
            return _removed(document, path)
        case Rename(path, key):
            return _renamed(document, path, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a value stands. `head`: offset behind its colon or dash; `column`: indentation of its key or dash."""

    node: Node
    in_flow: bool
    head: int
    column: int
    in_list: bool


def _node(document: Document, path: Way) -> Node | None:
    """The node at the path; None also where the path leads through an alias, whose node is not there to be edited."""
    node = document.root
    for key in path:
        node = child(node, key)
    return node


def _place(document: Document, path: Way) -> _Place | None:
    text, parent, node = document.text, _node(document, path[:-1]), _node(document, path)
    if node is None:
        return None
    if isinstance(parent, MappingNode):
        entry = parent.entries[path[-1]]
        head, start = entry.colon or entry.key.end, entry.start
    else:
        start = cuts.dash(text, node.start)
        head = start + 1
    in_flow = isinstance(parent, MappingNode | SequenceNode) and parent.flow
    in_list = isinstance(parent, SequenceNode)
    return _Place(node=node, in_flow=in_flow, head=head, column=cuts.column(text, start), in_list=in_list)


def _changed(document: Document, path: Way, value: Any) -> str | None:  # noqa: ANN401
    if not path:
        return _whole(document, value)
    place = _place(document, path)
    if place is None:
        return None
    if place.in_flow or fits_a_line(value):
        return _put_on_line(document.text, place, flow(value, _quote(place.node)))
    if place.in_list:
        return _put_compact(document.text, place, block(value))
    return _put_below(document.text, place, block(value))


def _quote(node: Node) -> str:
    return node.style if isinstance(node, ScalarNode) and node.style in ("'", '"') else ""


def _whole(document: Document, value: Any) -> str:  # noqa: ANN401
    """The document written anew; what stands before and behind its root stays."""
    text, root = document.text, document.root
    lines = block(value) if isinstance(value, dict | list) else [flow(value)]
    body = cuts.line_end(text).join(lines)
    if root is None or root.start == root.end:
        start = text if not text or text.endswith("\n") else text + cuts.line_end(text)
        return start + body + cuts.line_end(text)
    if isinstance(root, MappingNode | SequenceNode) and root.flow:
        body = flow(value)
    return cuts.replaced(text, root.start, root.end, body)


def _put_on_line(text: str, place: _Place, content: str) -> str:
    node = place.node
    if node.start == node.end:
        missing_colon = place.in_flow and text[place.head - 1] != ":"
        return cuts.replaced(text, place.head, place.head, (": " if missing_colon else " ") + content)
    if place.in_flow or "\n" not in text[place.head : node.start]:
        return cuts.replaced(text, node.start, node.end, content)
    note = text[place.head : cuts.end_of_line(text, place.head)].rstrip()
    return cuts.replaced(text, place.head, cuts.end_of_line(text, node.end), f" {content}{note}")


def _put_compact(text: str, place: _Place, lines: list[str]) -> str:
    """A block behind a dash: its first line stays on the dash's line."""
    node = place.node
    if node.start == node.end:
        body = cuts.indented(text, lines, place.column + 2)
        return cuts.replaced(text, place.head, place.head, " " + body.lstrip(" "))
    body = cuts.indented(text, lines, cuts.column(text, node.start))
    return cuts.replaced(text, node.start, node.end, body.lstrip(" "))


def _put_below(text: str, place: _Place, lines: list[str]) -> str:
    """A block below its key; a comment on the key's line stays there."""
    node, below = place.node, "\n" in text[place.head : place.node.start]
    note_start = place.head if below else node.end
    note = text[note_start : cuts.end_of_line(text, note_start)].rstrip()
    body = note + cuts.line_end(text) + cuts.indented(text, lines, place.column + 2)
    return cuts.replaced(text, place.head, cuts.end_of_line(text, node.end), body)


def _added(document: Document, path: Way, value: Any, behind: tuple[Any, ...]) -> str | None:  # noqa: ANN401
    text, mapping = document.text, _node(document, path[:-1])
    if not isinstance(mapping, MappingNode):
        return None
    if not mapping.entries:
        return _changed(document, path[:-1], {path[-1]: value})
    spans = [(entry.start, entry.end) for entry in mapping.entries.values()]
    index = list(mapping.entries).index(behind[0]) + 1 if behind else 0
    if mapping.flow:
        return cuts.insert_in_flow(text, spans, index, flow({path[-1]: value})[1:-1])
    return cuts.insert_lines(text, spans, index, entry_lines(path[-1], value))


def _inserted(document: Document, path: Way, value: Any) -> str | None:  # noqa: ANN401
    text, sequence = document.text, _node(document, path[:-1])
    if not isinstance(sequence, SequenceNode):
        return None
    if not sequence.items:
        return _changed(document, path[:-1], [value])
    if sequence.flow:
        return cuts.insert_in_flow(text, _item_spans(text, sequence), path[-1], flow(value))
    neighbour = sequence.items[max(path[-1] - 1, 0)]
    spread = isinstance(neighbour, MappingNode) and not neighbour.flow
    return cuts.insert_lines(text, _item_spans(text, sequence), path[-1], item_lines(value, spread=spread))


def _removed(document: Document, path: Way) -> str | None:
    text, parent = document.text, _node(document, path[:-1])
    match parent:
        case MappingNode():
            spans = [(entry.start, entry.end) for entry in parent.entries.values()]
            index = list(parent.entries).index(path[-1])
        case SequenceNode():
            spans, index = _item_spans(text, parent), path[-1]
        case _:
            return None
    if len(spans) == 1:
        return _changed(document, path[:-1], {} if isinstance(parent, MappingNode) else [])
    return cuts.cut_from_flow(text, spans, index) if parent.flow else cuts.cut_lines(text, spans, index)


def _renamed(document: Document, path: Way, key: Scalar) -> str | None:
    mapping = _node(document, path[:-1])
    if not isinstance(mapping, MappingNode):
        return None
    old = mapping.entries[path[-1]].key
    return cuts.replaced(document.text, old.start, old.end, written(key, _quote(old)))


def _item_spans(text: str, sequence: SequenceNode) -> list[tuple[int, int]]:
    """From the dash to the end of each item; in flow style there is no dash."""
    if sequence.flow:
        return [(item.start, item.end) for item in sequence.items]
    return [(cuts.dash(text, item.start), item.end) for item in sequence.items]
