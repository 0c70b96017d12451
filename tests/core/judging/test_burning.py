"""Burn rates of one version: what trips a pair of windows, and that chance does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, arms, canary_question, counters
from tidegate.core.grounds import of_canary
from tidegate.core.judging.against_objective import Stood
from tidegate.core.judging.burning import Burning, looks, paging
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.verdict import BurnRate, Question, Stage, Standing, Tally, Together
from tidegate.core.manifest import Effect, Mean, Objective, Rollout
from tidegate.core.outcome import Evidence

PROBATION = replace(canary_question(), stage=Stage.PROBATION, weights=())
MINUTES = 1440
"""Cells of a day's probation."""


def burning(tallies: Sequence[Tally], objective: Objective = AVAILABILITY, **policy: object) -> Burning:
    question = replace(PROBATION, rollout=replace(PROBATION.rollout, **policy))  # type: ignore[arg-type]
    return Burning(question, objective, range(len(tallies)), tallies)


def steady(bad: float, total: float, minutes: int) -> list[Tally]:
    return [Tally(bad=bad, total=total)] * minutes


def drawn(random: Random, rate: float, per_minute: int, minutes: int) -> list[Tally]:
    draws = (sum(random.random() < rate for _ in range(per_minute)) for _ in range(minutes))
    return [Tally(bad=bad, total=per_minute) for bad in draws]


def test_a_bad_hour_after_a_good_day_trips_long_before_the_bound_does() -> None:
    """The bound since the beginning must first outweigh twenty good hours."""
    tallies = [*steady(0.1, 100, 1200), *steady(15, 100, 240)]
    stood = Stood(PROBATION, AVAILABILITY, range(MINUTES), tallies)
    assert stood.burned is not None
    assert stood.breach is not None
    needed = math.log(stood.needed)
    alone = next(index for index, evidence in enumerate(stood.evidence) if evidence >= needed)
    assert (stood.breach - 1200, alone - 1200) == (28, 40)


def test_what_overspends_slowly_is_found_by_the_bound_alone() -> None:
    stood = Stood(PROBATION, AVAILABILITY, range(MINUTES), steady(1, 100, MINUTES))
    assert stood.burning.tripped is None
    assert stood.after(MINUTES) is Standing.BREACH
    assert stood.burned is None


@pytest.mark.parametrize(
    "tallies",
    [
        pytest.param(
            [*steady(8, 10, 10), *steady(0, 10, 50)], id="what is over by the time that there are enough events"
        ),
        pytest.param(steady(5, 10, 10), id="fewer events than minimumEvents"),
        pytest.param([*steady(0, 100, 300), *steady(30, 100, 1)], id="one bad minute in five hours"),
    ],
)
def test_no_pair_trips_on(tallies: list[Tally]) -> None:
    assert burning(tallies).tripped is None


def test_two_bad_events_of_two_hundred_are_ten_times_the_budget_and_chance() -> None:
    strict = replace(AVAILABILITY, target=0.999)
    found = burning([*steady(0, 1, 198), *steady(1, 1, 2)], strict)
    slow = found.after(200)[1]
    assert (slow.burns, slow.evidence < slow.needed) == (True, True)
    assert found.tripped is None


def test_the_windows_hold_all_their_events_and_no_others() -> None:
    tallies = [Tally(bad=index % 3, total=100 + index) for index in range(400)]
    fast, slow = burning(tallies).after(400)
    assert fast.in_short.total == sum(tally.total for tally in tallies[-5:])
    assert fast.in_long.bad == sum(tally.bad for tally in tallies[-60:])
    assert slow.in_short.total == sum(tally.total for tally in tallies[-30:])
    assert slow.in_long.total == sum(tally.total for tally in tallies[-360:])


def test_cells_that_are_left_out_still_take_their_time() -> None:
    cells = [0, 1, 2, 60, 61, 64]
    tallies = [Tally(bad=1, total=10)] * 6
    fast, _ = Burning(PROBATION, AVAILABILITY, cells, tallies).after(6)
    assert (fast.in_short.total, fast.in_long.total) == (30, 30)


