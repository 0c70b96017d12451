"""Counters of made-up services, as Prometheus would have scraped them. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage, WeightChange
from tidegate.core.manifest import Objective, Rollout

SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
START = SINCE.timestamp()
SCRAPE = 15.0
LEAD = 8
"""Scrapes before the stage began, in which stable alone served."""

STABLE, CANARY = 11, 12
AVAILABILITY = Objective(name="availability", target=0.995, bad="errors_total", total="requests_total")


def at(scrape: float) -> float:
    """The instant of a scrape, counted from the stage's start; half a second after the full quarter minute."""
    return START + scrape * SCRAPE + 0.5


def moment(scrape: float) -> datetime:
    return datetime.fromtimestamp(at(scrape), UTC)


def counter(version: int, increments: Sequence[float], *, first: int = -LEAD, instance: str = "pod:80") -> Series:
    """A counter that shows 0 at scrape `first` and has grown by each increment at the next scrapes."""
    samples = ((at(first + index), value) for index, value in enumerate(accumulate(increments, initial=0.0)))
    return Series(labels={"version": str(version), "job": "serving", "instance": instance}, samples=tuple(samples))


def without(series: Series, *scrapes: int) -> Series:
    """The series with some scrapes missing."""
    missing = {at(scrape) for scrape in scrapes}
    return replace(series, samples=tuple(sample for sample in series.samples if sample[0] not in missing))


def sampled(*series: Series, until: float | None = None) -> Sampled:
    """The reading of these series, as it would have been at an instant."""
    seen = [replace(s, samples=tuple(x for x in s.samples if until is None or x[0] <= until)) for s in series]
    newest = max((s.samples[-1][0] for s in seen if s.samples), default=START)
    return Sampled(
        series=tuple(s for s in seen if s.samples),
        start=SINCE - timedelta(minutes=5),
        end=datetime.fromtimestamp(until if until is not None else newest, UTC),
    )


def readings(bad: Sequence[Series], total: Sequence[Series], until: float | None = None) -> ObjectiveReadings:
    return ObjectiveReadings(bad=sampled(*bad, until=until), total=sampled(*total, until=until))


def arms(
    events: Mapping[int, float], bad: Mapping[int, float], scrapes: int, until: float | None = None
) -> ObjectiveReadings:
    """Steady traffic: so many events and bad events per scrape for each version, stable also before the stage."""

    def each(rates: Mapping[int, float]) -> list[Series]:
        return [
            counter(
                version,
                [rate] * (scrapes + (LEAD if version == STABLE else 0)),
                first=-LEAD if version == STABLE else 0,
            )
            for version, rate in rates.items()
        ]

    return readings(each(bad), each(events), until)


def counters(
    objectives: Mapping[str, ObjectiveReadings] | ObjectiveReadings,
    scrapes: float,
    ready: Sampled | None = None,
    up: Sampled | None = None,
) -> Counters:
    """What Prometheus says right after that many scrapes of the stage."""
    if isinstance(objectives, ObjectiveReadings):
        objectives = {AVAILABILITY.name: objectives}
    return Counters(now=moment(scrapes), objectives=objectives, ready=ready, up=up)


def canary_question(**policy: object) -> Question:
    """A canary at 10 % since noon, with no warm-up and no dispersion unless the policy says so."""
    rollout = replace(Rollout(warm_up=timedelta(0), dispersion=1.0), **policy)  # type: ignore[arg-type]
    return Question(
        stage=Stage.CANARY,
        subject=CANARY,
        reference=STABLE,
        since=SINCE,
        rollout=rollout,
        objectives=(AVAILABILITY,),
        weights=(WeightChange(at=SINCE, weight=0.1),),
    )
