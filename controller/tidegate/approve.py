"""The approval gate: the one required check of a pull request, ours or a person's, computed and written to the forge.

What it says is `core.authorise`'s, as in a pass of `reconcile`. Not here: recording an approval (`pull`, or a review on
the forge), and merging.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tidegate.core.authorise import edited_check
from tidegate.core.observed import Check, CheckState, ProposalState, PullRequest
from tidegate.core.transition import parse_branch
from tidegate.steps import approving
from tidegate.steps.deciding import Judges, decide_model
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.proposing import computed

MAIN = "main"


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


def record(desk: Desk, answer: Answer) -> None:
    """Write the check to the forge, where there is one."""
    if answer.check is not None:
        desk.forge.set_check(answer.number, answer.check, desk.now)


def _check(request: PullRequest, desk: Desk, sources: Sources, judges: Judges) -> Check:
    branch = parse_branch(request.branch)
    wanted = None if request.fork else approving.owner(branch, sources.desired)
    proposal = next((p for p in sources.proposals if p.number == request.number), None)
    if branch is None or wanted is None or proposal is None:
        return edited_check(approving.edited(desk, request))
    decided = decide_model(wanted, sources, judges, desk.now)
    proposal = replace(proposal, head=request.head, approvals=request.approvals)
    return computed(desk, wanted.model, proposal, decided.decision.environments[branch.environment])
