"""Every proposal with its approvals. Who gave them, and whether they are enough, is looked at in `approving`."""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.approving.votes import approvals_of
from tidegate.core.observed import Approval, Proposal, ProposalState
from tidegate.core.workspace import ApprovalSource, Workspace
from tidegate.ports import Forge


def proposals_of(forge: Forge, workspace: Workspace) -> tuple[Proposal, ...]:
    """Every proposal with the approvals that the workspace lets count: reviews come with the list, comments and labels
    are asked for of open ones."""
    return tuple(replace(each, approvals=given(each, forge, workspace)) for each in forge.proposals())


def given(proposal: Proposal, forge: Forge, workspace: Workspace, *, touched: bool = False) -> tuple[Approval, ...]:
    source = workspace.approval_source
    if source is ApprovalSource.REVIEWS or proposal.state is not ProposalState.OPEN:
        return proposal.approvals
    return approvals_of(forge.pull_request(proposal.number), source, touched=touched)
