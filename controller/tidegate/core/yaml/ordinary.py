"""The data of an ordinary YAML document, read by libyaml thirty times as fast as `nodes` reads it.

Ordinary is what both readers take for the same: no anchors, tags, tabs, directives or complex keys, nothing that is
wrong, and no plain scalar that an older YAML would read otherwise. Everything else is left to `nodes`, which also
knows where things stand. Tests compare the two on every golden and fuzzed file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from yaml.error import YAMLError
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tidegate.core.yaml.scalars import DECEPTIVE, Scalar, meaning

try:
    from yaml._yaml import CParser
except ImportError:  # a PyYAML that was built without libyaml: every document goes the other way
    CParser = None  # type: ignore[assignment,misc]

MAXIMUM_DEPTH = 32
MAXIMUM_CHARACTERS = 80_000  # a value takes two: no more values than `composer` takes
_BLOCK = frozenset("|>")
_REMEMBERED = 20_000
# Line breaks of Unicode, which YAML 1.1 knows and 1.2 does not, and what only one of the two readers takes.
_DIVIDED = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_EXPLICIT = re.compile(r"(?:^|[\s\[\]{},:-])[?]")
_HEADER = re.compile(r"[|>][-+0-9]*#")
_meanings: dict[str, Scalar] = {}


class Uncommon(Exception):
    """The document is not ordinary, or no YAML."""


def load(text: str) -> Any:  # noqa: ANN401 - a place where YAML becomes Python data
    """What the document says, in fresh objects. Raises Uncommon where `nodes` has to say it."""
    if CParser is None or "\t" in text or "\r" in text or ("?" in text and _EXPLICIT.search(text)):
        raise Uncommon
    if "#" in text and _HEADER.search(text):
        raise Uncommon
    if not text.isascii() and _DIVIDED.search(text):
        raise Uncommon
    try:
        return _document(CParser(text).get_event)
    except (YAMLError, ValueError):
        raise Uncommon from None


def _document(following: Callable[[], Any]) -> Any:  # noqa: ANN401
    following()
    start = following()
    if type(start) is not DocumentStartEvent or start.version or start.tags:
        raise Uncommon
    data = _node(following(), following, 1)
    end = following()
    if type(end) is not DocumentEndEvent or end.explicit or type(following()) is not StreamEndEvent:
        raise Uncommon
    return data


def _node(event: Any, following: Callable[[], Any], depth: int) -> Any:  # noqa: ANN401
    """libyaml recurses nowhere; we do, and stop at MAXIMUM_DEPTH."""
    if event.anchor is not None or event.tag is not None or depth > MAXIMUM_DEPTH:
        raise Uncommon
    kind = type(event)
    if kind is ScalarEvent:
        if event.implicit[0]:
            return _plain(event.value)
        return _block(event.value, depth) if event.style in _BLOCK else event.value
    if kind is MappingStartEvent:
        return _mapping(following, depth + 1)
    if kind is SequenceStartEvent:
        return _sequence(following, depth + 1)
    raise Uncommon


def _mapping(following: Callable[[], Any], depth: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    while type(event := following()) is not MappingEndEvent:
        key = _node(event, following, depth)
        if type(key) is not str or key in mapping or key == "<<":
            raise Uncommon
        mapping[key] = _node(following(), following, depth)
    return mapping


def _sequence(following: Callable[[], Any], depth: int) -> list[Any]:
    items: list[Any] = []
    while type(event := following()) is not SequenceEndEvent:
        if type(event) is MappingStartEvent and _is_bare(event):
            raise Uncommon
        items.append(_node(event, following, depth))
    return items


def _is_bare(event: Any) -> bool:  # noqa: ANN401
    """`[a: b]`, a pair without braces: the readers differ about what may stand in it."""
    return bool(event.flow_style and event.start_mark.index == event.end_mark.index)


def _block(text: str, depth: int) -> str:
    """Block scalars are read differently at the top, when empty, and where their first line is blank or a comment."""
    if depth == 1 or not text or text[0] in " \n#":
        raise Uncommon
    return text


def _plain(text: str) -> Scalar:
    try:
        return _meanings[text]
    except KeyError:
        pass
    if DECEPTIVE.fullmatch(text):
        raise Uncommon
    if len(_meanings) >= _REMEMBERED:
        _meanings.clear()
    _meanings[text] = value = meaning(text)
    return value
