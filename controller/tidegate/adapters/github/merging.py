"""Merging on GitHub: directly, through its merge queue, or by its auto-merge when a check is still to come.

The head is pinned in all three. The base, which GitHub pins in none, is looked at right before it is asked whether the
merge still may be: nothing comes between that and the merge. GitHub answers 405 to a merge for a dozen reasons and
tells them apart by text alone; where the text is no reason that we know, the pull request's own state decides, and the
text is passed on.
Not here: whether a proposal may merge (the core decides), and what is done after a merge (`forge`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegate.adapters.github import proposals
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.git import Git
from tidegate.adapters.github.proposals import Pull
from tidegate.adapters.github.session import Answer, GraphQlSaysNo, Session
from tidegate.core.observed import MAIN, ProposalState
from tidegate.errors import MergeConflict, OutsideSystem, Raced, Refused
from tidegate.ports import Waiting

_WAYS = """
query($owner: String!, $name: String!, $branch: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    mergeQueue(branch: $branch) { id }
    pullRequest(number: $number) {
      baseRefName isInMergeQueue
      timelineItems(
        last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT, PULL_REQUEST_COMMIT, HEAD_REF_FORCE_PUSHED_EVENT]
      ) { nodes { ... on RemovedFromMergeQueueEvent { reason actor { login } } } }
    }
  }
}
"""
_QUEUED = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { isInMergeQueue } }
}
"""
# A merge commit keeps our commit and its signature as they are; a squash keeps the trailers.
_METHODS = {"merge": "mergeCommitAllowed", "squash": "squashMergeAllowed", "rebase": "rebaseMergeAllowed"}

