"""What the judges say of whole stages."""

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
    SINCE,
    STABLE,
    arms,
    at,
    canary_question,
    counter,
    counters,
    moment,
    readings,
    sampled,
    without,
)
from tidegate.core.judging.against_stable import INSIDE, RULED_OUT
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveReadings,
    Question,
    Stage,
    Standing,
    Verdict,
    WeightChange,
)
from tidegate.core.manifest import Effect, Objective, ValueObjective

MINUTE = timedelta(minutes=1)
CANARY_STAGE = canary_question()
LATENCY = Objective(name="latency", target=0.95, good="fast_total", total="requests_total")


def compared(found: ObjectiveReadings, scrapes: float, question: Question = CANARY_STAGE) -> Comparison:
    return judge(question, counters(found, scrapes)).objectives[0].comparison


class TestCanaryAgainstStable:
    @pytest.mark.parametrize(
        ("bad", "expected"),
        [
            pytest.param({STABLE: 1, CANARY: 1}, Comparison.WORSE, id="nine-times-the-rate-is-worse"),
            pytest.param({STABLE: 9, CANARY: 1}, Comparison.CLEARED, id="the-same-rate-is-cleared"),
            pytest.param({STABLE: 9, CANARY: 0}, Comparison.CLEARED, id="a-better-rate-is-cleared"),
            pytest.param({STABLE: 0, CANARY: 0}, Comparison.CLEARED, id="no-errors-at-all-are-cleared"),
            pytest.param({STABLE: 6, CANARY: 1}, Comparison.UNDECIDED, id="between-the-margins-nobody-knows"),
        ],
    )
    def test_after_half_an_hour(self, bad: dict[int, float], expected: Comparison) -> None:
        found = arms({STABLE: 90, CANARY: 10}, bad, 120)
        assert compared(found, 120) is expected

    def test_cleared_says_by_what(self) -> None:
        quiet = judge(CANARY_STAGE, counters(arms({STABLE: 90, CANARY: 10}, {}, 120), 120))
        alike = judge(CANARY_STAGE, counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 9, CANARY: 1}, 120), 120))
        assert [v.objectives[0].cleared_by for v in (quiet, alike)] == [INSIDE, RULED_OUT]

    def test_each_way_to_be_cleared_has_half_of_the_false_advance_rate(self) -> None:
        """No error in 740 events proves 99.5 % at 5 %: each of them raises half of the stake by 1 / 0.995."""
        walk = Judged(CANARY_STAGE, counters(arms({STABLE: 90, CANARY: 10}, {}, 120), 120))
        verdicts = [walk.at(moment(scrape)).objectives[0] for scrape in range(120)]
        seen = {verdict.comparison: verdict.subject.total for verdict in reversed(verdicts)}
        assert seen[Comparison.CLEARED] == 840
        assert {v.comparison for v in verdicts if v.subject.total <= 800} == {Comparison.UNDECIDED}

    def test_one_process_runs_over_all_steps(self) -> None:
        """Neither step proves anything alone; both together do."""
        found = arms({STABLE: 90, CANARY: 10}, {STABLE: 1, CANARY: 0.3}, 104)
        second = replace(CANARY_STAGE, since=SINCE + 13 * MINUTE)
        both = replace(CANARY_STAGE, weights=(*CANARY_STAGE.weights, WeightChange(at=second.since, weight=0.1)))
        asked = counters(found, 104)
        alone = [judge(second, asked), Judged(CANARY_STAGE, asked).at(second.since)]
        assert [verdict.objectives[0].comparison for verdict in alone] == [Comparison.UNDECIDED] * 2
        assert judge(both, asked).objectives[0].comparison is Comparison.WORSE

    def test_a_difference_too_small_to_matter_is_no_revert(self) -> None:
        """0.03 % against 0.01 % at high traffic: certain, and far inside 99.5 %."""
        found = arms({STABLE: 90_000, CANARY: 10_000}, {STABLE: 9, CANARY: 3}, 240)
        assert judge(CANARY_STAGE, counters(found, 240)).objectives[0].evidence > 100
        assert compared(found, 240) is Comparison.CLEARED
        sharp = canary_question(minimum_effect=0.0001)
        assert compared(found, 240, sharp) is Comparison.WORSE

    def test_warm_up_is_forgiven_from_the_first_events_on(self) -> None:
        cold = [5.0] * 8 + [0.0] * 112
        silent = [0.0] * 20
        found = readings(
            [counter(CANARY, [*silent, *cold], first=0)],
            [
                counter(CANARY, [*silent, *[10.0] * 120], first=0),
                counter(STABLE, [90.0] * 148, instance="b:1"),
            ],
        )
        assert compared(found, 140) is Comparison.WORSE
        assert compared(found, 140, canary_question(warm_up=3 * MINUTE)) is Comparison.CLEARED

    def test_cells_in_reach_of_a_weight_change_are_left_out(self) -> None:
        """Both arms at ×5 for a minute, in which the canary's share jumps: mixing would look like a regression."""
        question = replace(
            CANARY_STAGE, weights=(*CANARY_STAGE.weights, WeightChange(at=SINCE + 5.5 * MINUTE, weight=0.5))
        )
        verdict = judge(question, counters(arms({STABLE: 50, CANARY: 50}, {STABLE: 1, CANARY: 1}, 60), 60))
        # Twelve cells are judged by then, one began with the stage, one holds the change.
        assert verdict.objectives[0].subject.total == (len_judged(verdict) - 2) * 200

    def test_worse_stays_worse_whatever_comes_later(self) -> None:
        bad = counter(CANARY, [5.0] * 20 + [0.0] * 400, first=0)
        total = [counter(CANARY, [10.0] * 420, first=0), counter(STABLE, [90.0] * 428, instance="b:1")]
        early, late = (judge(CANARY_STAGE, counters(readings([bad], total, at(n)), n)) for n in (24, 420))
        assert early.objectives[0].comparison is late.objectives[0].comparison is Comparison.WORSE
        assert early.objectives[0].worse_at == late.objectives[0].worse_at
        assert late.first_bad_at == moment(1)

    def test_the_false_revert_rate_is_shared_by_those_that_revert(self) -> None:
        objectives = (
            AVAILABILITY,
            replace(LATENCY, effect=Effect.REVERT),
            replace(LATENCY, name="x", effect=Effect.BLOCK),
        )
        found = arms({STABLE: 90, CANARY: 10}, {STABLE: 90, CANARY: 10}, 40)
        asked = {objective.name: found for objective in objectives}
        verdict = judge(replace(CANARY_STAGE, objectives=objectives), counters(asked, 40))
        assert {objective.needed for objective in verdict.objectives} == {200.0}


