"""Probation with a holdback: the previous version beside the new one, in the same cells."""

from __future__ import annotations

from dataclasses import replace

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


def served(new: float, previous: float, before: float = 0.0) -> ObjectiveReadings:
    """A thousand events a scrape, a tenth of them held back; so many bad ones of each, and before the stage began."""
    lead = SCRAPES + LEAD

    def series(version: int, bad: float, then: tuple[float, float]) -> tuple[list[float], list[float]]:
        return [then[0]] * lead + [bad] * SCRAPES, [then[1]] * lead + [900.0 if version == NEW else 100.0] * SCRAPES

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
    told = [(each.comparison, each.worse_at, each.evidence) for each in verdicts if each.worse_at]
    assert told == [told[0]] * len(told)
    assert len(told) > 10


def test_I3_a_previous_version_that_cannot_be_read_is_no_regression() -> None:
    found = replace(served(27, 0), total=Unread(why=Why.PARTIAL))
    assert judged(found).comparison is Comparison.UNDECIDED
