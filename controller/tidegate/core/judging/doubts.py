"""What makes an answer doubtful although it is one: several servers behind it, no numbers in it, no buckets to read.

Doubtful counters count nothing: they are a reading that could not be had, with its reason (I3). What is merely missing
is `counts`' to tell.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.replicas import scraped_twice
from tidegate.core.judging.verdict import ObjectiveReadings

# Labels by which several Prometheus servers that scrape the same targets tell themselves apart: the Prometheus
# operator's, Mimir's and Cortex' (`__replica__` before ingestion), Thanos' usual external label and its receiver's.
REPLICA_LABELS = ("prometheus_replica", "__replica__", "cluster_replica", "replica", "receive_replica")

_LOOKED_AT = 4
"""So many samples at either end of what two counters have in common are looked at: there, replicas would differ."""


def doubted(readings: ObjectiveReadings) -> ObjectiveReadings:
    """The readings, or the same reason for both counters where one of them is doubtful."""
    total, bad = readings.total, readings.bad
    if isinstance(total, Unread) or isinstance(bad, Unread):
        return readings
    words = _replicas(total) or _replicas(bad) or _two_servers(total, bad)
    reason = Unread(why=Why.SEVERAL, words=words) if words else _no_numbers((total, bad))
    return readings if reason is None else ObjectiveReadings(bad=reason, total=reason)


def replicas(sampled: Sampled) -> str | None:
    """The label under which each event comes more than once, if there is one."""
    for name in REPLICA_LABELS:
        same = Counter(_without(name, series) for series in sampled.series if name in series.labels)
        if any(number > 1 for number in same.values()):
            return name
    return scraped_twice(sampled)


def unless_native(readings: ObjectiveReadings, objective: str, histogram: Sampled | Unread) -> ObjectiveReadings:
    """What was read of a histogram, or that it is a native one: there under its own name, and without buckets."""
    if isinstance(histogram, Unread) or not histogram.native:
        return readings
    words = (
        f"the histogram of {objective} is a native one: a bound needs classic buckets, which Prometheus keeps beside "
        "it with always_scrape_classic_histograms: true"
    )
    reason = Unread(why=Why.NATIVE, words=words)
    return ObjectiveReadings(bad=reason, total=reason)


def _replicas(sampled: Sampled) -> str:
    if (name := replicas(sampled)) is None:
        return ""
    return (
        f"the same counter comes once for each value of the label {name}: two servers or two scrape jobs read one "
        "target, or two targets have one instance; ask an address that deduplicates, or keep one of them"
    )


def _without(name: str, series: Series) -> frozenset[tuple[str, str]]:
    return frozenset((key, value) for key, value in series.labels.items() if key != name)


def _two_servers(total: Sampled, bad: Sampled) -> str:
    """All series of a target have the times of its scrapes. Counters that share none were scraped by two servers."""
    times = _by_target(total)
    for target, own in _by_target(bad).items():
        if target in times and _apart(times[target], own):
            return (
                f"the bad and the total events of {target} were scraped at different times: two servers answer at this "
                "address in turn, or two exporters have the same job and instance"
            )
    return ""


def _by_target(sampled: Sampled) -> Mapping[str, Sequence[float]]:
    """When the target's longest series was scraped, by its instance."""
    found: dict[str, tuple[float, ...]] = {}
    for series in sampled.series:
        if name := series.labels.get("instance"):
            target = f"{series.labels.get('job', '')} {name}".strip()
            if len(series.samples) > len(found.get(target, ())):
                found[target] = tuple(at for at, _ in series.samples)
    return found


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two rows of times that overlap have none in common, at either end of the overlap."""
    start, end = max(one[0], other[0]), min(one[-1], other[-1])
    inside = other[bisect_left(other, start) : bisect_left(other, end) + 1]
    if len(inside) < _LOOKED_AT:
        return False
    return not any(_has(one, at) for at in inside[:_LOOKED_AT]) or not any(_has(one, at) for at in inside[-_LOOKED_AT:])


def _has(times: Sequence[float], at: float) -> bool:
    index = bisect_left(times, at)
    return index < len(times) and times[index] == at


def _no_numbers(sampled: Iterable[Sampled]) -> Unread | None:
    for series in _numberless(sampled):
        name = series.labels.get("__name__", "a series")
        return Unread(why=Why.NAN, words=f"{name} of {series.labels.get('instance', 'a target')} has no number in it")
    return None


def _numberless(sampled: Iterable[Sampled]) -> Iterator[Series]:
    for reading in sampled:
        for series in reading.series:
            if series.samples and not any(math.isfinite(value) for _, value in series.samples):
                yield series
