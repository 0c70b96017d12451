"""Histograms of the age at which labels came, cut by age and time: how many labels came in each step, of predictions
how old.

Counters are read at fixed instants, a step apart. What the labels say of a version is `late_labels`' work.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tidegate.core.judging.beginnings import SteppedBeginnings
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import LateReadings, Tally
from tidegate.core.manifest import Objective


class Served:
    """The predictions of one version, by step (counted since the epoch)."""

    def __init__(self, by_step: Mapping[int, float]) -> None:
        self._steps = sorted(step for step, number in by_step.items() if number > 0)
        self.known_since = min(by_step, default=0)
        steps = range(self.known_since, max(by_step, default=-1) + 1)
        self._sums = list(accumulate((by_step.get(step, 0.0) for step in steps), initial=0.0))

    def first(self, since: int) -> int | None:
        """The first step from one on in which it made any."""
        index = bisect_left(self._steps, since)
        return self._steps[index] if index < len(self._steps) else None

    def between(self, after: int, until: int) -> float:
        """Those of the steps after one and up to another."""
        return self._up_to(until) - self._up_to(after)

    def _up_to(self, step: int) -> float:
        return self._sums[min(max(step + 1 - self.known_since, 0), len(self._sums) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBucket:
    """Labels of predictions that were older than `low` and at most `high` steps, rounded outward: by version and step
    in which they came."""

    low: int
    high: int
    labels: Mapping[int, Mapping[int, Tally]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """All labels up to the objective's delay, and all predictions, up to the last step that was read."""

    buckets: Sequence[AgeBucket]
    served: Mapping[int, Served]
    last: int


def counted(
    objective: Objective, readings: LateReadings, label: str, versions: Sequence[int], step: float
) -> Counted | Unread:
    """What the counters grew by in each step, or why that cannot be told."""
    bad, total, served = readings.bad, readings.total, readings.served
    if isinstance(served, Unread):
        return served
    if isinstance(total, Unread):
        return total
    if isinstance(bad, Unread):
        return bad
    if not served.series:
        return Unread(why=Why.NO_DATA, words="nothing is counted under `labels.served`")
    if not any("le" in series.labels for series in total.series):
        return Unread(why=Why.NO_DATA, words="no label of either version yet, or `total` is no histogram")
    beginnings = SteppedBeginnings((served, total, bad), label)
    of_bad, of_all = (_Histogram(each, label, step, beginnings) for each in (bad, total))
    return Counted(
        buckets=_buckets(objective, of_bad, of_all, versions, step),
        served={version: Served(_grown(_of(served, label, version), step, beginnings)) for version in versions},
        last=max((round(series.samples[-1][0] / step) for series in (*served.series, *total.series)), default=-1),
    )


class _Histogram:
    """Increments of a histogram's buckets, by version and upper bound. Client libraries print one bound as 1 or 1.0."""

    def __init__(self, reading: Sampled, label: str, step: float, beginnings: SteppedBeginnings) -> None:
        self._reading, self._label, self._step, self._beginnings = reading, label, step, beginnings

    def bounds(self) -> list[float]:
        """The finite upper bounds, in order."""
        return sorted({le for le in map(_bound, self._reading.series) if math.isfinite(le)})

    def grown(self, version: int, le: float) -> Mapping[int, float]:
        series = [each for each in _of(self._reading, self._label, version) if _bound(each) == le]
        return _grown(series, self._step, self._beginnings)


def _buckets(
    objective: Objective, bad: _Histogram, total: _Histogram, versions: Sequence[int], step: float
) -> list[AgeBucket]:
    longest = objective.labels.delay.total_seconds() if objective.labels else math.inf
    bounds = [le for le in total.bounds() if le <= longest]
    labels = [{version: _tallies(objective, bad, total, version, le) for version in versions} for le in bounds]
    nothing: dict[int, dict[int, Tally]] = {version: {} for version in versions}
    return [
        AgeBucket(
            low=math.floor(low / step),
            high=math.ceil(high / step),
            labels={version: _less(upper[version], lower[version]) for version in versions},
        )
        for (low, high), (lower, upper) in zip(pairwise([0.0, *bounds]), pairwise([nothing, *labels]), strict=True)
    ]


def _tallies(objective: Objective, bad: _Histogram, total: _Histogram, version: int, le: float) -> dict[int, Tally]:
    """Labels of predictions up to this age, by step."""
    other = bad.grown(version, le)
    return {
        step: Tally(bad=other.get(step, 0.0) if objective.bad else number - other.get(step, 0.0), total=number)
        for step, number in total.grown(version, le).items()
        if number > 0
    }


def _less(upper: Mapping[int, Tally], lower: Mapping[int, Tally]) -> dict[int, Tally]:
    """Labels in one bucket: those up to its upper bound without those up to its lower one."""
    found: dict[int, Tally] = {}
    for step, tally in upper.items():
        less = lower.get(step, Tally())
        number = tally.total - less.total
        if number > 0:
            found[step] = Tally(bad=min(max(tally.bad - less.bad, 0.0), number), total=number)
    return found


def _bound(series: Series) -> float:
    """NaN where it is no bucket."""
    try:
        return float(series.labels.get("le", "nan"))
    except ValueError:
        return math.nan


def _of(reading: Sampled, label: str, version: int) -> list[Series]:
    return [series for series in reading.series if series.labels.get(label) == str(version)]


def _grown(of_one: Iterable[Series], step: float, beginnings: SteppedBeginnings) -> dict[int, float]:
    """What these series grew by in each step, from what they began at. A counter that fell was reset to 0, and what it
    counted until then since the instant before is lost."""
    grown: dict[int, float] = {}
    for series in of_one:
        for at, by in _increments(series, beginnings):
            index = round(at / step)
            grown[index] = grown.get(index, 0.0) + by
    return grown


def _increments(series: Series, beginnings: SteppedBeginnings) -> Iterator[tuple[float, float]]:
    if series.samples:
        at, first = series.samples[0]
        yield at, 0.0
        if (began := beginnings.of(series)) is not None:
            yield began.known, first - began.value
    for (_, before), (at, value) in pairwise(series.samples):
        yield at, value - before if value >= before else value
