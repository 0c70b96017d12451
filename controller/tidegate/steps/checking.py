"""The check of people's pull requests in a pass: where the run that an event started never came to write it.

What it says is `core.authorise`'s, as after an event. Not here: proposals of ours, whose check each pass computes anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.authorise import edited_check
from tidegate.core.observed import CheckState, Proposal, ProposalState
from tidegate.core.transition import parse_branch
from tidegate.errors import OutsideSystem, TidegateError
from tidegate.steps import approving
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources

AT_ONCE = 20
"""So many are written in a pass: forges limit writes, and reverts need them."""


def check_peoples(desk: Desk, sources: Sources) -> Iterator[str]:
    """Bring the check of each up to date whose head has none yet, or one that waits: the run that should have written
    it may have broken, and not all that counts as an approval starts one. Yields what went wrong."""
    try:
        waiting, written = [*_nobodys(sources), *desk.forge.unchecked()], 0
    except TidegateError as error:
        yield str(error)
        return
    for number in waiting:
        try:
            written += _check(desk, number)
        except TidegateError as error:
            yield f"#{number}: {error}"
            if isinstance(error, OutsideSystem):
                return
        if written == AT_ONCE:
            return


def _nobodys(sources: Sources) -> Iterator[int]:
    """Open ones on a branch that belongs to no environment on main, even if it is called like ours: no model looks
    after it."""
    for proposal in sources.proposals:
        waits = proposal.state is ProposalState.OPEN and not _is_checked(proposal)
        if waits and approving.owner(parse_branch(proposal.branch), sources.desired) is None:
            yield proposal.number


def _is_checked(proposal: Proposal) -> bool:
    """Whether the check of its head has come to its end."""
    found = proposal.check
    return found is not None and found.head == proposal.head and found.state is not CheckState.PENDING


def _check(desk: Desk, number: int) -> bool:
    """Bring one up to date; whether it had to be written."""
    request = desk.forge.pull_request(number)
    result = edited_check(approving.edited(desk, request))
    if request.state is not ProposalState.OPEN or result == request.check:
        return False
    desk.forge.set_check(number, result, desk.now)
    return True
