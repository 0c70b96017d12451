"""admit: which transitions of all models may go in one pass."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from support.situations import pin_of
from tidegate.core.admission import Used, admit
from tidegate.core.pin import Canary, Pin, stamped
from tidegate.core.transition import Kind, Transition, mark
from tidegate.core.workspace import Limits

LIMITS = Limits(rollouts=2, proposals_per_hour=10, revert_share=0.2)


def wish(kind: Kind, model: str = "digits", *, canary: bool = True, adopts: int | None = None) -> Transition:
    after = Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.1) if canary else None)
    return Transition(
        model=model,
        environment="production",
        kind=kind,
        before=None,
        after=stamped(model, "production", after, mark(kind, None)),
        reasons=("because",),
        adopts=adopts,
    )


def test_the_order_is_fixed_whatever_the_models_come_in() -> None:
    wishes = [wish(Kind.PROMOTE, "d"), wish(Kind.FINISH, "c"), wish(Kind.REVERT, "b"), wish(Kind.ADVANCE, "a")]
    for order in permutations(wishes):
        admitted = admit(order, LIMITS, Used()).admitted
        assert [t.kind for t in admitted] == [Kind.REVERT, Kind.FINISH, Kind.ADVANCE, Kind.PROMOTE]


@pytest.mark.parametrize(
    ("kind", "goes"),
    [
        pytest.param(Kind.REVERT, True, id="a revert is never stopped"),
        pytest.param(Kind.FINISH, False, id="a finish waits its turn"),
        pytest.param(Kind.ADVANCE, False, id="an advance waits its turn"),
        pytest.param(Kind.PROMOTE, False, id="a promotion waits its turn"),
        pytest.param(Kind.RETRAIN, False, id="a retraining waits its turn"),
    ],
)
def test_with_the_workspace_limits_used_up(kind: Kind, goes: bool) -> None:
    admission = admit([wish(kind)], LIMITS, Used(proposals=100, rollouts=100))
    assert bool(admission.admitted) == goes
    assert [hold.wished is not None for _, hold in admission.waiting] == ([] if goes else [True])


def test_others_leave_the_reverts_share_alone() -> None:
    eight = admit([wish(Kind.ADVANCE)], LIMITS, Used(proposals=8))
    seven = admit([wish(Kind.ADVANCE)], LIMITS, Used(proposals=7))
    assert (len(eight.admitted), len(seven.admitted)) == (0, 1)


def test_what_is_admitted_counts_for_what_comes_after_it() -> None:
    admission = admit([wish(Kind.PROMOTE, name) for name in "abc"], LIMITS, Used(rollouts=0))
    assert [t.model for t in admission.admitted] == ["a", "b"]
    assert "rollouts" in admission.waiting[0][1].reason


def test_a_promotion_without_a_canary_is_no_rollout() -> None:
    assert admit([wish(Kind.PROMOTE, canary=False)], LIMITS, Used(rollouts=2)).admitted


def test_an_adopted_proposal_takes_no_new_place() -> None:
    full = Used(proposals=100, rollouts=100)
    assert admit([wish(Kind.PROMOTE, adopts=7)], LIMITS, full).admitted


def test_limits_of_zero_share_stop_at_the_full_number() -> None:
    limits = replace(LIMITS, revert_share=0.0)
    assert admit([wish(Kind.ADVANCE)], limits, Used(proposals=9)).admitted
    assert not admit([wish(Kind.ADVANCE)], limits, Used(proposals=10)).admitted
