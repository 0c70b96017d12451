"""How clustered bad events are: what the estimator sees and what it overlooks, and what every pass measures alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, START, at, canary_question, counter, moment, sampled
from tidegate.core.grounds import Ground, of_canary, on_probation
from tidegate.core.judging.counts import Frame
from tidegate.core.judging.dispersion import HISTORY, divisor, excesses, largest
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.reading import Series, Unread, Why
from tidegate.core.judging.retention import expected, read_since
from tidegate.core.judging.tracking import Follower, Tracked
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveReadings,
    ObjectiveVerdict,
    Question,
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
    found = largest(excesses(drawn(targets, cluster, swing), 60))
    # The larger of both figures counts, so that chance only adds: six hours hold few comparisons of an hour.
    comparisons = 6 * (targets - 1) if targets > 1 else MINUTES / 2
    assert expected * 0.9 <= found <= expected * (1 + 3 * math.sqrt(2 / comparisons))


def test_targets_that_differ_all_the_time_show_over_an_hour() -> None:
    assert largest(excesses(drawn(4, 1, spread=0.3), 60)) > 2


def test_it_is_never_below_1() -> None:
    assert largest(excesses([[Tally(bad=2, total=100)] * MINUTES] * 2, 60)) == 1.0


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
YOUNG, DEADLINE = timedelta(hours=3), canary_question().rollout.progress_deadline
LONG_AGO = timedelta(days=9)


def measured(series: Tracked, policy: float = 2.0, age: timedelta | None = LONG_AGO) -> tuple[float, bool]:
    """With stable as old as that, where it is known."""
    question = canary_question(dispersion=policy)
    since = None if age is None else question.since - age
    found = divisor(series, replace(question, reference_since=since), STAGE)
    return found.figure, found.measured


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
        pytest.param(history([], lost=SCRAPES + LATER + 1), id="stable-not-known-at-all"),
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
        pytest.param(9.0, 2 * YOUNG, False, id="as-long-as-it-may-have-been-deployed-does-not-count"),
        pytest.param(9.0, 2 * YOUNG + DEADLINE, True, id="six-hours-are-enough"),
        pytest.param(2.0, timedelta(minutes=59) + DEADLINE, False, id="less-than-an-hour-tells-nothing"),
        pytest.param(2.0, None, False, id="nobody-knows-since-when"),
    ],
)
def test_a_young_stable_is_measured_since_it_is_stable(policy: float, age: timedelta | None, expected: bool) -> None:
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


def judged(*stable: list[Series], stage: Stage = Stage.CANARY, age: timedelta = LONG_AGO) -> ObjectiveVerdict:
    """A canary of 4 % beside them, for an hour."""
    errors = counter(CANARY, [2.0 if scrape % 5 == 0 else 0.0 for scrape in range(LATER)], first=0, instance="b:1")
    total = counter(CANARY, [10.0] * LATER, first=0, instance="b:1")
    found = ObjectiveReadings(
        bad=sampled(errors, *(each[0] for each in stable)), total=sampled(total, *(each[1] for each in stable))
    )
    weights = canary_question().weights if stage is Stage.CANARY else ()
    question = replace(canary_question(dispersion=2.0), stage=stage, weights=weights, reference_since=SINCE - age)
    return judge(question, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found})).objectives[0]


def test_a_verdict_rests_on_what_was_measured_and_says_so() -> None:
    verdict = judged(history(CLUSTERED), history(OTHERS, instance="c:1"))
    plain = judged(history(CLUSTERED), history(OTHERS, instance="c:1"), age=DEADLINE)
    assert (verdict.dispersion_measured, plain.dispersion_measured) == (True, False)
    assert plain.dispersion == 2.0 < verdict.dispersion
    assert verdict.evidence < plain.evidence


FALLING = [8.0 if scrape % 61 == 0 else 0.0 for scrape in range(SCRAPES)]
APART = [8.0 if scrape % 67 == 5 else 0.0 for scrape in range(SCRAPES)]
"""Bad events of two targets of stable: eight at once, seldom."""


def beside(stage: Stage, bad: float, lost: int, **question: Any) -> tuple[Verdict, Ground | None]:
    """A version with so many bad events every thirteenth scrape, and stable before it, of whose six hours retention
    has lost the first scrapes. And why it should go back."""
    stable = [history(FALLING, lost=lost), history(APART, instance="c:1", lost=lost)]
    errors = counter(CANARY, [bad if scrape % 13 == 5 else 0.0 for scrape in range(LATER)], first=0)
    total = counter(CANARY, [100.0] * LATER, first=0)
    found = ObjectiveReadings(
        bad=sampled(errors, *(each[0] for each in stable)), total=sampled(total, *(each[1] for each in stable))
    )
    asked = replace(canary_question(dispersion=2.0), stage=stage, **{"reference_since": SINCE - LONG_AGO, **question})
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


@pytest.mark.parametrize(("lost", "unread"), [(27, None), (28, Why.HISTORY_LOST)])
def test_the_six_hours_are_whole_from_a_cell_before_them_on(lost: int, unread: Why | None) -> None:
    verdict, _ = beside(Stage.CANARY, 4.0, lost)
    assert (verdict.unread.why if verdict.unread else None) is unread
    assert (verdict == beside(Stage.CANARY, 4.0, 0)[0]) is (unread is None)


AGES = (DEADLINE, timedelta(hours=1) + DEADLINE, YOUNG, 2 * YOUNG, LONG_AGO)
DEPLOYED = [
    pytest.param(-SCRAPES, id="it-was-the-canary-before"),
    pytest.param(20, id="it-was-deployed-soon"),
    pytest.param(4 * 30, id="it-was-deployed-late"),
]


@pytest.mark.parametrize("deployed", DEPLOYED)
@given(bad=st.sampled_from([2.0, 4.0, 60.0]), age=st.sampled_from(AGES), lost=st.integers(0, SCRAPES + LATER))
def test_I3_I9_retention_makes_no_evidence_at_any_age_of_stable(
    deployed: int, bad: float, age: timedelta, lost: int
) -> None:
    """Wherever it cuts, the same rollout says the same, or waits; also where stable was deployed late."""
    first = max(-round(age / timedelta(seconds=15)) + deployed, -SCRAPES)
    whole, cut = (rollout(bad, age, first, forgotten) for forgotten in (0, lost))
    assert cut == whole or (cut.unread is not None and cut.unread.why is Why.HISTORY_LOST)
    assert cut.objectives[0].evidence <= whole.objectives[0].evidence


@cache
def rollout(bad: float, age: timedelta, first: int, lost: int) -> Verdict:
    """A canary with so many bad events, beside a stable version of that age that is known since its `first` scrape.
    Something was always scraped, and Prometheus has forgotten the first scrapes of all."""
    cut = at(lost - SCRAPES)
    stable = [history(FALLING), history(APART, instance="c:1")]
    errors = counter(CANARY, [bad if scrape % 13 == 5 else 0.0 for scrape in range(LATER)], first=0)
    total = counter(CANARY, [100.0] * LATER, first=0)
    known = [[since(max(at(first), cut), each) for each in target] for target in stable]
    found = ObjectiveReadings(
        bad=sampled(since(cut, errors), *(each[0] for each in known)),
        total=sampled(since(cut, total), *(each[1] for each in known)),
    )
    asked = replace(canary_question(dispersion=2.0), reference_since=SINCE - age)
    wanted = expected(asked)
    kept = sampled(total) if wanted is None or cut <= wanted.kept.timestamp() else sampled()
    return judge(asked, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found}, kept=kept))


def since(start: float, series: Series) -> Series:
    return replace(series, samples=tuple(sample for sample in series.samples if sample[0] >= start))


EARLIER = 4 * 60 * 9
"""Scrapes of nine hours before the stage: more than every pass reads."""

SIX_HOURS = EARLIER - 4 * MINUTES
"""The scrape with which the six hours begin."""


@pytest.mark.parametrize("kept", [False, True], ids=["retention-took-it", "it-was-not-there"])
@pytest.mark.parametrize(
    "gaps",
    [
        pytest.param([(-40, 80), (-40, 80)], id="a-gap-around-the-start-of-the-six-hours"),
        pytest.param([(-60, 120), (0, 0)], id="a-gap-of-one-target"),
        pytest.param([(-24, 90), (-57, 70)], id="each-target-has-its-own"),
        pytest.param([(-60, 50), (-60, 58)], id="a-gap-that-ends-in-time"),
        pytest.param([(10, 40), (-4, 40)], id="one-within"),
    ],
)
def test_I9_a_pass_that_reads_more_measures_the_same(gaps: Sequence[tuple[int, int]], kept: bool) -> None:
    """On probation a breach makes it read further back: what it meets there, before a gap, was not known before."""
    stable = [
        [unscraped(each, SIX_HOURS + first, lasts) for each in history(bad, EARLIER, instance)]
        for (first, lasts), bad, instance in zip(gaps, (FALLING, APART), ("a:1", "c:1"), strict=True)
    ]
    question = replace(canary_question(dispersion=2.0), stage=Stage.PROBATION, weights=())
    question = replace(question, reference_since=SINCE - LONG_AGO)
    everybodys = math.nextafter(read_since(question).timestamp(), math.inf)
    more, usual = (of_probation(question, stable, since_when, kept) for since_when in (-math.inf, everybodys))
    assert replace(more.objectives[0], reference_standing=usual.objectives[0].reference_standing) == usual.objectives[0]
    assert more.unread == usual.unread


def unscraped(series: Series, first: int, lasts: int) -> Series:
    return replace(series, samples=(*series.samples[:first], *series.samples[first + lasts :]))


def of_probation(question: Question, stable: list[list[Series]], first: float, kept: bool) -> Verdict:
    errors = counter(CANARY, [10.0 if scrape % 13 == 5 else 0.0 for scrape in range(LATER)], first=0)
    total = counter(CANARY, [100.0] * LATER, first=0)
    seen = [[since(first, each) for each in target] for target in stable]
    found = ObjectiveReadings(
        bad=sampled(errors, *(each[0] for each in seen)), total=sampled(total, *(each[1] for each in seen))
    )
    known = sampled(total) if kept else sampled()
    return judge(question, Counters(now=moment(LATER), objectives={AVAILABILITY.name: found}, kept=known))


def test_what_is_kept_of_the_time_before_shows_that_stable_was_not_there() -> None:
    """Then the policy's figure holds, and did from the first pass on."""
    errors, total = history(FALLING, lost=60)
    asked = replace(canary_question(dispersion=2.0), reference_since=SINCE - LONG_AGO)
    found = ObjectiveReadings(bad=sampled(errors), total=sampled(total, counter(CANARY, [2.0] * LATER, first=0)))
    counters = Counters(now=moment(LATER), objectives={AVAILABILITY.name: found})
    lost, late = judge(asked, counters), judge(asked, replace(counters, kept=sampled(total)))
    assert (lost.unread is not None, late.unread, late.objectives[0].dispersion_measured) == (True, None, False)
    unread = judge(asked, replace(counters, kept=Unread(why=Why.UNREACHABLE))).unread
    assert unread is not None
    assert unread.why is Why.UNREACHABLE


def test_on_probation_the_bound_is_divided_by_what_was_measured_on_the_version_before() -> None:
    found = [
        judged(*stable, stage=Stage.PROBATION)
        for stable in ([history(CLUSTERED), history(OTHERS, instance="c:1")], [history([])])
    ]
    assert [each.dispersion_measured for each in found] == [True, False]
    assert found[0].dispersion > found[1].dispersion == 2.0
    assert found[0].evidence < found[1].evidence


def test_without_history_the_policy_says_it() -> None:
    verdict = judged(history([], scrapes=40), age=DEADLINE)
    assert (verdict.dispersion, verdict.dispersion_measured) == (2.0, False)
    assert verdict.comparison is Comparison.WORSE
