"""How clustered bad events are: what the estimator sees and what it overlooks, and what every pass measures alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, START, canary_question, counter, moment, sampled
from tidegate.core.grounds import Ground, of_canary, on_probation
from tidegate.core.judging.counts import Frame
from tidegate.core.judging.dispersion import HISTORY, dispersion, divisor
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.reading import Series, Unread, Why
from tidegate.core.judging.tracking import Follower, Tracked
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveReadings,
    ObjectiveVerdict,
    Stage,
    Tally,
    Verdict,
    WeightChange,
)

MINUTES = round(HISTORY / timedelta(minutes=1))
SCRAPES = 4 * MINUTES + 32
LATER = 4 * 60
"""Scrapes of the stage itself, behind the history."""


def drawn(targets: int, cluster: int, swing: float = 0.0, spread: float = 0.0) -> list[list[Tally]]:
    """Six hours of a minute, 200 requests each; a failing one is so many bad events. Targets may differ (`spread`)."""
    rng = np.random.default_rng(4)
    day = 1 + swing * np.sin(np.arange(MINUTES) / 40)
    rates = 0.02 * np.outer(1 + spread * np.linspace(-1, 1, targets), day) / cluster
    return [[Tally(bad=float(cluster * rng.binomial(200, rate)), total=200) for rate in own] for own in rates]


@pytest.mark.parametrize("targets", [1, 2, 5])
@pytest.mark.parametrize(
    ("cluster", "swing", "expected"),
    [
        pytest.param(1, 0.0, 1.0, id="independent-events"),
        pytest.param(1, 0.9, 1.0, id="a-rate-that-swings-is-no-cluster"),
        pytest.param(3, 0.0, 3.0, id="three-attempts-each"),
        pytest.param(3, 0.9, 3.0, id="three-attempts-each-at-a-rate-that-swings"),
    ],
)
def test_it_is_how_many_bad_events_come_together(targets: int, cluster: int, swing: float, expected: float) -> None:
    found = dispersion(drawn(targets, cluster, swing), 60)
    # The larger of both figures counts, so that chance only adds: six hours hold few comparisons of an hour.
    comparisons = 6 * (targets - 1) if targets > 1 else MINUTES / 2
    assert expected * 0.9 <= found <= expected * (1 + 3 * math.sqrt(2 / comparisons))


def test_targets_that_differ_all_the_time_show_over_an_hour() -> None:
    assert dispersion(drawn(4, 1, spread=0.3), 60) > 2


def test_it_is_never_below_1() -> None:
    assert dispersion([[Tally(bad=2, total=100)] * MINUTES] * 2, 60) == 1.0


def history(bad: Sequence[float], scrapes: int = SCRAPES, instance: str = "a:1", lost: int = 0) -> list[Series]:
    """A stable target over so many scrapes before the stage began (the first ones lost) and an hour of it."""
    total = counter(STABLE, [50.0] * (scrapes + LATER), first=-scrapes, instance=instance)
    errors = counter(STABLE, [*bad, *[0.0] * (scrapes + LATER)][: scrapes + LATER], first=-scrapes, instance=instance)
    return [replace(each, samples=each.samples[lost:]) for each in (errors, total)]


def followed(*targets: list[Series], until: float | None = None) -> Tracked:
    bad, total = ([target[side] for target in targets] for side in (0, 1))
    found = ObjectiveReadings(bad=sampled(*bad, until=until), total=sampled(*total, until=until))
    asked = Counters(now=moment(0), objectives={AVAILABILITY.name: found})
    series = Follower(asked, "version", (STABLE, CANARY)).follow(AVAILABILITY)
    assert not isinstance(series, Unread)
    return series


STAGE = Frame(start=START, now=START + 3600, resolution=60)
POLICY = (2.0, False)
YOUNG = timedelta(hours=3)


def measured(series: Tracked, policy: float = 2.0, age: timedelta | None = None) -> tuple[float, bool]:
    """With stable as old as that, where it is known."""
    question = canary_question(dispersion=policy)
    since = None if age is None else question.since - age
    return divisor(series, replace(question, reference_since=since), STAGE)


CLUSTERED = [15.0 if scrape % 11 == 0 else 0.0 for scrape in range(SCRAPES)]
OTHERS = [15.0 if scrape % 13 == 5 else 0.0 for scrape in range(SCRAPES)]


def test_it_is_measured_between_the_targets_of_stable() -> None:
    found, was_measured = measured(followed(history(CLUSTERED), history(OTHERS, instance="c:1")))
    assert was_measured
    assert found > 2


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(history([1.0] * 40), id="few-bad-events"),
        pytest.param(history([0.0] * 400 + [600.0]), id="all-of-them-at-once"),
        pytest.param(history(CLUSTERED, scrapes=4 * 60 * 5), id="stable-known-for-five-hours"),
        pytest.param(history(CLUSTERED, lost=60), id="retention-lost-the-start"),
    ],
)
def test_without_enough_history_the_policy_holds(series: list[Series]) -> None:
    assert measured(followed(series)) == POLICY


def test_a_target_that_was_scraped_before_does_not_make_a_version_known() -> None:
    """One gateway counts both versions: its scrapes go back further than the one's series."""
    errors, total = history(CLUSTERED, scrapes=4 * 60 * 5)
    gateway = counter(CANARY, [1.0] * (SCRAPES + LATER), first=-SCRAPES, instance="a:1")
    assert measured(followed([errors, total], [gateway, gateway])) == POLICY


