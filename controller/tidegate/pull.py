"""What people do with proposals: approve, merge, close, reopen, comment, and lift a veto.

Nobody is stopped from saying what they think; whether it counts is decided by the workspace's rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidegate.core.approving.votes import UNLISTED, counted, people
from tidegate.core.manifest import Model
from tidegate.core.observed import CheckState, Proposal, ProposalState
from tidegate.core.outcome import Decision
from tidegate.core.transition import DECIDED, Branch, parse_branch
from tidegate.errors import Raced, Refused, WrongUse
from tidegate.ports import Forge, Waiting
from tidegate.steps.approving import panel_of
from tidegate.steps.deciding import Judges, decide_model
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.proposing import Merged, check
from tidegate.steps.proposing import merge as steps_merge

SHOWN_HEAD = 12
"""Digits of a head that people are shown, where they need not type it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An approval of one head that was recorded: whether it counts, and how many that count are there and needed."""

    proposal: int
    handle: str
    head: str
    environment: str
    counts: bool
    listed: tuple[str, ...]
    given: int
    needed: int


def approve(desk: Desk, number: int, handle: str, seen: str = "") -> Approved:
    """Record it, whoever it is. `seen` is the head that the person looked at, where they said it.

    Raises Refused for a proposal that is not open or at another head, Raced where it moves meanwhile.
    """
    proposal = desk.forge.proposal(number)
    require_open(proposal)
    require_head(proposal, seen)
    desk.forge.approve(number, handle, proposal.head, desk.now)
    return _counted(desk, desk.forge.proposal(number), handle, proposal.head)


def _counted(desk: Desk, proposal: Proposal, handle: str, head: str) -> Approved:
    environment = branch_of(proposal).environment
    rule = desk.workspace.approvals.get(environment, UNLISTED)
    panel = panel_of([rule], desk.forge, proposal.approvals)
    given = people(approval.handle for approval in proposal.approvals if approval.head == proposal.head)
    return Approved(
        proposal=proposal.number,
        handle=handle,
        head=head,
        environment=environment,
        counts=bool(counted(rule, people([handle]), panel)),
        listed=rule.handles,
        given=len(counted(rule, given, panel)),
        needed=rule.count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An open proposal with what main's head decides for its environment now."""

    model: Model
    proposal: Proposal
    decision: Decision


def required(number: int, sources: Sources, judges: Judges, now: datetime) -> Due:
    """Decide the proposal's model again. Raises Refused when it is closed, or its environment is gone."""
    found = next((proposal for proposal in sources.proposals if proposal.number == number), None)
    if found is None:
        raise WrongUse(f"there is no proposal #{number}; `tidegate pull list` shows those that are")
    require_open(found)
    branch = branch_of(found)
    decided = decide_model(sources.desired.model(branch.model), sources, judges, now)
    if branch.environment not in decided.decision.environments:
        raise Refused(f"{branch.model} has no environment {branch.environment} any more; close #{number}")
    # As observed: marked when somebody else's commit is on the branch.
    proposal = next(p for p in decided.observed.proposals if p.number == number)
    return Due(model=decided.model, proposal=proposal, decision=decided.decision.environments[branch.environment])


def merge(desk: Desk, due: Due) -> Merged:
    """Merge it if the required check passes. Raises Refused with what the check says, Raced when something moved."""
    number = due.proposal.number
    checked = check(desk, due.model, due.proposal, due.decision)
    result = checked.check
    if result.state is not CheckState.PASSED:
        raise Refused(f"#{number} is not merged: the check `tidegate` is {result.state.value}: {result.summary}")
    merged = steps_merge(desk, checked, by_person=True)
    if isinstance(merged, Waiting):
        raise Refused(f"#{number} is not merged yet: {merged.why}")
    if merged is None:
        raise Raced(f"#{number} is not merged: main, branch or approvals have changed; look at it and try again")
    return merged


def lift(forge: Forge, number: int, handle: str, at: datetime) -> None:
    """Lift the veto of a proposal that a person closed. Raises Refused for every other one, with the reason."""
    require_veto(forge.proposal(number))
    forge.lift(number, handle, at)


def require_veto(proposal: Proposal) -> None:
    """Raises Refused where there is no veto to lift."""
    match proposal:
        case Proposal(state=ProposalState.OPEN):
            why = "is open: there is no veto to lift"
        case Proposal(state=ProposalState.MERGED):
            branch = parse_branch(proposal.branch)
            undo = "; `tidegate rollback` goes back" if branch is not None and branch.kind in DECIDED else ""
            why = f"is merged: there is no veto to lift{undo}"
        case Proposal(closed_by_us=True):
            why = "was closed by Tidegate itself, which is no veto: it comes again when it is due"
        case Proposal(lifted=True):
            why = "has its veto lifted already: the next pass tries again when it is due"
        case _:
            return
    raise Refused(f"#{proposal.number} {why}")


def branch_of(proposal: Proposal) -> Branch:
    """What the proposal's branch says. Raises Refused for a branch that is none of ours."""
    branch = parse_branch(proposal.branch)
    if branch is None:
        raise Refused(f"#{proposal.number} is on the branch {proposal.branch}, which names no transition")
    return branch


def require_open(proposal: Proposal) -> None:
    """Raises Refused for a proposal that is merged or closed."""
    if proposal.state is not ProposalState.OPEN:
        raise Refused(f"#{proposal.number} is {proposal.state.value}")


def require_head(proposal: Proposal, seen: str) -> None:
    """Raises Refused for a proposal with another head than was looked at: somebody pushed since."""
    if seen not in ("", proposal.head):
        words = f"#{proposal.number} is at {proposal.head}, not at {seen}"
        raise Refused(f"{words}: look at what is there now: tidegate pull diff {proposal.number}")
