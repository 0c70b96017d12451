"""Means of figures: one version's beside another's, and against a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from support.counters import CANARY, LEAD, STABLE, canary_question, counter, counters, readings, sampled
from tidegate.core.judging import means
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Comparison, ObjectiveReadings, ObjectiveVerdict, Stage, Standing, Tally
from tidegate.core.manifest import Mean, Objective, Rollout
from tidegate.core.wording import objective_reason

REVENUE = Objective(
    name="revenue",
    target=0.02,
    total="sessions_total",
    mean=Mean(sum="revenue_sum", low=0, high=50, higher_is_better=True),
)
"""At least 1 of 50 a session."""
COST = Objective(
    name="cost",
    target=0.8,
    total="requests_total",
    mean=Mean(sum="cost_sum", low=1, high=6, higher_is_better=False),
)
"""At most 2 of 1 to 6 a request."""


def arms(means: dict[int, float], scrapes: int = 240, times: float = 1) -> ObjectiveReadings:
    """Steady traffic, 900 events of stable and 100 of the canary a scrape, each version with its own mean."""
    events = {STABLE: 900.0 * times, CANARY: 100.0 * times}

    def series(version: int, by: float) -> tuple[int, Sequence[float]]:
        first = -LEAD if version == STABLE else 0
        return first, [by] * (scrapes - first)

    sums = [counter(v, grown, first=first) for v, m in means.items() for first, grown in [series(v, events[v] * m)]]
    totals = [counter(v, grown, first=first) for v in means for first, grown in [series(v, events[v])]]
    return readings(sums, totals)


def judged_of(objective: Objective, found: ObjectiveReadings) -> ObjectiveVerdict:
    question = replace(canary_question(), objectives=(objective,))
    return judge(question, counters({objective.name: found}, 240)).objectives[0]


def leaving_out(reading: Sampled | Unread | None, versions: Sequence[int]) -> Sampled:
    """The reading, with no series of these versions."""
    assert isinstance(reading, Sampled)
    gone = {str(version) for version in versions}
    return replace(reading, series=tuple(each for each in reading.series if each.labels["version"] not in gone))


def judged(objective: Objective, means: dict[int, float], stage: Stage = Stage.CANARY) -> ObjectiveVerdict:
    question = replace(canary_question(), objectives=(objective,), stage=stage)
    return judge(question, counters({objective.name: arms(means)}, 240)).objectives[0]


@pytest.mark.parametrize(
    ("objective", "means", "expected"),
    [
        pytest.param(REVENUE, {STABLE: 1.5, CANARY: 1.5}, Comparison.CLEARED, id="the-same-is-cleared"),
        pytest.param(REVENUE, {STABLE: 1.5, CANARY: 1.9}, Comparison.CLEARED, id="higher-is-better"),
        pytest.param(REVENUE, {STABLE: 1.5, CANARY: 1.0}, Comparison.WORSE, id="lower-is-worse"),
        pytest.param(REVENUE, {STABLE: 1.5, CANARY: 1.4}, Comparison.CLEARED, id="lower-within-the-margin"),
        pytest.param(COST, {STABLE: 1.5, CANARY: 1.5}, Comparison.CLEARED, id="the-same-cost-is-cleared"),
        pytest.param(COST, {STABLE: 1.5, CANARY: 1.2}, Comparison.CLEARED, id="lower-is-better"),
        pytest.param(COST, {STABLE: 1.5, CANARY: 2.0}, Comparison.WORSE, id="higher-is-worse"),
    ],
)
def test_beside_stable(objective: Objective, means: dict[int, float], expected: Comparison) -> None:
    assert judged(objective, means).comparison is expected


@pytest.mark.parametrize(
    ("objective", "mean", "expected"),
    [
        pytest.param(REVENUE, 1.5, Standing.FINE, id="above-the-minimum"),
        pytest.param(REVENUE, 0.8, Standing.BREACH, id="below-the-minimum"),
        pytest.param(COST, 1.5, Standing.FINE, id="below-the-maximum"),
        pytest.param(COST, 2.4, Standing.BREACH, id="above-the-maximum"),
    ],
)
def test_against_the_bound(objective: Objective, mean: float, expected: Standing) -> None:
    assert judged(objective, {CANARY: mean, STABLE: mean}, Stage.BAKE).standing is expected


def test_words_are_in_the_figure_s_own_unit() -> None:
    short, sentence = objective_reason(judged(REVENUE, {STABLE: 1.5, CANARY: 1.0}))
    assert short == "revenue ×0.7"
    assert "canary a mean of 1 over" in sentence
    assert "stable a mean of 1.5 over" in sentence
    assert objective_reason(judged(COST, {STABLE: 2.4, CANARY: 2.4}, Stage.BAKE))[0] == "cost 2.4"


@pytest.mark.parametrize("objective", [REVENUE, COST], ids=["higher-is-better", "lower-is-better"])
@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        pytest.param((CANARY, STABLE), "version 12 and version 11", id="of-both"),
        pytest.param((CANARY,), "version 12", id="of-the-canary-alone"),
        pytest.param((STABLE,), "version 11", id="of-stable-alone"),
    ],
)
def test_I3_a_sum_that_is_not_there_is_no_mean_of_zero(
    objective: Objective, lacking: tuple[int, ...], named: str
) -> None:
    found = arms({STABLE: 1.5, CANARY: 1.5})
    found = replace(found, bad=leaving_out(found.bad, lacking))
    verdict = judged_of(objective, found)
    assert verdict.unread == Unread(why=Why.NO_DATA, words=f"no sum of {named}: does the selector match any series?")
    assert verdict.comparison is Comparison.UNDECIDED


def test_the_minimum_effect_is_a_tenth_of_the_bound() -> None:
    """At a million events a scrape nothing is uncertain; a lower mean still has to matter."""
    sharp = Rollout(warm_up=timedelta(0), dispersion=1.0, worse_than=1.01)
    question = replace(canary_question(), objectives=(REVENUE,), rollout=sharp)

    def compared(mean: float) -> Comparison:
        found = arms({STABLE: 1.5, CANARY: mean}, times=10_000)
        return judge(question, counters({REVENUE.name: found}, 240)).objectives[0].comparison

    assert [compared(1.41), compared(1.3)] == [Comparison.CLEARED, Comparison.WORSE]


class TestSquares:
    """Ratings of 4 in the middle, one in four a point lower or higher: they vary far less than their range."""

    ratings = Objective(
        name="rating",
        target=0.5,
        total="ratings_total",
        mean=Mean(sum="ratings_sum", squares="ratings_squares", low=1, high=5, higher_is_better=True),
    )
    alone = replace(ratings, mean=Mean(sum="ratings_sum", low=1, high=5, higher_is_better=True))

    @staticmethod
    def found(canary: float, scrapes: int = 40) -> ObjectiveReadings:
        means = {STABLE: 4.0, CANARY: canary}
        events = {STABLE: 90.0, CANARY: 10.0}

        def grown(version: int, by: float) -> Series:
            first = -LEAD if version == STABLE else 0
            return counter(version, [by] * (scrapes - first), first=first)

        squares = [grown(version, events[version] * (mean**2 + 0.5)) for version, mean in means.items()]
        return replace(
            readings(
                [grown(version, events[version] * mean) for version, mean in means.items()],
                [grown(version, events[version]) for version in means],
            ),
            squares=sampled(*squares),
        )

    def compared(self, objective: Objective, found: ObjectiveReadings) -> ObjectiveVerdict:
        question = replace(canary_question(), objectives=(objective,))
        return judge(question, counters({objective.name: found}, 40)).objectives[0]

    def test_tell_sooner(self) -> None:
        found = self.found(3.4)
        with_squares = self.compared(self.ratings, found)
        without = self.compared(self.alone, replace(found, squares=None))
        assert with_squares.comparison is Comparison.WORSE
        assert without.comparison is not Comparison.WORSE
        assert with_squares.ratio == pytest.approx(0.8)

    @pytest.mark.parametrize("canary", [pytest.param(4.0, id="alike"), pytest.param(3.8, id="within-the-margin")])
    def test_revert_nothing_that_is_no_worse(self, canary: float) -> None:
        assert self.compared(self.ratings, self.found(canary)).comparison is not Comparison.WORSE

    @pytest.mark.parametrize(
        ("lacking", "named"),
        [
            pytest.param((CANARY, STABLE), "version 12 and version 11", id="of-both"),
            pytest.param((CANARY,), "version 12", id="of-the-canary-alone"),
            pytest.param((STABLE,), "version 11", id="of-stable-alone"),
        ],
    )
    def test_I3_that_are_not_there_hold(self, lacking: tuple[int, ...], named: str) -> None:
        found = self.found(3.4)
        verdict = self.compared(self.ratings, replace(found, squares=leaving_out(found.squares, lacking)))
        words = f"no sum of squares of {named}: does the selector match any series?"
        assert (verdict.unread, verdict.comparison) == (Unread(why=Why.NO_DATA, words=words), Comparison.UNDECIDED)

    def test_I9_squares_that_came_late_are_missing_at_every_instant_before(self) -> None:
        """Also when one looks back, as a backtest does."""
        found = self.found(3.4)
        assert isinstance(found.squares, Sampled)
        late = tuple(
            replace(series, samples=series.samples[36:]) if series.labels["version"] == str(CANARY) else series
            for series in found.squares.series
        )
        found = replace(found, squares=replace(found.squares, series=late))
        question = replace(canary_question(), objectives=(self.ratings,))
        after = Judged(question, counters({self.ratings.name: found}, 40))
        before = counters({self.ratings.name: found}, 35).now
        unread = after.at(before).objectives[0].unread
        assert unread is not None
        assert "no sum of squares of version 12" in unread.words

    def test_I3_that_could_not_be_read_hold(self) -> None:
        gone = Unread(why=Why.UNREACHABLE)
        assert self.compared(self.ratings, replace(self.found(3.4), squares=gone)).unread == gone


def drawn(seed: int, ratio: float, weight: float) -> list[tuple[Tally, Tally]]:
    """Sixty cells of figures between 0 and 1 whose mean drifts, and which are mostly small."""
    rng = np.random.default_rng(seed)
    cells = []
    for cell in range(60):
        level = 0.4 + 0.2 * np.sin(cell / 7)
        mine = rng.beta(2 * level / ratio, 2 * (1 - level / ratio), rng.poisson(200 * weight))
        theirs = rng.beta(2 * level, 2 * (1 - level), rng.poisson(200 * (1 - weight)))
        arms = (Tally(bad=sum(1 - x), total=len(x), squares=sum((1 - x) ** 2)) for x in (mine, theirs))
        cells.append((next(arms), next(arms)))
    return cells


@pytest.mark.parametrize("weight", [0.1, 0.5])
@pytest.mark.parametrize("ratio", [pytest.param(1.0, id="equal"), pytest.param(1.1, id="at-the-margin")])
def test_the_promise_is_kept_on_figures_that_drift(ratio: float, weight: float) -> None:
    """At most 1 of 100 over all looks: four of a hundred would be five standard errors more."""
    mean = Mean(sum="x", squares="y", low=0, high=1, higher_is_better=True)
    policy = Rollout(worse_than=1.1, dispersion=1.0)
    ends = [max(means.worse_evidence(mean, drawn(seed, ratio, weight), policy)) for seed in range(100)]
    assert sum(end >= math.log(100) for end in ends) <= 3
