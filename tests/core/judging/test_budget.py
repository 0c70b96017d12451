"""Error budgets: all bad events of a window over all events, from counters at fixed instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.budget import LEAD, STEP, Budget, budget, last_instant
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import ObjectiveReadings, Tally
from tidegate.core.manifest import Objective
from tidegate.core.reasons import budget_reason, budget_stands

UNTIL = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
DAY = Objective(name="availability", target=0.99, window=timedelta(days=1), bad="errors_total", total="requests_total")
GOOD = replace(DAY, bad=None, good="good_total")
FAST = replace(DAY, bad=None, histogram="seconds", under=timedelta(milliseconds=1500))
STEPS = DAY.window // STEP
LED = LEAD // STEP


def series(values: Sequence[float], *, ago: int = STEPS + LED, name: str = "pod-1") -> Series:
    """A counter's values at fixed instants, the first one so many steps ago."""
    at = ((UNTIL - (ago - index) * STEP).timestamp() for index in range(len(values)))
    return Series(labels={"instance": name}, samples=tuple(zip(at, values, strict=True)))


def grown(*increments: float, begins: float = 1000.0) -> list[float]:
    """A counter that was there before, and all that was added to it from one step to the next."""
    return list(accumulate(increments, initial=begins))


def through(bad: float, total: float) -> tuple[list[float], list[float]]:
    """As much in every step of lead and window."""
    return grown(*[bad] * (STEPS + LED)), grown(*[total] * (STEPS + LED))


def read(bad: Sequence[Series], total: Sequence[Series]) -> ObjectiveReadings:
    def sampled(found: Sequence[Series]) -> Sampled:
        return Sampled(series=tuple(found), start=UNTIL - DAY.window, end=UNTIL)

    return ObjectiveReadings(bad=sampled(bad), total=sampled(total))


def of(bad: Sequence[Series], total: Sequence[Series], objective: Objective = DAY) -> Budget:
    return budget(objective, read(bad, total), UNTIL)


def test_what_is_spent_is_the_bad_events_of_the_window_over_those_that_may_be() -> None:
    bad, total = through(1, 50)
    found = of([series(bad)], [series(total)])
    assert found.tally == Tally(bad=STEPS, total=50 * STEPS)
    assert found.spent == pytest.approx(2.0)
    assert found.exhausted
    assert found.since == UNTIL - DAY.window


def test_a_quiet_step_weighs_as_little_as_it_has_events() -> None:
    """As a mean of ratios the quiet step alone would spend two thirds of the budget."""
    total = [1000.0] * (STEPS + LED)
    total[-5] = 2
    bad = [0.0] * (STEPS + LED)
    bad[-5] = 2
    found = of([series(grown(*bad))], [series(grown(*total))])
    assert found.spent == pytest.approx(2 / (0.01 * (1000 * (STEPS - 1) + 2)))


def test_events_before_the_window_are_not_in_it() -> None:
    bad = [500.0] * LED + [0.0] * STEPS
    found = of([series(grown(*bad))], [series(through(0, 100)[1])])
    assert found.tally.bad == 0


def test_a_restart_counts_on_from_zero() -> None:
    total = [*grown(*[10.0] * (STEPS + LED - 2)), 7.0, 17.0]
    found = of([], [series(total)])
    assert found.tally.total == 10 * (STEPS - 2) + 17


@pytest.mark.parametrize(
    ("ago", "counted"),
    [
        pytest.param(20, 12.0, id="later: it began at 0, and all of it counts"),
        pytest.param(STEPS + LED, 9.0, id="from the first instant on: what it showed then was there before"),
    ],
)
def test_where_a_series_begins(ago: int, counted: float) -> None:
    _, total = through(0, 100)
    errors = series([3.0] * (LED + 2) + [12.0] * (ago - LED - 1), ago=ago)
    assert of([errors], [series(total)]).tally.bad == counted


@pytest.mark.parametrize("objective", [DAY, GOOD], ids=["bad", "good"])
@pytest.mark.parametrize("within", [0, 1], ids=["between-two-steps", "within-a-step"])
@pytest.mark.parametrize(
    ("relabelled", "labels", "lost"),
    [
        pytest.param(("bad", "total"), {"zone": "a"}, 1, id="of-the-target"),
        pytest.param(("bad", "total"), {"job": "other"}, 1, id="of-the-job"),
        pytest.param(("bad",), {"zone": "a"}, 0, id="of-one-metric"),
    ],
)
def test_labels_that_change_spend_nothing(
    objective: Objective, within: int, relabelled: Sequence[str], labels: Mapping[str, str], lost: int
) -> None:
    """What the process counted in its life is no burst. Where the target is new, the step before it came is lost."""
    bad, total = through(1, 200)
    counters = {"bad": bad if objective is DAY else through(199, 200)[0], "total": total}
    found: dict[str, list[Series]] = {}
    for name, values in counters.items():
        whole = replace(series(values), labels={"__name__": name, "job": "serving", "instance": "pod-1"})
        old, new = whole.samples[: 60 + within], whole.samples[60:]
        after = {**whole.labels, **labels}
        split = [replace(whole, samples=old), Series(labels=after, samples=new)]
        found[name] = split if name in relabelled else [whole]
    steps = STEPS - lost * (1 - within)
    assert of(found["bad"], found["total"], objective).tally == Tally(bad=steps, total=200 * steps)


