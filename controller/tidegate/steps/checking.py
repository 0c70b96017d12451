"""The check of people's pull requests: in a pass, where the run that an event started never came to write it, and how
one is written so that it stays true.

What it says is `core.authorise`'s, as after an event. Not here: proposals of ours, whose check each pass computes anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from tidegate.core.authorise import edited_check
from tidegate.core.observed import MAIN, Check, CheckState, Proposal, ProposalState, PullRequest
from tidegate.core.transition import parse_branch
from tidegate.errors import OutsideSystem, Raced, TidegateError
from tidegate.steps import approving
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources

AT_ONCE = 20
"""So many pull requests are looked at in a pass, whoever opened how many: forges limit what they are asked, and reverts
need it."""
TURN = "refs/tidegate/turn"
"""The record of whose turn is still to come in this round, numbers. It may be lost, or say anything: a round begins."""
Waiting = Mapping[str, Sequence[int]]
"""Pull requests by their head: a check is a commit's, whatever pull requests have that commit."""
_IN_A_ROW = 3
_LOOKS = 2
_STRICTEST_FIRST = (CheckState.FAILED, CheckState.PENDING, CheckState.PASSED)


def check_peoples(desk: Desk, sources: Sources) -> Iterator[str]:
    """Bring the check of each up to date whose head has none yet, or one that waits: the run that should have written
    it may have broken, and not all that counts as an approval starts one. Yields what went wrong.

    What goes wrong with one stops no other; a forge that fails three times in a row is left alone.
    """
    turn = yield from _turn(desk, _waiting(desk, sources))
    in_a_row = 0
    for head, numbers in turn.items():
        try:
            with desk.forge.sparingly():
                _bring_up_to_date(desk, head, numbers)
            in_a_row = 0
        except TidegateError as error:
            yield f"{', '.join(f'#{number}' for number in numbers)}: {error}"
            in_a_row = in_a_row + 1 if isinstance(error, OutsideSystem) else 0
        if in_a_row == _IN_A_ROW:
            return


def _turn(desk: Desk, waiting: Waiting) -> Generator[str, None, Waiting]:
    """Those that this pass looks at. Where whose turn it is cannot be kept, they are the newest, and it is said."""
    if sum(map(len, waiting.values())) <= AT_ONCE:
        return waiting
    try:
        return _next_turn(desk, waiting)
    except TidegateError as error:
        yield f"whose turn it is cannot be kept: {error}"
        return turn_after(None, waiting)[0]


def _next_turn(desk: Desk, waiting: Waiting) -> Waiting:
    """Each loses its turn whatever comes of it, and holds up no other."""
    before = desk.repository.read_record(TURN)
    turn, left = turn_after(before, waiting)
    with suppress(Raced):  # another controller looks at the same ones
        desk.repository.write_record(TURN, left, before)
    return turn


def turn_after(left: str | None, waiting: Waiting) -> tuple[Waiting, str]:
    """The heads whose turn it is, as many as a pass looks at, and who is left of the round then.

    A round is of those that wait when it begins, from the newest to the oldest: what is opened meanwhile is in the next
    one, and lengthens none. It is kept by number. Whoever proposes a commit can change what the commit's place would be
    by, but nobody takes a pull request out of the round before its own head was looked at.
    """
    heads = {number: head for head, numbers in waiting.items() for number in numbers}
    everyone = sorted(heads, reverse=True)
    known = {int(number) for number in re.findall("[0-9]{1,18}", left or "")}
    due = [number for number in everyone if number in known]
    turn = _fitting([heads[number] for number in (*due, *everyone)], waiting)
    to_come = [[number for number in each if heads[number] not in turn] for each in (due, everyone)]
    return turn, " ".join(map(str, to_come[0] or to_come[1]))


def _fitting(order: Sequence[str], waiting: Waiting) -> Waiting:
    """The first of these heads that a pass has places for."""
    turn: dict[str, Sequence[int]] = {}
    free = AT_ONCE
    for head in dict.fromkeys(order):
        numbers = waiting[head][:AT_ONCE]
        free -= len(numbers)
        if free < 0:
            break
        turn[head] = numbers
    return turn


def _waiting(desk: Desk, sources: Sources) -> dict[str, list[int]]:
    """The open pull requests that may have no check yet, by head, strangers' last; not what shares a head with a
    proposal of ours, whose own check stands there."""
    nobodys = _nobodys(sources)
    ours = {each.head for each in _open(sources)} - {each.head for each in nobodys}
    heads = {each.number: each.head for each in nobodys if not _is_checked(each)} | dict(desk.forge.unchecked())
    by_head: dict[str, list[int]] = {}
    for number, head in heads.items():
        if head not in ours:
            by_head.setdefault(head, []).append(number)
    return by_head


def _open(sources: Sources) -> Sequence[Proposal]:
    return [proposal for proposal in sources.proposals if proposal.state is ProposalState.OPEN]


def _nobodys(sources: Sources) -> Sequence[Proposal]:
    """Those on a branch that is called like ours: no model looks after them."""
    return [each for each in _open(sources) if approving.owner(parse_branch(each.branch), sources.desired) is None]


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
    """The check of a head, with the pull request that decides it; None where none of them is open there any more."""
    requests = (desk.forge.pull_request(number) for number in numbers)
    there = [each for each in requests if _proposes(each, head)]
    return _strictest_of(desk, there) if there else None


def _proposes(request: PullRequest, head: str) -> bool:
    return (request.state, request.head, request.base) == (ProposalState.OPEN, head, MAIN)


def check_of(desk: Desk, sources: Sources, request: PullRequest) -> Check:
    """The check of a person's pull request: its head has one, whoever else proposes that commit."""
    nobodys = (each.number for each in _nobodys(sources) if each.head == request.head)
    numbers = [each for each in (*nobodys, *desk.forge.at_head(request.head)) if each != request.number]
    others = [desk.forge.pull_request(number) for number in numbers[:AT_ONCE]]
    return _strictest_of(desk, [request, *(each for each in others if _proposes(each, request.head))])[1]


def _strictest_of(desk: Desk, there: Sequence[PullRequest]) -> tuple[PullRequest, Check]:
    """Of pull requests with one head: the strictest check of those that decide, each by its own approvals.

    Who opened any of them approves none of them.
    """
    authors = frozenset(each.author for each in there)
    found = []
    for each in _deciding(desk, there):
        edited = approving.edited(desk, each)
        found.append((each, edited_check(replace(edited, authors=edited.authors | authors))))
    return min(found, key=lambda each: _STRICTEST_FIRST.index(each[1].state))


def _deciding(desk: Desk, there: Sequence[PullRequest]) -> Sequence[PullRequest]:
    """Whoever can read a commit can propose it from a fork. That must hold nobody back: where somebody who may write
    proposes it too, a stranger's pull request has no say."""
    if len(there) == 1:
        return there
    return [each for each in there if _by_a_writer(desk, each)] or there


def _by_a_writer(desk: Desk, request: PullRequest) -> bool:
    """Bots have no permission that could be asked for: one that has a branch here may write."""
    return desk.forge.may_write(request.author) or (request.author.endswith("[bot]") and not request.fork)


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