def len_judged(verdict: Verdict) -> int:
    return (verdict.judged_until - SINCE) // MINUTE


class TestServing:
    def test_a_canary_serves_from_its_first_cell_with_events(self) -> None:
        late = counter(CANARY, [0.0] * 9 + [10.0] * 31, first=0)
        found = readings([], [late, counter(STABLE, [90.0] * 48, instance="b:1")])
        verdict = judge(CANARY_STAGE, counters(found, 40))
        assert (verdict.serving, verdict.serving_since) == (True, SINCE + 2 * MINUTE)
        assert (verdict.baked, verdict.absent_for) == (
            len_judged(verdict) * MINUTE - 2 * MINUTE,
            timedelta(0),
        )
        assert verdict.unread is None

    def test_observed_absence_is_no_service(self) -> None:
        verdict = judge(CANARY_STAGE, counters(arms({STABLE: 90}, {}, 44), 44))
        assert (verdict.serving, verdict.absent_for) == (False, 10 * MINUTE)
        assert (verdict.baked, verdict.unread) == (timedelta(0), None)

    def test_I3_traffic_too_thin_to_show_an_absence_shows_none(self) -> None:
        found = readings([], [counter(STABLE, ([1.0] + [0.0] * 7) * 7)])
        verdict = judge(CANARY_STAGE, counters(found, 44))
        assert verdict.serving is None
        assert verdict.absent_for > timedelta(0)

    def test_a_paused_canary_is_not_missed_and_does_not_bake(self) -> None:
        paused = replace(CANARY_STAGE, weights=(WeightChange(at=SINCE, weight=0.0),))
        verdict = judge(paused, counters(arms({STABLE: 90}, {}, 44), 44))
        assert (verdict.serving, verdict.absent_for, verdict.baked) == (None, timedelta(0), timedelta(0))

    def test_F28_bake_waits_for_half_of_the_desired_share(self) -> None:
        shy = counter(CANARY, [4.0] * 20 + [10.0] * 24, first=0)
        found = readings([], [shy, counter(STABLE, [96.0] * (LEAD + 44), instance="b:1")])
        verdict = judge(CANARY_STAGE, counters(found, 44))
        # The first ten increments of full share begin in the sixth cell.
        assert verdict.baked == (len_judged(verdict) - 5) * MINUTE

    def test_bake_pauses_while_nobody_looks(self) -> None:
        blind = range(8, 16)
        found = readings(
            [],
            [
                without(counter(CANARY, [10.0] * 40, first=0), *blind),
                without(counter(STABLE, [90.0] * 48, instance="b:1"), *blind),
            ],
        )
        whole = judge(CANARY_STAGE, counters(arms({STABLE: 90, CANARY: 10}, {}, 40), 40))
        verdict = judge(CANARY_STAGE, counters(found, 40))
        assert whole.baked - verdict.baked == 3 * MINUTE

    def test_events_count_since_the_last_weight_change(self) -> None:
        question = replace(
            CANARY_STAGE, weights=(*CANARY_STAGE.weights, WeightChange(at=SINCE + 5 * MINUTE, weight=0.5))
        )
        verdict = judge(question, counters(arms({STABLE: 50, CANARY: 50}, {}, 44), 44))
        assert verdict.events == (len_judged(verdict) - 5) * 200


