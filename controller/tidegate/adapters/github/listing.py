"""Which pull requests are proposals, at a cost that does not grow with how many ever were.

Three conditional reads a pass: the open ones, a page of those that changed last, and the branches of ours. A branch
without a pull request among the former is looked up by its name: a person who closes leaves the branch, so that a veto
is found however old it is. Where the branch is gone too, an old veto is found when it is to be proposed again (`create`
looks), and stands here from then on. A fourth is asked where people propose one commit more than once: who may write.
Not here: what is said about them (`forge`), and reading one (`proposals`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from tidegate.adapters.github import proposals
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.proposals import Pull
from tidegate.adapters.github.session import PAGE, Session
from tidegate.core.observed import MAIN, Proposal, ProposalState
from tidegate.errors import TidegateError


class Listing:
    """The proposals of one repository. As last seen: `left_behind` are branches of ours whose proposal is done,
    `armed_elsewhere` what our auto-merge would merge into another branch than main, `others` the open pull requests to
    main that are no proposals, with their heads: strangers' last."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = session.address.path
        self._old: dict[str, Pull] = {}
        self._last_page: frozenset[int] = frozenset()
        self._there: Mapping[str, str] = {}
        self.left_behind: dict[str, str] = {}
        self.armed_elsewhere: list[Pull] = []
        self.others: dict[int, str] = {}

    def pulls(self) -> list[Pull]:
        """All that a decision may need, oldest first; and what was merged into another branch, to be told."""
        listed = list(self._session.pages(f"{self._path}/pulls", state="open"))
        self.armed_elsewhere = self._ours(data for data in listed if self._is_armed_elsewhere(data))
        every = [data for data in listed if _is_to_main(data)]
        others = self._strangers_last([data for data in every if not proposals.is_ours(data)])
        self.others = {int(data["number"]): data["head"]["sha"] for data in others}
        open_ = self._ours(every)
        closed = self._recent()
        self._there = branches = self._branches()
        known = {pull.proposal.branch for pull in (*open_, *closed) if pull.proposal.base == MAIN}
        old = [pull for branch in branches if branch not in known and (pull := self._looked_up(branch)) is not None]
        # The lists are not of one instant: what was open in the first and closed in the second was closed in between.
        found = {pull.proposal.number: pull for pull in (*open_, *old, *closed)}
        return [found[number] for number in sorted(found)]

    def _is_armed_elsewhere(self, data: Json) -> bool:
        armed_by = (data.get("auto_merge") or {}).get("enabled_by")
        return not _is_to_main(data) and self._session.account.believes(armed_by)

    def _strangers_last(self, others: Sequence[Json]) -> Sequence[Json]:
        """So that however many of them propose a person's commit, the person's own is looked at.

        Who may write is asked where a commit is proposed more than once, and the order matters.
        """
        shared = len({data["head"]["sha"] for data in others}) < len(others)
        return sorted(others, key=partial(_strangeness, writers=self._writers() if shared else None))

    def _writers(self) -> frozenset[str] | None:
        """The logins of those who may write; None where GitHub does not list them for us."""
        try:
            people = list(self._session.pages(f"{self._path}/collaborators", permission="push"))
        except TidegateError:
            return None
        return frozenset(person["login"] for person in people)

    def note(self, found: Collection[Proposal]) -> None:
        """Take down which branches are left behind, now that it is known who closed what."""
        self.left_behind = _left_behind(found, self._there)

    def _recent(self) -> list[Pull]:
        """Those closed or merged that changed last, one page of them."""
        order: dict[str, str] = {"state": "closed", "sort": "updated", "direction": "desc"}
        page = self._session.get(f"{self._path}/pulls", **order, per_page=PAGE).data
        numbers = frozenset(int(data["number"]) for data in page)
        # Whatever changes comes to this page: what was looked up stays true while no page was missed.
        if len(page) == PAGE and not numbers & self._last_page:
            self._old.clear()
        self._last_page = numbers
        return self._ours(data for data in page if _is_to_main(data) or data.get("merged_at"))

    def _branches(self) -> dict[str, str]:
        refs = self._session.get(f"{self._path}/git/matching-refs/heads/{proposals.OURS.rstrip('/')}").data
        names = {ref["ref"].removeprefix("refs/heads/"): ref["object"]["sha"] for ref in refs}
        return {name: sha for name, sha in names.items() if name.startswith(proposals.OURS)}

    def _looked_up(self, branch: str) -> Pull | None:
        if branch in self._old:
            return self._old[branch]
        pull = max(self.on(branch), key=lambda pull: pull.proposal.number, default=None)
        if pull is not None and pull.proposal.state is not ProposalState.OPEN:
            self._old[branch] = pull
        return pull

    def on(self, branch: str, state: str = "all") -> list[Pull]:
        """The pull requests of one branch. A head without its owner would be ignored, and all of them be listed."""
        head = f"{self._session.address.owner}:{branch}"
        found = self._session.pages(f"{self._path}/pulls", state=state, head=head, base=MAIN)
        return [pull for pull in self._ours(found) if pull.proposal.branch == branch]

    def _ours(self, found: Iterable[Json]) -> list[Pull]:
        return [proposals.parse(data, self._session.account) for data in found if proposals.is_ours(data)]


def _is_to_main(data: Json) -> bool:
    return bool(data["base"]["ref"] == MAIN)


def _strangeness(data: Json, writers: frozenset[str] | None) -> tuple[bool, bool, int]:
    """By what pull requests are ordered. Where it is not known who may write, how an author stands to the repository is
    a hint, and no more: GitHub shows a membership to those alone who may know of it."""
    hint = data.get("author_association") in ("OWNER", "MEMBER", "COLLABORATOR")
    belongs = hint if writers is None else (data.get("user") or {}).get("login") in writers
    return proposals.is_fork(data), not belongs, int(data["number"])


def _left_behind(found: Collection[Proposal], branches: Mapping[str, str]) -> dict[str, str]:
    """Branches with a proposal that is done, and none that is open."""
    done: dict[str, str] = {}
    for proposal in found:
        is_done = proposal.state is ProposalState.MERGED or proposal.closed_by_us
        if is_done and branches.get(proposal.branch) == proposal.head:
            done[proposal.branch] = proposal.head
    open_ = {proposal.branch for proposal in found if proposal.state is ProposalState.OPEN}
    return {branch: head for branch, head in done.items() if branch not in open_}
