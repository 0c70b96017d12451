"""The approval gate: the one required check of a pull request, ours or a person's, computed and written to the forge.

What it says is `core.authorise`'s, as in a pass of `reconcile`. Not here: recording an approval (`pull`, or a review on
the forge), and merging.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tidegate.core.observed import MAIN, Check, CheckState, Proposal, ProposalState, PullRequest
from tidegate.core.transition import parse_branch
from tidegate.steps import approving
from tidegate.steps.checking import check_of, settle
from tidegate.steps.deciding import Judges, decide_model
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.proposing import computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The check of one pull request; None where there is nothing to check, and `why`."""

    number: int
    check: Check | None = None
    why: str = ""

    def at(self, commit: str) -> Answer:
        """The same check for the commit that a merge queue made of the pull request."""
        return replace(self, check=replace(self.check, head=commit) if self.check else None)

    @property
    def refused(self) -> bool:
        return self.check is not None and self.check.state is CheckState.FAILED


def approve(desk: Desk, sources: Sources, judges: Judges, number: int) -> Answer:
    """Compute the check. Raises WrongUse for a number that the forge does not have."""
    request = desk.forge.pull_request(number)
    if request.state is not ProposalState.OPEN:
        return Answer(number=number, why=f"is {request.state.value}")
    if request.base != MAIN:
        return Answer(number=number, why=f"goes to {request.base}: only what goes to {MAIN} is checked")
    return Answer(number=number, check=_check(request, desk, sources, judges))


def record(desk: Desk, answer: Answer, afresh: Callable[[], Answer]) -> Answer:
    """Write the check to the forge, where there is one; `afresh` computes the answer again, as `settle` asks it to."""
    if answer.check is None:
        return answer
    return replace(answer, check=settle(desk, answer.number, answer.check, lambda: afresh().check))


def _check(request: PullRequest, desk: Desk, sources: Sources, judges: Judges) -> Check:
    proposal = _proposal_of(request, sources)
    branch = parse_branch(proposal.branch) if proposal is not None else None
    wanted = approving.owner(branch, sources.desired)
    if branch is None or wanted is None or proposal is None:
        return check_of(desk, sources, request)
    decided = decide_model(wanted, sources, judges, desk.now)
    return computed(desk, wanted.model, proposal, decided.decision.environments[branch.environment])


def _proposal_of(request: PullRequest, sources: Sources) -> Proposal | None:
    """The proposal of ours that a pull request is, or whose head it has too: a commit has one check, whoever proposes
    it, and as a person's change it would ask for less."""
    own = next((p for p in sources.proposals if p.number == request.number), None)
    if own is not None and not request.fork:
        return replace(own, head=request.head, approvals=request.approvals)
    open_ = (p for p in sources.proposals if p.state is ProposalState.OPEN and p is not own)
    at_head = (p for p in open_ if p.head == request.head)
    return next((p for p in at_head if approving.owner(parse_branch(p.branch), sources.desired) is not None), None)