PROBATION = Question(
    stage=Stage.PROBATION,
    subject=CANARY,
    reference=STABLE,
    since=SINCE,
    rollout=CANARY_STAGE.rollout,
    objectives=(AVAILABILITY,),
)


def probation(bad_now: float, bad_before: float, scrapes: int = 60, events: float = 100) -> ObjectiveReadings:
    """The new version alone since the stage began, the previous one alone before."""
    before, after = [0.0] * (scrapes + LEAD), [0.0] * scrapes
    first = -scrapes - LEAD
    return readings(
        [
            counter(STABLE, [bad_before] * (scrapes + LEAD), first=first),
            counter(CANARY, [*before, *[bad_now] * scrapes], first=first),
        ],
        [
            counter(STABLE, [*[events] * (scrapes + LEAD), *after], first=first),
            counter(CANARY, [*before, *[events] * scrapes], first=first),
        ],
    )


class TestProbation:
    @pytest.mark.parametrize(
        ("now", "before", "expected"),
        [
            pytest.param(3, 0, (Standing.BREACH, Standing.FINE), id="only-the-new-version-breaches"),
            pytest.param(3, 3, (Standing.BREACH, Standing.BREACH), id="both-breach"),
            pytest.param(0, 0, (Standing.FINE, Standing.UNKNOWN), id="without-a-breach-nobody-asks-what-was-before"),
            pytest.param(0, 3, (Standing.FINE, Standing.UNKNOWN), id="it-got-better"),
        ],
    )
    def test_both_versions_against_the_objective(
        self, now: float, before: float, expected: tuple[Standing, Standing]
    ) -> None:
        verdict = judge(PROBATION, counters(probation(now, before), 60))
        objective = verdict.objectives[0]
        assert (objective.standing, objective.reference_standing) == expected
        assert (verdict.unread, verdict.serving) == (None, True)
        assert (verdict.first_bad_at is not None) == (expected[0] is Standing.BREACH)

    def test_I9_a_breach_stays_one_as_the_windows_grow(self) -> None:
        def look(scrapes: int) -> Verdict:
            found = probation(3, 0, scrapes=60)
            whole = replace(found, bad=sampled(*found.bad.series, until=at(scrapes)))  # type: ignore[union-attr]
            return judge(PROBATION, counters(whole, scrapes))

        standings = [look(scrapes).objectives[0].standing for scrapes in range(8, 60, 4)]
        assert standings[-1] is Standing.BREACH
        assert {look(scrapes).objectives[0].reference_standing for scrapes in range(40, 60, 4)} == {Standing.FINE}
        assert standings == sorted(standings, key=[Standing.TOO_FEW, Standing.FINE, Standing.BREACH].index)

    def test_few_events_prove_nothing(self) -> None:
        objective = judge(PROBATION, counters(probation(1, 1, events=1), 30)).objectives[0]
        assert objective.standing is Standing.TOO_FEW

    def test_I3_an_unknown_past_is_not_a_fine_one(self) -> None:
        found = readings([counter(CANARY, [3.0] * 60, first=0)], [counter(CANARY, [100.0] * 60, first=0)])
        objective = judge(PROBATION, counters(found, 60)).objectives[0]
        assert (objective.standing, objective.reference_standing) == (Standing.BREACH, Standing.UNKNOWN)


