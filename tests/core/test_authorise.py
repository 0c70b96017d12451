"""The required check: each part of what proves a transition ours and due is forged once. A key alone proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.situations import NOW, pin_of, proposal
from tidegate.core.approving.needs import Need
from tidegate.core.approving.votes import Panel
from tidegate.core.authorise import Edited, Head, edited_check, required_check
from tidegate.core.observed import Approval, CheckState
from tidegate.core.outcome import Hold as Held
from tidegate.core.outcome import Nothing, WaitingOn
from tidegate.core.pin import Canary, Hold, Override, Pin, Rejected, digest, stamped
from tidegate.core.transition import Kind, Transition, mark, parse_branch
from tidegate.core.workspace import Approvals

BEFORE = stamped("digits", "production", Pin(stable=pin_of(1)), mark(Kind.PROMOTE, None))
RULE = Approvals(handles=("@dana", "@eve"))
HEAD, EARLIER = "h" * 40, "0" * 40
FILES = {"models/digits/production.yaml": "the pin", "rendered/production/digits.yaml": "the route"}


VERBS = {
    Kind.HOLD: replace(BEFORE, hold=Hold(reason="audit")),
    Kind.OVERRIDE: replace(BEFORE, override=Override(version=2, reason="a fix")),
    Kind.PIN: replace(BEFORE, stable=pin_of(2), previous=pin_of(1)),
    Kind.ROLLBACK: replace(BEFORE, stable=pin_of(2), rejected=(Rejected(version=1, key="k" + "0" * 16, reason="bad"),)),
}
"""What these make of the pin file."""


def transition(kind: Kind = Kind.ADVANCE, *, needs_person: bool = False, weight: float = 0.5) -> Transition:
    after = VERBS.get(kind, Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=weight)))
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
        proposal=proposal(7, made.key, kind=made.kind, approvals=given(*approvals)),
        branch=branch,
        pin=made.after,
        main_pin=BEFORE,
        changed=FILES,
        expected=FILES,
        approved={HEAD: digest(made.after), EARLIER: digest(made.after)},
    )
    return replace(base, **changes)


def given(*handles: str, at: str = HEAD) -> tuple[Approval, ...]:
    return tuple(Approval(handle=handle, head=at, at=NOW) for handle in handles)


def touched(made: Transition, *approvals: str, needs: tuple[Need, ...] = (), at: str = HEAD) -> Head:
    """The transition's branch with @eve's commit on it."""
    edited = Edited(head=HEAD, authors=frozenset({"@eve"}), needs=needs, approvals=given(*approvals, at=at))
    return head(made, edited=edited)


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
    assert required_check(touched(made), made, RULE).state is CheckState.PENDING
    assert required_check(touched(made, "@eve"), made, RULE).state is CheckState.PENDING
    assert required_check(touched(made, "@dana"), made, RULE).state is CheckState.PASSED


def test_what_somebody_adds_to_a_branch_of_ours_needs_the_rules_that_it_touches() -> None:
    made = transition()
    sre = Need(name="changes.objectives", rule=Approvals(handles=("@kim",)), what=("objectives in model.yaml",))
    check = required_check(touched(made, "@dana", needs=(sre,)), made, RULE)
    assert (check.state, "by @kim: objectives in" in check.summary) == (CheckState.PENDING, True)
    assert required_check(touched(made, "@dana", "@kim", needs=(sre,)), made, RULE).state is CheckState.PASSED


def test_a_branch_of_ours_that_somebody_touched_needs_a_writer_where_nobody_is_listed() -> None:
    made = transition()
    assert required_check(touched(made, "@dana"), made, None).state is CheckState.PENDING
    for handle, state in (("@eve", CheckState.PENDING), ("@dana", CheckState.PASSED)):
        edited = touched(made, handle).edited
        assert edited is not None
        edited = replace(edited, panel=Panel(writers=frozenset({"@dana", "@eve"})))
        assert required_check(head(made, edited=edited), made, None).state is state


@pytest.mark.parametrize(
    "decision",
    [
        pytest.param(Nothing(), id="nothing is wished any more"),
        pytest.param(Held(reason="baking", waiting_on=WaitingOn.TIME), id="it is held"),
        pytest.param(transition(weight=0.6), id="another transition is wished"),
    ],
)
def test_I4_what_decide_does_not_yield_does_not_merge(decision: Any) -> None:
    made = transition()
    assert required_check(head(made, "@dana"), decision, RULE).state is CheckState.FAILED


def test_I3_what_cannot_be_judged_now_is_pending() -> None:
    made = transition()
    hold = Held(reason="cannot observe: Prometheus does not answer", waiting_on=WaitingOn.OUTSIDE, unknown=True)
    assert required_check(head(made), hold, RULE).state is CheckState.PENDING


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
        pytest.param(("@Lee",), 1, CheckState.PASSED, id="a member of a listed team"),
        pytest.param(("@acme/leads",), 1, CheckState.PENDING, id="the name of a team is no member of it"),
        pytest.param(("@tidegate",), 1, CheckState.PENDING, id="who proposed it"),
        pytest.param(("@ci[bot]",), 1, CheckState.PENDING, id="a bot, even a listed one"),
    ],
)
def test_an_entry_needs_listed_people(approvals: tuple[str, ...], count: int, state: CheckState) -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    rule = Approvals(handles=(*RULE.handles, "@acme/leads", "@ci[bot]", "@tidegate"), count=count)
    panel = Panel(teams={"@acme/leads": frozenset({"@lee"})})
    assert required_check(head(made, *approvals, panel=panel), made, rule).state is state


@pytest.mark.parametrize(
    ("approvals", "alone", "state"),
    [
        pytest.param(("@dana",), False, CheckState.PENDING, id="the author of the training change alone"),
        pytest.param(("@dana", "@eve"), False, CheckState.PASSED, id="the author and another one"),
        pytest.param(("@eve",), False, CheckState.PASSED, id="another one"),
        pytest.param(("@dana",), True, CheckState.PASSED, id="the author alone where that is allowed"),
    ],
)
def test_the_author_of_the_training_change_is_not_the_sole_approver(
    approvals: tuple[str, ...], alone: bool, state: CheckState
) -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    entering = head(made, *approvals, panel=Panel(trained_by=frozenset({"@dana"})))
    check = required_check(entering, made, replace(RULE, not_sole_author=not alone))
    assert check.state is state
    assert ("besides @dana" in check.summary) == (state is CheckState.PENDING)


def test_a_team_that_cannot_be_read_is_named() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    entering = head(made, "@lee", panel=Panel(unreadable={"@acme/leads": "the token may not read it"}))
    check = required_check(entering, made, Approvals(handles=("@acme/leads",)))
    assert check.state is CheckState.PENDING
    assert "@acme/leads cannot be read: the token may not read it" in check.summary


def test_an_approval_of_another_transition_does_not_count() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    stale = head(made, "@dana", approved={HEAD: digest(transition(weight=0.9).after)})
    assert required_check(stale, made, RULE).state is CheckState.PENDING


def test_where_nobody_is_listed_the_check_says_so() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    check = required_check(head(made, "@dana"), made, None)
    assert check.state is CheckState.PENDING
    assert "nobody is listed under approvals.production" in check.summary


@pytest.mark.parametrize("kind", [Kind.PROMOTE, Kind.RENDER, Kind.REVERT])
@pytest.mark.parametrize(
    ("approvals", "trained_by", "state"),
    [
        pytest.param(("@dana",), (), CheckState.PASSED, id="who may write"),
        pytest.param(("@mallory",), (), CheckState.PENDING, id="who may only read"),
        pytest.param(("@ci[bot]",), (), CheckState.PENDING, id="a bot that may write"),
        pytest.param(("@dana",), ("@dana",), CheckState.PASSED, id="who wrote the training change and may write"),
    ],
)
def test_where_nobody_is_listed_a_person_who_may_write_approves(
    kind: Kind, approvals: tuple[str, ...], trained_by: tuple[str, ...], state: CheckState
) -> None:
    made = transition(kind, needs_person=True)
    panel = Panel(writers=frozenset({"@dana", "@kim", "@ci[bot]"}), trained_by=frozenset(trained_by))
    assert required_check(head(made, *approvals, panel=panel), made, None).state is state


def test_whoever_the_proposal_says_asked_for_it_a_listed_person_lets_it_in() -> None:
    """Its text may be edited by whoever may write."""
    made = transition(Kind.PROMOTE, needs_person=True)
    entering = head(made, "@dana")
    forged = replace(entering, proposal=replace(entering.proposal, author="@dana"))
    assert required_check(forged, made, RULE).state is CheckState.PASSED


@pytest.mark.parametrize(
    ("kind", "approvals", "rule", "state"),
    [
        pytest.param(Kind.ROLLBACK, (), RULE, CheckState.PENDING, id="a verb of somebody not listed waits"),
        pytest.param(Kind.ROLLBACK, ("@dana",), RULE, CheckState.PASSED, id="a listed person's verb merges"),
        pytest.param(Kind.HOLD, (), None, CheckState.PASSED, id="where no rule is, nobody is asked"),
        pytest.param(Kind.OVERRIDE, ("@dana",), None, CheckState.PENDING, id="a budget is overridden by who is listed"),
    ],
)
def test_peoples_verbs(kind: Kind, approvals: tuple[str, ...], rule: Approvals | None, state: CheckState) -> None:
    made = transition(kind)
    assert required_check(head(made, *approvals), Nothing(), rule).state is state


def test_a_persons_verb_that_changes_more_than_it_may_fails_whoever_approves() -> None:
    after = replace(VERBS[Kind.HOLD], stable=pin_of(9))
    made = transition(Kind.HOLD)
    made = replace(made, after=stamped("digits", "production", after, mark(Kind.HOLD, BEFORE)))
    check = required_check(head(made, "@dana"), Nothing(), RULE)
    assert (check.state, check.summary) == (CheckState.FAILED, "`hold` changes nothing in stable of a pin file")


def test_where_nobody_can_tell_who_asked_for_a_verb_it_takes_one_person_more() -> None:
    made = transition(Kind.HOLD)
    for approvals, state in ((("@dana",), CheckState.PENDING), (("@dana", "@kim"), CheckState.PASSED)):
        edited = touched(made, *approvals).edited
        assert edited is not None
        found = required_check(
            head(made, edited=replace(edited, asker_unknown=True)), Nothing(), Approvals(handles=("@dana", "@kim"))
        )
        assert (found.state, "nobody can tell who asked" in found.summary) == (state, True)


def test_a_persons_verb_is_not_what_it_says_either_when_main_went_on() -> None:
    made = transition(Kind.ROLLBACK)
    late = head(made, "@dana", main_pin=transition(weight=0.2).after)
    assert required_check(late, Nothing(), RULE).state is CheckState.FAILED


def test_the_check_names_the_head_it_was_made_for() -> None:
    made = transition()
    assert required_check(head(made), made, RULE).head == "h" * 40


def test_an_approval_given_before_somebody_touched_the_branch_does_not_count() -> None:
    made = transition()
    assert required_check(touched(made, "@dana", at=EARLIER), made, RULE).state is CheckState.PENDING


def test_of_our_own_branch_an_approval_of_the_same_transition_counts_whatever_head_it_was_given_at() -> None:
    made = transition(Kind.PROMOTE, needs_person=True)
    rebuilt = head(made, proposal=proposal(7, made.key, kind=made.kind, approvals=given("@dana", at=EARLIER)))
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


def test_a_persons_verb_goes_at_once_whoever_trained_the_version() -> None:
    made = transition(Kind.PIN)
    asked = head(made, "@dana", panel=Panel(trained_by=frozenset({"@dana"})))
    assert required_check(asked, Nothing(), replace(RULE, not_sole_author=True)).state is CheckState.PASSED


ENTRY = Need(name="approvals.production", rule=RULE, what=("models/digits/production.yaml",))
OBJECTIVES = Need(
    name="changes.objectives", rule=Approvals(handles=("@sam",)), what=tuple(f"objectives.o{n}" for n in range(5))
)


@pytest.mark.parametrize(
    ("approvals", "at", "state", "words"),
    [
        pytest.param((), HEAD, CheckState.PENDING, "needs an approval by @dana or @eve: models/digits/", id="none"),
        pytest.param(("@dana",), HEAD, CheckState.PENDING, "needs an approval by @sam", id="one rule of two"),
        pytest.param(("@dana", "@sam"), HEAD, CheckState.PASSED, "approved by @dana, @sam", id="both rules"),
        pytest.param(("@dana", "@sam"), EARLIER, CheckState.PENDING, "needs", id="of an earlier head"),
        pytest.param(("@eve", "@sam"), HEAD, CheckState.PENDING, "needs", id="the author's own counts for nothing"),
    ],
)
def test_a_persons_pull_request_needs_every_rule_that_it_touches(
    approvals: tuple[str, ...], at: str, state: CheckState, words: str
) -> None:
    edited = Edited(
        head=HEAD, authors=frozenset({"@Eve"}), needs=(ENTRY, OBJECTIVES), approvals=given(*approvals, at=at)
    )
    check = edited_check(edited)
    assert (check.head, check.state) == (HEAD, state)
    assert words in check.summary


def test_of_many_fields_the_first_are_named() -> None:
    check = edited_check(Edited(head=HEAD, authors=frozenset(), needs=(OBJECTIVES,)))
    assert check.summary.endswith("objectives.o0, objectives.o1, objectives.o2 and 2 more")


def test_a_pull_request_that_touches_no_rule_passes() -> None:
    assert edited_check(Edited(head=HEAD, authors=frozenset(), needs=())).state is CheckState.PASSED


def test_a_pull_request_that_nobody_can_read_fails_whoever_approved() -> None:
    broken = Edited(
        head=HEAD,
        authors=frozenset(),
        needs=(ENTRY,),
        invalid=("models/digits/model.yaml:3:1: not YAML",),
        approvals=given("@dana"),
    )
    check = edited_check(broken)
    assert (check.state, "nobody can tell" in check.summary) == (CheckState.FAILED, True)
