"""`ports.Forge` inside a bare git repository.

The whole state is one ref, `refs/tidegate/forge`, whose tree holds `proposals/<number>.json`. Every write is a
commit on it that says the event (`#7 approved by @dana`), made by compare-and-swap: its log is the audit trail,
and any number of processes may write at once. What git shows better than a record is looked up, never believed:
where the branch of an open proposal points now, and whether main contains it. `refs/tidegate/heads/<number>` is the
head of a closed proposal, whose branch may be gone.
Not here: who may approve or merge (the core decides), what an event changes (`changes`), and reading (`state`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from tidegate.adapters.local_forge import changes, records
from tidegate.adapters.local_forge.git_directory import (
    FORGE,
    MAIN,
    GitDirectory,
    Moves,
    branch_ref,
    decoded,
    encoded,
    kept_ref,
)
from tidegate.adapters.local_forge.state import Reader, State
from tidegate.core.observed import Approval, Check, Comment, Proposal, ProposalState, PullRequest
from tidegate.errors import MergeConflict, Raced, Refused
from tidegate.ports import Draft, Serving, unconditionally

_Result = TypeVar("_Result")


class LocalForge:
    """Proposals in git. Reads see one state; writes are retried until no other process wrote in between."""

    def __init__(self, git: GitDirectory) -> None:
        self._git = git
        self._reader = Reader(git)

    def proposals(self) -> tuple[Proposal, ...]:
        return tuple(self._reader.state().proposals.values())

    def proposal(self, number: int) -> Proposal:
        return self._reader.state().proposal(number)

    def create(self, draft: Draft, at: datetime) -> Proposal:
        def attempt(state: State) -> Proposal:
            if (adopted := state.open_on(draft.branch)) is not None:
                return adopted
            self._require_news(draft)
            proposal = changes.opened(max(state.recorded, default=0) + 1, draft, at)
            where_it_must_be = {branch_ref(draft.branch): (draft.head, draft.head)}
            self._write(state, proposal, f"opened by {_handle(draft.author)}", at, where_it_must_be)
            return proposal

        return self._retried(attempt)

    def _require_news(self, draft: Draft) -> None:
        main, head = self._git.refs([MAIN, branch_ref(draft.branch)])
        if head != draft.head:
            raise Raced(f"branch {draft.branch} is not at {draft.head}; read it again and decide again")
        if main is not None and not self._git.run("rev-list", "--max-count=1", head, f"^{main}", "--"):
            raise Refused(f"main contains {draft.branch} already; commit something there first")

    def describe(self, number: int, title: str, body: str, at: datetime) -> None:
        self._change(number, "described", at, lambda proposal: replace(proposal, title=title, body=body))

    def comment(self, number: int, author: str, text: str, marker: str, at: datetime) -> None:
        comment = Comment(author=author, at=at, text=text, marker=marker)
        event = f"commented by {_handle(author)}"
        self._change(number, event, at, lambda proposal: changes.commented(proposal, comment))

    def set_check(self, number: int, check: Check, at: datetime) -> None:
        event = f"check {check.state.value} at {check.head}"
        self._change(number, event, at, lambda proposal: replace(proposal, check=check))

    def approve(self, number: int, handle: str, head: str, at: datetime) -> None:
        event, approval = f"approved by {_handle(handle)}", Approval(handle=handle, head=head, at=at)
        self._change(number, event, at, lambda proposal: changes.approved(proposal, approval))

    def merge(
        self, number: int, head: str, message: str, at: datetime, *, still: Callable[[], bool] = unconditionally
    ) -> str:
        main = self._git.refs([MAIN])[0]

        def attempt(state: State) -> str:
            proposal = state.proposal(number)
            if proposal.merge_commit is not None:
                self._heal(state, proposal, at)
                return proposal.merge_commit
            changes.require_mergeable(state, proposal, head)
            if not still():
                raise Raced(f"#{number} may not merge any more; read it again and decide again")
            commit = self._merge_commit(main, proposal, message, at)
            merged = replace(proposal, state=ProposalState.MERGED, merged_at=at, merge_commit=commit)
            # main comes first: who is killed in between leaves a main that says it, never a record that lies.
            moves = {MAIN: (main, commit), branch_ref(proposal.branch): (head, None)}
            self._write(state, merged, f"merged as {commit}", at, moves)
            return commit

        return self._retried(attempt)

    def _merge_commit(self, main: str | None, proposal: Proposal, message: str, at: datetime) -> str:
        if main is None:
            raise Refused(f"{self._git.path} has no branch main to merge into; push one")
        options = ("--write-tree", "-z", "--name-only", "--no-messages")
        output = self._git.run("merge-tree", *options, main, proposal.head, accepted=(0, 1))
        tree, *files = [part for part in decoded(output).split("\0") if part]
        if files:
            step = f"merge main into {proposal.branch}, or close the proposal"
            raise MergeConflict(f"#{proposal.number} conflicts with main in {', '.join(files)}; {step}")
        trailer = ("--if-exists", "addIfDifferent", "--trailer", f"Tidegate-Proposal: {proposal.number}")
        text = self._git.run("interpret-trailers", *trailer, stdin=encoded(f"{message.rstrip()}\n"))
        return self._git.write_commit(tree, (main, proposal.head), decoded(text), at)

    def _heal(self, state: State, proposal: Proposal, at: datetime) -> None:
        """Write down what main says already, and finish what the merge would have done."""
        if state.recorded[proposal.number].state is ProposalState.MERGED:
            return
        left = state.branches[proposal.branch] == proposal.head
        moves = {branch_ref(proposal.branch): (proposal.head, None)} if left else {}
        self._write(state, proposal, f"found merged as {proposal.merge_commit}", at, moves)

    def close(self, number: int, handle: str, at: datetime, *, ours: bool = False) -> None:
        event = f"closed by {_handle(handle)}{' (ours)' if ours else ''}"

        def attempt(state: State) -> None:
            before = state.proposal(number)
            after = changes.closed(before, handle, ours=ours)
            if after != before:
                self._write(state, after, event, at, self._moves_of_closing(state, after))

        self._retried(attempt)

    def _moves_of_closing(self, state: State, proposal: Proposal) -> Moves:
        """Its head stays reachable, or `git gc` would take what reopening needs; of ours the branch goes."""
        kept, here = kept_ref(proposal.number), state.branches[proposal.branch]
        moves: dict[str, tuple[str | None, str | None]] = {}
        if self._git.objects([proposal.head])[0] is not None:
            moves[kept] = (self._git.refs([kept])[0], proposal.head)
        if proposal.closed_by_us and here is not None:
            moves[branch_ref(proposal.branch)] = (here, None)
        return moves

    def reopen(self, number: int, handle: str, at: datetime) -> None:
        def attempt(state: State) -> None:
            proposal = state.proposal(number)
            if proposal.state is ProposalState.OPEN:
                return
            changes.require_reopenable(state, proposal)
            branch, keeps = branch_ref(proposal.branch), kept_ref(number)
            now, kept = self._git.refs([branch, keeps])
            opened = replace(proposal, state=ProposalState.OPEN, head=now or proposal.head, lifted=False)
            opened = replace(opened, closed_by=None, closed_by_us=False)
            moves = {branch: (now, opened.head), **({keeps: (kept, None)} if kept else {})}
            self._write(state, opened, f"reopened by {_handle(handle)}", at, moves)

        self._retried(attempt)

    def lift(self, number: int, handle: str, at: datetime) -> None:
        self._change(number, f"veto lifted by {_handle(handle)}", at, changes.lifted)

    def diff(self, number: int) -> str:
        proposal = self.proposal(number)
        base = f"{proposal.merge_commit}^1" if proposal.merge_commit else MAIN
        plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        output = self._git.run("diff", *plain, f"{base}...{proposal.head}", "--")
        return decoded(output)

    def show_serving(self, serving: Serving) -> None:
        """There is no place for it here: the rendered files say it."""

    def urgently(self) -> AbstractContextManager[None]:
        """There are no limits here."""
        return nullcontext()

    def tidy(self) -> None:
        """Write down every merge that main tells of, and remove the branches that a killed process left."""
        state = self._reader.state()
        for number, recorded in state.recorded.items():
            merged = state.proposals[number]
            if recorded.state is ProposalState.OPEN and merged.merge_commit is not None and merged.merged_at:
                self.merge(number, merged.head, "", merged.merged_at)

    def pull_request(self, number: int) -> PullRequest:
        proposal = self.proposal(number)
        return PullRequest(
            number=number,
            base="main",
            branch=proposal.branch,
            head=proposal.head,
            author=_handle(proposal.author),
            state=proposal.state,
            approvals=proposal.approvals,
            comments=proposal.comments,
            check=proposal.check,
        )

    def sparingly(self) -> AbstractContextManager[None]:
        """There are no limits here."""
        return nullcontext()

    def unchecked(self) -> Mapping[int, str]:
        """None: every pull request is a proposal here."""
        return {}

    def at_head(self, head: str) -> Sequence[int]:  # noqa: ARG002
        """None: every pull request is a proposal here."""
        return ()

    def is_checked(self, head: str) -> bool:
        checks = (each.check for each in self.proposals() if each.head == head)
        return any(check is not None and check.head == head and check.is_final for check in checks)

    def members(self, team: str) -> frozenset[str]:
        """There are no teams here: who comes as `@org/team` speaks for it."""
        return frozenset({team})

    def may_write(self, handle: str) -> bool:  # noqa: ARG002
        """Who can approve here writes the repository's folder."""
        return True

    def authors(self, commits: Sequence[str]) -> frozenset[str]:
        """There are no accounts here: `dana@example.org` is taken for @dana."""
        if not commits:
            return frozenset()
        addresses = decoded(self._git.run("show", "--no-patch", "--format=%ae", *commits, "--")).split()
        return frozenset(_handle(address.partition("@")[0]) for address in addresses)

    def _change(self, number: int, event: str, at: datetime, edit: Callable[[Proposal], Proposal]) -> None:
        def attempt(state: State) -> None:
            before = state.proposal(number)
            if (after := edit(before)) != before:
                self._write(state, after, event, at)

        self._retried(attempt)

    def _retried(self, attempt: Callable[[State], _Result]) -> _Result:
        """Attempt until no other process moved the forge's ref meanwhile. Each loser means that somebody won."""
        while True:
            state = self._reader.state()
            try:
                return attempt(state)
            except Raced:
                if self._git.refs([FORGE])[0] == state.commit:
                    raise

    def _write(self, state: State, proposal: Proposal, event: str, at: datetime, moves: Moves | None = None) -> None:
        text = records.text_of(replace(proposal, updated_at=at))
        tree = self._git.write_tree(state.commit, {records.path_of(proposal.number): text})
        parents = (state.commit,) if state.commit else ()
        commit = self._git.write_commit(tree, parents, f"#{proposal.number} {event}\n", at)
        self._git.move({**(moves or {}), FORGE: (state.commit, commit)})


def _handle(handle: str) -> str:
    return f"@{handle.removeprefix('@')}"