BAKE = replace(PROBATION, stage=Stage.BAKE, reference=None, objectives=())


def gauge(version: int, values: list[float], first: int = 0) -> Series:
    return Series(
        labels={"version": str(version), "job": "serving", "instance": "pod:80"},
        samples=tuple((at(first + index), value) for index, value in enumerate(values)),
    )


class TestReadiness:
    def ready(self, *series: Series, scrapes: float = 24) -> Verdict:
        return judge(BAKE, Counters(now=moment(scrapes), ready=sampled(*series)))

    def test_ready_in_the_last_two_scrapes_serves(self) -> None:
        verdict = self.ready(gauge(CANARY, [0.0] * 8 + [1.0] * 17))
        assert (verdict.serving, verdict.serving_since, verdict.unread) == (True, moment(8), None)
        assert verdict.baked == 3 * MINUTE

    def test_one_scrape_is_not_enough_to_tell(self) -> None:
        assert self.ready(gauge(CANARY, [0.0] * 24 + [1.0])).serving is None

    def test_not_ready_is_no_service(self) -> None:
        verdict = self.ready(gauge(CANARY, [1.0] * 13 + [0.0] * 12))
        assert (verdict.serving, verdict.absent_for) == (False, 3 * MINUTE)

    def test_a_gauge_that_knows_only_other_versions_is_an_observed_absence(self) -> None:
        assert self.ready(gauge(STABLE, [1.0] * 25)).serving is False

    @pytest.mark.parametrize(
        ("series", "scrapes", "why"),
        [
            pytest.param([], 24, Why.NO_DATA, id="no-series"),
            pytest.param([gauge(CANARY, [1.0] * 25)], 60, Why.STALE, id="samples-stopped"),
        ],
    )
    def test_I3_missing_readiness_is_unread(self, series: list[Series], scrapes: int, why: Why) -> None:
        verdict = self.ready(*series, scrapes=scrapes)
        assert verdict.serving is None
        assert verdict.unread is not None
        assert verdict.unread.why is why

    def test_I3_nothing_to_ask_is_unread(self) -> None:
        verdict = judge(BAKE, Counters(now=moment(24)))
        assert verdict.serving is None
        assert verdict.unread is not None

    def test_objectives_are_judged_absolutely_beside_it(self) -> None:
        question = replace(BAKE, objectives=(AVAILABILITY,))
        ready = sampled(gauge(CANARY, [1.0] * 61))
        verdict = judge(question, counters(arms({CANARY: 100}, {CANARY: 5}, 60), 60, ready=ready))
        assert verdict.objectives[0].standing is Standing.BREACH
        assert verdict.serving is True


