"""From a wish to a transition: the key it carries, the proposal that already carries it, and a person's veto.

A proposal that a person closed is a veto of its key. `retry` lifts it; the next attempt has another key and branch.
"""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.guards import SAFETY, Situation, is_persons
from tidegate.core.observed import Proposal, ProposalState
from tidegate.core.outcome import Hold, WaitingOn, Wish
from tidegate.core.pin import stamped
from tidegate.core.transition import Kind, Transition, mark, moves, parse_branch


def adopt(wish: Wish, situation: Situation) -> Transition | Hold:
    """The transition for this wish, its first attempt that nobody lifted or took over; or a person's veto as a Hold."""
    attempt = 1
    while True:
        transition = _transition(wish, situation, attempt)
        known = _carrying(transition.key, situation)
        if (veto := _veto_of(transition, known, situation)) is not None:
            return _veto(veto, wish)
        if not any(p.lifted for p in known) and not (wish.kind in SAFETY and any(_is_taken_over(p) for p in known)):
            return _with_proposals(transition, known, situation)
        attempt += 1


def _veto_of(transition: Transition, known: tuple[Proposal, ...], situation: Situation) -> Proposal | None:
    """A person's veto of this key, or of the same change made on top of another state of the file."""
    what = moves(transition.kind, transition.environment, transition.before, transition.after)
    vetoes = (p for p in situation.observed.proposals if p.vetoes and (p in known or p.moves == what))
    return next(vetoes, None)


def _is_taken_over(proposal: Proposal) -> bool:
    """Whether somebody else's commit is on its branch: it is theirs then, and a revert gets a branch of its own."""
    return proposal.state is ProposalState.OPEN and proposal.foreign


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
