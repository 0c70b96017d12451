"""The required check: each part of what proves a transition ours and due is forged once. A key alone proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.situations import pin_of, proposal
from tidegate.core.authorise import Head, required_check
from tidegate.core.observed import CheckState
from tidegate.core.outcome import Hold, Nothing, WaitingOn
from tidegate.core.pin import Canary, Pin, stamped
from tidegate.core.transition import Kind, Transition, mark, parse_branch
from tidegate.core.workspace import Approvals

BEFORE = stamped("digits", "production", Pin(stable=pin_of(1)), mark(Kind.PROMOTE, None))
RULE = Approvals(handles=("@dana", "@eve"))
FILES = {"models/digits/production.yaml": "the pin", "rendered/production/digits.yaml": "the route"}


def transition(kind: Kind = Kind.ADVANCE, *, needs_person: bool = False, weight: float = 0.5) -> Transition:
    after = Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=weight))
    return Transition(
        model="digits",
        environment="production",
        kind=kind,
        before=BEFORE,
        after=stamped("digits", "production", after, mark(kind, BEFORE)),
        reasons=("cleared",),
        needs_person=needs_person,
    )


def head(made: Transition, *approvals: str, **changes: Any) -> Head:
    branch = parse_branch(made.branch)
    assert branch is not None
    base = Head(
        proposal=proposal(7, made.key, kind=made.kind),
        branch=branch,
        pin=made.after,
        main_pin=BEFORE,
        changed=FILES,
        expected=FILES,
        approvals=tuple((handle, "h" * 40, made.key) for handle in approvals),
    )
    return replace(base, **changes)


def test_an_untouched_due_transition_needs_nobody() -> None:
    made = transition()
    assert required_check(head(made), made, RULE).state is CheckState.PASSED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"pin": None}, "cannot be read", id="the pin file at the head is not readable"),
        pytest.param({"pin": replace(BEFORE, transition=None)}, "cannot be read", id="the pin file has no transition"),
        pytest.param(
            {"pin": replace(transition().after, canary=Canary(pin=pin_of(2), weight=0.9))},
            "does not hash",
            id="the content was changed under the same key",
        ),
        pytest.param({"pin": transition(weight=0.9).after}, "does not hash", id="another transition on this branch"),
        pytest.param({"main_pin": transition(weight=0.2).after}, "main's pin file has changed", id="main went on"),
        pytest.param(
            {"changed": {**FILES, "tidegate.yaml": "approvals: {}"}}, "diff is not exactly", id="a third file"
        ),
        pytest.param(
            {"changed": {"models/digits/production.yaml": "the pin"}}, "diff is not exactly", id="no rendered file"
        ),
        pytest.param(
            {"changed": {**FILES, "rendered/production/digits.yaml": "all to 9"}},
            "diff is not exactly",
            id="another rendered text",
        ),
    ],
)
def test_a_forged_part_fails_or_asks(changes: dict[str, Any], words: str) -> None:
    made = transition()
    check = required_check(head(made, **changes), made, RULE)
    assert check.state is CheckState.FAILED
    assert words in check.summary


def test_somebody_elses_commit_makes_it_that_persons_proposal() -> None:
    made = transition()
    foreign = replace(proposal(7, made.key, kind=made.kind), foreign=True)
    assert required_check(head(made, proposal=foreign), made, RULE).state is CheckState.PENDING
    assert required_check(head(made, "@dana", proposal=foreign), made, RULE).state is CheckState.PASSED


@pytest.mark.parametrize(
    "decision",
    [
        pytest.param(Nothing(), id="nothing is wished any more"),
        pytest.param(Hold(reason="baking", waiting_on=WaitingOn.TIME), id="it is held"),
        pytest.param(transition(weight=0.6), id="another transition is wished"),
    ],
)
def test_I4_what_decide_does_not_yield_does_not_merge(decision: Any) -> None:
    made = transition()
    assert required_check(head(made, "@dana"), decision, RULE).state is CheckState.FAILED


@pytest.mark.parametrize(
    ("approvals", "count", "state"),
    [
        pytest.param((), 1, CheckState.PENDING, id="nobody"),
        pytest.param(("@mallory",), 1, CheckState.PENDING, id="somebody who is not listed"),
        pytest.param(("@dana",), 1, CheckState.PASSED, id="a listed person"),
        pytest.param(("@DANA",), 1, CheckState.PASSED, id="handles are compared without case"),
        pytest.param(("@dana", "@dana"), 2, CheckState.PENDING, id="one person twice is one"),
        pytest.param(("@dana", "@Dana"), 2, CheckState.PENDING, id="one person in two spellings is one"),
        pytest.param(("@dana", "@eve"), 2, CheckState.PASSED, id="two listed people"),
    ],
)
def test_an_entry_needs_listed_people(approvals: tuple[str, ...], count: int, state: CheckState) -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    rule = replace(RULE, count=count)
    assert required_check(head(made, *approvals), made, rule).state is state


def test_an_approval_of_another_transition_does_not_count() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    stale = head(made, approvals=(("@dana", "h" * 40, "k" + "9" * 16),))
    assert required_check(stale, made, RULE).state is CheckState.PENDING


def test_where_nobody_is_listed_the_check_says_so() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    check = required_check(head(made, "@dana"), made, None)
    assert check.state is CheckState.PENDING
    assert "nobody is listed under approvals.production" in check.summary


@pytest.mark.parametrize(
    ("kind", "approvals", "rule", "state"),
    [
        pytest.param(Kind.ROLLBACK, (), RULE, CheckState.PENDING, id="a verb of somebody not listed waits"),
        pytest.param(Kind.ROLLBACK, ("@dana",), RULE, CheckState.PASSED, id="a listed person's verb merges"),
        pytest.param(Kind.HOLD, (), None, CheckState.PASSED, id="where no rule is, nobody is asked"),
    ],
)
def test_peoples_verbs(kind: Kind, approvals: tuple[str, ...], rule: Approvals | None, state: CheckState) -> None:
    made = transition(kind)
    assert required_check(head(made, *approvals), Nothing(), rule).state is state


def test_a_persons_verb_is_not_what_it_says_either_when_main_went_on() -> None:
    made = transition(Kind.ROLLBACK)
    late = head(made, "@dana", main_pin=transition(weight=0.2).after)
    assert required_check(late, Nothing(), RULE).state is CheckState.FAILED


def test_the_check_names_the_head_it_was_made_for() -> None:
    made = transition()
    assert required_check(head(made), made, RULE).head == "h" * 40


def test_an_approval_given_before_somebody_touched_the_branch_does_not_count() -> None:
    made = transition()
    foreign = replace(proposal(7, made.key, kind=made.kind), foreign=True)
    before = head(made, proposal=foreign, approvals=(("@dana", "0" * 40, made.key),))
    assert required_check(before, made, RULE).state is CheckState.PENDING


def test_of_our_own_branch_an_approval_of_the_same_transition_counts_whatever_head_it_was_given_at() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    rebuilt = head(made, approvals=(("@dana", "0" * 40, made.key),))
    assert required_check(rebuilt, made, RULE).state is CheckState.PASSED


def test_one_person_listed_in_two_spellings_is_one() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    rule = Approvals(handles=("@dana", "@Dana"), count=2)
    assert required_check(head(made, "@dana"), made, rule).state is CheckState.PENDING


def test_the_kind_of_the_stamp_is_the_kind_of_the_branch() -> None:
    made = transition(Kind.HOLD)
    other = stamped("digits", "production", made.after, mark(Kind.FINISH, BEFORE))
    branch = parse_branch(f"tidegate/digits/production/hold-{other.transition.key if other.transition else ''}")
    assert branch is not None
    check = required_check(head(made, pin=other, branch=branch), Nothing(), None)
    assert (check.state, "another kind" in check.summary) == (CheckState.FAILED, True)