class TestUnread:
    whole = arms({STABLE: 90, CANARY: 10}, {STABLE: 1, CANARY: 5}, 120)

    @pytest.mark.parametrize("why", [Why.UNREACHABLE, Why.PARTIAL, Why.ERROR])
    @pytest.mark.parametrize("which", ["bad", "total"])
    def test_I3_a_missing_reading_is_neither_health_nor_failure(self, why: Why, which: str) -> None:
        reason = Unread(why=why)
        verdict = judge(CANARY_STAGE, counters(replace(self.whole, **{which: reason}), 120))
        assert verdict.unread is not None
        assert verdict.unread.why is why
        assert verdict.objectives[0].comparison is Comparison.UNDECIDED
        assert (verdict.serving, verdict.baked) == (None, timedelta(0))

    def test_I3_nothing_was_asked(self) -> None:
        verdict = judge(CANARY_STAGE, counters({}, 120))
        assert verdict.unread is not None
        assert verdict.judged_until == SINCE

    def test_history_that_retention_lost_is_said(self) -> None:
        late = [counter(CANARY, [10.0] * 60, first=60), counter(STABLE, [90.0] * 60, first=60)]
        verdict = judge(CANARY_STAGE, counters(readings([], late), 120))
        assert verdict.unread is not None
        assert verdict.unread.why is Why.HISTORY_LOST

    @pytest.mark.parametrize(
        ("age", "unread"),
        [
            pytest.param(timedelta(days=3), Why.HISTORY_LOST, id="it-served-all-that-time"),
            pytest.param(timedelta(hours=2), Why.HISTORY_LOST, id="and-in-all-of-two-hours"),
            pytest.param(timedelta(hours=1, minutes=9), None, id="too-short-a-time-to-measure-any"),
        ],
    )
    def test_what_dispersion_is_measured_on_may_be_lost(self, age: timedelta, unread: Why | None) -> None:
        """Then the policy's figure takes its place, by which nothing goes on and nothing goes back."""
        question = replace(CANARY_STAGE, reference_since=SINCE - age)
        fine = judge(question, counters(arms({STABLE: 90, CANARY: 10}, {}, 240), 240))
        worse = judge(question, counters(self.whole, 120))
        assert [each.unread.why if each.unread else None for each in (fine, worse)] == [unread, unread]
        said = [Comparison.UNDECIDED] * 2 if unread else [Comparison.CLEARED, Comparison.WORSE]
        assert [each.objectives[0].comparison for each in (fine, worse)] == said
        assert all(each.serving for each in (fine, worse)), "that it serves is told all the same"

    @pytest.mark.parametrize(
        ("first", "unread"),
        [(-LEAD, None), (20, None), (80, Why.HISTORY_LOST)],
        ids=["it-was-there", "it-was-deployed-by-the-deadline", "retention-lost-the-start"],
    )
    def test_the_start_of_a_probation_may_be_lost(self, first: int, unread: Why | None) -> None:
        question = replace(CANARY_STAGE, stage=Stage.PROBATION, weights=())
        mine = [counter(CANARY, [100.0] * (240 - first), first=first)]
        fine = judge(question, counters(readings([], mine), 240))
        assert (fine.unread.why if fine.unread else None) is unread
        failing = judge(question, counters(readings([counter(CANARY, [30.0] * (240 - first), first=first)], mine), 240))
        assert (failing.objectives[0].standing, failing.unread) == (Standing.BREACH, None)

    @pytest.mark.parametrize(
        ("first", "kept", "unread"),
        [
            pytest.param(-LEAD, None, None, id="it-was-there"),
            pytest.param(20, None, None, id="it-was-deployed-by-the-deadline"),
            pytest.param(80, sampled(), Why.HISTORY_LOST, id="retention-lost-the-start"),
            pytest.param(80, sampled(counter(STABLE, [1.0])), None, id="it-was-deployed-late"),
            pytest.param(80, Unread(why=Why.UNREACHABLE), Why.UNREACHABLE, id="nobody-can-tell"),
        ],
    )
    def test_I3_the_start_of_a_bake_may_be_lost(
        self, first: int, kept: Sampled | Unread | None, unread: Why | None
    ) -> None:
        """A breach may be in what is lost. One that is found nevertheless stands."""
        question = replace(CANARY_STAGE, stage=Stage.BAKE, reference=None, weights=())
        mine = [counter(CANARY, [100.0] * (240 - first), first=first)]
        fine = judge(question, replace(counters(readings([], mine), 240), kept=kept))
        assert (fine.unread.why if fine.unread else None) is unread
        bad = [counter(CANARY, [30.0] * (240 - first), first=first)]
        failing = judge(question, replace(counters(readings(bad, mine), 240), kept=kept))
        assert (failing.objectives[0].standing, failing.unread) == (Standing.BREACH, None)

    def test_counters_that_stopped_are_stale(self) -> None:
        verdict = judge(CANARY_STAGE, counters(arms({STABLE: 90, CANARY: 10}, {}, 100), 130))
        assert verdict.objectives[0].comparison is Comparison.CLEARED
        assert verdict.unread is not None
        assert verdict.unread.why is Why.STALE

    def test_what_was_proven_before_counters_stopped_stays_proven(self) -> None:
        verdict = judge(CANARY_STAGE, counters(self.whole, 160))
        assert (verdict.objectives[0].comparison, verdict.unread) == (Comparison.WORSE, None)

    def test_a_bound_that_a_canary_is_outside_of_proves_nothing_that_sends_it_back(self) -> None:
        """Slightly outside its objective, and cleared of being much worse: then its counters stop."""
        slightly = arms({STABLE: 9000, CANARY: 1000}, {STABLE: 43.2, CANARY: 5.6}, 480)
        for scrapes, unread in ((480, None), (500, Why.STALE)):
            verdict = judge(CANARY_STAGE, counters(slightly, scrapes))
            objective = verdict.objectives[0]
            assert (objective.standing, objective.comparison) == (Standing.BREACH, Comparison.CLEARED)
            assert objective.reference_standing is Standing.FINE
            assert objective.burned is None
            assert (verdict.unread.why if verdict.unread else None) is unread

    def test_an_objective_that_only_informs_is_not_needed(self) -> None:
        objectives = (AVAILABILITY, replace(LATENCY, effect=Effect.INFORM))
        verdict = judge(replace(CANARY_STAGE, objectives=objectives), counters(self.whole, 120))
        assert verdict.unread is None
        assert verdict.objectives[1].unread is not None


