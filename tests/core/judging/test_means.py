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
from tidegate.core.judging.figures import Figures, first_outside
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Comparison, ObjectiveReadings, ObjectiveVerdict, Stage, Standing, Tally
from tidegate.core.manifest import Mean, Objective, Rollout
from tidegate.core.reasons import objective_reason

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


class TestOutsideTheRange:
    """Of events alike on both sides, one in ten at ten times the upper end: sums alone do not show that."""

    counted = Objective(
        name="revenue",
        target=0.02,
        total="sessions_total",
        mean=Mean(sum="s", squares="q", low=0, high=50, higher_is_better=True),
    )

    def found(self, from_scrape: int, figure: float) -> ObjectiveReadings:
        """One event in ten is at `figure` from a scrape on, and at 10 before."""

        def grown(version: int, power: int) -> Series:
            first, events = (-LEAD, 90.0) if version == STABLE else (0, 10.0)
            figures = [10.0 if n < from_scrape else figure for n in range(first, 40)]
            return counter(version, [events if not power else events / 10 * f**power for f in figures], first=first)

        sums, totals, squares = ([grown(version, power) for version in (STABLE, CANARY)] for power in (1, 0, 2))
        return replace(readings(sums, totals), squares=sampled(*squares))

    def at(self, scrapes: float, found: ObjectiveReadings) -> ObjectiveVerdict:
        question = replace(canary_question(), objectives=(self.counted,))
        after = Judged(question, counters({self.counted.name: found}, 40))
        return after.at(counters({self.counted.name: found}, scrapes).now).objectives[0]

    def test_I3_holds_with_the_figures_that_show_it(self) -> None:
        verdict = self.at(40, self.found(19, 500.0))
        words = (
            "version 11: 360 figures add up to 18000, and in [0, 50] their squares at most to 900000, not to 9000000"
        )
        assert verdict.unread == Unread(why=Why.OUT_OF_RANGE, words=words)
        assert verdict.comparison is Comparison.UNDECIDED

    @pytest.mark.parametrize("version", [STABLE, CANARY])
    @pytest.mark.parametrize(("stage", "figure"), [(Stage.CANARY, 5.0), (Stage.PROBATION, 0.5)])
    def test_I2_what_was_found_before_stands(self, stage: Stage, figure: float, version: int) -> None:
        """Revenue fell to a half of stable's, or below its bound; after half an hour one counter goes astray."""

        def grown(of: int, *, summed: bool) -> Series:
            first, events, mean = (-LEAD, 900.0, 10.0) if of == STABLE else (0, 100.0, figure)
            astray = [60.0 if n >= 150 and of == version else mean for n in range(first, 240)]
            return counter(of, [events * (each if summed else 1) for each in astray], first=first)

        sums, totals = ([grown(of, summed=summed) for of in (STABLE, CANARY)] for summed in (True, False))
        found = {REVENUE.name: readings(sums, totals)}
        question = replace(canary_question(), objectives=(REVENUE,), stage=stage)
        judged = Judged(question, counters(found, 240))
        before, after = (judged.at(counters(found, scrapes).now).objectives[0] for scrapes in (149, 239))
        assert Comparison.WORSE is before.comparison or Standing.BREACH is before.standing
        assert after == before

    def test_inside_nothing_holds(self) -> None:
        assert self.at(40, self.found(19, 50.0)).unread is None

    def test_I9_it_is_said_from_the_cell_on_that_shows_it(self) -> None:
        found = self.found(19, 500.0)
        # The sixth cell begins with scrape 20. It ends before 24, and is judged two scrapes later.
        assert [self.at(scrapes, found).unread is None for scrapes in (25.9, 26)] == [True, False]


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_rare_figures_far_outside_are_told_before_they_revert(higher_is_better: bool) -> None:
    """Three in a hundred at ten times the upper end, alike on both sides."""
    would_revert = 0
    mean = Mean(sum="x", squares="y", low=0, high=1, higher_is_better=higher_is_better)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = [rng.binomial(size, 0.03, 60) for size in (20, 80)]
        told = [
            first_outside(
                mean, [Figures(number=size, total=10 * n, squares=100 * n, ahead=1 + size / 100) for n in row]
            )
            for size, row in zip((20, 80), rows, strict=True)
        ]
        arms = [
            [_clamped(size, 10.0 * n, turned=higher_is_better) for n in row]
            for size, row in zip((20, 80), rows, strict=True)
        ]
        policy = Rollout(worse_than=1.1, dispersion=1.0)
        worse = [end >= math.log(100) for end in means.worse_evidence(mean, zip(*arms, strict=True), policy)]
        would_revert += True in worse
        assert min(found[0] for found in told if found) <= [*worse, True].index(True)
    assert would_revert >= 3


def _clamped(number: int, total: float, *, turned: bool) -> Tally:
    """What is counted of a sum beyond the range: no more than the range allows."""
    share = min(total, float(number))
    return (
        Tally(bad=number - share, total=number, squares=number - share)
        if turned
        else Tally(bad=share, total=number, squares=share)
    )


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
