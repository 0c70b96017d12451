"""From a wish to a transition: the key it carries, the proposal that already carries it, and a person's veto.

A proposal that a person closed is a veto of its key. `retry` lifts it; the next attempt has another key and branch.
"""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.guards import SAFETY, Situation, is_persons
from tidegate.core.observed import Proposal, ProposalState
from tidegate.core.outcome import Hold, WaitingOn, Wish
from tidegate.core.pin import stamped
from tidegate.core.transition import Kind, Transition, mark, parse_branch


def adopt(wish: Wish, situation: Situation) -> Transition | Hold:
    """The transition for this wish with its first attempt that nobody vetoed, or the veto as a Hold."""
    attempt = 1
    while True:
        transition = _transition(wish, situation, attempt)
        known = _carrying(transition.key, situation)
        vetoed = next((p for p in known if is_veto(p)), None)
        if vetoed is None:
            return _with_proposals(transition, known, situation)
        if not vetoed.lifted:
            return _veto(vetoed, wish)
        attempt += 1


def is_veto(proposal: Proposal) -> bool:
    """Whether a person closed this proposal (ours carry a close marker)."""
    return proposal.state is ProposalState.CLOSED and not proposal.closed_by_us


def _transition(wish: Wish, situation: Situation, attempt: int) -> Transition:
    model, environment, before = situation.model.name, situation.environment.name, situation.state.pin
    return Transition(
        model=model,
        environment=environment,
        kind=wish.kind,
        before=before,
        after=stamped(model, environment, wish.after, mark(wish.kind, before, attempt)),
        reasons=wish.reasons,
        needs_person=wish.needs_person,
        verdict=wish.verdict,
    )


def _carrying(key: str, situation: Situation) -> tuple[Proposal, ...]:
    """Proposals whose branch carries this key, newest last."""
    return tuple(p for p in situation.observed.proposals if (b := parse_branch(p.branch)) and b.key == key)


def _with_proposals(transition: Transition, known: tuple[Proposal, ...], situation: Situation) -> Transition:
    open_ = [p for p in known if p.state is ProposalState.OPEN]
    closed = [p for p in known if p.state is ProposalState.CLOSED]
    carriers = open_ or closed
    others = [p.number for p in situation.open_proposals if not is_persons(p) and p not in known]
    return replace(
        transition,
        adopts=carriers[-1].number if carriers else None,
        closes=tuple(others) if transition.kind in SAFETY else (),
    )


def _veto(proposal: Proposal, wish: Wish) -> Hold:
    reverting = wish.kind is Kind.REVERT
    return Hold(
        reason=f"vetoed: {proposal.closed_by or 'a person'} closed proposal #{proposal.number}; "
        f"`tidegate retry {proposal.number}` lifts it",
        waiting_on=WaitingOn.PERSON,
        degraded=reverting,
        pages=reverting,
    )
