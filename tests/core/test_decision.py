"""decide: the life of a version, then the guard table, one row a cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.situations import (
    KEY,
    NOW,
    OBJECTIVES,
    OLD_KEY,
    ROLLOUT,
    WORKSPACE,
    canary,
    chain,
    model,
    observed,
    pin_of,
    probation,
    proposal,
    stable,
    verdict,
    version,
)
from tidegate.core.decision import decide
from tidegate.core.guards import Situation, stopped
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Stage, Standing, Tally, Verdict
from tidegate.core.manifest import Effect, Environment, Judge, OnAbsent, OnInconclusive, Probation
from tidegate.core.observed import EnvironmentObserved, Observed, PinChange, ProposalState, TrainingState, Unavailable
from tidegate.core.observed import Training as Progress
from tidegate.core.outcome import Decision, Evidence, Hold, Nothing, WaitingOn, Wish
from tidegate.core.pin import Canary, Override, Pin, Rejected, stamped
from tidegate.core.pin import Hold as PinHold
from tidegate.core.transition import Kind, Transition, mark
from tidegate.core.workspace import Freeze, Workspace

WORSE = ObjectiveVerdict(
    objective="latency",
    effect=Effect.REVERT,
    comparison=Comparison.WORSE,
    subject=Tally(bad=60, total=100),
    reference=Tally(bad=25, total=100),
    evidence=900.0,
    needed=200.0,
)
CLEARED = (
    ObjectiveVerdict(
        objective="availability", effect=Effect.REVERT, comparison=Comparison.CLEARED, cleared_by="inside"
    ),
    ObjectiveVerdict(objective="latency", effect=Effect.REVERT, comparison=Comparison.CLEARED, cleared_by="ruled out"),
)
BREACH = ObjectiveVerdict(
    objective="latency", effect=Effect.REVERT, standing=Standing.BREACH, reference_standing=Standing.FINE
)
READY = {"staging": verdict(Stage.BAKE)}
BAKED = stable("staging", 2, ago=timedelta(hours=2))


def judged(stage: Stage, *objectives: ObjectiveVerdict, **changes: Any) -> dict[str, Verdict]:
    return {**READY, "production": verdict(stage, objectives=objectives, **changes)}


def decided(
    what: Observed,
    verdicts: dict[str, Verdict] | None = None,
    workspace: Workspace = WORKSPACE,
    environment: str = "production",
    **changes: Any,
) -> Decision:
    return decide(model(**changes), workspace, what, READY if verdicts is None else verdicts, NOW).environments[
        environment
    ]


def transition(decision: Decision) -> Transition:
    assert isinstance(decision, Transition), decision
    return decision


def hold(decision: Decision) -> Hold:
    assert isinstance(decision, Hold), decision
    return decision


# The life of a version


def test_the_first_version_goes_straight_to_all_of_the_first_environment() -> None:
    made = transition(decided(observed(()), environment="staging"))
    assert (made.kind, made.after.stable, made.after.previous, made.needs_person) == (
        Kind.PROMOTE,
        pin_of(2),
        None,
        False,
    )


def test_a_newer_version_takes_the_first_environment_and_keeps_the_way_back() -> None:
    made = transition(decided(observed(stable("staging", 1)), environment="staging"))
    assert (made.after.stable, made.after.previous) == (pin_of(2), pin_of(1))


def test_an_environment_without_a_stable_takes_a_baked_version_whole_and_asks() -> None:
    made = transition(decided(observed(BAKED)))
    assert (made.after.stable, made.after.canary, made.needs_person) == (pin_of(2), None, True)


def test_the_last_environment_takes_a_version_as_canary_at_the_first_step() -> None:
    made = transition(decided(observed(BAKED, stable("production", 1))))
    assert made.after.stable == pin_of(1)
    assert made.after.canary == Canary(pin=pin_of(2), weight=0.1)
    assert made.after.policy == "p" * 40


@pytest.mark.parametrize(
    ("weight", "kind", "after"),
    [
        pytest.param(
            0.1, Kind.ADVANCE, Canary(pin=pin_of(2), weight=0.5), id="the first step is followed by the second"
        ),
        pytest.param(
            0.3, Kind.ADVANCE, Canary(pin=pin_of(2), weight=0.5), id="a weight set by hand goes to the next higher step"
        ),
        pytest.param(0.5, Kind.FINISH, None, id="the last step is followed by stable"),
    ],
)
def test_a_cleared_canary_goes_on(weight: float, kind: Kind, after: Canary | None) -> None:
    made = transition(decided(observed(BAKED, canary(weight)), judged(Stage.CANARY, *CLEARED)))
    assert (made.kind, made.after.canary, made.needs_person) == (kind, after, False)
    if kind is Kind.FINISH:
        assert (made.after.stable, made.after.previous) == (pin_of(2), pin_of(1))


@pytest.mark.parametrize(
    ("changes", "objectives", "waiting_on", "reason"),
    [
        pytest.param({"baked": timedelta(minutes=29)}, CLEARED, WaitingOn.TIME, "baking: 29m of 30m", id="bake"),
        pytest.param({"events": 199}, CLEARED, WaitingOn.EVENTS, "199 of 200 events", id="minimum events"),
        pytest.param(
            {},
            (CLEARED[0], replace(CLEARED[1], comparison=Comparison.UNDECIDED)),
            WaitingOn.EVENTS,
            "not yet decided: latency",
            id="one objective still open",
        ),
    ],
)
def test_a_canary_waits(changes: Any, objectives: Any, waiting_on: WaitingOn, reason: str) -> None:
    held = hold(decided(observed(BAKED, canary()), judged(Stage.CANARY, *objectives, **changes)))
    assert held.waiting_on is waiting_on
    assert reason in held.reason


def test_an_objective_that_only_informs_stops_nobody() -> None:
    informs = replace(CLEARED[1], effect=Effect.INFORM, comparison=Comparison.UNDECIDED)
    assert (
        transition(decided(observed(BAKED, canary()), judged(Stage.CANARY, CLEARED[0], informs))).kind is Kind.ADVANCE
    )


def test_a_canary_at_zero_is_paused() -> None:
    held = hold(decided(observed(BAKED, canary(0.0)), judged(Stage.CANARY, *CLEARED)))
    assert "paused" in held.reason


def test_a_worse_canary_is_removed_and_rejected_with_its_key() -> None:
    made = transition(decided(observed(BAKED, canary()), judged(Stage.CANARY, CLEARED[0], WORSE)))
    assert made.kind is Kind.REVERT
    assert (made.after.stable, made.after.canary, made.needs_person) == (pin_of(1), None, False)
    assert made.after.rejected == (Rejected(version=2, key=KEY, reason="latency ×2.4", proposal=2),)


def test_reverts_ask_where_the_environment_says_so() -> None:
    asking = tuple(replace(e, automatic_revert=e.name != "production") for e in model().environments)
    made = transition(decided(observed(BAKED, canary()), judged(Stage.CANARY, WORSE), environments=asking))
    assert made.needs_person


def never_served(**changes: Any) -> dict[str, Verdict]:
    return judged(Stage.CANARY, serving=False, absent_for=ROLLOUT.progress_deadline, baked=timedelta(0), **changes)


def test_a_canary_that_never_served_is_tried_once_more() -> None:
    made = transition(decided(observed(BAKED, canary()), never_served()))
    assert (made.kind, made.after.canary, made.after.rejected, made.after.retried) == (Kind.REVERT, None, (), 2)


def test_a_canary_that_never_served_twice_is_rejected() -> None:
    made = transition(decided(observed(BAKED, canary(retried=2)), never_served()))
    assert [entry.version for entry in made.after.rejected] == [2]
    assert made.after.retried is None


def test_a_canary_that_does_not_serve_yet_has_until_its_deadline() -> None:
    waiting = judged(
        Stage.CANARY, serving=False, absent_for=ROLLOUT.progress_deadline - timedelta(seconds=1), baked=timedelta(0)
    )
    assert isinstance(decided(observed(BAKED, canary()), waiting), Hold)


def test_bytes_that_do_not_match_revert_a_canary() -> None:
    what = observed(BAKED, canary())
    spoiled = replace(what.environments["production"], digest_mismatch=(2,))
    what = replace(what, environments={**what.environments, "production": spoiled})
    made = transition(decided(what, judged(Stage.CANARY, *CLEARED)))
    assert made.after.rejected[0].reason == "digest mismatch"


@pytest.mark.parametrize(
    ("policy", "kind", "asks"),
    [
        pytest.param(OnInconclusive.ASK, Kind.ADVANCE, True, id="a person is asked"),
        pytest.param(OnInconclusive.ADVANCE, Kind.ADVANCE, False, id="it advances"),
        pytest.param(OnInconclusive.REVERT, Kind.REVERT, False, id="it reverts"),
    ],
)
def test_past_its_maximum_duration_a_step_ends_as_the_policy_says(
    policy: OnInconclusive, kind: Kind, asks: bool
) -> None:
    rollout = replace(ROLLOUT, on_inconclusive=policy)
    environments = tuple(replace(e, rollout=rollout) for e in model().environments)
    undecided = judged(
        Stage.CANARY, replace(CLEARED[0], comparison=Comparison.UNDECIDED), baked=rollout.maximum_duration
    )
    made = transition(decided(observed(BAKED, canary(ago=timedelta(hours=25))), undecided, environments=environments))
    assert (made.kind, made.needs_person) == (kind, asks)


def test_on_probation_a_breach_goes_back_to_the_previous_version() -> None:
    made = transition(decided(observed(BAKED, probation()), judged(Stage.PROBATION, BREACH)))
    assert made.kind is Kind.REVERT
    assert (made.after.stable, made.after.previous) == (pin_of(1), None)
    assert made.after.rejected[0].version == 2


def test_on_probation_without_absolute_evidence_about_the_previous_version_nothing_reverts_but_it_pages() -> None:
    unknown = replace(BREACH, reference_standing=Standing.UNKNOWN)
    held = hold(decided(observed(BAKED, probation()), judged(Stage.PROBATION, unknown)))
    assert held.pages
    assert held.degraded


def test_on_probation_a_breach_waits_until_the_version_held_back_is_known_to_share_it_or_not() -> None:
    untold = replace(BREACH, reference_standing=Standing.NOT_YET)
    held = hold(decided(observed(BAKED, probation(holdback=0.05)), judged(Stage.PROBATION, untold)))
    assert (held.waiting_on, held.degraded, held.pages) == (WaitingOn.EVENTS, True, False)
    assert held.reason.endswith("; whether the version held back shares that cannot be told yet")


def test_on_probation_a_version_worse_than_the_one_held_back_beside_it_goes_back() -> None:
    """It needs neither a healthy past nor healthy siblings: what is wrong elsewhere is wrong for both."""
    worse = replace(WORSE, standing=Standing.BREACH, reference_standing=Standing.BREACH)
    what = observed(BAKED, probation(holdback=0.05), failing_siblings={"production": "other"})
    made = transition(decided(what, judged(Stage.PROBATION, worse)))
    assert (made.kind, made.after.stable, made.after.holdback) == (Kind.REVERT, pin_of(1), None)
    assert "worse than previous" in made.reasons[0]


@pytest.mark.parametrize(
    ("on_absent", "asks"),
    [pytest.param(OnAbsent.ASK, True, id="ask"), pytest.param(OnAbsent.REVERT, False, id="revert")],
)
def test_on_probation_a_version_that_serves_nothing_is_reverted_as_the_policy_says(
    on_absent: OnAbsent, asks: bool
) -> None:
    environments = tuple(replace(e, rollout=replace(ROLLOUT, on_absent=on_absent)) for e in model().environments)
    absent = judged(Stage.PROBATION, serving=False, absent_for=timedelta(minutes=10))
    made = transition(decided(observed(BAKED, probation()), absent, environments=environments))
    assert (made.kind, made.needs_person) == (Kind.REVERT, asks)


def test_after_probation_nothing_reverts_by_itself() -> None:
    late = observed(BAKED, probation(ago=timedelta(hours=25)))
    assert isinstance(decided(late, judged(Stage.PROBATION, BREACH)), Nothing)


def test_the_holdback_ends_with_probation() -> None:
    held_back = probation(ago=timedelta(hours=25), holdback=0.05)
    made = transition(decided(observed(BAKED, held_back)))
    assert (made.kind, made.after.holdback, made.after.stable) == (Kind.FINISH, None, pin_of(2))


def test_finish_holds_a_share_back_where_the_policy_says_so() -> None:
    rollout = replace(ROLLOUT, probation=Probation(holdback=0.05))
    environments = tuple(replace(e, rollout=rollout) for e in model().environments)
    made = transition(decided(observed(BAKED, canary(0.5)), judged(Stage.CANARY, *CLEARED), environments=environments))
    assert made.after.holdback == 0.05


@pytest.mark.parametrize(
    ("state", "waiting_on"),
    [
        pytest.param(TrainingState.ABSENT, WaitingOn.OUTSIDE, id="not launched"),
        pytest.param(TrainingState.RUNNING, WaitingOn.TIME, id="running"),
        pytest.param(TrainingState.FAILED, WaitingOn.PERSON, id="failed"),
        pytest.param(TrainingState.GATED, WaitingOn.PERSON, id="gates failed"),
    ],
)
def test_without_a_version_of_mains_key_the_first_environment_says_why(
    state: TrainingState, waiting_on: WaitingOn
) -> None:
    what = observed(stable("staging", 1), versions=(version(1, OLD_KEY),), training=Progress(key=KEY, state=state))
    assert hold(decided(what, environment="staging")).waiting_on is waiting_on


def test_a_version_found_by_tag_alone_is_no_candidate() -> None:
    unvouched = replace(version(2), training_key=None)
    what = observed(stable("staging", 1), versions=(version(1, OLD_KEY), unvouched))
    assert isinstance(decided(what, environment="staging"), Hold)


def test_F27_numbers_carry_no_order_the_key_decides() -> None:
    what = observed(stable("staging", 2), versions=(version(1), version(2, OLD_KEY)))
    assert transition(decided(what, environment="staging")).after.stable == pin_of(1)


def test_F11_a_version_that_is_not_baked_waits_in_the_environment_before() -> None:
    young = {"staging": verdict(Stage.BAKE, baked=timedelta(minutes=3))}
    assert "baking in staging: 3m of 30m" in hold(decided(observed(BAKED, stable("production", 1)), young)).reason


def test_after_three_supersedings_the_one_in_flight_finishes_first() -> None:
    entries = [(Kind.PROMOTE, Pin(stable=pin_of(n)), timedelta(hours=9 - n)) for n in (2, 3, 4, 5)]
    staging = chain("staging", (Kind.PROMOTE, Pin(stable=pin_of(1)), timedelta(days=10)), *entries)
    versions = (*(version(n, OLD_KEY) for n in (1, 2, 3, 4, 5)), version(6))
    what = observed(staging, stable("production", 1), versions=versions)
    judgement = {"staging": verdict(Stage.BAKE, subject=5)}
    assert "version 5 finishes first" in hold(decided(what, judgement, environment="staging")).reason
    assert transition(decided(what, judgement)).after.canary == Canary(pin=pin_of(5), weight=0.1)


def test_before_that_a_newer_candidate_supersedes() -> None:
    entries = [(Kind.PROMOTE, Pin(stable=pin_of(n)), timedelta(hours=9 - n)) for n in (2, 3, 4)]
    staging = chain("staging", (Kind.PROMOTE, Pin(stable=pin_of(1)), timedelta(days=10)), *entries)
    versions = (*(version(n, OLD_KEY) for n in (1, 2, 3, 4)), version(6))
    what = observed(staging, stable("production", 1), versions=versions)
    assert transition(decided(what, environment="staging")).after.stable == pin_of(6)
    assert isinstance(decided(what), Nothing)


def test_an_environment_between_two_others_blocks_nobody_before_its_first_pin() -> None:
    staging, production = model().environments
    between = Environment(name="shadow", after=("staging",), rollout=ROLLOUT)
    three = (staging, between, replace(production, after=("shadow",)))
    what = observed(BAKED, stable("production", 1))
    what = replace(what, environments={**what.environments, "shadow": EnvironmentObserved()})
    assert transition(decided(what, environments=three)).after.canary is not None


def test_judge_none_needs_no_verdict() -> None:
    staging, production = model().environments
    environments = (replace(staging, judge=Judge.NONE), production)
    assert (
        transition(decided(observed(BAKED, stable("production", 1)), {}, environments=environments)).kind
        is Kind.PROMOTE
    )


def test_a_way_back_that_is_gone_from_the_registry_stops_a_promotion() -> None:
    what = observed(BAKED, stable("production", 1), versions=(version(2),))
    assert "gone from the registry" in hold(decided(what)).reason


def test_a_settled_model_wants_nothing() -> None:
    what = observed(stable("staging", 2), stable("production", 2))
    assert isinstance(decided(what), Nothing)
    assert isinstance(decided(what, environment="staging"), Nothing)


# I5, I6, I7: people, rejections, the way back


def test_I5_a_stable_set_by_hand_holds_the_environment() -> None:
    history = stable("production", 1)
    edited = PinChange(commit="e" * 40, at=NOW, pin=replace(history[-1].pin or Pin(), stable=pin_of(7)))
    what = observed(BAKED, (*history, edited), key_at={"e" * 40: KEY})
    assert "set by a person" in hold(decided(what)).reason


def test_I5_it_goes_on_when_mains_training_key_changes() -> None:
    history = stable("production", 1)
    edited = PinChange(commit="e" * 40, at=NOW, pin=replace(history[-1].pin or Pin(), stable=pin_of(7)))
    versions = (version(1, OLD_KEY), version(2), version(7, OLD_KEY))
    what = observed(BAKED, (*history, edited), key_at={"e" * 40: OLD_KEY}, versions=versions)
    assert transition(decided(what)).kind is Kind.PROMOTE


def test_I5_a_reverted_merge_of_ours_is_obeyed_and_held() -> None:
    history = canary()
    reverted = replace(history[0], commit="e" * 40, at=NOW)
    what = observed(BAKED, (*history, reverted), key_at={"e" * 40: KEY})
    assert "set by a person" in hold(decided(what)).reason


def test_I5_a_weight_set_by_hand_is_obeyed_without_a_hold() -> None:
    history = canary(0.1)
    pin = history[-1].pin or Pin()
    edited = PinChange(commit="e" * 40, at=NOW, pin=replace(pin, canary=Canary(pin=pin_of(2), weight=0.2)))
    made = transition(decided(observed(BAKED, (*history, edited)), judged(Stage.CANARY, *CLEARED)))
    assert made.after.canary == Canary(pin=pin_of(2), weight=0.5)


def test_I5_a_deleted_pin_file_is_a_persons_setting() -> None:
    gone = PinChange(commit="e" * 40, at=NOW, pin=None)
    what = observed(BAKED, (*stable("production", 1), gone), key_at={"e" * 40: KEY})
    assert "set by a person" in hold(decided(what)).reason


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(Rejected(version=2, key=OLD_KEY, reason="latency ×2.4"), id="by number"),
        pytest.param(Rejected(version=9, key=KEY, reason="latency ×2.4"), id="by training key"),
    ],
)
def test_I6_F14_a_version_rejected_anywhere_enters_nowhere(entry: Rejected) -> None:
    what = observed(stable("staging", 1), stable("production", 1, rejected=(entry,)))
    assert "is rejected in production" in hold(decided(what, environment="staging")).reason


def test_I6_an_environment_that_already_runs_a_rejected_version_keeps_it() -> None:
    entry = Rejected(version=2, key=KEY, reason="latency ×2.4")
    what = observed(stable("staging", 2), stable("production", 1, rejected=(entry,)))
    kept = decided(what, environment="staging")
    assert isinstance(kept, Nothing)
    assert "kept here" in kept.note


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        pytest.param(
            observed(BAKED, chain("production", (Kind.FINISH, Pin(stable=pin_of(2)), timedelta(hours=1)))),
            "there is no previous version",
            id="no previous version",
        ),
        pytest.param(
            observed(BAKED, probation(rejected=(Rejected(version=1, key=OLD_KEY, reason="bad"),))),
            "version 1 is rejected",
            id="the previous version is rejected",
        ),
        pytest.param(
            observed(BAKED, probation(), versions=(version(2),)),
            "gone from the registry",
            id="the previous version is gone",
        ),
    ],
)
def test_I7_without_a_good_way_back_nothing_reverts_but_it_pages(what: Observed, reason: str) -> None:
    held = hold(decided(what, judged(Stage.PROBATION, BREACH)))
    assert reason in held.reason
    assert (held.degraded, held.pages) == (True, True)


def test_I7_F14_a_revert_is_never_reverted() -> None:
    reverted = chain(
        "production",
        (Kind.FINISH, Pin(stable=pin_of(2), previous=pin_of(1)), timedelta(hours=2)),
        (
            Kind.REVERT,
            Pin(stable=pin_of(1), rejected=(Rejected(version=2, key=KEY, reason="bad"),)),
            timedelta(hours=1),
        ),
    )
    decision = decided(observed(BAKED, reverted), judged(Stage.PROBATION, BREACH))
    assert not (isinstance(decision, Transition) and decision.kind is Kind.REVERT)


# The guard table: what stops a promotion, an advance or finish, a revert

PROMOTING = (observed(BAKED, stable("production", 1)), READY)
ADVANCING = (observed(BAKED, canary()), judged(Stage.CANARY, *CLEARED))
FINISHING = (observed(BAKED, canary(0.5)), judged(Stage.CANARY, *CLEARED))
REVERTING = (observed(BAKED, canary()), judged(Stage.CANARY, WORSE))
ABSOLUTE = (observed(BAKED, probation()), judged(Stage.PROBATION, BREACH))
KINDS = {
    "promote": PROMOTING,
    "advance": ADVANCING,
    "finish": FINISHING,
    "revert": REVERTING,
    "revert on probation": ABSOLUTE,
}
FROZEN = replace(
    WORKSPACE,
    freezes=(
        Freeze(
            zone="UTC", reason="holidays", start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 9, tzinfo=UTC)
        ),
    ),
)


OVERSPENT = Budget(
    objective=OBJECTIVES[0],
    until=NOW,
    since=NOW - timedelta(days=30),
    tally=Tally(bad=130, total=10_000),
    recovers_at=NOW + timedelta(days=3),
)


def held_promotions(what: Observed) -> Any:
    return what, replace(WORKSPACE, hold=PinHold(reason="migration")), {}


def held_all(what: Observed) -> Any:
    return what, replace(WORKSPACE, hold=PinHold(scope="all", reason="incident")), {}


def held_in_manifest(what: Observed) -> Any:
    return what, WORKSPACE, {"hold": PinHold(reason="migration")}


def freeze(what: Observed) -> Any:
    return what, FROZEN, {}


def invalid(what: Observed) -> Any:
    return replace(what, invalid="model.yaml:3:1: error"), WORKSPACE, {}


def dependency(what: Observed) -> Any:
    return replace(what, unsettled_dependencies=("embeddings",)), WORKSPACE, {}


def spent(what: Observed) -> Any:
    return replace(what, budgets={"production": (OVERSPENT,)}), WORKSPACE, {}


def unreadable_budget(what: Observed) -> Any:
    lost = Unread(why=Why.NO_DATA, words="no total events within 30 days")
    return replace(what, budgets={"production": (replace(OVERSPENT, unread=lost),)}), WORKSPACE, {}


def overridden(what: Observed) -> Any:
    return _overriding(what, 2), WORKSPACE, {}


def overridden_for_another(what: Observed) -> Any:
    return _overriding(what, 3), WORKSPACE, {}


def _overriding(what: Observed, version: int) -> Observed:
    there = what.environments["production"]
    if there.pin is None:
        return what
    allowed = replace(there.pin, override=Override(version=version, reason="mends it", by="@dana"))
    pin = stamped("digits", "production", allowed, mark(Kind.OVERRIDE, there.pin))
    history = (*there.history, replace(there.history[-1], commit="d" * 40, pin=pin))
    environments = {**what.environments, "production": replace(there, history=history)}
    return replace(what, budgets={"production": (OVERSPENT,)}, environments=environments)


def open_person(what: Observed) -> Any:
    other = proposal(41, "k" + "1" * 16, kind=Kind.ROLLBACK, author="@dana")
    return replace(what, proposals=(other,)), WORKSPACE, {}


def open_ours(what: Observed) -> Any:
    return replace(what, proposals=(proposal(41, "k" + "1" * 16),)), WORKSPACE, {}


def sibling(what: Observed) -> Any:
    return replace(what, failing_siblings={"production": "embeddings"}), WORKSPACE, {}


RENDERING = (
    replace(
        PROMOTING[0],
        environments={
            **PROMOTING[0].environments,
            "production": EnvironmentObserved(history=stable("production", 1), rendered=False),
        },
    ),
    READY,
)
KINDS["render"] = RENDERING
GOES, STOPS, PAGES = "goes", "stops", "stops and pages"


@pytest.mark.parametrize(
    ("guard", "kind", "expected"),
    [
        pytest.param(guard, kind, expected, id=f"{guard.__name__}-{kind}-{expected}")
        for guard, row in {
            held_promotions: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            held_in_manifest: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            held_all: (STOPS, STOPS, STOPS, PAGES, PAGES, STOPS),
            freeze: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            invalid: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            open_person: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            open_ours: (STOPS, STOPS, STOPS, GOES, GOES, GOES),
            dependency: (STOPS, GOES, GOES, GOES, GOES, GOES),
            spent: (STOPS, GOES, GOES, GOES, GOES, GOES),
            unreadable_budget: (STOPS, GOES, GOES, GOES, GOES, GOES),
            overridden: (GOES, GOES, GOES, GOES, GOES, GOES),
            overridden_for_another: (STOPS, GOES, GOES, GOES, GOES, GOES),
            sibling: (GOES, GOES, GOES, GOES, PAGES, GOES),
        }.items()
        for kind, expected in zip(KINDS, row, strict=True)
    ],
)
def test_guard(guard: Any, kind: str, expected: str) -> None:
    what, verdicts = KINDS[kind]
    what, workspace, changes = guard(what)
    decision = decided(what, verdicts, workspace, **changes)
    match expected:
        case "goes":
            transition(decision)
        case "stops":
            held = hold(decision)
            assert not held.pages
            assert held.wished is not None
        case _:
            assert hold(decision).pages


RETRAIN = Wish(kind=Kind.RETRAIN, after=Pin(), reasons=("new data",), evidence=Evidence.OTHER)


@pytest.mark.parametrize(
    ("guard", "stops"),
    [
        pytest.param(held_promotions, True, id="a hold on promotions"),
        pytest.param(held_all, True, id="a hold on all"),
        pytest.param(freeze, False, id="not a freeze window"),
        pytest.param(open_ours, True, id="another proposal"),
        pytest.param(dependency, True, id="a dependency that has not settled"),
        pytest.param(spent, True, id="a spent budget"),
    ],
)
def test_guard_of_a_retraining(guard: Any, stops: bool) -> None:
    what, workspace, changes = guard(PROMOTING[0])
    one = model(**changes)
    situation = Situation(
        model=one, workspace=workspace, environment=one.environment("production"), observed=what, now=NOW
    )
    assert (stopped(RETRAIN, situation) is not None) == stops


def drifted(history: tuple[PinChange, ...], *, pin_alone: bool = True) -> Observed:
    what = PROMOTING[0]
    state = EnvironmentObserved(history=history, rendered=False, pin_alone=pin_alone)
    return replace(what, environments={**what.environments, "production": state})


def test_a_hand_edit_is_obeyed_by_rendering_and_needs_nobody() -> None:
    history = stable("production", 1)
    edited = PinChange(commit="e" * 40, at=NOW, pin=replace(history[-1].pin or Pin(), stable=pin_of(7)))
    made = transition(decided(drifted((*history, edited)), READY))
    assert (made.kind, made.after.stable, made.needs_person) == (Kind.RENDER, pin_of(7), False)
    behind_it = transition(decided(drifted((*history, edited), pin_alone=False), READY))
    assert (behind_it.kind, behind_it.needs_person) == (Kind.RENDER, True), "the manifest changed since"


def test_what_changes_the_rendered_file_without_a_hand_edit_of_the_pin_file_asks() -> None:
    made = transition(decided(drifted(stable("production", 1)), READY))
    assert (made.kind, made.needs_person) == (Kind.RENDER, True)


def test_a_due_revert_goes_before_rendering() -> None:
    what = drifted(canary())
    assert transition(decided(what, judged(Stage.CANARY, WORSE))).kind is Kind.REVERT


def test_a_revert_that_a_persons_setting_stops_pages() -> None:
    history = canary()
    pin = history[-1].pin or Pin()
    edited = PinChange(commit="e" * 40, at=NOW, pin=replace(pin, previous=pin_of(5)))
    what = observed(BAKED, (*history, edited), key_at={"e" * 40: KEY})
    held = hold(decided(what, judged(Stage.CANARY, WORSE)))
    assert "a revert is due" in held.reason
    assert (held.pages, held.degraded) == (True, True)


def test_a_canary_that_serves_no_more_does_not_go_on() -> None:
    gone = judged(Stage.CANARY, *CLEARED, absent_for=timedelta(minutes=1))
    assert "not serving now" in hold(decided(observed(BAKED, canary(0.5)), gone)).reason


def test_a_canary_that_stopped_serving_is_reverted_at_its_deadline() -> None:
    dead = judged(Stage.CANARY, *CLEARED, serving=False, absent_for=ROLLOUT.progress_deadline)
    made = transition(decided(observed(BAKED, canary(retried=2)), dead))
    assert made.after.rejected[0].reason == "stopped serving"


def test_F11_nothing_enters_production_on_the_strength_of_a_staging_that_goes_back() -> None:
    staging = chain(
        "staging",
        (Kind.PROMOTE, Pin(stable=pin_of(1)), timedelta(days=9)),
        (Kind.FINISH, Pin(stable=pin_of(2), previous=pin_of(1)), timedelta(hours=2)),
    )
    what = observed(staging, stable("production", 1))
    failing = {"staging": verdict(Stage.PROBATION, objectives=(BREACH,))}
    decision = decide(model(), WORKSPACE, what, failing, NOW)
    assert transition(decision.environments["staging"]).kind is Kind.REVERT
    assert not isinstance(decision.environments["production"], Transition)


def test_I2_the_reason_is_the_objective_that_was_found_first() -> None:
    later = replace(WORSE, objective="availability", worse_at=NOW)
    first = replace(WORSE, worse_at=NOW - timedelta(minutes=5))
    alone = transition(decided(observed(BAKED, canary()), judged(Stage.CANARY, first)))
    both = transition(decided(observed(BAKED, canary()), judged(Stage.CANARY, later, first)))
    assert alone.key == both.key


def test_I2_a_registry_that_does_not_answer_changes_no_key_of_a_revert() -> None:
    what = observed(BAKED, canary())
    blind = replace(what, versions=Unavailable(system="registry", words="refused"))
    verdicts = judged(Stage.CANARY, WORSE)
    assert transition(decided(what, verdicts)).key == transition(decided(blind, verdicts)).key


def test_I5_a_veto_outlives_a_hold_and_other_changes_of_the_file() -> None:
    what, verdicts = PROMOTING
    vetoed = proposal(
        41, "k" + "9" * 16, state=ProposalState.CLOSED, closed_by="@dana", moves="promote production 2 0.1"
    )
    assert "@dana closed proposal #41" in hold(decided(replace(what, proposals=(vetoed,)), verdicts)).reason


def test_I6_a_deleted_pin_file_keeps_its_rejections() -> None:
    entry = Rejected(version=2, key=KEY, reason="latency ×2.4")
    gone = PinChange(commit="e" * 40, at=NOW, pin=None)
    what = observed(stable("staging", 1), (*stable("production", 1, rejected=(entry,)), gone))
    assert "is rejected in production" in hold(decided(what, environment="staging")).reason


def test_I6_a_removed_environment_keeps_its_rejections() -> None:
    entry = Rejected(version=2, key=KEY, reason="latency ×2.4")
    what = observed(stable("staging", 1), rejected_elsewhere=(("old", entry),))
    assert "is rejected in old" in hold(decided(what, environment="staging")).reason


def test_a_vetoed_version_is_not_waited_for() -> None:
    entries = [(Kind.PROMOTE, Pin(stable=pin_of(n)), timedelta(hours=9 - n)) for n in (2, 3, 4, 5)]
    staging = chain("staging", (Kind.PROMOTE, Pin(stable=pin_of(1)), timedelta(days=10)), *entries)
    versions = (*(version(n, OLD_KEY) for n in (1, 2, 3, 4, 5)), version(6))
    vetoed = proposal(41, "k" + "9" * 16, state=ProposalState.CLOSED, moves="promote production 5 0.1")
    what = observed(staging, stable("production", 1), versions=versions, proposals=(vetoed,))
    assert transition(decided(what, environment="staging")).after.stable == pin_of(6)


def test_a_foreign_commit_on_a_reverts_branch_gives_the_revert_a_branch_of_its_own() -> None:
    what, verdicts = REVERTING
    first = transition(decided(what, verdicts))
    theirs = proposal(41, first.key, kind=Kind.REVERT, foreign=True)
    again = transition(decided(replace(what, proposals=(theirs,)), verdicts))
    assert (again.key == first.key, again.adopts) == (False, None)


def test_I8_freeze_windows_and_holds_on_promotions_never_stop_a_revert() -> None:
    workspace = replace(FROZEN, hold=PinHold(reason="migration"))
    assert transition(decided(*REVERTING, workspace)).kind is Kind.REVERT


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_proposal_with_the_same_key_is_adopted(kind: str) -> None:
    what, verdicts = KINDS[kind]
    first = transition(decided(what, verdicts))
    same = proposal(41, first.key, kind=first.kind)
    again = transition(decided(replace(what, proposals=(same,)), verdicts))
    assert (again.adopts, again.key) == (41, first.key)


@pytest.mark.parametrize("kind", KINDS)
def test_a_persons_veto_stops_every_kind_and_says_so(kind: str) -> None:
    what, verdicts = KINDS[kind]
    first = transition(decided(what, verdicts))
    vetoed = proposal(41, first.key, kind=first.kind, state=ProposalState.CLOSED, closed_by="@dana")
    held = hold(decided(replace(what, proposals=(vetoed,)), verdicts))
    assert "@dana closed proposal #41" in held.reason
    assert held.pages == (first.kind is Kind.REVERT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lifted_veto_is_tried_again_under_another_key(kind: str) -> None:
    what, verdicts = KINDS[kind]
    first = transition(decided(what, verdicts))
    lifted = proposal(41, first.key, kind=first.kind, state=ProposalState.CLOSED, closed_by="@dana", lifted=True)
    again = transition(decided(replace(what, proposals=(lifted,)), verdicts))
    assert again.key != first.key
    assert again.after.transition is not None
    assert again.after.transition.attempt == 2


def test_a_proposal_that_we_closed_ourselves_is_no_veto_and_is_taken_up_again() -> None:
    what, verdicts = PROMOTING
    first = transition(decided(what, verdicts))
    ours = proposal(41, first.key, state=ProposalState.CLOSED, closed_by="tidegate", closed_by_us=True)
    assert transition(decided(replace(what, proposals=(ours,)), verdicts)).adopts == 41


def test_a_revert_closes_our_other_proposal_and_leaves_a_persons_alone() -> None:
    what, verdicts = REVERTING
    ours, theirs = proposal(41, "k" + "1" * 16), proposal(42, "k" + "2" * 16, kind=Kind.PIN, author="@dana")
    made = transition(decided(replace(what, proposals=(ours, theirs)), verdicts))
    assert made.closes == (41,)


def test_a_superseded_proposal_of_ours_is_stale() -> None:
    what, verdicts = PROMOTING
    old = proposal(41, "k" + "1" * 16)
    decision = decide(model(), WORKSPACE, replace(what, proposals=(old,)), verdicts, NOW)
    assert [number for number, _ in decision.stale] == [41]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("advance", STOPS, id="an advance"),
        pytest.param("finish", STOPS, id="a finish"),
        pytest.param("revert", GOES, id="not a revert by comparison, which has its reading"),
    ],
)
def test_I3_a_missing_observation_stops(kind: str, expected: str) -> None:
    what, verdicts = KINDS[kind]
    unread = Unread(why=Why.UNREACHABLE, words="127.0.0.1:9090")
    blind = {**verdicts, "production": replace(verdicts["production"], unread=unread)}
    decision = decided(what, blind)
    if expected == GOES:
        transition(decision)
    else:
        assert hold(decision).unknown


def test_I3_never_served_and_digest_need_their_observation() -> None:
    unread = Unread(why=Why.UNREACHABLE)
    assert hold(decided(observed(BAKED, canary()), never_served(unread=unread))).unknown


def test_I3_without_the_registry_nothing_is_promoted() -> None:
    what = observed(stable("staging", 1), versions=Unavailable(system="registry", words="refused"))
    assert hold(decided(what, environment="staging")).unknown


def test_I3_without_the_registry_an_open_proposal_stays_open() -> None:
    what = observed(BAKED, stable("production", 1))
    first = transition(decided(what))
    waiting = proposal(41, first.key)
    blind = replace(what, proposals=(waiting,), versions=Unavailable(system="registry", words="refused"))
    decision = decide(model(), WORKSPACE, blind, READY, NOW)
    assert hold(decision.environments["production"]).unknown
    assert decision.stale == ()


def test_a_new_training_leaves_the_open_proposal_open_until_its_version_is_there() -> None:
    waiting = proposal(41, "k" + "1" * 16)
    running = Progress(key="k" + "c" * 16, state=TrainingState.RUNNING)
    what = observed(BAKED, stable("production", 1), proposals=(waiting,), training=running)
    decision = decide(model(), WORKSPACE, what, READY, NOW)
    assert hold(decision.environments["production"]).waiting_on is WaitingOn.TIME
    assert decision.stale == ()


def test_I3_without_prometheus_nothing_leaves_the_environment_before() -> None:
    blind = {"staging": verdict(Stage.BAKE, unread=Unread(why=Why.UNREACHABLE))}
    assert hold(decided(observed(BAKED, stable("production", 1)), blind)).unknown


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("advance", STOPS, id="an advance"),
        pytest.param("revert", GOES, id="not a revert by comparison"),
        pytest.param("revert on probation", PAGES, id="a revert by absolute judgement"),
    ],
)
def test_a_baseline_that_breaches_too_stops(kind: str, expected: str) -> None:
    what, verdicts = KINDS[kind]
    theirs = tuple(replace(o, reference_standing=Standing.BREACH) for o in verdicts["production"].objectives)
    decision = decided(what, {**verdicts, "production": replace(verdicts["production"], objectives=theirs)})
    if expected == GOES:
        transition(decision)
    else:
        assert hold(decision).pages == (expected == PAGES)


def test_a_canary_rejected_elsewhere_is_reverted() -> None:
    entry = Rejected(version=2, key=KEY, reason="bad")
    what = observed(stable("staging", 1, rejected=(entry,)), canary())
    made = transition(decided(what, judged(Stage.CANARY, *CLEARED)))
    assert (made.kind, made.after.rejected[0].reason) == (Kind.REVERT, "rejected in staging")


# I2, I9: same inputs, same key; pure


@pytest.mark.parametrize("kind", KINDS)
def test_I2_same_inputs_same_key_and_branch(kind: str) -> None:
    what, verdicts = KINDS[kind]
    assert transition(decided(what, verdicts)).branch == transition(decided(what, verdicts)).branch


def test_I2_a_new_commit_on_main_that_changes_no_policy_keeps_the_key() -> None:
    what, verdicts = PROMOTING
    assert transition(decided(what, verdicts)).key == transition(decided(replace(what, main="n" * 40), verdicts)).key
