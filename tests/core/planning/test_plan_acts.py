"""From when on an edit acts, who is told to hold, and what is left out of a plan, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.changes import CHURN, facts, history, ours, plan_of, settled, state, trained
from support.situations import NOW, pin_of
from tidegate.core.manifest import Model
from tidegate.core.pin import Hold, Pin, stamped
from tidegate.core.planning.plan import Acts, Flight, ModelPlan
from tidegate.core.planning.state import State
from tidegate.core.transition import Kind, mark

PINS = settled(CHURN)
FROM = "3f2a9c" + "0" * 34
SLOWER = replace(
    CHURN,
    environments=tuple(
        replace(each, rollout=replace(each.rollout, bake=timedelta(hours=9))) for each in CHURN.environments
    ),
)


def the_model(before: State, after: State, **more: object) -> ModelPlan:
    (found,) = plan_of(facts(before, after, **more)).models
    return found


@pytest.mark.parametrize(
    ("flight", "pins", "acts"),
    [
        pytest.param(None, PINS, Acts.NEXT_ROLLOUT, id="all-is-settled"),
        pytest.param(Flight(version=12, weight=0.1, policy=FROM), PINS, Acts.FROZEN, id="a-canary-with-its-policy"),
        pytest.param(Flight(version=12, weight=0.1), PINS, Acts.AT_ONCE, id="a-canary-set-by-hand-has-no-policy"),
    ],
)
def test_a_policy_acts_on_a_rollout_in_flight_where_none_is_frozen(
    flight: Flight | None, pins: dict[str, Pin], acts: Acts
) -> None:
    flights = {"production": flight} if flight else {}
    found = the_model(state(CHURN, pins), state(SLOWER, pins), flights=flights)
    assert {edit.acts for edit in found.edits if "production" in edit.environments} == {acts}


@pytest.mark.parametrize(
    ("pins", "acts"),
    [
        pytest.param(PINS, Acts.NEXT_ROLLOUT, id="production-has-it-already"),
        pytest.param({**PINS, "staging": ours(CHURN, "staging", Pin(stable=pin_of(12)))}, Acts.AT_ONCE,
                     id="production-has-another"),
        pytest.param({"staging": PINS["staging"]}, Acts.AT_ONCE, id="production-has-none-yet"),
    ],
)  # fmt: skip
def test_a_policy_acts_at_once_on_what_bakes_for_the_next_environment(pins: dict[str, Pin], acts: Acts) -> None:
    found = the_model(state(CHURN, pins), state(SLOWER, pins))
    assert {edit.acts for edit in found.edits if "staging" in edit.environments} == {acts}


def test_a_transition_after_an_edit_by_hand_is_not_what_holds() -> None:
    by_hand = Pin(stable=pin_of(10))
    after = stamped("churn", "production", replace(by_hand, hold=Hold(reason="audit")), mark(Kind.HOLD, by_hand))
    before = state(CHURN, {**PINS, "production": by_hand})
    changed = state(CHURN, {**PINS, "production": after})
    (edit,) = the_model(before, changed, histories={"production": history(PINS["production"], by_hand)}).pins
    assert not edit.holds


def test_a_rendered_file_that_was_out_of_step_before_is_not_this_change_s_doing() -> None:
    path = state().rendered["production"].path
    stale = {"production": "routes: []\n"}
    after = replace(CHURN, owners=("@kim",))
    assert the_model(state(found=stale), state(after, found=stale)).renders == ()
    (render,) = the_model(state(), state(after, found=stale)).renders
    assert (render.path, render.spoilt) == (path, True)


@pytest.mark.parametrize(
    ("minutes", "held"),
    [
        pytest.param(1, True, id="it-ends-later"),
        pytest.param(0, False, id="it-ends-now"),
        pytest.param(-1, False, id="it-ended"),
    ],
)
def test_a_hold_counts_until_its_end(minutes: int, held: bool) -> None:
    until = (NOW + timedelta(minutes=minutes)).isoformat()
    wanted: Model = replace(trained({"depth": 8}), hold=Hold(reason="audit", until=until))
    walk = the_model(state(), state(wanted, PINS)).walk
    assert [entry.holds for entry in walk] == [("audit",) if held else ()] * len(walk)
    assert walk
