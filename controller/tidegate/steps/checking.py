"""The check of people's pull requests: in a pass, where the run that an event started never came to write it, and how
one is written so that it stays true.

What it says is `core.authorise`'s, as after an event. Not here: proposals of ours, whose check each pass computes anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from tidegate.core.authorise import edited_check
from tidegate.core.observed import Check, CheckState, Proposal, ProposalState, PullRequest
from tidegate.core.transition import parse_branch
from tidegate.errors import OutsideSystem, TidegateError
from tidegate.steps import approving
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources

AT_ONCE = 20
"""So many pull requests are looked at in a pass, whoever opened how many: forges limit what they are asked, and reverts
need it."""
_IN_A_ROW = 3
_LOOKS = 2
_STRICTEST_FIRST = (CheckState.FAILED, CheckState.PENDING, CheckState.PASSED)


def check_peoples(desk: Desk, sources: Sources) -> Iterator[str]:
    """Bring the check of each up to date whose head has none yet, or one that waits: the run that should have written
    it may have broken, and not all that counts as an approval starts one. Yields what went wrong.

    What goes wrong with one stops no other; a forge that fails three times in a row is left alone.
    """
    in_a_row = 0
    for head, numbers in _turn(desk, sources):
        try:
            with desk.forge.sparingly():
                _bring_up_to_date(desk, head, numbers)
            in_a_row = 0
        except TidegateError as error:
            yield f"{', '.join(f'#{number}' for number in numbers)}: {error}"
            in_a_row = in_a_row + 1 if isinstance(error, OutsideSystem) else 0
        if in_a_row == _IN_A_ROW:
            return


def _turn(desk: Desk, sources: Sources) -> Iterator[tuple[str, Sequence[int]]]:
    """Those that this pass looks at, by their head: a check is a commit's, whatever pull requests have that commit.

    Each minute has an order of its own, so that every one has its turn without a memory of who had it.
    """
    minute = int(desk.now.timestamp() // 60)
    by_head = _waiting(desk, sources)
    looked_at = 0
    for head in sorted(by_head, key=lambda head: _lot(by_head[head][0], minute)):
        numbers = by_head[head][:AT_ONCE]
        looked_at += len(numbers)
        if looked_at > AT_ONCE:
            return
        yield head, numbers


def _lot(number: int, minute: int) -> str:
    return hashlib.sha256(f"{minute} {number}".encode()).hexdigest()


def _waiting(desk: Desk, sources: Sources) -> dict[str, list[int]]:
    """The open pull requests that may have no check yet, by head; not what shares a head with a proposal of ours, whose
    own check stands there."""
    open_ = [proposal for proposal in sources.proposals if proposal.state is ProposalState.OPEN]
    nobodys = [each for each in open_ if approving.owner(parse_branch(each.branch), sources.desired) is None]
    ours = {each.head for each in open_} - {each.head for each in nobodys}
    # Nobody's are on a branch that is called like ours: no model looks after them.
    heads = {each.number: each.head for each in nobodys if not _is_checked(each)} | dict(desk.forge.unchecked())
    by_head: dict[str, list[int]] = {}
    for number, head in sorted(heads.items()):
        if head not in ours:
            by_head.setdefault(head, []).append(number)
    return by_head


def _is_checked(proposal: Proposal) -> bool:
    """Whether the check of its head has come to its end."""
    return proposal.check is not None and proposal.check.head == proposal.head and proposal.check.is_final


def _bring_up_to_date(desk: Desk, head: str, numbers: Sequence[int]) -> None:
    if desk.forge.is_checked(head):
        return
    found = _strictest(desk, head, numbers)
    if found is None or found[1] == found[0].check:
        return
    request, check = found
    settle(desk, request.number, check, lambda: again[1] if (again := _strictest(desk, head, numbers)) else None)


def _strictest(desk: Desk, head: str, numbers: Sequence[int]) -> tuple[PullRequest, Check] | None:
    """The strictest check that any of these has, with its pull request; None where none of them is open at this head
    any more."""
    requests = (desk.forge.pull_request(number) for number in numbers)
    there = [each for each in requests if each.state is ProposalState.OPEN and each.head == head]
    found = [(each, edited_check(approving.edited(desk, each))) for each in there]
    return min(found, key=lambda each: _STRICTEST_FIRST.index(each[1].state), default=None)


def settle(desk: Desk, number: int, check: Check, afresh: Callable[[], Check | None]) -> Check:
    """Write a check, and return what it says in the end. One that passes is computed `afresh` after it was written, and
    written again where it differs: who took an approval back in between, and had that written, was overwritten just
    now, and what has passed is not looked at again."""
    for _ in range(_LOOKS):
        desk.forge.set_check(number, check, desk.now)
        again = afresh() if check.state is CheckState.PASSED else None
        if again is None or again == check:
            return check
        check = again
    desk.forge.set_check(number, check, desk.now)
    return check
