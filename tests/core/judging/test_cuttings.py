"""I9: what is found does not depend on who looked, how often, and at which of two replicas of Prometheus."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, START, canary_question
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import Comparison, Counters, ObjectiveReadings, ObjectiveVerdict, WeightChange

HOUR, LEAD = 3600, 300
QUESTION = replace(
    canary_question(false_revert_rate=0.001),
    weights=(WeightChange(at=SINCE, weight=0.1), WeightChange(at=SINCE + timedelta(minutes=21.3), weight=0.5)),
)
"""The canary has a tenth of the traffic, and half of it from the middle of a minute on."""


def walk(seed: int, ratio: float, phase: float) -> Judged:
    """An hour of 20 requests a second as one replica scraped it, every 15 s from its own phase on."""
    rng = np.random.default_rng(seed)
    share = np.where(np.arange(-LEAD, HOUR) < 21.3 * 60, 0.1, 0.5) * (np.arange(-LEAD, HOUR) >= 0)
    total = {CANARY: rng.poisson(20 * share), STABLE: rng.poisson(20 * (1 - share))}
    bad = {version: rng.binomial(total[version], 0.02 * (ratio if version == CANARY else 1)) for version in total}
    found = ObjectiveReadings(bad=_scraped(bad, phase), total=_scraped(total, phase))
    return Judged(QUESTION, Counters(now=SINCE + timedelta(hours=1), objectives={AVAILABILITY.name: found}))


def _scraped(events: dict[int, np.ndarray], phase: float) -> Sampled:
    """What happened in each second, as a counter at each scrape. The canary's target begins with the stage."""
    series = []
    for version, per_second in events.items():
        so_far = np.cumsum(per_second)
        times = np.arange((0 if version == CANARY else -LEAD) + phase, HOUR, 15)
        samples = tuple((START + float(at), float(so_far[int(at) + LEAD])) for at in times)
        labels = {"version": str(version), "job": "serving", "instance": f"pod-{version}"}
        series.append(Series(labels=labels, samples=samples))
    return Sampled(series=tuple(series), start=SINCE - timedelta(seconds=LEAD), end=SINCE + timedelta(hours=1))


WALKS = {ratio: walk(1, ratio, 3.0) for ratio in (1.0, 2.0, 4.0)}


def found_by(judged: Judged, passes: list[float]) -> tuple[ObjectiveVerdict | None, bool]:
    """What passes at these minutes conclude: the first "worse", and whether it was ever cleared before."""
    cleared = False
    for minute in sorted(passes):
        verdict = judged.at(SINCE + timedelta(minutes=minute)).objectives[0]
        if verdict.comparison is Comparison.WORSE:
            return verdict, cleared
        cleared = cleared or verdict.comparison is Comparison.CLEARED
    return None, cleared


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WALKS)), st.lists(st.floats(0, 60), max_size=30), st.lists(st.floats(0, 60), max_size=30))
def test_I9_however_time_is_cut_into_passes_the_same_is_found(ratio: float, one: list[float], two: list[float]) -> None:
    """Passes at a steady interval, at any other one, or with the controller dead in between: the last one tells all."""
    judged = WALKS[ratio]
    mine, theirs = found_by(judged, [*one, 60]), found_by(judged, [*two, 60])
    assert mine[0] == theirs[0]
    if mine[0] is None:
        assert mine[1] == theirs[1]


@pytest.mark.parametrize("ratio", [1.0, 4.0], ids=["alike", "four-times-worse"])
def test_I9_two_replicas_that_scrape_at_other_instants_find_the_same(ratio: float) -> None:
    for seed in range(25):
        judged = [walk(seed, ratio, phase) for phase in (0.0, 4.0, 7.5, 14.0)]
        ends = {each.at(SINCE + timedelta(hours=1)).objectives[0].comparison for each in judged}
        assert ends == {Comparison.CLEARED if ratio == 1 else Comparison.WORSE}
        minutes = [each for replica in judged if (each := _turned(replica)) is not None]
        assert max(minutes, default=0) - min(minutes, default=0) <= 2


def _turned(judged: Judged) -> float | None:
    """The minute by which it was worse."""
    worse_at = judged.at(SINCE + timedelta(hours=1)).objectives[0].worse_at
    return None if worse_at is None else (worse_at - SINCE) / timedelta(minutes=1)