def test_of_good_events_the_others_are_bad() -> None:
    good, total = through(98, 100)
    found = of([series(good)], [series(total)], GOOD)
    assert found.spent == pytest.approx(2.0)


@pytest.mark.parametrize(("objective", "bad"), [pytest.param(DAY, 90, id="bad"), pytest.param(GOOD, 10, id="good")])
@given(skews=st.lists(st.integers(-40, 40), min_size=STEPS - 1, max_size=STEPS - 1))
def test_counters_that_are_scraped_apart_cancel_out(skews: list[int], objective: Objective, bad: int) -> None:
    """What one shows too early, or too late, the next step makes up for: over the window nothing is rounded."""
    counted, total = through(90, 100)
    for index, skew in enumerate(skews, start=LED + 1):
        counted[index] += skew
    assert of([series(counted)], [series(total)], objective).tally == Tally(bad=bad * STEPS, total=100 * STEPS)


def test_more_good_events_than_there_are_make_no_bad_ones_less_than_none() -> None:
    counted, total = through(101, 100)
    assert of([series(counted)], [series(total)], GOOD).tally.bad == 0
    assert of([series(counted)], [series(total)]).tally.bad == 100 * STEPS


@pytest.mark.parametrize(
    ("bad", "total", "objective", "words"),
    [
        pytest.param([], [], DAY, "no total events within 1d", id="no events at all"),
        pytest.param([], [series(through(0, 9)[1])], GOOD, "no good events", id="good events that nobody counts"),
        pytest.param([], [series(through(0, 9)[1])], FAST, "no bucket at 1s500ms", id="no bucket at the bound"),
    ],
)
def test_I3_no_data_is_no_budget(
    bad: Sequence[Series], total: Sequence[Series], objective: Objective, words: str
) -> None:
    found = of(bad, total, objective)
    assert found.unread is not None
    assert found.unread.why is Why.NO_DATA
    assert words in found.unread.words
    assert (found.spent, found.exhausted) == (None, False)


@pytest.mark.parametrize("lost", ["bad", "total"])
def test_I3_a_reading_that_failed_is_the_budgets(lost: str) -> None:
    gone = Unread(why=Why.UNREACHABLE, words="gone")
    both = read([], [series(through(0, 9)[1])])
    readings = replace(both, bad=gone) if lost == "bad" else replace(both, total=gone)
    found = budget(DAY, readings, UNTIL)
    assert (found.unread, found.exhausted) == (gone, False)
    assert "cannot be read: unreachable: gone" in budget_stands(found)


def test_a_budget_below_one_event_says_nothing_yet() -> None:
    total = series([0.0, 99.0], ago=1)
    found = of([series([0.0, 1.0], ago=1)], [total])
    assert (found.spent, found.exhausted) == (None, False)
    assert "too few" in budget_stands(found)
    assert of([series([0.0, 1.0], ago=1)], [series([0.0, 100.0], ago=1)]).exhausted


def test_a_spent_budget_recovers_when_enough_of_it_has_left_the_window() -> None:
    """All bad events came within two steps, the first of them six hours ago."""
    bad = [0.0] * (STEPS + LED)
    bad[-36] = bad[-37] = 100.0
    found = of([series(grown(*bad))], [series(through(0, 100)[1])])
    assert found.exhausted
    assert found.recovers_at == UNTIL + timedelta(hours=18)
    assert budget_reason(found) == (
        "availability 139% of 1d (200 of 14400 events bad, 144.0 may be); below it from 2026-04-01 06:00:00 UTC if no "
        "more is bad"
    )


def test_a_history_shorter_than_the_window_says_so() -> None:
    found = of([], [series(grown(*[100.0] * 30), ago=30)])
    assert found.since == UNTIL - 30 * STEP
    assert "of which 5h are known" in budget_stands(found)


@given(st.lists(st.integers(0, 60), min_size=150, max_size=150), st.sets(st.integers(8, 148), max_size=9))
def test_what_a_process_counted_adds_up_however_often_it_restarts(gains: list[int], restarts: set[int]) -> None:
    """What ended between two instants took the events since the first of them with it, and no others."""
    value, values = 1000.0, [1000.0]
    for index, gain in enumerate(gains):
        value = 0.0 if index in restarts else value + gain
        values.append(value)
    found = of([], [series(values, ago=150)])
    expected = sum(gains[150 - STEPS :]) - sum(gains[index] for index in restarts if index >= 150 - STEPS)
    assert found.tally.total == expected


@given(st.integers(0, 10_000_000), st.integers(0, 599))
def test_I9_passes_between_two_instants_are_told_the_same(start: int, later: int) -> None:
    at = datetime.fromtimestamp(start // 600 * 600 + 60, UTC)
    assert last_instant(at) == last_instant(at + timedelta(seconds=later))
    assert timedelta(minutes=1) <= at - last_instant(at) <= STEP
