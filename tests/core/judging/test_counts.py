"""Raw samples to counts on the grid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.counters import (
    AVAILABILITY,
    CANARY,
    LEAD,
    SCRAPE,
    STABLE,
    START,
    arms,
    at,
    counter,
    moment,
    readings,
    sampled,
    without,
)
from tidegate.core.judging.counts import Arm, Frame, cut
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.tracking import Follower, Tracked
from tidegate.core.judging.verdict import Counters, ObjectiveReadings
from tidegate.core.manifest import Objective

MINUTE = 60.0
VERSIONS = (CANARY, STABLE)


def frame(scrapes: float, resolution: float = MINUTE) -> Frame:
    return Frame(start=START, now=at(scrapes), resolution=resolution)


def follow(found: ObjectiveReadings, objective: Objective, up: Sampled | Unread | None) -> Tracked | Unread:
    asked = Counters(now=moment(0), objectives={objective.name: found}, up=up)
    return Follower(asked, "version", VERSIONS).follow(objective)


def followed(found: ObjectiveReadings, objective: Objective = AVAILABILITY, up: Sampled | None = None) -> Tracked:
    series = follow(found, objective, up)
    assert not isinstance(series, Unread), series
    return series


def counted(
    found: ObjectiveReadings, scrapes: float, objective: Objective = AVAILABILITY, up: Sampled | None = None
) -> dict[int, Arm]:
    """The arms as of an instant, with the cells that are judged by then."""
    grid = cut(followed(found, objective, up), frame(scrapes))
    assert grid.unread(at(scrapes)) is None
    return {v: replace(arm, cells=arm.cells[: grid.judged(at(scrapes))]) for v, arm in grid.arms.items()}


def events(arm: Arm) -> list[tuple[float, float]]:
    return [(cell.tally.bad, cell.tally.total) for cell in arm.cells]


def unread(found: ObjectiveReadings, objective: Objective = AVAILABILITY, resolution: float = MINUTE) -> Unread:
    series = follow(found, objective, None)
    reason = series if isinstance(series, Unread) else cut(series, frame(40, resolution)).unread(at(40))
    assert reason is not None
    return reason


def only_stable(total: Series, *bad: Series) -> ObjectiveReadings:
    return readings(list(bad), [total])


def test_increments_stand_in_the_cell_in_which_they_were_seen() -> None:
    total = counter(STABLE, [1] * LEAD + [10, 0, 0, 0, 5, 5, 0, 0, 0, 0])
    assert events(counted(only_stable(total), 10)[STABLE]) == [(0, 11), (0, 10)]


def test_a_cell_is_judged_two_scrapes_after_its_end() -> None:
    total = counter(STABLE, [1] * (LEAD + 12))
    # The first cell ends at scrape 4 less half a second.
    assert len(counted(only_stable(total), 5.9)[STABLE].cells) == 0
    assert len(counted(only_stable(total), 6)[STABLE].cells) == 1


def test_cells_lie_on_the_epoch_whenever_the_stage_began() -> None:
    total = counter(STABLE, [1] * (LEAD + 20))
    late = replace(frame(16.5), start=START + 17)
    grid = cut(followed(only_stable(total)), late)
    assert [cell.start for cell in grid.arms[STABLE].cells] == [START + MINUTE, START + 2 * MINUTE, START + 3 * MINUTE]
    assert grid.judged(late.now) == 2


def test_a_reset_counts_what_came_after_it() -> None:
    total = counter(STABLE, [100] * (LEAD + 12))
    restarted = tuple((t, v if t < at(1) else 2.0) for t, v in total.samples)
    assert events(counted(only_stable(replace(total, samples=restarted)), 12)[STABLE]) == [(0, 102), (0, 0)]


def test_absent_bad_events_are_none() -> None:
    assert events(counted(only_stable(counter(STABLE, [5] * (LEAD + 10))), 10)[STABLE]) == [(0, 20), (0, 20)]


def test_absent_total_events_are_no_data() -> None:
    assert unread(readings([counter(STABLE, [1] * 20)], [])).why is Why.NO_DATA


@pytest.mark.parametrize("which", ["bad", "total"])
def test_I3_a_reading_that_failed_keeps_its_reason(which: str) -> None:
    reason = Unread(why=Why.PARTIAL, words="a store is down")
    whole = arms({STABLE: 10}, {STABLE: 1}, 40)
    assert unread(replace(whole, **{which: reason})) == reason


def test_I3_up_that_was_needed_and_failed_is_no_data() -> None:
    reason = Unread(why=Why.UNREACHABLE, words="gone")
    assert follow(arms({STABLE: 1}, {}, 40), AVAILABILITY, reason) == reason


class TestSeriesThatBegin:
    """The first sample of a new series is an increase only if its target was scraped before without it."""

    late_error = Series(
        labels={"version": "11", "code": "500", "job": "serving", "instance": "pod:80"},
        samples=tuple((at(scrape), 3.0) for scrape in range(5, 20)),
    )

    def test_beside_an_older_series_of_its_target_it_began_at_0(self) -> None:
        found = only_stable(counter(STABLE, [10] * (LEAD + 20)), self.late_error)
        assert events(counted(found, 16)[STABLE])[:3] == [(0, 40), (3, 40), (0, 40)]

    def test_with_its_target_up_before_it_began_at_0(self) -> None:
        alone = replace(self.late_error, labels={**self.late_error.labels, "instance": "other:80"})
        up = sampled(
            Series(
                labels={"__name__": "up", "job": "serving", "instance": "other:80"},
                samples=tuple((at(scrape), 1.0) for scrape in range(20)),
            )
        )
        found = only_stable(counter(STABLE, [10] * (LEAD + 20)), alone)
        assert [bad for bad, _ in events(counted(found, 16, up=up)[STABLE])][:3] == [0, 3, 0]

    def test_with_its_target_down_before_it_is_a_baseline(self) -> None:
        alone = replace(self.late_error, labels={**self.late_error.labels, "instance": "other:80"})
        down = sampled(
            Series(
                labels={"__name__": "up", "job": "serving", "instance": "other:80"},
                samples=tuple((at(scrape), 0.0) for scrape in range(5)),
            )
        )
        found = only_stable(counter(STABLE, [10] * (LEAD + 20)), alone)
        assert [bad for bad, _ in events(counted(found, 16, up=down)[STABLE])][:3] == [0, 0, 0]

    def test_of_an_unknown_target_it_is_a_baseline(self) -> None:
        unnamed = replace(self.late_error, labels={"version": "11"})
        found = only_stable(counter(STABLE, [10] * (LEAD + 20)), unnamed)
        assert [bad for bad, _ in events(counted(found, 16)[STABLE])][:3] == [0, 0, 0]


class TestGaps:
    """Cells at whose ends a target was not scraped; a cell that is whole at both ends is none."""

    total = counter(STABLE, [10] * (LEAD + 30))

    def gaps(self, found: ObjectiveReadings) -> list[int]:
        return [i for i, cell in enumerate(counted(found, 24)[STABLE].cells) if cell.gap]

    def test_no_gap_when_every_scrape_came(self) -> None:
        assert self.gaps(only_stable(self.total)) == []

    def test_a_scrape_missing_inside_a_cell_shifts_nothing(self) -> None:
        assert self.gaps(only_stable(without(self.total, 5))) == []

    def test_scrapes_missing_across_a_boundary_spoil_both_cells(self) -> None:
        assert self.gaps(only_stable(without(self.total, 6, 7, 8))) == [1, 2]

    def test_while_nothing_is_scraped_nothing_is_observed(self) -> None:
        arm = counted(only_stable(without(self.total, *range(4, 13))), 24)[STABLE]
        assert [cell.observed for cell in arm.cells] == [True, False, False, True, True]
        assert arm.cells[3].gap, "its first increment reaches back over the outage"

    def test_a_target_that_is_gone_does_not_spoil_the_others_for_ever(self) -> None:
        gone = counter(STABLE, [10] * (LEAD + 6), instance="gone:80")
        assert self.gaps(only_stable(self.total, gone)) == []
        assert self.gaps(readings([], [self.total, gone])) == [1]


class TestGoodEvents:
    """Objectives that count good events: what is missing from the total is bad, unless nothing tells what is good."""

    by_good = Objective(name="a", target=0.99, good="ok_total", total="requests_total")
    by_bucket = Objective(name="l", target=0.99, histogram="seconds", under=timedelta(seconds=1))

    @pytest.mark.parametrize("objective", [by_good, by_bucket], ids=["counter", "histogram"])
    def test_the_rest_is_bad(self, objective: Objective) -> None:
        found = arms({STABLE: 10, CANARY: 10}, {STABLE: 9, CANARY: 7}, 12)
        both = counted(found, 12, objective)
        assert events(both[CANARY]) == [(9, 30), (12, 40)]
        assert events(both[STABLE])[1] == (4, 40)
        assert both[CANARY].first_bad == (0, at(1))

    @pytest.mark.parametrize("objective", [by_good, by_bucket], ids=["counter", "histogram"])
    def test_I3_without_any_series_of_good_events_nothing_is_known(self, objective: Objective) -> None:
        assert unread(arms({STABLE: 10, CANARY: 10}, {}, 40), objective).why is Why.NO_DATA

    def test_a_version_without_one_good_event_is_all_bad(self) -> None:
        found = arms({STABLE: 10, CANARY: 10}, {STABLE: 9}, 12)
        assert events(counted(found, 12, self.by_good)[CANARY])[1] == (40, 40)

    def test_I3_a_version_without_the_bucket_is_not_all_bad(self) -> None:
        assert "version 12" in unread(arms({STABLE: 10, CANARY: 10}, {STABLE: 9}, 40), self.by_bucket).words


def test_cells_need_two_scrapes() -> None:
    reason = unread(arms({STABLE: 10}, {}, 40), resolution=20.0)
    assert (reason.why, reason.words) == (Why.TOO_COARSE, "scraped every 15 s, while the resolution is 20 s")


def test_numbers_that_are_none_are_left_out() -> None:
    total = counter(STABLE, [10] * (LEAD + 12))
    spoiled = replace(total, samples=tuple((t, float("nan") if t == at(2) else v) for t, v in total.samples))
    assert events(counted(only_stable(spoiled), 12)[STABLE]) == events(counted(only_stable(total), 12)[STABLE])


def test_more_bad_than_total_events_are_clamped() -> None:
    assert events(counted(arms({CANARY: 5}, {CANARY: 7}, 12), 12)[CANARY])[1] == (20, 20)


def test_the_first_bad_event_is_the_sample_that_showed_it() -> None:
    found = readings(
        [counter(CANARY, [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0], first=0)], [counter(CANARY, [9] * 20, first=0)]
    )
    assert counted(found, 20)[CANARY].first_bad == (1, at(7))


increments = st.lists(st.integers(0, 9), min_size=40, max_size=40)


@settings(max_examples=60, deadline=None)
@given(increments, increments, st.sets(st.integers(1, 38), max_size=12), st.lists(st.floats(0, 40), max_size=6))
def test_I9_later_samples_never_change_a_judged_cell(
    total: list[int], bad: list[int], missing: set[int], looks: list[float]
) -> None:
    """However a rollout is cut into looks, each sees a beginning of what the last one sees."""
    series = (
        without(counter(CANARY, total, first=0), *missing),
        without(counter(CANARY, bad, first=0), *missing),
    )
    steady = counter(STABLE, [10] * (LEAD + 40), instance="other:80")

    def look(scrapes: float) -> dict[int, Arm]:
        found = readings([series[1]], [series[0], steady], until=at(scrapes))
        return counted(found, scrapes)

    final = look(40)
    for scrapes in looks:
        seen = look(scrapes)
        for version in VERSIONS:
            assert seen[version].cells == final[version].cells[: len(seen[version].cells)]


@given(st.lists(st.integers(0, 9), min_size=20, max_size=20))
def test_no_event_is_lost_or_counted_twice(total: list[int]) -> None:
    cells = counted(readings([], [counter(CANARY, [*total, *[0] * 12], first=0)]), 32)[CANARY].cells
    assert sum(cell.tally.total for cell in cells) == sum(total)
    assert len(cells) == int((32 * SCRAPE + 0.5 - 2 * SCRAPE) // MINUTE)
