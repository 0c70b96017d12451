"""`ports.Forge` on GitHub: pull requests from branches `tidegate/…` of the repository itself.

The truth about a proposal is asked anew before each write to it. Not here: which there are (`listing`), reading the
JSON (`proposals`), and how to merge (`merging`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.adapters.github import checks, deployments, gate, marks, merging, proposals
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.git import Git
from tidegate.adapters.github.listing import Listing
from tidegate.adapters.github.proposals import Pull
from tidegate.adapters.github.session import Answer, Session
from tidegate.core.observed import MAIN, Check, CheckState, Proposal, ProposalState, PullRequest
from tidegate.errors import OutsideSystem, Raced, Refused, TidegateError, WrongUse
from tidegate.ports import Draft, Serving, Waiting, unconditionally

_LATELY = timedelta(hours=1)
"""So long the heads of merged proposals are fetched, for a look behind the merge."""


class GitHubForge:
    """Proposals as pull requests."""

    def __init__(self, session: Session, git: Git) -> None:
        self._session = session
        self._git = git
        self._path = session.address.path
        self._closed: dict[int, tuple[datetime, Proposal]] = {}
        self._checked: set[str] = set()
        self._listing = Listing(session)

    def __repr__(self) -> str:
        return f"GitHubForge({self._session.address.full_name!r})"

    def proposals(self) -> tuple[Proposal, ...]:
        found = self._complete(self._listing.pulls())
        self._listing.note(found)
        return found

    def proposal(self, number: int) -> Proposal:
        return self._complete([self._pull(number)])[0]

    def _pull(self, number: int) -> Pull:
        self._closed.pop(number, None)
        if (found := self._of_ours(number)) is None:
            raise WrongUse(f"there is no proposal #{number}; `tidegate pull list` shows those that are")
        return found

    def _of_ours(self, number: int) -> Pull | None:
        """The proposal of this number; None for a person's pull request, and where there is none."""
        data = self._session.find(f"{self._path}/pulls/{number}")
        if data is None or not proposals.is_ours(data):
            return None
        return proposals.parse(data, self._session.account)

    def _complete(self, pulls: list[Pull]) -> tuple[Proposal, ...]:
        """The proposals with what is said about them, and their commits here to be read."""
        found = [self._detailed(pull) for pull in pulls]
        lately = self._session.now() - _LATELY
        wanted = {each.head for each in found if each.state is ProposalState.OPEN or each.vetoes}
        wanted |= {each.head for each in found if each.merged_at is not None and each.merged_at > lately}
        wanted |= {approval.head for each in found for approval in each.approvals}
        here = self._git.have(wanted)
        return tuple(
            replace(each, approvals=tuple(given for given in each.approvals if given.head in here)) for each in found
        )

    def _detailed(self, pull: Pull) -> Proposal:
        """A proposal with what matters in its state, and stands elsewhere on GitHub."""
        match pull.proposal.state:
            case ProposalState.OPEN:
                return self._discussed(pull)
            case ProposalState.CLOSED:
                return self._explained(pull)
            case ProposalState.MERGED:
                return pull.proposal

    def _explained(self, pull: Pull) -> Proposal:
        """A closed proposal with who closed it, and whether that was lifted; asked once, until it changes."""
        number, changed = pull.proposal.number, pull.proposal.updated_at
        known = self._closed.get(number)
        if known is not None and known[0] == changed:
            return known[1]
        issue = self._session.get(f"{self._path}/issues/{number}").data
        said = self._said(number) if issue["comments"] else []
        found = proposals.closed(pull, issue, said, self._session.account)
        self._closed[number] = (changed, found)
        return found

    def _said(self, number: int) -> list[Json]:
        return list(self._session.pages(f"{self._path}/issues/{number}/comments"))

    def _say(self, number: int, body: str) -> None:
        self._closed.pop(number, None)
        self._session.send("POST", f"{self._path}/issues/{number}/comments", {"body": body})

    def _discussed(self, pull: Pull) -> Proposal:
        """An open proposal with its approvals, comments and check."""
        proposal, account = pull.proposal, self._session.account
        reviews = self._session.pages(f"{self._path}/pulls/{proposal.number}/reviews")
        said = self._said(proposal.number)
        given = tuple(proposals.approvals(reviews, said, pull.opener, account))
        return replace(
            proposal,
            approvals=gate.still_given(self._session, proposal.number, given),
            comments=tuple(shown for each in said if (shown := proposals.comment(each, account)) is not None),
            check=self._check(proposal.head),
        )

    def _check(self, head: str) -> Check | None:
        """None too where it cannot be read: it is set anew then, and fails this proposal alone, not the whole list."""
        try:
            return checks.read(self._session, head)
        except OutsideSystem:
            return None

    def create(self, draft: Draft, at: datetime) -> Proposal:  # noqa: ARG002 - GitHub has its own clock
        if (adopted := self._adopted(draft)) is not None:
            return adopted
        if self._git.head(draft.branch) != draft.head:
            raise Raced(f"branch {draft.branch} is not at {draft.head}; read it again and decide again")
        return self._opened(draft)

    def _adopted(self, draft: Draft) -> Proposal | None:
        """The open proposal of the branch. Raises Refused where a person closed the last one, Raced where this very
        head is merged: a squash leaves no trace of it on main, and who merged may have died before the branch went."""
        on_branch = self._listing.on(draft.branch)
        open_ = [pull for pull in on_branch if pull.proposal.state is ProposalState.OPEN]
        if open_:
            return self._complete(open_)[0]
        if on_branch:
            last = max(on_branch, key=lambda pull: pull.proposal.number)
            if last.proposal.state is ProposalState.MERGED and last.proposal.head == draft.head:
                self._remove_branch(draft.branch, draft.head)
                raise Raced(f"#{last.proposal.number} has merged {draft.branch} by now; read again and decide again")
            if self._complete([last])[0].vetoes:
                number = last.proposal.number
                raise Refused(f"a person closed #{number} on {draft.branch}; `tidegate retry {number}` lifts that")
        return None

    def _opened(self, draft: Draft) -> Proposal:
        body = {
            "title": marks.title(draft.title),
            "head": draft.branch,
            "base": MAIN,
            "body": marks.written({"author": draft.author}, draft.body),
        }
        answer = self._session.call("POST", f"{self._path}/pulls", body)
        if not answer.ok:
            return self._not_opened(draft, answer)
        pull = proposals.parse(answer.data, self._session.account)
        if pull.proposal.head != draft.head:
            raise Raced(f"branch {draft.branch} moved while #{pull.proposal.number} was opened; decide again")
        return pull.proposal

    def _not_opened(self, draft: Draft, answer: Answer) -> Proposal:
        words = answer.words.lower()
        if "already exists" in words:
            open_ = self._listing.on(draft.branch, "open")
            if open_:
                return self._complete(open_)[0]
            raise Raced(f"somebody proposed {draft.branch} a moment ago; the next pass sees it")
        if "no commits between" in words:
            raise Refused(f"main contains {draft.branch} already; commit something there first")
        if self._git.head(draft.branch) != draft.head:
            raise Raced(f"{draft.branch} moved while it was proposed; read it again and decide again")
        if answer.status == 422:
            raise Refused(
                f"{self._session.who} does not take {draft.branch}: {answer.words}; a rule or limit stands against it"
            )
        raise Refused(
            f"{self._session.who} opens no pull request: {answer.words}; the App or token needs pull requests: write"
        )

    def describe(self, number: int, title: str, body: str, at: datetime) -> None:  # noqa: ARG002
        pull = self._pull(number)
        text = marks.written({"author": pull.asked_by} if pull.asked_by else {}, body)
        as_read = marks.loud(marks.title(title)), marks.shown(text)
        if (pull.proposal.title, pull.proposal.body) != as_read:
            self._patch(number, title=marks.title(title), body=text)

    def comment(self, number: int, author: str, text: str, marker: str, at: datetime) -> None:  # noqa: ARG002
        body, account = proposals.commented(author, text, marker), self._session.account
        same = [
            said
            for said in (self._said(number) if marker else ())
            if account.is_of(said.get("user")) and marks.read(said.get("body"))[0].get("marker") == marker
        ]
        if not same:
            self._say(number, body)
            return
        first, *others = same
        if first["body"].replace("\r\n", "\n") != body:
            self._session.send("PATCH", f"{self._path}/issues/comments/{first['id']}", {"body": body})
        for said in others:  # two controllers wrote it at once
            self._session.call("DELETE", f"{self._path}/issues/comments/{said['id']}")

    def set_check(self, number: int, check: Check, at: datetime) -> None:  # noqa: ARG002
        try:
            if check.state is not CheckState.PASSED and (ours := self._of_ours(number)) is not None:
                merging.disarm(self._session, ours)
        except TidegateError as failure:
            # Other words than those that are due, so that the next pass tries again: a queue merges whatever the head's
            # check says.
            self._write(number, replace(check, state=CheckState.PENDING, summary=f"may still merge: {failure}"))
            raise
        self._write(number, check)

    def _write(self, number: int, check: Check) -> None:
        checks.write(self._session, number, check)
        if check.state is CheckState.PENDING:
            self._checked.discard(check.head)
        else:
            self._checked.add(check.head)

    def approve(self, number: int, handle: str, head: str, at: datetime) -> None:  # noqa: ARG002
        pull, account = self._pull(number), self._session.account
        if pull.proposal.head != head:
            raise Raced(f"#{number} is at {pull.proposal.head} by now, not at {head}; look at it again, then approve")
        given = self._discussed(pull).approvals
        if any((each.handle.lower(), each.head) == (handle.lower(), head) for each in given):
            return
        own = not account.bot and handle.lower() == f"@{account.login}".lower()
        if own and pull.opener != account.login:
            body = {"event": "APPROVE", "commit_id": head}
            self._session.send("POST", f"{self._path}/pulls/{number}/reviews", body)
            return
        if account.shared:
            raise Refused(
                f"{account.login} is every workflow, and cannot approve for {handle}; review #{number} on GitHub"
            )
        # GitHub takes no review of one's own pull request, nor one in somebody's name: their word is recorded.
        self._say(number, marks.written({"approves": head, "by": handle}, f"{handle} approves {head[:12]}."))

    def merge(
        self,
        number: int,
        head: str,
        message: str,
        at: datetime,  # noqa: ARG002 - GitHub has its own clock
        *,
        still: Callable[[], bool] = unconditionally,
    ) -> str | Waiting:
        pull = self._pull(number)
        proposal = pull.proposal
        if proposal.state is ProposalState.CLOSED:
            raise Refused(f"#{number} is closed; reopen it first: tidegate pull reopen {number}")
        if proposal.merge_commit is None and proposal.head != head:
            raise Raced(f"#{number} is at {proposal.head} by now, not at {head}; read it and decide again")
        merged = proposal.merge_commit or self._merged(pull, message, still)
        if isinstance(merged, str):
            with suppress(TidegateError):  # it is merged, whatever else fails; what is left behind is tidied later
                self._git.have((merged,))
                self._remove_branch(proposal.branch, proposal.head)
        return merged

    def _merged(self, pull: Pull, message: str, still: Callable[[], bool]) -> str | Waiting:
        title, _, rest = message.strip().partition("\n")
        text = _with_trailer(rest.strip(), f"Tidegate-Proposal: {pull.proposal.number}")
        at_hand = merging.Merge(session=self._session, git=self._git, pull=pull, title=title, message=text, still=still)
        return merging.merge(at_hand)

    def close(self, number: int, handle: str, at: datetime, *, ours: bool = False) -> None:  # noqa: ARG002
        pull = self._pull(number)
        proposal = pull.proposal
        if proposal.state is ProposalState.MERGED:
            raise Refused(f"#{number} is merged; to undo it, revert {proposal.merge_commit}")
        if proposal.state is ProposalState.OPEN:
            # The record comes first: a closing without one would read as somebody else's, a veto or none.
            self._say(number, marks.written({"closes": handle, "ours": ours}, f"{handle} closes this."))
            self._patch(number, state="closed")
        if ours and (proposal.state is ProposalState.OPEN or self._explained(pull).closed_by_us):
            self._remove_branch(proposal.branch, proposal.head)

    def reopen(self, number: int, handle: str, at: datetime) -> None:  # noqa: ARG002
        pull = self._pull(number)
        proposal = pull.proposal
        if proposal.state is ProposalState.OPEN:
            return
        self._require_reopenable(proposal)
        if self._git.head(proposal.branch) is None:
            self._git.have((proposal.head,))
            self._git.move_branch(proposal.branch, proposal.head, None)
        answer = self._session.call("PATCH", f"{self._path}/pulls/{number}", {"state": "open"})
        if answer.ok:
            return
        # GitHub opens nothing again whose branch was moved while it was closed: a new one says the same.
        self._opened(
            Draft(
                branch=proposal.branch,
                head=self._git.head(proposal.branch) or proposal.head,
                title=proposal.title,
                body=proposal.body,
                author=proposal.author,
            )
        )

    def _require_reopenable(self, proposal: Proposal) -> None:
        if proposal.state is ProposalState.MERGED:
            raise Refused(f"#{proposal.number} is merged; what it did can be proposed again, not reopened")
        if open_ := self._listing.on(proposal.branch, "open"):
            other = open_[0].proposal.number
            raise Refused(f"#{other} is open on {proposal.branch} already; close that one first")

    def lift(self, number: int, handle: str, at: datetime) -> None:  # noqa: ARG002
        pull = self._pull(number)
        if pull.proposal.state is not ProposalState.CLOSED:
            raise Refused(f"#{number} is {pull.proposal.state.value}, so there is no veto to lift")
        if not self._explained(pull).lifted:
            self._say(number, marks.written({"by": handle, "lifts": pull.closed_at}, f"{handle} lifts the veto."))

    def diff(self, number: int) -> str:
        proposal = self._pull(number).proposal
        base = self._git.head() if proposal.merge_commit is None else proposal.merge_commit
        wanted = {commit for commit in (base, proposal.head) if commit}
        if base is None or self._git.have(wanted) != wanted:
            raise Refused(f"the commits of #{number} are gone from {self._session.address.full_name}")
        return self._git.diff(base if proposal.merge_commit is None else f"{base}^1", proposal.head)

    def pull_request(self, number: int) -> PullRequest:
        found = gate.pull_request(self._session, number)
        self._git.have((found.head, *(approval.head for approval in found.approvals)))
        return found

    def unchecked(self) -> Mapping[int, str]:
        return {number: head for number, head in self._listing.others.items() if head not in self._checked}

    def at_head(self, head: str) -> Sequence[int]:
        return [number for number, there in self._listing.others.items() if there == head]

    def is_checked(self, head: str) -> bool:
        # Read once: who changes it then is an event's run.
        if head in self._checked:
            return True
        found = self._check(head)
        if found is None or found.state is CheckState.PENDING:
            return False
        self._checked.add(head)
        return True

    def members(self, team: str) -> frozenset[str]:
        return gate.members(self._session, team)

    def may_write(self, handle: str) -> bool:
        return gate.may_write(self._session, handle)

    def authors(self, commits: Sequence[str]) -> frozenset[str]:
        return gate.authors(self._session, commits)

    def show_serving(self, serving: Serving) -> None:
        deployments.show(self._session, serving)

    def urgently(self) -> AbstractContextManager[None]:
        return self._session.urgently()

    def sparingly(self) -> AbstractContextManager[None]:
        return self._session.sparingly()

    def tidy(self) -> None:
        """Take our auto-merge back from what goes to another branch by now, and remove the branches of what is merged,
        or closed by us, that a pass which died left behind."""
        try:
            for pull in self._listing.armed_elsewhere:
                merging.disarm(self._session, pull)
        finally:
            self._remove_left_behind()

    def _remove_left_behind(self) -> None:
        for branch, head in self._listing.left_behind.items():
            if not self._listing.on(branch, "open"):  # opened again since it was listed
                self._remove_branch(branch, head)
        self._listing.left_behind = {}

    def _remove_branch(self, branch: str, head: str) -> None:
        """Take a branch away, unless somebody has pushed to it since."""
        with suppress(Raced):
            if self._git.head(branch) == head:
                self._git.move_branch(branch, None, head)

    def _patch(self, number: int, **changes: str) -> None:
        self._session.send("PATCH", f"{self._path}/pulls/{number}", changes)


def _with_trailer(message: str, trailer: str) -> str:
    """The message with one more trailer, in the block of those that it ends with."""
    last = message.rpartition("\n\n")[2]
    block = bool(last) and all(": " in line for line in last.splitlines())
    return f"{message}\n{trailer}" if block else f"{message}\n\n{trailer}".strip()
