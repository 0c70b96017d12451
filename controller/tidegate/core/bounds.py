"""What quantities of a policy must lie between so that they mean something: weights, targets, rates, spans of time.

Each function reads one value and raises ValueError, with the reason, for one that cannot be honoured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from tidegate.core.quantity import duration, share
from tidegate.core.shown import shown

_SHORTEST_CELL = timedelta(milliseconds=100)
_SHORTEST_WINDOW, _LONGEST_WINDOW = timedelta(hours=1), timedelta(days=366)


def steps(value: object) -> tuple[float, ...]:
    """Weights of a canary, each higher than the one before."""
    weights = tuple(share(step) for step in value) if isinstance(value, list) else ()
    if not_higher(weights) is not None:
        raise ValueError("steps must rise, each between 0% and 100%")
    return weights


def not_higher(weights: Sequence[float]) -> int | None:
    """The index of the first weight that is not above the one before it, or that is 0 or 1; None for rising ones."""
    before = 0.0
    for index, weight in enumerate(weights):
        if not before < weight < 1:
            return index
        before = weight
    return None


def target(value: object) -> float:
    """The share of events that must be good."""
    good = share(value)
    if not 0 < good < 1:
        raise ValueError(
            "a target lies between 0% and 100%, both excluded: at 100% a single bad event is a breach for ever"
        )
    return good


def rate_of_errors(value: object) -> float:
    """The chance that a decision may be wrong. Evidence for no chance at all is infinite; at a half a coin would do."""
    chance = share(value)
    if not 0 < chance < 0.5:
        raise ValueError(f"{shown(value)} is no chance to be wrong: it lies between 0% and 50%, both excluded")
    return chance


def resolution(value: object) -> timedelta:
    """The length of a cell. No exporter is scraped so often that less would hold two scrapes."""
    length = duration(value)
    if length < _SHORTEST_CELL:
        raise ValueError(f"{shown(value)} is too short for a cell, which holds at least two scrapes")
    return length


def window(value: object) -> timedelta:
    """The period of an error budget: an hour is the shortest span that an alert looks at, and Prometheus reads no more
    than a year with any patience."""
    period = duration(value)
    if not _SHORTEST_WINDOW <= period <= _LONGEST_WINDOW:
        raise ValueError(f"an error budget's window lies between 1h and 366d, and {shown(value)} does not")
    return period


def under(value: object) -> timedelta:
    """The latency that is still good; histograms count in steps of a microsecond at the finest."""
    bound = duration(value)
    if bound <= timedelta(0):
        raise ValueError(f"nothing is served within {shown(value)}: a latency that is still good is longer")
    return bound


def number(value: object) -> float:
    """A figure that can be compared."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{shown(value)} is no figure that anything can be compared with")
    return value


def span_of_figures(value: object) -> tuple[float, float]:
    """The smallest and the largest figure that an event may have. A counter of sums never falls: none is negative."""
    ends = tuple(number(end) for end in value) if isinstance(value, list) else ()
    if len(ends) != 2 or not 0 <= ends[0] < ends[1]:
        raise ValueError(f"{shown(value)} is no range: it has a lower end, 0 or more, and a higher one")
    return ends[0], ends[1]


def coverage(value: object) -> float:
    """The share of predictions that must have a label."""
    covered = share(value)
    if not 0 < covered <= 1:
        raise ValueError(f"a coverage of {shown(value)} judges by nothing: it is more than 0%")
    return covered


def delay(value: object) -> timedelta:
    """How late labels may come."""
    late = duration(value)
    if late <= timedelta(0):
        raise ValueError(f"labels that come {shown(value)} late are there at once: leave `labels` out")
    return late
