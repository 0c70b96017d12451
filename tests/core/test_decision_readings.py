"""What values and late labels do to a version: hold it, send it back, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.situations import KEY, NOW, WORKSPACE, canary, model, observed, pin_of, probation, stable, verdict
from tidegate.core.decision import decide
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    LateVerdict,
    ObjectiveVerdict,
    Stage,
    Standing,
    Tally,
    ValueVerdict,
)
from tidegate.core.manifest import Effect, OnInconclusive, ValueObjective
from tidegate.core.outcome import Decision, Hold
from tidegate.core.transition import Kind, Transition

HOUR = timedelta(hours=1)
BAKED = stable("staging", 2, ago=2 * HOUR)
DRIFT = ValueObjective(name="drift", value="max(x)", maximum=0.2, held=timedelta(minutes=5))
BREACH = ValueVerdict(
    objective=DRIFT,
    standing=Standing.BREACH,
    figure=0.31,
    breached_at=NOW - HOUR,
    reference_standing=Standing.FINE,
)
NOT_FOR_LONG = replace(BREACH, standing=Standing.FINE, breached_at=None, outside_for=timedelta(minutes=2))
CLEARED = tuple(
    ObjectiveVerdict(objective=name, effect=Effect.REVERT, comparison=Comparison.CLEARED, cleared_by="ruled out")
    for name in ("availability", "latency")
)
WORSE = LateVerdict(
    verdict=ObjectiveVerdict(
        objective="quality",
        effect=Effect.REVERT,
        comparison=Comparison.WORSE,
        subject=Tally(bad=60, total=200),
        reference=Tally(bad=90, total=1800),
        evidence=1e6,
        needed=300,
        worse_at=NOW - HOUR,
    ),
    coverage=0.9,
    reference_coverage=0.9,
)


def decided(history: Any, stage: Stage, environment: str = "production", **changes: Any) -> Decision:
    verdicts = {
        "staging": verdict(Stage.BAKE),
        "production": verdict(stage, objectives=CLEARED if stage is Stage.CANARY else (), **changes),
    }
    return decide(model(), WORKSPACE, observed(BAKED, history), verdicts, NOW).environments[environment]


def effect(value: ValueVerdict, wanted: Effect) -> ValueVerdict:
    return replace(value, objective=replace(value.objective, effect=wanted))


class TestCanary:
    def test_a_value_inside_its_bounds_lets_it_go_on(self) -> None:
        fine = replace(BREACH, standing=Standing.FINE, figure=0.1, breached_at=None)
        made = decided(canary(), Stage.CANARY, values=(fine,))
        assert isinstance(made, Transition)
        assert made.kind is Kind.ADVANCE

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            pytest.param(
                effect(BREACH, Effect.BLOCK), "drift is 0.31, and at most 0.2 is good for 5m", id="one-that-blocks"
            ),
            pytest.param(
                replace(BREACH, by_version=False),
                "drift is 0.31, and at most 0.2 is good for 5m",
                id="one-over-all-versions",
            ),
            pytest.param(
                replace(BREACH, reference_standing=Standing.UNKNOWN),
                "drift is 0.31, and at most 0.2 is good for 5m",
                id="nobody-knows-how-stable-stands",
            ),
            pytest.param(
                replace(BREACH, reference_standing=Standing.BREACH),
                "the version before it breaches too (drift): the cause is likely elsewhere",
                id="stable-breaches-as-well",
            ),
            pytest.param(
                replace(BREACH, standing=Standing.TOO_FEW), "drift has no reading since warm-up", id="not-warm-yet"
            ),
            pytest.param(NOT_FOR_LONG, "drift is above 0.2 for 2m of 5m", id="out-of-bounds-and-no-breach-yet"),
        ],
    )
    def test_a_value_holds_it(self, value: ValueVerdict, reason: str) -> None:
        made = decided(canary(), Stage.CANARY, values=(value,))
        assert isinstance(made, Hold)
        assert made.reason == reason

    def test_a_value_that_informs_stops_nobody(self) -> None:
        made = decided(canary(), Stage.CANARY, values=(effect(BREACH, Effect.INFORM),))
        assert isinstance(made, Transition)
        assert made.kind is Kind.ADVANCE

    def test_a_value_of_its_own_reverts_it(self) -> None:
        made = decided(canary(), Stage.CANARY, values=(BREACH,))
        assert isinstance(made, Transition)
        assert (made.kind, [entry.reason for entry in made.after.rejected]) == (Kind.REVERT, ["drift 0.31"])

    def test_late_labels_revert_it(self) -> None:
        made = decided(canary(), Stage.CANARY, late=(WORSE,))
        assert isinstance(made, Transition)
        assert (made.kind, [entry.reason for entry in made.after.rejected]) == (Kind.REVERT, ["quality ×6.0"])

    @pytest.mark.parametrize("why", [Why.UNLABELLED, Why.SELECTIVE, Why.UNREACHABLE])
    def test_late_labels_that_cannot_be_read_stop_nobody(self, why: Why) -> None:
        unread = ObjectiveVerdict(objective="quality", effect=Effect.REVERT, unread=Unread(why=why))
        made = decided(canary(weight=0.5), Stage.CANARY, late=(LateVerdict(verdict=unread),))
        assert isinstance(made, Transition)
        assert made.kind is Kind.FINISH

    def test_I2_what_was_found_first_is_the_reason(self) -> None:
        later = replace(WORSE, verdict=replace(WORSE.verdict, worse_at=NOW))
        made = decided(canary(), Stage.CANARY, values=(BREACH,), late=(later,))
        assert isinstance(made, Transition)
        assert [entry.reason for entry in made.after.rejected] == ["drift 0.31"]


class TestAfterTheRollout:
    @pytest.mark.parametrize("found", [{"values": (BREACH,)}, {"late": (WORSE,)}], ids=["a-value", "late-labels"])
    def test_on_probation_it_goes_back(self, found: Any) -> None:
        made = decided(probation(), Stage.PROBATION, **found)
        assert isinstance(made, Transition)
        assert (made.kind, made.after.stable) == (Kind.REVERT, pin_of(1))

    def test_a_value_that_nobody_knows_of_the_previous_version_pages(self) -> None:
        made = decided(probation(), Stage.PROBATION, values=(replace(BREACH, reference_standing=Standing.UNKNOWN),))
        assert isinstance(made, Hold)
        assert made.pages

    def test_past_probation_labels_still_send_it_back(self) -> None:
        made = decided(probation(ago=48 * HOUR), Stage.LABELS, late=(WORSE,))
        assert isinstance(made, Transition)
        assert (made.kind, made.after.stable) == (Kind.REVERT, pin_of(1))
        assert [(entry.version, entry.key) for entry in made.after.rejected] == [(2, KEY)]

    def test_past_probation_nothing_else_does(self) -> None:
        made = decided(probation(ago=48 * HOUR), Stage.LABELS, values=(BREACH,))
        assert not isinstance(made, Transition)


OUTSIDE = ObjectiveVerdict(
    objective="latency",
    effect=Effect.REVERT,
    standing=Standing.BREACH,
    reference_standing=Standing.FINE,
    subject=Tally(bad=300, total=1000),
    evidence=1e9,
    needed=200,
    worse_at=NOW - 2 * HOUR,
)


class TestTheOneBeforeIsNoBetter:
    """What cannot send a version back hides nothing that can, and a hold is what is left."""

    def test_a_value_that_stable_breaches_too_does_not_hide_a_comparison(self) -> None:
        shared = replace(BREACH, reference_standing=Standing.BREACH, breached_at=NOW - 2 * HOUR)
        made = decided(canary(), Stage.CANARY, values=(shared,), late=(WORSE,))
        assert isinstance(made, Transition)
        assert [entry.reason for entry in made.after.rejected] == ["quality ×6.0"]

    @pytest.mark.parametrize("before", [Standing.UNKNOWN, Standing.BREACH])
    @pytest.mark.parametrize(
        "later",
        [{"late": (WORSE,)}, {"values": (BREACH,)}],
        ids=["late-labels", "a-value"],
    )
    def test_an_earlier_breach_does_not_hide_a_later_finding(self, before: Standing, later: Any) -> None:
        shared = replace(OUTSIDE, reference_standing=before)
        made = probed((shared,), **later)
        assert isinstance(made, Transition)
        assert (made.kind, made.after.stable) == (Kind.REVERT, pin_of(1))

    @pytest.mark.parametrize(
        ("before", "reason"),
        [
            pytest.param(Standing.UNKNOWN, "whether the previous version breached before", id="nobody-knows"),
            pytest.param(Standing.BREACH, "the version before it breaches too (latency)", id="it-did-as-well"),
        ],
    )
    def test_alone_it_holds(self, before: Standing, reason: str) -> None:
        made = probed((replace(OUTSIDE, reference_standing=before),))
        assert isinstance(made, Hold)
        assert reason in made.reason
        assert made.pages

    @pytest.mark.parametrize("effect", [Effect.INFORM, Effect.BLOCK])
    def test_on_probation_another_objective_that_both_breach_stops_no_revert(self, effect: Effect) -> None:
        other = replace(OUTSIDE, objective="availability", effect=effect, reference_standing=Standing.BREACH)
        made = probed((OUTSIDE, other))
        assert isinstance(made, Transition)
        assert made.kind is Kind.REVERT

    def test_a_baseline_that_breaches_what_only_informs_stops_no_rollout(self) -> None:
        shown = replace(OUTSIDE, objective="extra", effect=Effect.INFORM, reference_standing=Standing.BREACH)
        value = effect(replace(BREACH, reference_standing=Standing.BREACH), Effect.INFORM)
        made = going_on((*CLEARED, shown), values=(value,))
        assert isinstance(made, Transition)
        assert made.kind is Kind.ADVANCE

    def test_one_that_blocks_stops_it(self) -> None:
        blocks = replace(CLEARED[0], objective="extra", effect=Effect.BLOCK, reference_standing=Standing.BREACH)
        made = going_on((*CLEARED, blocks))
        assert isinstance(made, Hold)
        assert made.reason.startswith("the version before it breaches too (extra)")


class TestOnInconclusiveAdvance:
    """It goes past what more time and traffic could have decided, and past nothing else."""

    LATE = timedelta(hours=25)

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            pytest.param({"values": (effect(BREACH, Effect.BLOCK),)}, "drift is 0.31", id="a-value-that-breaches"),
            pytest.param(
                {"values": (replace(BREACH, standing=Standing.TOO_FEW),)}, "drift has no reading", id="a-value-unread"
            ),
            pytest.param({"absent_for": timedelta(minutes=5)}, "not serving now", id="an-absence"),
        ],
    )
    def test_it_waits(self, found: Any, reason: str) -> None:
        made = going_on(CLEARED, OnInconclusive.ADVANCE, baked=self.LATE, **found)
        assert isinstance(made, Hold)
        assert made.reason.startswith(reason)

    @pytest.mark.parametrize(
        ("objective", "asks"),
        [
            pytest.param(replace(CLEARED[0], comparison=Comparison.UNDECIDED), False, id="undecided"),
            pytest.param(
                replace(OUTSIDE, effect=Effect.BLOCK, comparison=Comparison.WORSE), True, id="worse-and-blocks"
            ),
            pytest.param(OUTSIDE, True, id="outside-its-objective"),
        ],
    )
    def test_past_something_that_was_found_a_person_is_asked(self, objective: ObjectiveVerdict, asks: bool) -> None:
        made = going_on((objective,), OnInconclusive.ADVANCE, baked=self.LATE)
        assert isinstance(made, Transition)
        assert (made.kind, made.needs_person) == (Kind.ADVANCE, asks)

    def test_too_few_events_are_no_finding(self) -> None:
        made = going_on(CLEARED, OnInconclusive.ADVANCE, baked=self.LATE, events=3)
        assert isinstance(made, Transition)
        assert (made.kind, made.needs_person) == (Kind.ADVANCE, False)


def probed(objectives: tuple[ObjectiveVerdict, ...], **found: Any) -> Decision:
    """What is decided on probation."""
    verdicts = {
        "staging": verdict(Stage.BAKE),
        "production": verdict(Stage.PROBATION, objectives=objectives, **found),
    }
    return decide(model(), WORKSPACE, observed(BAKED, probation()), verdicts, NOW).environments["production"]


def going_on(
    objectives: tuple[ObjectiveVerdict, ...], policy: OnInconclusive = OnInconclusive.ASK, **found: Any
) -> Decision:
    """What is decided of a canary."""
    there = tuple(replace(e, rollout=replace(e.rollout, on_inconclusive=policy)) for e in model().environments)
    verdicts = {"staging": verdict(Stage.BAKE), "production": verdict(Stage.CANARY, objectives=objectives, **found)}
    what = observed(BAKED, canary(ago=26 * HOUR))
    return decide(model(environments=there), WORKSPACE, what, verdicts, NOW).environments["production"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(effect(BREACH, Effect.BLOCK), "drift is 0.31, and at most 0.2 is good for 5m", id="breach"),
        pytest.param(NOT_FOR_LONG, "drift is above 0.2 for 2m of 5m", id="out-of-bounds-and-no-breach-yet"),
    ],
)
def test_a_version_whose_value_is_out_of_bounds_in_the_environment_before_waits(
    value: ValueVerdict, reason: str
) -> None:
    before = model(
        environments=(replace(model().environments[0], judge=model().environments[1].judge), model().environments[1])
    )
    verdicts = {"staging": verdict(Stage.BAKE, objectives=(), values=(value,))}
    made = decide(before, WORKSPACE, observed(BAKED, stable("production", 1)), verdicts, NOW).environments["production"]
    assert isinstance(made, Hold)
    assert made.reason == f"{reason} (in staging)"
