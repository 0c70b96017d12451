"""How long judging takes: figures for docs/benchmarks.md. `bench/run.py` calls these and prints the table.

Only the pure core is timed; asking Prometheus is not in here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidegate.core.judging.dispersion import HISTORY
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage, WeightChange
from tidegate.core.manifest import Objective, Rollout

SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCRAPE = timedelta(seconds=15)
CELLS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The fastest of some repetitions: what the code costs, without what else the machine did."""

    what: str
    seconds: float

    @property
    def per_second(self) -> float:
        return 1 / self.seconds


def rollout_of_240_cells(objectives: int = 3, targets: int = 1) -> Timing:
    """One `judge` of a canary after four hours, from raw samples at 15 s scrapes of both versions."""
    rollout = Rollout()
    question = Question(
        stage=Stage.CANARY,
        subject=12,
        reference=11,
        since=SINCE,
        rollout=rollout,
        objectives=objectives_of(objectives),
        weights=(WeightChange(at=SINCE, weight=0.1),),
        reference_since=SINCE - timedelta(days=1),
    )
    counters = counters_of(objectives, targets, SINCE + CELLS * rollout.resolution + 2 * SCRAPE)
    verdict = judge(question, counters)
    if verdict.unread is not None or verdict.judged_until != SINCE + CELLS * rollout.resolution:
        raise AssertionError(f"this is not the rollout that was meant: {verdict}")
    return Timing(
        what=f"judge: {CELLS} cells, {objectives} objectives, {targets} target(s) per version",
        seconds=fastest(lambda: judge(question, counters), times=5),
    )


def fastest(work: Callable[[], object], times: int) -> float:
    """Seconds of the fastest run."""

    def durations() -> Iterator[float]:
        for _ in range(times):
            start = time.perf_counter()
            work()
            yield time.perf_counter() - start

    return min(durations())


def objectives_of(count: int) -> tuple[Objective, ...]:
    """So many event objectives on the same counters."""
    return tuple(
        Objective(name=f"objective-{index}", target=0.99, bad="errors_total", total="requests_total")
        for index in range(count)
    )


def counters_of(objectives: int, targets: int, now: datetime) -> Counters:
    """What Prometheus holds at `now`: 11 stable at nine tenths of the traffic and 12 canary at one, equally good; of
    stable also the hours that dispersion is measured on."""
    readings = ObjectiveReadings(bad=_read(now, targets, {11: 9, 12: 1}), total=_read(now, targets, {11: 900, 12: 100}))
    return Counters(now=now, objectives={objective.name: readings for objective in objectives_of(objectives)})


def _read(now: datetime, targets: int, per_scrape: dict[int, int]) -> Sampled:
    began = {11: SINCE - HISTORY - timedelta(minutes=5), 12: SINCE - timedelta(minutes=5)}
    series = tuple(
        Series(
            labels={"version": str(version), "job": "serving", "instance": f"pod-{version}-{target}:80"},
            samples=tuple(_samples(began[version], now, float(increment))),
        )
        for version, increment in per_scrape.items()
        for target in range(targets)
    )
    return Sampled(series=series, start=began[11], end=now)


def _samples(start: datetime, end: datetime, increment: float) -> Iterator[tuple[float, float]]:
    for index in range((end - start) // SCRAPE + 1):
        yield (start + index * SCRAPE).timestamp(), (index + 1) * increment