# The texts of 405 (and 409, 422) as GitHub gives them; sources: akuity/kargo and renovatebot/renovate, which had to
# learn them too.
_MOVED = re.compile(r"(head|base) branch was modified|the merge again", re.IGNORECASE)
_BUSY = re.compile(r"already in progress|merge already", re.IGNORECASE)
_METHOD = re.compile(r"(merge commits|squash merges|rebase merges) are not allowed", re.IGNORECASE)
_CONFLICT = re.compile(r"not mergeable|merge conflict|conflicts", re.IGNORECASE)
_BEHIND = re.compile(r"up[- ]to[- ]date|out[- ]of[- ]date", re.IGNORECASE)
_CHECKS = re.compile(r"status check|check.* (expected|pending|in progress|failed|failing)", re.IGNORECASE)
_REVIEWS = re.compile(r"review|approv", re.IGNORECASE)
_QUEUE = re.compile(r"merge queue", re.IGNORECASE)
_QUEUED_BY = re.compile(r"already (in|queued)", re.IGNORECASE)
_DRAFT = re.compile(r"draft", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where this pull request goes, and how it may merge, as far as the repository's settings say.

    `ejected` says why the queue gave this head back; None where it did not, or we took it out ourselves.
    """

    base: str
    methods: tuple[str, ...] = tuple(_METHODS)
    queue: bool = False
    queued: bool = False
    auto: bool = False
    ejected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge at hand: what is asked for, and whom. `still` tells whether it may merge, by what people say now."""

    session: Session
    git: Git
    pull: Pull
    title: str
    message: str
    still: Callable[[], bool]

    @property
    def head(self) -> str:
        return self.pull.proposal.head

    @property
    def shown(self) -> str:
        return f"#{self.pull.proposal.number}"

    @property
    def path(self) -> str:
        return f"{self.session.address.path}/pulls/{self.pull.proposal.number}"


def merge(at_hand: Merge) -> str | Waiting:
    """The merge commit, or what GitHub waits for. Raises Raced, MergeConflict, or Refused with what to change."""
    ways = _ways(at_hand)
    if ways.queued:
        return Waiting(why=f"{at_hand.shown} is in GitHub's merge queue")
    if ways.base != MAIN:
        return _elsewhere(at_hand, ways.base)
    if not at_hand.still():
        raise Raced(f"{at_hand.shown} may not merge any more; read it again and decide again")
    if ways.queue:
        return _enqueued(at_hand, ways)
    said = "the repository's settings allow no merge method"
    for method in ways.methods:
        answer = _put(at_hand, method)
        if isinstance(answer, str):
            return answer
        said = answer.words
        if not _METHOD.search(said):
            return _not_merged(at_hand, ways, method, said)
    step = "allow merge commits in its settings and rulesets"
    raise Refused(f"{at_hand.shown}: GitHub says {said!r}; {step}")


def _ways(at_hand: Merge) -> Ways:
    session = at_hand.session
    try:
        found = session.graphql(_WAYS, {**_named(session, at_hand.pull), "branch": MAIN})["repository"]
    except GraphQlSaysNo:  # an older server, or a token that may not ask: the merge itself tells what it may
        return Ways(base=at_hand.pull.proposal.base)
    return Ways(
        base=found["pullRequest"]["baseRefName"],
        methods=tuple(method for method, setting in _METHODS.items() if found[setting]),
        queue=found["mergeQueue"] is not None,
        queued=bool(found["pullRequest"]["isInMergeQueue"]),
        auto=bool(found["autoMergeAllowed"]),
        ejected=_ejected(found["pullRequest"]["timelineItems"]["nodes"], session.account.login),
    )


def _named(session: Session, pull: Pull) -> dict[str, str | int]:
    return {"owner": session.address.owner, "name": session.address.name, "number": pull.proposal.number}


def _ejected(last: Sequence[Json], us: str) -> str | None:
    """Why the queue gave the head back; what was pushed after that may try again."""
    if not last or "reason" not in last[0]:
        return None
    by = (last[0]["actor"] or {}).get("login", "")
    # GraphQL calls bots by either name.
    return (
        None if by.removesuffix("[bot]") == us.removesuffix("[bot]") else str(last[0]["reason"] or "it says no reason")
    )


def _put(at_hand: Merge, method: str) -> Answer | str:
    """Ask for the merge; after an answer that says nothing, look before anything else: it may be done."""
    body = {
        "sha": at_hand.head,
        "merge_method": method,
        "commit_title": at_hand.title,
        "commit_message": at_hand.message,
    }
    try:
        answer = at_hand.session.call("PUT", f"{at_hand.path}/merge", body)
    except OutsideSystem as failure:
        if (commit := _merged_after_all(at_hand)) is None:
            raise OutsideSystem(f"{failure}; {at_hand.shown} is not merged") from None
        return commit
    return str(answer.data["sha"]) if answer.ok else answer


def _merged_after_all(at_hand: Merge) -> str | None:
    pull = _again(at_hand)
    if pull.proposal.merge_commit is not None:
        return pull.proposal.merge_commit
    # Merged, and the pull request still open, was seen too (kodiak#397): main knows.
    main = at_hand.git.head()
    return at_hand.git.brought_by(at_hand.head, main) if main else None


def _elsewhere(at_hand: Merge, base: str) -> Waiting:
    step = f"give it {MAIN} for its base again, or close it"
    return Waiting(why=f"{at_hand.shown} goes to {base} by now, not to {MAIN}; {step}")


def _again(at_hand: Merge) -> Pull:
    found = at_hand.session.get(at_hand.path).data
    return proposals.parse(found, at_hand.session.account)


def _not_merged(at_hand: Merge, ways: Ways, method: str, said: str) -> str | Waiting:
    if _QUEUE.search(said):
        return _enqueued(at_hand, ways)
    if _MOVED.search(said):
        raise Raced(f"{at_hand.shown}: GitHub says {said!r}; read it again and decide again")
    now = _again(at_hand)
    if now.proposal.state is ProposalState.MERGED and now.proposal.merge_commit is not None:
        return now.proposal.merge_commit
    if now.proposal.base != MAIN:  # armed, it would merge there
        return _elsewhere(at_hand, now.proposal.base)
    if now.proposal.state is ProposalState.CLOSED:
        raise Refused(f"{at_hand.shown} is closed")
    if now.state == "dirty" or (_CONFLICT.search(said) and now.mergeable is False):
        raise _conflict(at_hand)
    if now.state == "behind" or _BEHIND.search(said):
        rule = "branch protection asks for branches up to date"
        raise MergeConflict(f"{at_hand.shown} is behind main, and {rule}; {_by_hand(at_hand)}")
    if _BUSY.search(said):
        return Waiting(why=f"{at_hand.shown}: GitHub says {said!r}")
    if now.mergeable is None or (_CONFLICT.search(said) and now.mergeable):
        return Waiting(why=f"{at_hand.shown}: GitHub has not worked out yet whether it merges ({said})")
    return _blocked(at_hand, ways, method, said)


def _blocked(at_hand: Merge, ways: Ways, method: str, said: str) -> Waiting:
    """A rule of the repository is in the way: some pass by themselves, others somebody must change."""
    if _DRAFT.search(said):
        raise Refused(f"{at_hand.shown} is a draft; mark it as ready for review")
    if _CHECKS.search(said):
        return _armed(at_hand, method, said) if ways.auto else Waiting(why=f"{at_hand.shown}: GitHub says {said!r}")
    if _REVIEWS.search(said):
        return Waiting(why=f"{at_hand.shown}: GitHub says {said!r}")
    step = "let the App or token merge pin files there (`tidegate doctor` shows the rules of main)"
    raise Refused(f"{at_hand.shown}: GitHub says {said!r}; {step}")


def _conflict(at_hand: Merge) -> MergeConflict:
    main = at_hand.git.head()
    files = at_hand.git.conflicts(main, at_hand.head) if main else ()
    where = f" in {', '.join(files)}" if files else ""
    return MergeConflict(f"{at_hand.shown} conflicts with main{where}; {_by_hand(at_hand)}")


def _by_hand(at_hand: Merge) -> str:
    return f"merge main into {at_hand.pull.proposal.branch}, or close the proposal"


def _enqueued(at_hand: Merge, ways: Ways) -> Waiting:
    """Into the queue, once for each head: what it gave back would only fail again, and nobody would hear of it."""
    if ways.ejected is not None and _CONFLICT.search(ways.ejected.replace("_", " ")):
        raise _conflict(at_hand)
    if ways.ejected is not None:
        step = "put it there again, push to its branch, or close it"
        raise Refused(f"GitHub's merge queue gave {at_hand.shown} back ({ways.ejected}); {step}")
    given = {"pullRequestId": at_hand.pull.node, "expectedHeadOid": at_hand.head}
    try:
        _mutate(at_hand, "enqueuePullRequest", given, "mergeQueueEntry { id }", "the merge queue")
    except Refused as refused:
        if _CHECKS.search(str(refused)) or _REVIEWS.search(str(refused)) or _QUEUED_BY.search(str(refused)):
            return Waiting(why=str(refused))
        raise
    return Waiting(why=f"{at_hand.shown} was put into GitHub's merge queue")


def _armed(at_hand: Merge, method: str, said: str) -> Waiting:
    if at_hand.pull.armed:
        return Waiting(why=f"{at_hand.shown} merges by itself when it may: GitHub says {said!r}")
    given = {
        "pullRequestId": at_hand.pull.node,
        "expectedHeadOid": at_hand.head,
        "mergeMethod": method.upper(),
        "commitHeadline": at_hand.title,
        "commitBody": at_hand.message,
    }
    try:
        _mutate(at_hand, "enablePullRequestAutoMerge", given, "clientMutationId", "auto-merge")
    except Refused as refused:
        # Refused too when there is nothing left to wait for: the next pass merges directly.
        return Waiting(why=f"{at_hand.shown}: GitHub says {said!r} ({refused})")
    return Waiting(why=f"{at_hand.shown} merges by itself when it may: GitHub says {said!r}")


def _mutate(at_hand: Merge, name: str, given: Json, shape: str, what: str) -> None:
    try:
        at_hand.session.mutate(name, given, shape, at_hand.shown)
    except GraphQlSaysNo as said:
        if re.search(r"expected.?head|head.*(oid|sha|modified)", str(said), re.IGNORECASE):
            raise Raced(f"{at_hand.shown} moved before {what} took it; read it again and decide again") from None
        raise Refused(f"{what} did not take {at_hand.shown}: {said}") from None


def disarm(session: Session, pull: Pull) -> None:
    """Take back an auto-merge that was armed, or a place in the queue, for what must not merge any more."""
    if pull.proposal.state is not ProposalState.OPEN:
        return
    if pull.armed:
        given = {"pullRequestId": pull.node}
        _take_back(session, pull, "disablePullRequestAutoMerge", given, "the auto-merge")
    if _is_queued(session, pull):
        _take_back(session, pull, "dequeuePullRequest", {"id": pull.node}, "the place in the merge queue")


def _is_queued(session: Session, pull: Pull) -> bool:
    try:
        found = session.graphql(_QUEUED, _named(session, pull))
    except GraphQlSaysNo:  # a server without queues
        return False
    return bool(found["repository"]["pullRequest"]["isInMergeQueue"])


def _take_back(session: Session, pull: Pull, mutation: str, given: Json, what: str) -> None:
    shown = f"#{pull.proposal.number}"
    try:
        session.mutate(mutation, given, "clientMutationId", shown)
    except GraphQlSaysNo as said:
        raise Refused(f"{what} of {shown} cannot be taken back ({said}); do so by hand") from None
