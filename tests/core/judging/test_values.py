"""Values at the ends of cells: `for`, hysteresis, and readings that are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.counters import CANARY, SINCE, STABLE, START, canary_question
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.values import Value
from tidegate.core.judging.verdict import Question, Stage, Standing, ValueVerdict
from tidegate.core.manifest import Effect, ValueObjective

MINUTE = timedelta(minutes=1)
DRIFT = ValueObjective(name="drift", value="max(drift)", maximum=0.2)
HELD = replace(DRIFT, held=5 * MINUTE)
QUESTION = canary_question()
GOOD, BAD, NOTHING = 0.1, 0.3, None

Figures = Sequence[float | None]


def answers(by_version: Mapping[int | None, Figures], first: int = 1) -> Sampled:
    """One answer a minute of each version (None: of all together), the first at the end of the first cell."""
    series = tuple(
        Series(
            labels={} if version is None else {"version": str(version)},
            samples=tuple((START + 60 * (first + i), figure) for i, figure in enumerate(figures) if figure is not None),
        )
        for version, figures in by_version.items()
    )
    return Sampled(series=series, start=SINCE, end=SINCE)


def judged(
    reading: Sampled | Unread, minutes: float, objective: ValueObjective = DRIFT, question: Question = QUESTION
) -> ValueVerdict:
    """As of the instant at which so many cells are judged."""
    return Value(question, objective, reading).at(SINCE + (minutes + 1) * MINUTE)


def of_canary(figures: Figures, objective: ValueObjective = DRIFT) -> ValueVerdict:
    return judged(answers({CANARY: figures, STABLE: [GOOD] * len(figures)}), len(figures), objective)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param([GOOD] * 9, Standing.FINE, id="inside-is-fine"),
        pytest.param([*[GOOD] * 5, *[BAD] * 4], Standing.FINE, id="not-outside-for-long-enough"),
        pytest.param([*[GOOD] * 5, *[BAD] * 5], Standing.BREACH, id="outside-for-as-long-as-asked"),
        pytest.param([*[BAD] * 4, GOOD, *[BAD] * 4], Standing.FINE, id="a-good-reading-begins-anew"),
        pytest.param([*[BAD] * 4, NOTHING, BAD], Standing.BREACH, id="one-missing-answer-is-no-good-reading"),
        pytest.param([*[BAD] * 4, math.nan, BAD], Standing.BREACH, id="not-a-number-is-no-good-reading"),
        pytest.param([*[BAD] * 4, *[NOTHING] * 2, BAD], Standing.FINE, id="after-a-gap-it-begins-anew"),
        pytest.param([*[BAD] * 4, NOTHING, math.nan, BAD], Standing.FINE, id="after-no-numbers-it-begins-anew"),
        pytest.param([*[BAD] * 4, *[NOTHING] * 2, *[BAD] * 5], Standing.BREACH, id="as-long-after-a-gap"),
        pytest.param([*[BAD, NOTHING, NOTHING, NOTHING] * 9, BAD], Standing.FINE, id="each-by-itself"),
        pytest.param([*[BAD] * 4, NOTHING, GOOD], Standing.FINE, id="a-gap-is-no-bad-reading"),
    ],
)
def test_for(figures: Figures, expected: Standing) -> None:
    assert of_canary(figures, HELD).standing is expected


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param([GOOD] * 9, 0 * MINUTE, id="inside"),
        pytest.param([*[GOOD] * 5, *[BAD] * 4], 4 * MINUTE, id="since-it-left-its-bounds"),
        pytest.param([*[BAD] * 4, GOOD], 0 * MINUTE, id="inside-again"),
        pytest.param([*[BAD] * 4, *[NOTHING] * 2, BAD], MINUTE, id="after-a-gap-it-begins-anew"),
    ],
)
def test_what_is_outside_and_no_breach_yet_says_for_how_long(figures: Figures, expected: timedelta) -> None:
    verdict = of_canary(figures, HELD)
    assert (verdict.standing, verdict.outside_for) == (Standing.FINE, expected)


@pytest.mark.parametrize(
    ("objective", "figure", "expected"),
    [
        pytest.param(DRIFT, 0.2, Standing.FINE, id="the-maximum-itself-is-good"),
        pytest.param(DRIFT, 0.21, Standing.BREACH, id="above-the-maximum"),
        pytest.param(replace(DRIFT, maximum=None, minimum=0.5), 0.5, Standing.FINE, id="the-minimum-itself-is-good"),
        pytest.param(replace(DRIFT, maximum=None, minimum=0.5), 0.4, Standing.BREACH, id="below-the-minimum"),
        pytest.param(replace(DRIFT, minimum=0.1), 0.05, Standing.BREACH, id="below-a-span"),
        pytest.param(replace(DRIFT, minimum=0.1), 0.15, Standing.FINE, id="inside-a-span"),
    ],
)
def test_bounds(objective: ValueObjective, figure: float, expected: Standing) -> None:
    assert of_canary([figure] * 3, objective).standing is expected


class TestHysteresis:
    block = replace(HELD, effect=Effect.BLOCK)
    breached = (*[BAD] * 5,)

    @pytest.mark.parametrize(
        ("later", "expected"),
        [
            pytest.param([GOOD] * 4, Standing.BREACH, id="not-good-for-long-enough"),
            pytest.param([GOOD] * 5, Standing.FINE, id="good-for-as-long-as-it-had-to-be-bad"),
            pytest.param([*[GOOD] * 4, BAD, *[GOOD] * 4], Standing.BREACH, id="a-bad-reading-begins-anew"),
            pytest.param([*[GOOD] * 5, *[BAD] * 4], Standing.FINE, id="bad-again-and-not-for-long"),
            pytest.param([*[GOOD] * 4, *[NOTHING] * 2, GOOD], Standing.BREACH, id="after-a-gap-it-begins-anew"),
        ],
    )
    def test_a_breach_that_blocks_ends(self, later: Figures, expected: Standing) -> None:
        assert of_canary([*self.breached, *later], self.block).standing is expected

    def test_a_breach_that_reverts_does_not(self) -> None:
        verdict = of_canary([*self.breached, *[GOOD] * 60], HELD)
        assert (verdict.standing, verdict.reverts) == (Standing.BREACH, True)
        assert (verdict.breached_at, verdict.figure) == (SINCE + 5 * MINUTE, BAD)

    def test_a_value_over_all_versions_reverts_none(self) -> None:
        verdict = judged(answers({None: self.breached}), 5, HELD)
        assert (verdict.standing, verdict.by_version, verdict.reverts) == (Standing.BREACH, False, False)
        assert judged(answers({None: [*self.breached, *[GOOD] * 5]}), 10, HELD).standing is Standing.FINE


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        pytest.param(Unread(why=Why.UNREACHABLE), "unreachable", id="the-reason-of-the-source"),
        pytest.param(answers({}), "no data: the value has no answer", id="no-answer-ever"),
        pytest.param(
            answers({STABLE: [GOOD] * 5}),
            "no data: the value of version 12 has no answer",
            id="of-another-version-only",
        ),
        pytest.param(
            answers({CANARY: [GOOD] * 3}), "stale: last answer at 2026-01-01 12:03:00 UTC", id="answers-stopped-coming"
        ),
        pytest.param(answers({CANARY: [GOOD] * 4}), None, id="one-answer-is-missing"),
        pytest.param(answers({CANARY: [*[GOOD] * 4, math.nan]}), "NaN: the value answers nan", id="nan"),
        pytest.param(answers({CANARY: [*[GOOD] * 4, math.inf]}), "NaN: the value answers inf", id="infinity"),
    ],
)
def test_readings_that_are_none(reading: Sampled | Unread, expected: str | None) -> None:
    verdict = judged(reading, 5)
    assert (None if verdict.unread is None else str(verdict.unread)) == expected
    assert verdict.standing is (Standing.FINE if expected is None else Standing.UNKNOWN)


def test_several_series_are_no_reading() -> None:
    two = answers({CANARY: [BAD] * 5})
    doubled = replace(two, series=(*two.series, replace(two.series[0], labels={"version": "12", "pod": "b"})))
    verdict = judged(doubled, 5)
    assert str(verdict.unread) == "several series: the value answers 2 series, and a bound needs one"
    assert verdict.standing is Standing.UNKNOWN


def test_warm_up_begins_with_the_first_answer() -> None:
    warm = canary_question(warm_up=3 * MINUTE)
    cold = [NOTHING, NOTHING, BAD, BAD, BAD]
    early = judged(answers({CANARY: cold}), 5, question=warm)
    late = judged(answers({CANARY: [*cold, GOOD]}), 6, question=warm)
    assert (early.standing, late.standing) == (Standing.TOO_FEW, Standing.FINE)
    assert judged(answers({CANARY: cold}), 5).standing is Standing.BREACH


class TestTheOtherVersion:
    def test_beside_a_canary(self) -> None:
        both = judged(answers({CANARY: [BAD], STABLE: [BAD]}), 1)
        alone = judged(answers({CANARY: [BAD], STABLE: [GOOD]}), 1)
        unseen = judged(answers({CANARY: [BAD]}), 1)
        found = [verdict.reference_standing for verdict in (both, alone, unseen)]
        assert found == [Standing.BREACH, Standing.FINE, Standing.UNKNOWN]

    @pytest.mark.parametrize(
        ("theirs", "expected"),
        [
            pytest.param([GOOD] * 5, Standing.UNKNOWN, id="it-was-fine-long-ago"),
            pytest.param([GOOD] * 9, Standing.FINE, id="one-missing-answer-is-not-the-end-of-it"),
            pytest.param([GOOD] * 8, Standing.UNKNOWN, id="two-are"),
            pytest.param([*[GOOD] * 4, BAD], Standing.BREACH, id="its-own-breach-stands"),
        ],
    )
    def test_beside_a_canary_it_is_fine_only_with_a_reading_now(self, theirs: Figures, expected: Standing) -> None:
        found = judged(answers({CANARY: [*[GOOD] * 9, BAD], STABLE: theirs}), 10)
        assert (found.standing, found.reference_standing) == (Standing.BREACH, expected)

    @pytest.mark.parametrize(
        ("before", "expected"),
        [
            pytest.param([GOOD] * 5, Standing.FINE, id="good-before"),
            pytest.param([*[GOOD] * 4, BAD], Standing.BREACH, id="bad-just-before"),
            pytest.param([BAD, *[GOOD] * 4], Standing.FINE, id="bad-longer-before-than-the-breach-took"),
            pytest.param([], Standing.UNKNOWN, id="not-known"),
        ],
    )
    def test_before_probation(self, before: Figures, expected: Standing) -> None:
        question = replace(QUESTION, stage=Stage.PROBATION)
        mine, theirs = answers({CANARY: [GOOD, BAD]}), answers({STABLE: before}, first=1 - len(before))
        reading = replace(mine, series=(*mine.series, *theirs.series))
        assert judged(reading, 2, question=question).reference_standing is expected


answered = st.lists(st.sampled_from([GOOD, BAD, BAD, BAD, NOTHING]), max_size=12)


@given(answered, st.integers(2, 9), answered)
def test_I3_what_stood_before_a_gap_helps_no_breach_after_it(before: Figures, gap: int, after: Figures) -> None:
    """Whatever was found on either side by itself is all that is found."""
    alone = [of_canary(figures, HELD).standing for figures in (before, after)]
    together = of_canary([*before, *[NOTHING] * gap, *after], HELD)
    assert (together.standing is Standing.BREACH) == (Standing.BREACH in alone)


@given(
    st.lists(st.sampled_from([GOOD, BAD, NOTHING, math.nan]), max_size=40),
    st.integers(0, 40),
    st.sampled_from(list(Effect)),
)
def test_I9_what_comes_later_changes_no_verdict(figures: list[float | None], minutes: int, effect: Effect) -> None:
    objective = replace(HELD, effect=effect)
    then = judged(answers({CANARY: figures[:minutes]}), minutes, objective)
    assert judged(answers({CANARY: figures}), minutes, objective) == then
