"""Labels that come late, as histograms of their age read at fixed instants. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate

from support.counters import CANARY, SINCE, STABLE
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import LateReadings, Together
from tidegate.core.manifest import Labels, Objective, Rollout

HOUR = 3600.0
BOUNDS = (6, 12, 24)
"""Upper bounds of the age buckets, in hours."""
QUALITY = Objective(
    name="quality",
    target=0.9,
    bad='label_age_seconds{correct="false"}',
    total="label_age_seconds",
    labels=Labels(served="predictions_total", delay=timedelta(hours=24), minimum_coverage=0.6),
)
ROLLOUT = Rollout(warm_up=timedelta(0), dispersion=1.0, bake=timedelta(hours=6))
TOGETHER = Together(
    subject=CANARY,
    reference=STABLE,
    since=SINCE,
    until=SINCE + timedelta(hours=24),
    objectives=(QUALITY,),
    rollout=ROLLOUT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """How one version's predictions are labelled: so many an hour, from one hour to another (of the rollout), and what
    shares of the good and of the bad ones get their label by 6, 12 and 24 hours."""

    predictions: float
    bad: float
    hours: tuple[int, int]
    good_labels: tuple[float, float, float] = (0.3, 0.3, 0.3)
    bad_labels: tuple[float, float, float] = (0.3, 0.3, 0.3)
    job: Mapping[str, str] = field(default_factory=lambda: {"job": "labels", "instance": "joiner:80"})


def readings(versions: Mapping[int, Labelled], hours: int, first: int = -40) -> LateReadings:
    """As read once an hour, which is the step of `ROLLOUT`, up to so many hours after the rollout began. The joiner was
    there before."""
    bad, total, served = [], [], []
    for version, how in versions.items():
        arrived_good = _arrivals(how, how.predictions * (1 - how.bad), how.good_labels, first, hours)
        arrived_bad = _arrivals(how, how.predictions * how.bad, how.bad_labels, first, hours)
        bounds = (*(str(hours * HOUR) for hours in BOUNDS), "+Inf")
        for le, good, worse in zip(bounds, arrived_good, arrived_bad, strict=True):
            labels = {"version": str(version), "le": le, **how.job}
            bad.append(_series({**labels, "correct": "false"}, worse, first))
            total.append(_series({**labels, "correct": "false"}, worse, first))
            total.append(_series({**labels, "correct": "true"}, good, first))
        made = [how.predictions if how.hours[0] < hour <= how.hours[1] else 0.0 for hour in range(first + 1, hours + 1)]
        served.append(_series({"version": str(version), "job": "serving", "instance": "pod:80"}, made, first))
    return LateReadings(bad=_sampled(bad), total=_sampled(total), served=_sampled(served))


def _arrivals(how: Labelled, made: float, shares: Sequence[float], first: int, hours: int) -> list[list[float]]:
    """Labels by cumulative age bucket and hour: those of one bucket come evenly over it."""
    by_age: list[list[float]] = []
    low = 0
    for high, share in zip(BOUNDS, shares, strict=True):
        arrived = [0.0] * (hours - first)
        for hour in range(max(how.hours[0], first) + 1, how.hours[1] + 1):
            for age in range(low + 1, high + 1):
                if hour + age <= hours:
                    arrived[hour + age - first - 1] += made * share / (high - low)
        by_age.append(arrived)
        low = high
    up_to = [[sum(each) for each in zip(*by_age[: index + 1], strict=True)] for index in range(len(by_age))]
    return [*up_to, up_to[-1]]


def _series(labels: Mapping[str, str], grown: Sequence[float], first: int) -> Series:
    values = accumulate(grown, initial=0.0)
    at = ((SINCE.timestamp() + (first + index) * HOUR, value) for index, value in enumerate(values))
    return Series(labels=labels, samples=tuple(at))


def _sampled(series: Sequence[Series]) -> Sampled:
    return Sampled(series=tuple(series), start=SINCE, end=SINCE)
