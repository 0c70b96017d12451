"""Data without the parts that do not have their schema's shape, so that rules can look at what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidegate.core.fault import Fault, Way

_STAY = frozenset({"missing-key"})
"""What is missing cannot be cut: the mapping that lacks it stays."""


def pruned(data: Any, faults: Sequence[Fault]) -> dict[str, Any]:  # noqa: ANN401 - data of a YAML file
    """The data itself when nothing is wrong; else a copy without every value at fault.

    A list with an item at fault goes as a whole: the places of the other items would shift.
    """
    return _cut(data, [fault for fault in faults if fault.rule not in _STAY])


def whole(data: Any, faults: Sequence[Fault]) -> dict[str, Any]:  # noqa: ANN401
    """Like `pruned`, and without every mapping that lacks a key: what is left can be read."""
    return _cut(data, faults)


def _cut(data: Any, faults: Sequence[Fault]) -> dict[str, Any]:  # noqa: ANN401
    if not faults:
        untouched: dict[str, Any] = data
        return untouched
    copy = _without(data, {fault.path for fault in faults}, ())
    return copy if isinstance(copy, dict) else {}


_GONE = object()


def _without(value: Any, cut: set[Way], here: Way) -> Any:  # noqa: ANN401
    if here in cut:
        return _GONE
    if isinstance(value, dict):
        kept = ((key, _without(inner, cut, (*here, key))) for key, inner in value.items())
        return {key: inner for key, inner in kept if inner is not _GONE}
    if isinstance(value, list):
        items = [_without(inner, cut, (*here, index)) for index, inner in enumerate(value)]
        return _GONE if _GONE in items else items
    return value