@pytest.mark.parametrize(
    ("objective", "factors"),
    [
        pytest.param(AVAILABILITY, [14.4, 6.0], id="99.5%: both pages"),
        pytest.param(replace(AVAILABILITY, target=0.9), [6.0], id="90%: 14.4 times 10 % would be more than everything"),
        pytest.param(replace(AVAILABILITY, target=0.8), [], id="80%: none"),
        pytest.param(
            replace(AVAILABILITY, window=timedelta(days=7)), [3.36, 1.4], id="a week: windows stay, factors follow"
        ),
        pytest.param(
            replace(AVAILABILITY, bad=None, mean=Mean(sum="x", low=0, high=1, higher_is_better=True)), [], id="a mean"
        ),
    ],
)
def test_the_pairs_that_page_and_can_fire(objective: Objective, factors: list[float]) -> None:
    assert [float(burn.factor) for burn in paging(objective)] == pytest.approx(factors)


def test_where_no_pair_works_the_bound_has_the_whole_rate() -> None:
    half = Stood(PROBATION, AVAILABILITY, range(1), steady(0, 1, 1))
    whole = Stood(PROBATION, replace(AVAILABILITY, target=0.8), range(1), steady(0, 1, 1))
    assert (half.needed, whole.needed) == (200, 100)


def test_the_false_revert_rate_is_shared_by_those_that_revert() -> None:
    """As the comparison shares it: also with objectives on late labels, and not with what only blocks."""
    others = [replace(AVAILABILITY, name="latency"), replace(AVAILABILITY, name="shown", effect=Effect.INFORM)]
    three = replace(
        PROBATION,
        objectives=(AVAILABILITY, *others),
        together=Together(
            subject=CANARY,
            reference=STABLE,
            since=SINCE,
            until=None,
            objectives=(replace(AVAILABILITY, name="quality"),),
            rollout=PROBATION.rollout,
        ),
    )
    alone, shared = (Stood(question, AVAILABILITY, range(1), steady(0, 1, 1)) for question in (PROBATION, three))
    assert shared.needed == 3 * alone.needed
    needed = [[pair.needed for pair in stood.burning.after(1)] for stood in (alone, shared)]
    assert needed[1] == pytest.approx([each + math.log(3) for each in needed[0]])


def test_chance_trips_no_pair_on_a_version_that_is_exactly_at_its_objective() -> None:
    """A day's probation, two hundred times; at most two are allowed to err."""
    random = Random(5)
    tallies = (drawn(random, 0.005, 20, 360) for _ in range(200))
    assert sum(burning(each, dispersion=1.0).tripped is not None for each in tallies) <= 2


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 80)), min_size=1, max_size=120), st.integers(1, 120))
def test_I9_what_tripped_by_an_instant_is_not_moved_by_what_came_later(
    events: list[tuple[int, int]], known: int
) -> None:
    tallies = [Tally(bad=bad, total=bad + good) for bad, good in events]
    whole, then = burning(tallies, minimum_events=1), burning(tallies[:known], minimum_events=1)
    seen = whole.tripped is not None and whole.tripped < known
    assert (then.tripped if seen else None) == (whole.tripped if seen else then.tripped)
    assert then.after(len(tallies[:known])) == whole.after(len(tallies[:known]))


def test_looks_are_those_that_a_stage_may_have() -> None:
    rollout = Rollout(resolution=timedelta(minutes=1))
    question: Question = replace(PROBATION, rollout=rollout)
    assert (looks(question), looks(replace(question, stage=Stage.CANARY))) == (1440, 2880)


def failing(stable: float, canary: float, scrapes: int = 120) -> BurnRate | None:
    found = counters(arms({STABLE: 90, CANARY: 10}, {STABLE: stable, CANARY: canary}, scrapes), scrapes)
    never = replace(AVAILABILITY, name="availability")
    question = canary_question(worse_than=100.0, dispersion=2.0)
    verdict = judge(replace(question, objectives=(never,)), found)
    ground = of_canary(verdict)
    assert ground is None or ground.evidence is Evidence.ABSOLUTE
    return verdict.objectives[0].burned if ground else None


@pytest.mark.parametrize(
    ("stable", "canary", "reverts"),
    [
        pytest.param(0.0, 5.0, True, id="goes back, though no comparison says so"),
        pytest.param(45.0, 5.0, False, id="stays where stable breaches too"),
        pytest.param(0.0, 0.05, False, id="stays inside its objective"),
    ],
)
def test_a_canary_that_pages(stable: float, canary: float, reverts: bool) -> None:
    assert (failing(stable, canary) is not None) is reverts
