"""The one required check `tidegate`: may this proposal merge? Computed here only, for every forge (DESIGN.md
section 8).

The key identifies, it never authorises. A proposal passes without a person only if every commit is by our identity, the
diff is exactly the pin file and the rendered file of its transition, and `decide` on main's head still yields it.
Anything else is a person's proposal, and needs the approvals that the workspace's rules ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.core.observed import Check, CheckState, Proposal
from tidegate.core.outcome import Decision, Hold, Nothing
from tidegate.core.pin import Pin, Stamp, digest, is_ours
from tidegate.core.transition import DECIDED, Branch, Transition
from tidegate.core.workspace import Approvals


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a proposal's head holds: the pin file there, the files that differ from main, and whose commits they are.

    `expected` are the files that the pin file at the head must lead to (None: must be absent). `approvals` are
    handles with the head that each approved and that head's transition key.
    """

    proposal: Proposal
    branch: Branch
    pin: Pin | None
    main_pin: Pin | None
    changed: Mapping[str, str | None]
    expected: Mapping[str, str | None]
    approvals: tuple[tuple[str, str, str], ...] = ()


def required_check(head: Head, decision: Decision, rule: Approvals | None) -> Check:
    """Passed, pending (a person must approve) or failed (not due, or not what it says it is), with the reason."""
    state, summary = _judge(head, decision, rule)
    return Check(head=head.proposal.head, state=state, summary=summary)


def _judge(head: Head, decision: Decision, rule: Approvals | None) -> tuple[CheckState, str]:
    wrong = _not_what_it_says(head)
    if wrong is not None and not head.proposal.foreign:
        return CheckState.FAILED, wrong
    if wrong is not None:
        return _approved(head, rule, wrong, this_head_only=True)
    if head.branch.kind not in DECIDED:
        return _approved(head, rule, "asked for by a person")
    return _decided(head, decision, rule)


def _not_what_it_says(head: Head) -> str | None:
    """Why the head is not exactly the transition that its branch names, or None."""
    if head.proposal.foreign:
        return "somebody else's commit is on the branch"
    if head.pin is None or head.pin.transition is None:
        return "the pin file at the head cannot be read"
    if (wrong := _not_its_transition(head, head.pin, head.pin.transition)) is not None:
        return wrong
    if dict(head.changed) != dict(head.expected):
        return "the diff is not exactly the pin file and the rendered file of the transition"
    return None


def _not_its_transition(head: Head, pin: Pin, stamp: Stamp) -> str | None:
    if stamp.kind != head.branch.kind.value:
        return "the pin file names another kind of transition than the branch"
    if stamp.key != head.branch.key or not is_ours(head.branch.model, head.branch.environment, pin):
        return "the pin file does not hash to the transition that the branch names"
    if stamp.before != digest(head.main_pin):
        return "main's pin file has changed since: the transition no longer follows from it"
    return None


def _decided(head: Head, decision: Decision, rule: Approvals | None) -> tuple[CheckState, str]:
    match decision:
        case Transition() if decision.key == head.branch.key:
            if decision.needs_person:
                return _approved(head, rule, decision.reasons[0])
            return CheckState.PASSED, "; ".join(decision.reasons)
        case Transition():
            return CheckState.FAILED, f"not due any more: {decision.reasons[0]}"
        case Hold():
            return CheckState.FAILED, f"not now: {decision.reason}"
        case Nothing():
            return CheckState.FAILED, "not due any more: the desired state is reached without it"


def _approved(head: Head, rule: Approvals | None, why: str, *, this_head_only: bool = False) -> tuple[CheckState, str]:
    """Whether enough listed people approved this very transition; of a touched branch, this very head."""
    if rule is None and head.branch.kind not in DECIDED and not head.proposal.foreign:
        return CheckState.PASSED, why
    if rule is None or not rule.handles:
        return CheckState.PENDING, (
            f"needs a person, and nobody is listed under approvals.{head.branch.environment} in tidegate.yaml"
        )
    approving = {
        handle.lower()
        for handle, at, key in head.approvals
        if key == head.branch.key and (at == head.proposal.head or not this_head_only)
    }
    given = [handle for handle in {h.lower(): h for h in rule.handles}.values() if handle.lower() in approving]
    if len(given) >= rule.count:
        return CheckState.PASSED, f"approved by {', '.join(given)}: {why}"
    return CheckState.PENDING, f"needs an approval by {' or '.join(rule.handles)}: {why}"