@pytest.mark.parametrize(
    ("policy", "age", "expected"),
    [
        pytest.param(1.2, YOUNG, True, id="what-shows-already-counts"),
        pytest.param(9.0, YOUNG, False, id="what-takes-longer-may-not-show-yet"),
        pytest.param(9.0, 2 * YOUNG, True, id="six-hours-are-enough"),
        pytest.param(2.0, timedelta(minutes=50), False, id="less-than-an-hour-tells-nothing"),
    ],
)
def test_a_young_stable_is_measured_since_it_is_stable(policy: float, age: timedelta, expected: bool) -> None:
    series = followed(history(CLUSTERED, scrapes=4 * 60 * 7), history(OTHERS, scrapes=4 * 60 * 7, instance="c:1"))
    found, was_measured = measured(series, policy, age)
    assert was_measured is expected
    assert (found == policy) is not expected


@pytest.mark.parametrize("scrape", [0, 1, 7, LATER])
def test_I9_what_came_after_the_start_changes_nothing(scrape: int) -> None:
    """Gaps in the history neither: they are the same for every pass."""
    broken = [replace(each, samples=(*each.samples[:300], *each.samples[420:])) for each in history(CLUSTERED)]
    other = history(OTHERS, instance="c:1")
    at_the_start = measured(followed(broken, other, until=START))
    assert at_the_start[1]
    assert measured(followed(broken, other, until=START + 15 * scrape)) == at_the_start


def judged(*stable: list[Series], stage: Stage = Stage.CANARY) -> ObjectiveVerdict:
    """A canary of 4 % beside them, for an hour."""
    errors = counter(CANARY, [2.0 if scrape % 5 == 0 else 0.0 for scrape in range(LATER)], first=0, instance="b:1")
    total = counter(CANARY, [10.0] * LATER, first=0, instance="b:1")
    found = ObjectiveReadings(
        bad=sampled(errors, *(each[0] for each in stable)), total=sampled(total, *(each[1] for each in stable))
    )
    weights = canary_question().weights if stage is Stage.CANARY else ()
    question = replace(canary_question(dispersion=2.0), stage=stage, weights=weights)
    return judge(question, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found})).objectives[0]


def test_a_verdict_rests_on_what_was_measured_and_says_so() -> None:
    verdict = judged(history(CLUSTERED), history(OTHERS, instance="c:1"))
    plain = judged(history(CLUSTERED, lost=60), history(OTHERS, instance="c:1", lost=60))
    assert (verdict.dispersion_measured, plain.dispersion_measured) == (True, False)
    assert plain.dispersion == 2.0 < verdict.dispersion
    assert verdict.evidence < plain.evidence


FALLING = [8.0 if scrape % 61 == 0 else 0.0 for scrape in range(SCRAPES)]
APART = [8.0 if scrape % 67 == 5 else 0.0 for scrape in range(SCRAPES)]
"""Bad events of two targets of stable: eight at once, seldom."""


LONG_AGO = SINCE - timedelta(days=9)


