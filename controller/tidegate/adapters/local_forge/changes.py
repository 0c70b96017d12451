"""What each event makes of a proposal, and which it refuses. Pure: writing it down is `forge`'s."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tidegate.adapters.local_forge.state import State
from tidegate.core.observed import Approval, Comment, Proposal, ProposalState
from tidegate.errors import Raced, Refused
from tidegate.ports import Draft


def opened(number: int, draft: Draft, at: datetime) -> Proposal:
    return Proposal(
        number=number,
        branch=draft.branch,
        head=draft.head,
        title=draft.title,
        body=draft.body,
        state=ProposalState.OPEN,
        author=draft.author,
        created_at=at,
        updated_at=at,
    )


def commented(proposal: Proposal, comment: Comment) -> Proposal:
    for place, said in enumerate(proposal.comments):
        if comment.marker and said.marker == comment.marker:
            if said.text == comment.text:
                return proposal
            edited = (*proposal.comments[:place], comment, *proposal.comments[place + 1 :])
            return replace(proposal, comments=edited)
    return replace(proposal, comments=(*proposal.comments, comment))


def approved(proposal: Proposal, approval: Approval) -> Proposal:
    if proposal.head != approval.head:
        words = f"#{proposal.number} is at {proposal.head} by now, not at {approval.head}"
        raise Raced(f"{words}; look at it again, then approve")
    if any((given.handle, given.head) == (approval.handle, approval.head) for given in proposal.approvals):
        return proposal
    return replace(proposal, approvals=(*proposal.approvals, approval))


def closed(proposal: Proposal, handle: str, *, ours: bool) -> Proposal:
    if proposal.state is ProposalState.MERGED:
        raise Refused(f"#{proposal.number} is merged; to undo it, revert {proposal.merge_commit}")
    if proposal.state is ProposalState.CLOSED:
        return proposal  # a person's closing stays a veto, whoever closes it again
    return replace(proposal, state=ProposalState.CLOSED, closed_by=handle, closed_by_us=ours, lifted=False)


def lifted(proposal: Proposal) -> Proposal:
    if proposal.state is not ProposalState.CLOSED:
        raise Refused(f"#{proposal.number} is {proposal.state.value}, so there is no veto to lift")
    return replace(proposal, lifted=True)


def require_mergeable(state: State, proposal: Proposal, head: str) -> None:
    if proposal.state is ProposalState.CLOSED:
        raise Refused(f"#{proposal.number} is closed; reopen it first: tidegate pull reopen {proposal.number}")
    if state.branches[proposal.branch] is None:
        raise Refused(f"the branch of #{proposal.number} was deleted; push {proposal.branch} again, or close it")
    if proposal.head != head:
        raise Raced(f"#{proposal.number} is at {proposal.head} by now, not at {head}; read it and decide again")


def require_reopenable(state: State, proposal: Proposal) -> None:
    if proposal.state is ProposalState.MERGED:
        raise Refused(f"#{proposal.number} is merged; what it did can be proposed again, not reopened")
    if (other := state.open_on(proposal.branch)) is not None:
        raise Refused(f"#{other.number} is open on {proposal.branch} already; close that one first")
