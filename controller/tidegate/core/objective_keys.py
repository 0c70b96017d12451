"""The keys of an objective, its preset's included: which belong together, what is missing, what would go unheard."""

from __future__ import annotations

from collections.abc import Collection, Mapping

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "bad": ("total", "target"),
    "good": ("total", "target"),
    "histogram": ("under", "target"),
    "sum": ("total", "range"),
    "value": (),
}
"""What leads an objective, and what it needs beside it. A sum and a value need a bound, too."""
_BOUNDS = ("minimum", "maximum")
_COUNTED = frozenset({"value", "sum", "squares", "range", "for", *_BOUNDS})
_NOTHING_TO_DO_WITH: Mapping[str, frozenset[str]] = {
    "bad": _COUNTED | {"good", "histogram", "under", "unit"},
    "good": _COUNTED | {"bad", "histogram", "under", "unit"},
    "histogram": _COUNTED | {"bad", "good", "total", "labels"},
    "sum": frozenset({"bad", "good", "histogram", "value", "under", "unit", "target", "window", "for", "labels"}),
    "value": frozenset(
        {"bad", "good", "histogram", "sum", "squares", "range", "total", "under", "unit", "target", "window", "labels"}
    ),
}


def lead(data: Collection[str]) -> str | None:
    """The key that says what is read: `bad`, `good`, `histogram`, `sum` or `value`."""
    return next((key for key in _NEEDED if key in data), None)


def missing(data: Collection[str]) -> str | None:
    """What an objective still needs, in words."""
    leading = lead(data)
    if leading is None:
        return "bad and total, good and total, histogram and under, sum and total, or a value"
    needed = [key for key in _NEEDED[leading] if key not in data]
    if leading in ("sum", "value") and not any(bound in data for bound in _BOUNDS):
        needed.append("minimum or maximum")
    return " and ".join(needed) or None


def strangers(data: Collection[str]) -> list[str]:
    """Keys that have nothing to do with the one that leads, and would go unheard."""
    leading = lead(data)
    return [] if leading is None else [key for key in data if key in _NOTHING_TO_DO_WITH[leading]]


def fault(data: Collection[str]) -> str | None:
    """What is wrong with an objective's keys; None when it says one thing and says it whole."""
    if (needed := missing(data)) is not None:
        return f"an objective that lacks {needed}"
    if others := strangers(data):
        return f"{', '.join(others)} has nothing to do with {lead(data)}: an objective is of one kind"
    return None