def beside(stage: Stage, bad: float, lost: int, **question: Any) -> tuple[Verdict, Ground | None]:
    """A version with so many bad events every thirteenth scrape, and stable before it, of whose six hours retention
    has lost the first scrapes. And why it should go back."""
    stable = [history(FALLING, lost=lost), history(APART, instance="c:1", lost=lost)]
    errors = counter(CANARY, [bad if scrape % 13 == 5 else 0.0 for scrape in range(LATER)], first=0)
    total = counter(CANARY, [100.0] * LATER, first=0)
    found = ObjectiveReadings(
        bad=sampled(errors, *(each[0] for each in stable)), total=sampled(total, *(each[1] for each in stable))
    )
    asked = replace(canary_question(dispersion=2.0), stage=stage, **{"reference_since": LONG_AGO, **question})
    verdict = judge(asked, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found}))
    return verdict, of_canary(verdict) if stage is Stage.CANARY else on_probation(verdict)


ALONE: Mapping[str, Any] = {"weights": ()}
HELD_BACK = {"weights": (WeightChange(at=SINCE, weight=0.9),)}


@pytest.mark.parametrize(
    ("stage", "bad", "question"),
    [
        pytest.param(Stage.CANARY, 2.0, {}, id="cleared"),
        pytest.param(Stage.CANARY, 4.0, {}, id="worse"),
        pytest.param(Stage.CANARY, 60.0, {}, id="a-budget-that-burns"),
        pytest.param(Stage.PROBATION, 10.0, ALONE, id="fine-on-probation"),
        pytest.param(Stage.PROBATION, 17.0, ALONE, id="a-breach-on-probation"),
        pytest.param(Stage.PROBATION, 2.0, HELD_BACK, id="beside-what-is-held-back"),
    ],
)
@pytest.mark.parametrize("lost", [60, 400, SCRAPES - 4])
def test_I3_I9_no_verdict_is_turned_by_what_retention_takes(
    stage: Stage, bad: float, question: Mapping[str, Any], lost: int
) -> None:
    """By the policy's figure, which would take the place of what was measured, all of them go back."""
    before, ground = beside(stage, bad, 0, **question)
    assert (before.objectives[0].dispersion, before.unread) == (4.83, None)
    _, by_the_policy = beside(stage, bad, lost, **{**question, "reference_since": None})
    assert by_the_policy is not None
    after, lost_ground = beside(stage, bad, lost, **question)
    assert after.unread is not None
    assert after.unread.why is Why.HISTORY_LOST
    assert after.unread.words.endswith(", and dispersion is measured since 2026-01-01 06:00:00 UTC")
    assert lost_ground is None
    assert ground is None or ground.reverts


@pytest.mark.parametrize(("lost", "unread"), [(31, None), (32, Why.HISTORY_LOST)])
def test_the_six_hours_are_whole_from_their_first_scrape_on(lost: int, unread: Why | None) -> None:
    verdict, _ = beside(Stage.CANARY, 4.0, lost)
    assert (verdict.unread.why if verdict.unread else None) is unread
    assert (verdict == beside(Stage.CANARY, 4.0, 0)[0]) is (unread is None)


def test_a_target_that_was_scraped_in_all_the_hours_shows_that_they_are_kept() -> None:
    """One gateway counts both versions, and was started anew meanwhile: stable's counters came with its next event."""
    errors, total = history(FALLING, lost=60)
    gateway = counter(CANARY, [2.0] * (SCRAPES + LATER), first=-SCRAPES, instance="a:1")
    found = ObjectiveReadings(bad=sampled(errors), total=sampled(total, gateway))
    asked = replace(canary_question(dispersion=2.0), reference_since=LONG_AGO)
    verdict = judge(asked, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found}))
    assert (verdict.unread, verdict.objectives[0].dispersion_measured) == (None, False)


def test_on_probation_the_bound_is_divided_by_what_was_measured_on_the_version_before() -> None:
    found = [
        judged(*stable, stage=Stage.PROBATION)
        for stable in ([history(CLUSTERED), history(OTHERS, instance="c:1")], [history([], scrapes=40)])
    ]
    assert [each.dispersion_measured for each in found] == [True, False]
    assert found[0].dispersion > found[1].dispersion == 2.0
    assert found[0].evidence < found[1].evidence


def test_without_history_the_policy_says_it() -> None:
    verdict = judged(history([], scrapes=40))
    assert (verdict.dispersion, verdict.dispersion_measured) == (2.0, False)
    assert verdict.comparison is Comparison.WORSE
