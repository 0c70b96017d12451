"""One counter under several labels: replicas of Prometheus, and scrape jobs that overlap, told by times and values.

All series of a target that one server scrapes have the times of its scrapes, whatever their labels. Series that are
alike but for a label, and share no time where they overlap, were scraped by two. They are one counter where each one's
values lie between those that the other had just before and after; counters of their own soon do not.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from tidegate.core.judging.reading import Sampled, Series

_ENOUGH = 4
"""So many samples in common time, and between values that rose, tell that two series are one counter."""

_TOLERATED = 1 / 9
"""One of ten may lie outside: a scrape has the time at which it began, and may have been answered late."""

_TARGETS = ("__name__", "instance")
"""Series that differ in one of these are never one counter."""

_NAMED_BEHIND = ("exported_instance", "exported_job", "exported_namespace", "exported_pod", "pod")
"""Nor those that both have one of these, and differ: a server that is federated, or a gateway, is one `instance` for
many targets, each with times of its own. Targets that share traffic at random count alike for hours."""


def scraped_twice(sampled: Sampled) -> str | None:
    """The label under which one counter comes from several servers or jobs, with those that change as it does."""
    series = [each for each in sampled.series if "instance" in each.labels]
    varying = [name for name in _names(series) if len({each.labels.get(name) for each in series}) > 1]
    for name in varying:
        changing = [name, *(other for other in varying if other != name and _tied(name, other, series))]
        if _one_counter(_on_other_clocks(series, changing)):
            return " and ".join(changing)
    return None


def _names(series: Sequence[Series]) -> list[str]:
    return sorted({name for each in series for name in each.labels if name not in _TARGETS})


def _tied(name: str, other: str, series: Sequence[Series]) -> bool:
    """Whether each value of one comes with one value of the other."""
    both = {(each.labels.get(name), each.labels.get(other)) for each in series}
    return len(both) == len({one for one, _ in both}) == len({one for _, one in both})


def _on_other_clocks(series: Sequence[Series], changing: Sequence[str]) -> Iterator[tuple[Series, Series]]:
    """Those that are alike but for some labels: the longest, with each that was scraped at other times."""
    alike: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for each in series:
        rest = frozenset((name, value) for name, value in each.labels.items() if name not in changing)
        alike.setdefault(rest, []).append(each)
    for group in alike.values():
        longest = max(group, key=lambda each: len(each.samples))
        yield from (
            (longest, each)
            for each in group
            if each is not longest and not _named_apart(longest, each) and _share_no_time(longest, each)
        )


def _named_apart(one: Series, other: Series) -> bool:
    named = (name for name in _NAMED_BEHIND if name in one.labels and name in other.labels)
    return any(one.labels[name] != other.labels[name] for name in named)


def _share_no_time(one: Series, other: Series) -> bool:
    """False also where too little overlaps to tell: one may have ended as the other began."""
    common = _common(one, other)
    return len(common) >= _ENOUGH and not any(_next(one, at) == at for at, _ in common)


def _one_counter(pairs: Iterable[tuple[Series, Series]]) -> bool:
    """Whether what was scraped in between lies in between, wherever the counter moved."""
    inside = outside = 0
    for one, other in pairs:
        for at, value in _common(one, other):
            index = bisect_left(one.samples, (at,))
            (_, before), (_, after) = one.samples[index - 1 : index + 1]
            if not before <= after or not math.isfinite(value):  # a restart, or no number
                continue
            if not before <= value <= after:
                outside += 1
            elif before < after:
                inside += 1
    return inside >= _ENOUGH and outside <= _TOLERATED * inside


def _common(one: Series, other: Series) -> Sequence[tuple[float, float]]:
    """The other's samples from the first to the last of one."""
    if not one.samples:
        return ()
    first, last = one.samples[0][0], one.samples[-1][0]
    return other.samples[bisect_left(other.samples, (first,)) : bisect_right(other.samples, (last, math.inf))]


def _next(series: Series, at: float) -> float:
    """Its first time from an instant on; there is one in what two have in common."""
    return series.samples[bisect_left(series.samples, (at,))][0]