series = st.lists(st.integers(0, 10), min_size=48, max_size=48)


def rollout(bad: list[int], stable_bad: list[int], missing: set[int], until: float) -> ObjectiveReadings:
    mine, theirs = [10.0] * 48, [90.0] * 48
    lead = [90.0] * LEAD
    return readings(
        [counter(CANARY, bad, first=0), counter(STABLE, [*[0] * LEAD, *stable_bad], instance="b:1")],
        [
            without(counter(CANARY, mine, first=0), *missing),
            counter(STABLE, [*lead, *theirs], instance="b:1"),
        ],
        until,
    )


@settings(max_examples=60, deadline=None)
@given(series, series, st.sets(st.integers(1, 47), max_size=8), st.lists(st.integers(4, 48), max_size=8))
def test_I9_verdicts_do_not_depend_on_when_passes_run(
    bad: list[int], stable_bad: list[int], missing: set[int], looks: list[int]
) -> None:
    """Whoever looked in between saw what one look at the end says of that time: nothing comes or goes."""
    at_the_end = judge(CANARY_STAGE, counters(rollout(bad, stable_bad, missing, at(48)), 48))
    end = at_the_end.objectives[0]
    evidence = 1.0
    for scrapes in sorted(looks):
        verdict = judge(CANARY_STAGE, counters(rollout(bad, stable_bad, missing, at(scrapes)), scrapes))
        seen = verdict.objectives[0]
        decided_by_then = end.worse_at is not None and end.worse_at <= verdict.judged_until
        assert (seen.comparison is Comparison.WORSE) == decided_by_then
        assert seen.worse_at == (end.worse_at if decided_by_then else None)
        assert evidence <= seen.evidence <= end.evidence
        assert verdict.baked <= at_the_end.baked
        evidence = seen.evidence


@settings(max_examples=40, deadline=None)
@given(series, series, st.data())
def test_better_readings_never_turn_cleared_into_worse(
    bad: list[int], stable_bad: list[int], data: st.DataObject
) -> None:
    before = judge(CANARY_STAGE, counters(rollout(bad, stable_bad, set(), at(48)), 48)).objectives[0]
    fewer = [data.draw(st.integers(0, count)) for count in bad]
    after = judge(CANARY_STAGE, counters(rollout(fewer, stable_bad, set(), at(48)), 48)).objectives[0]
    if before.comparison is Comparison.CLEARED:
        assert after.comparison is not Comparison.WORSE
    if before.comparison is not Comparison.WORSE:
        assert after.evidence <= before.evidence * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(series, series, st.permutations([AVAILABILITY, LATENCY, replace(AVAILABILITY, name="third", target=0.9)]))
