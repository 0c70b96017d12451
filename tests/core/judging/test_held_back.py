"""Probation with a holdback: the previous version beside the new one, in the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from support.counters import (
    CANARY,
    LEAD,
    SINCE,
    STABLE,
    canary_question,
    counter,
    counters,
    moment,
    readings,
)
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    ObjectiveReadings,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    WeightChange,
)

SCRAPES = 60
NEW, PREVIOUS = CANARY, STABLE
ALONE = replace(canary_question(), stage=Stage.PROBATION, weights=())
BESIDE = replace(ALONE, weights=(WeightChange(at=SINCE, weight=0.9),))
BREACHED, CELL = SINCE + timedelta(minutes=1), timedelta(minutes=1)


def served(
    new: float | Sequence[float], previous: float | Sequence[float], before: float = 0.0, held: float = 100.0
) -> ObjectiveReadings:
    """A thousand events a scrape, a tenth of them held back; so many bad ones of each, and before the stage began."""
    lead = SCRAPES + LEAD

    def series(
        version: int, bad: float | Sequence[float], then: tuple[float, float]
    ) -> tuple[list[float], list[float]]:
        each = [bad] * SCRAPES if isinstance(bad, int | float) else list(bad)
        return [then[0]] * lead + each, [then[1]] * lead + [900.0 if version == NEW else held] * SCRAPES

    mine, theirs = series(NEW, new, (0, 0)), series(PREVIOUS, previous, (before, 1000))
    return readings(
        [counter(NEW, mine[0], first=-lead), counter(PREVIOUS, theirs[0], first=-lead, instance="b:1")],
        [counter(NEW, mine[1], first=-lead), counter(PREVIOUS, theirs[1], first=-lead, instance="b:1")],
    )


def judged(found: ObjectiveReadings, question: Question = BESIDE) -> ObjectiveVerdict:
    return judge(question, counters(found, SCRAPES)).objectives[0]


@pytest.mark.parametrize(
    ("new", "previous", "comparison", "standing"),
    [
        pytest.param(9, 1, Comparison.UNDECIDED, Standing.BREACH, id="both-are-alike-and-bad"),
        pytest.param(27, 0, Comparison.UNDECIDED, Standing.BREACH, id="a-breach-that-was-found-first-is-enough"),
        pytest.param(3.6, 0.1, Comparison.WORSE, Standing.FINE, id="worse-and-inside-the-objective"),
        pytest.param(0, 1, Comparison.UNDECIDED, Standing.FINE, id="the-new-one-is-better"),
    ],
)
def test_the_previous_version_is_the_measure(
    new: float, previous: float, comparison: Comparison, standing: Standing
) -> None:
    verdict = judged(served(new, previous))
    assert (verdict.comparison, verdict.standing) == (comparison, standing)


def test_without_a_holdback_nothing_is_compared() -> None:
    assert judged(served(27, 0), ALONE).comparison is Comparison.UNDECIDED


def test_a_comparison_is_told_where_the_breach_would_not_revert() -> None:
    """The previous version breached before as well: only what it does beside the new one tells them apart."""
    verdict = judged(served(40, 1, before=40))
    assert (verdict.comparison, verdict.reference_standing) == (Comparison.WORSE, Standing.BREACH)
    assert verdict.reference.total < verdict.subject.total


def test_what_was_found_first_stays_what_is_told() -> None:
    found = counters(served(27, 0), SCRAPES)
    walk = Judged(BESIDE, found)
    verdicts = [walk.at(moment(scrape)).objectives[0] for scrape in range(8, SCRAPES)]
    told = [each for each in verdicts if each.reference_standing is not Standing.NOT_YET]
    assert {(each.comparison, each.worse_at, each.evidence, each.reference_standing) for each in told} == {
        (Comparison.UNDECIDED, BREACHED + CELL, told[0].evidence, Standing.FINE)
    }
    assert len(told) > 10


@pytest.mark.parametrize(
    ("new", "previous", "standing"),
    [
        pytest.param([27] * SCRAPES, [3] * SCRAPES, Standing.BREACH, id="it-breaches-too"),
        pytest.param([27] * 10 + [0] * 50, [3] * 10 + [0] * 50, Standing.BREACH, id="what-both-suffered-is-over"),
        pytest.param([27] * SCRAPES, [0.25] * SCRAPES, Standing.FINE, id="it-stays-inside-the-objective"),
        pytest.param([27] * SCRAPES, [0] * 10 + [3] * 50, Standing.FINE, id="it-breaches-later-for-another-reason"),
    ],
)
def test_a_breach_says_nothing_where_the_version_held_back_shares_it(
    new: Sequence[float], previous: Sequence[float], standing: Standing
) -> None:
    """Looked at once, at the end of the cell after the breach: before, it has had too few events to tell."""
    walk = Judged(BESIDE, counters(served(new, previous), SCRAPES))
    verdicts = [walk.at(moment(scrape)).objectives[0] for scrape in range(8, SCRAPES)]
    told = [(each.reference_standing, each.worse_at) for each in verdicts if each.standing is Standing.BREACH]
    assert list(dict.fromkeys(told)) == [(Standing.NOT_YET, BREACHED), (standing, BREACHED + CELL)]


@pytest.mark.parametrize(
    ("previous", "standing"),
    [
        pytest.param([0] * 40 + [100] * 20, Standing.BREACH, id="as-long-as-it-is-bad-as-well"),
        pytest.param([100] * 8 + [0] * 52, Standing.FINE, id="not-by-what-it-suffered-before"),
    ],
)
def test_what_is_shared_is_looked_for_since_the_trouble_began(previous: Sequence[float], standing: Standing) -> None:
    """The new version is well for forty scrapes. All of it together would tell the one for the other."""
    verdict = judged(served([0] * 40 + [900] * 20, previous))
    assert (verdict.standing, verdict.reference_standing) == (Standing.BREACH, standing)


@pytest.mark.parametrize(
    ("before", "standing"),
    [
        pytest.param(0, Standing.FINE, id="well"),
        pytest.param(40, Standing.BREACH, id="in-breach"),
    ],
)
def test_a_version_held_back_that_serves_nothing_tells_what_it_did_before(before: float, standing: Standing) -> None:
    patient = replace(BESIDE, rollout=replace(BESIDE.rollout, progress_deadline=timedelta(minutes=3)))
    walk = Judged(patient, counters(served(450, 0, before, held=0), SCRAPES))
    told = [walk.at(moment(scrape)).objectives[0].reference_standing for scrape in range(8, SCRAPES)]
    assert list(dict.fromkeys(told)) == [Standing.NOT_YET, standing]


def test_I3_a_previous_version_that_cannot_be_read_is_no_regression() -> None:
    found = replace(served(27, 0), total=Unread(why=Why.PARTIAL))
    assert judged(found).comparison is Comparison.UNDECIDED
