"""The keys of an objective, its preset's included: which belong together, what is missing, what would go unheard."""

from __future__ import annotations

from collections.abc import Collection, Mapping

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "bad": ("total", "target"),
    "good": ("total", "target"),
    "histogram": ("under", "target"),
    "value": (),
}
"""What leads an objective, and what it needs beside it. A value needs one of two bounds."""
_BOUNDS = ("minimum", "maximum")
_NOTHING_TO_DO_WITH: Mapping[str, frozenset[str]] = {
    "bad": frozenset({"good", "histogram", "value", "under", "for", *_BOUNDS}),
    "good": frozenset({"bad", "histogram", "value", "under", "for", *_BOUNDS}),
    "histogram": frozenset({"bad", "good", "value", "total", "for", *_BOUNDS}),
    "value": frozenset({"bad", "good", "histogram", "total", "under", "target", "window"}),
}


def lead(data: Collection[str]) -> str | None:
    """The key that says what is read: `bad`, `good`, `histogram` or `value`."""
    return next((key for key in _NEEDED if key in data), None)


def missing(data: Collection[str]) -> str | None:
    """What an objective still needs, in words."""
    leading = lead(data)
    if leading is None:
        return "bad and total, good and total, or histogram and under"
    if leading == "value":
        return None if any(bound in data for bound in _BOUNDS) else "minimum or maximum"
    return " and ".join(key for key in _NEEDED[leading] if key not in data) or None


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