def test_the_order_of_objectives_is_irrelevant(bad: list[int], stable_bad: list[int], order: list[Objective]) -> None:
    found = rollout(bad, stable_bad, set(), at(48))
    asked = counters({objective.name: found for objective in order}, 48)

    def verdict(objectives: list[Objective]) -> Verdict:
        result = judge(replace(CANARY_STAGE, objectives=tuple(objectives)), asked)
        return replace(result, objectives=tuple(sorted(result.objectives, key=lambda each: each.objective)))

    assert verdict(order) == verdict(sorted(order, key=lambda objective: objective.name))


@settings(max_examples=40, deadline=None)
@given(series, series, st.sampled_from(list(Why)), st.sampled_from(["bad", "total", "up", "no series"]))
def test_I3_missing_data_is_never_worse_and_never_cleared(
    bad: list[int], stable_bad: list[int], why: Why, what: str
) -> None:
    asked = counters(rollout(bad, stable_bad, set(), at(48)), 48)
    found = asked.objectives[AVAILABILITY.name]
    nothing = Sampled(series=(), start=SINCE, end=moment(48))
    if what == "up":
        asked = replace(asked, up=Unread(why=why))
    else:
        missing = {"total": nothing} if what == "no series" else {what: Unread(why=why)}
        asked = replace(asked, objectives={AVAILABILITY.name: replace(found, **missing)})
    verdict = judge(CANARY_STAGE, asked)
    assert verdict.objectives[0].comparison is Comparison.UNDECIDED
    assert verdict.unread is not None


SLOW = Objective(
    name="latency", target=0.9, histogram="seconds", total="seconds_count", under=timedelta(milliseconds=120)
)
DRIFT = ValueObjective(name="drift", value="x", maximum=0.2)


class TestWhatCannotBeReadIsNamed:
    served = arms({STABLE: 90, CANARY: 10}, {STABLE: 1, CANARY: 1}, 40)
    bare = replace(served, bad=sampled())
    silent = readings([], [])

    @pytest.mark.parametrize(
        ("objectives", "values", "expected"),
        [
            pytest.param(
                {AVAILABILITY: served, SLOW: bare},
                (),
                "no data: latency: the histogram of version 12 and version 11 has no bucket at 120ms",
                id="with-its-bound",
            ),
            pytest.param({AVAILABILITY: served}, (DRIFT,), "no data: drift: the value has no answer", id="a-value"),
            pytest.param(
                {AVAILABILITY: silent, SLOW: silent},
                (DRIFT,),
                "no data: availability: no total events of version 12 and version 11 "
                "(and 2 more objectives cannot be read)",
                id="with-how-many-others",
            ),
            pytest.param(
                {AVAILABILITY: silent, SLOW: silent},
                (),
                "no data: availability: no total events of version 12 and version 11 "
                "(and 1 more objective cannot be read)",
                id="with-the-other",
            ),
            pytest.param(
                {AVAILABILITY: served, replace(SLOW, effect=Effect.INFORM): bare},
                (),
                "None",
                id="what-informs-does-not",
            ),
        ],
    )
    def test_once(
        self, objectives: dict[Objective, ObjectiveReadings], values: tuple[ValueObjective, ...], expected: str
    ) -> None:
        question = replace(CANARY_STAGE, objectives=tuple(objectives), values=values)
        found = counters({each.name: reading for each, reading in objectives.items()}, 40)
        empty = Sampled(series=(), start=SINCE, end=found.now)
        found = replace(found, values={each.name: empty for each in values})
        assert str(judge(question, found).unread) == expected

    def test_not_where_nothing_answers_at_all(self) -> None:
        gone = Unread(why=Why.UNREACHABLE, words="http://prometheus:9090 does not answer")
        found = counters(ObjectiveReadings(bad=gone, total=gone), 40)
        assert judge(CANARY_STAGE, found).unread == gone
