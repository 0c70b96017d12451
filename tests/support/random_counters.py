"""Random counters of two versions as Prometheus might have scraped them: gaps, resets, shared targets, late series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, LEAD, SINCE, STABLE, START, at, canary_question, moment, sampled
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage, WeightChange
from tidegate.core.manifest import Objective

SCRAPES = 60
OBJECTIVES = (
    AVAILABILITY,
    Objective(name="availability", target=0.9, good="good_total", total="requests_total"),
    Objective(name="availability", target=0.9, histogram="seconds", under=timedelta(seconds=1)),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any stage; the weight may change once. Probation with weights is one with a holdback."""
    changes = draw(st.lists(st.integers(0, SCRAPES * 15), max_size=1))
    weights = [WeightChange(at=SINCE + timedelta(seconds=change), weight=0.5) for change in changes]
    first = () if draw(st.booleans()) else (WeightChange(at=SINCE, weight=0.1),)
    stage = draw(st.sampled_from([Stage.CANARY, Stage.PROBATION, Stage.BAKE]))
    policy = canary_question(
        minimum_events=draw(st.sampled_from([0, 50, 200])),
        warm_up=timedelta(minutes=draw(st.sampled_from([0, 2]))),
        bake=timedelta(minutes=draw(st.sampled_from([2, 30]))),
    )
    return replace(
        policy,
        stage=stage,
        reference=draw(st.sampled_from([STABLE, STABLE, None])),
        objectives=(draw(st.sampled_from(OBJECTIVES)),),
        weights=(*policy.weights, *weights) if stage is Stage.CANARY else first,
        reference_since=draw(st.sampled_from([None, SINCE - timedelta(minutes=75), SINCE - timedelta(days=9)])),
    )


@st.composite
def readings_of_two_versions(draw: st.DrawFn) -> Counters:
    """What was scraped in a quarter of an hour, and some scrapes after the stage's end."""
    targets = [(STABLE, "a:1"), (CANARY, draw(st.sampled_from(["b:1", "a:1"]))), (STABLE, "c:1")]
    scraped = {name: draw(_scrapes()) for name in ("a:1", "b:1", "c:1")}
    total = [draw(_series(version, name, scraped[name], 20)) for version, name in targets]
    bad = [draw(_series(version, name, scraped[name], 2)) for version, name in targets]
    up = sampled(*(_up(name, times) for name, times in scraped.items())) if draw(st.booleans()) else None
    ready = sampled(*(draw(_gauge(version)) for version in (STABLE, CANARY))) if draw(st.booleans()) else None
    found = ObjectiveReadings(bad=sampled(*bad), total=sampled(*total))
    return Counters(
        now=moment(SCRAPES + draw(st.sampled_from([0, 3, 20]))),
        objectives={"availability": found},
        up=up,
        ready=ready,
        kept=draw(st.sampled_from([None, sampled(), sampled(*total)])),
    )


def seen_by(counters: Counters, scrape: float) -> Counters:
    """The same counters as they were at an instant."""
    until = at(scrape)
    objectives = {
        name: ObjectiveReadings(bad=_until(each.bad, until), total=_until(each.total, until))
        for name, each in counters.objectives.items()
        if isinstance(each.bad, Sampled) and isinstance(each.total, Sampled)
    }
    ready = _until(counters.ready, until) if isinstance(counters.ready, Sampled) else None
    up = _until(counters.up, until) if isinstance(counters.up, Sampled) else None
    return Counters(now=moment(scrape), objectives=objectives, ready=ready, up=up, kept=counters.kept)


def _until(found: Sampled, until: float) -> Sampled:
    seen = [replace(each, samples=tuple(x for x in each.samples if x[0] <= until)) for each in found.series]
    return replace(found, series=tuple(each for each in seen if each.samples))


@st.composite
def _scrapes(draw: st.DrawFn) -> list[float]:
    """When a target was scraped: from some instant on, with gaps, never quite on time."""
    first = draw(st.sampled_from([-LEAD, -LEAD, 0, 20]))
    missed = draw(st.sets(st.integers(0, SCRAPES), max_size=6))
    out = draw(st.integers(0, SCRAPES))
    length = draw(st.sampled_from([0, 0, 12]))
    late = draw(st.floats(-3, 3))
    return [
        at(index) + late for index in range(first, SCRAPES) if index not in missed and not out <= index < out + length
    ]


@st.composite
def _series(draw: st.DrawFn, version: int, name: str, times: Sequence[float], most: int) -> Series:
    """A counter that may be absent at first, and may be reset once."""
    size = len(times)
    increments = draw(st.lists(st.integers(0, most), min_size=size, max_size=size))
    reset = draw(st.integers(0, 2 * SCRAPES))
    values = [*accumulate(increments[:reset]), *accumulate(increments[reset:])]
    absent = draw(st.sampled_from([0, 0, 10]))
    samples = [(time, float(value)) for time, value in zip(times, values, strict=True)][absent:]
    return Series(labels=_labels(version, name), samples=tuple(samples) or ((START - 60, 0.0),))


@st.composite
def _gauge(draw: st.DrawFn, version: int) -> Series:
    values = draw(st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.0]), min_size=SCRAPES, max_size=SCRAPES))
    return Series(
        labels=_labels(version, f"pod-{version}:80"),
        samples=tuple((at(index), value) for index, value in enumerate(values)),
    )


def _up(name: str, times: Sequence[float]) -> Series:
    labels = {"__name__": "up", "job": "serving", "instance": name}
    return Series(labels=labels, samples=tuple((time, 1.0) for time in times))


def _labels(version: int, name: str) -> dict[str, str]:
    return {"version": str(version), "job": "serving", "instance": name}
