"""Proposals as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.core.observed import Proposal, ProposalState
from tidegate.pull import SHOWN_HEAD, Approved
from tidegate.reporters import json, text


def show_list(proposals: Sequence[Proposal], form: str) -> None:
    if form == "json":
        json.show([_plain(proposal) for proposal in proposals])
        return
    rows = [(f"#{p.number}", _state(p), p.author, p.title, _check(p)) for p in proposals]
    text.table(("", "state", "author", "title", "check"), rows)


def show_one(proposal: Proposal, form: str) -> None:
    if form == "json":
        json.show(_plain(proposal))
        return
    print(f"#{proposal.number} {proposal.title}")
    print(f"{_state(proposal)}, by {proposal.author}, {proposal.created_at:%Y-%m-%d %H:%M:%S %Z}, {proposal.branch}")
    print(f"check: {_check(proposal)}")
    for approval in proposal.approvals:
        stale = "" if approval.head == proposal.head else " (an older head)"
        print(f"approved by {approval.handle}{stale}")
    print(f"\n{proposal.body}", end="")
    for comment in proposal.comments:
        print(f"\n{comment.author}, {comment.at:%Y-%m-%d %H:%M:%S %Z}:\n{comment.text}")
    if words := how_to_approve(proposal):
        print(f"\n{words}")


def how_to_approve(proposal: Proposal) -> str:
    """The command that approves what was shown and nothing that is pushed later; "" where nothing is open."""
    if proposal.state is not ProposalState.OPEN:
        return ""
    return f"To approve this: tidegate pull approve {proposal.number} --head {proposal.head}"


def say_approved(approved: Approved) -> None:
    """Say whether it counts, and what else is needed."""
    print(f"#{approved.proposal}: approved by {approved.handle} at {approved.head[:SHOWN_HEAD]}")
    if not approved.counts:
        print(f"It does not count: {approved.handle} is not listed under {_rule(approved)}")
    missing = approved.needed - approved.given
    if missing > 0:
        others = " or ".join(approved.listed)
        print(f"Still needed: {missing} approval{'s' if missing > 1 else ''}{f' by {others}' if others else ''}")
    else:
        print(f"The next pass merges it, or `tidegate pull merge {approved.proposal}` now")


def _rule(approved: Approved) -> str:
    return f"approvals.{approved.environment} in tidegate.yaml ({', '.join(approved.listed) or 'nobody is'})"


def _state(proposal: Proposal) -> str:
    if proposal.closed_by is None or proposal.closed_by_us:
        return proposal.state.value
    return "closed (veto lifted)" if proposal.lifted else "closed (veto)"


def _check(proposal: Proposal) -> str:
    check = proposal.check
    if check is None:
        return "not computed yet"
    older = "" if check.head == proposal.head else " (an older head)"
    return f"{check.state.value}: {check.summary}{older}"


def _plain(proposal: Proposal) -> dict[str, object]:
    check = proposal.check
    return {
        "number": proposal.number,
        "state": proposal.state,
        "title": proposal.title,
        "branch": proposal.branch,
        "head": proposal.head,
        "author": proposal.author,
        "created_at": proposal.created_at,
        "updated_at": proposal.updated_at,
        "merged_at": proposal.merged_at,
        "merge_commit": proposal.merge_commit,
        "closed_by": proposal.closed_by,
        "veto": proposal.closed_by is not None and not proposal.closed_by_us and not proposal.lifted,
        "check": {"state": check.state, "summary": check.summary, "head": check.head} if check else None,
        "approvals": proposal.approvals,
        "comments": proposal.comments,
        "body": proposal.body,
    }
