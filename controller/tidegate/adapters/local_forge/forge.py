"""`ports.Forge` inside a bare git repository.

The whole state is one ref, `refs/tidegate/forge`, whose tree holds `proposals/<number>.json`. Every write is a
commit on it that says the event (`#7 approved by @dana`), made by compare-and-swap: its log is the audit trail,
and any number of processes may write at once. What git shows better than a record is looked up, never believed:
where the branch of an open proposal points now, and whether main contains it. `refs/tidegate/heads/<number>` is the
head of a closed proposal, whose branch may be gone.
Not here: who may approve or merge (the core decides), and running git (handed in as `GitDirectory`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from tidegate.adapters.local_forge import records
from tidegate.core.observed import Approval, Check, Comment, Proposal, ProposalState, PullRequest
from tidegate.errors import MergeConflict, OutsideSystem, Raced, Refused, WrongUse
from tidegate.ports import Draft, Serving, unconditionally

_FORGE = "refs/tidegate/forge"
_MAIN = "refs/heads/main"
_Moves = Mapping[str, tuple[str | None, str | None]]
_Result = TypeVar("_Result")


class Blob(Protocol):
    @property
    def text(self) -> str: ...


class GitDirectory(Protocol):
    """The git commands that a forge needs. Refs are full names; `move` takes (must be, shall be) for each ref,
    moves all or none, and raises Raced."""

    @property
    def path(self) -> Path: ...
    def run(self, *arguments: str, stdin: bytes = b"", accepted: Sequence[int] = (0,)) -> bytes: ...
    def refs(self, names: Sequence[str]) -> Sequence[str | None]: ...
    def objects(self, names: Sequence[str]) -> Sequence[Blob | None]: ...
    def entries(self, commit: str, under: Sequence[str]) -> Mapping[str, tuple[str, str]]: ...
    def write_tree(self, base: str | None, files: Mapping[str, str | None]) -> str: ...
    def write_commit(self, tree: str, parents: Sequence[str], message: str, at: datetime) -> str: ...
    def move(self, moves: _Moves) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The forge at one commit of its ref. `branches` says where those of open proposals point now."""

    commit: str | None
    recorded: Mapping[int, Proposal]
    branches: Mapping[str, str | None]
    proposals: Mapping[int, Proposal]

    def proposal(self, number: int) -> Proposal:
        if number not in self.proposals:
            raise WrongUse(f"there is no proposal #{number}; `tidegate pull list` shows those that are")
        return self.proposals[number]

    def open_on(self, branch: str) -> Proposal | None:
        found = (each for each in self.proposals.values() if each.branch == branch)
        return next((each for each in found if each.state is ProposalState.OPEN), None)


class LocalForge:
    """Proposals in git. Reads see one state; writes are retried until no other process wrote in between."""

    def __init__(self, git: GitDirectory) -> None:
        self._git = git
        self._parsed: dict[str, Proposal] = {}
        self._contained: tuple[object, Mapping[str, tuple[str, datetime]]] = (None, {})

    def proposals(self) -> tuple[Proposal, ...]:
        return tuple(self._state().proposals.values())

    def proposal(self, number: int) -> Proposal:
        return self._state().proposal(number)

    def create(self, draft: Draft, at: datetime) -> Proposal:
        def attempt(state: _State) -> Proposal:
            if (adopted := state.open_on(draft.branch)) is not None:
                return adopted
            self._require_news(draft)
            proposal = _opened(max(state.recorded, default=0) + 1, draft, at)
            where_it_must_be = {_branch(draft.branch): (draft.head, draft.head)}
            self._write(state, proposal, f"opened by {_handle(draft.author)}", at, where_it_must_be)
            return proposal

        return self._retried(attempt)

    def _require_news(self, draft: Draft) -> None:
        main, head = self._git.refs([_MAIN, _branch(draft.branch)])
        if head != draft.head:
            raise Raced(f"branch {draft.branch} is not at {draft.head}; read it again and decide again")
        if main is not None and not self._git.run("rev-list", "--max-count=1", head, f"^{main}", "--"):
            raise Refused(f"main contains {draft.branch} already; commit something there first")

    def describe(self, number: int, title: str, body: str, at: datetime) -> None:
        self._change(number, "described", at, lambda proposal: replace(proposal, title=title, body=body))

    def comment(self, number: int, author: str, text: str, marker: str, at: datetime) -> None:
        comment = Comment(author=author, at=at, text=text, marker=marker)
        event = f"commented by {_handle(author)}"
        self._change(number, event, at, lambda proposal: _commented(proposal, comment))

    def set_check(self, number: int, check: Check, at: datetime) -> None:
        event = f"check {check.state.value} at {check.head}"
        self._change(number, event, at, lambda proposal: replace(proposal, check=check))

    def approve(self, number: int, handle: str, head: str, at: datetime) -> None:
        event, approval = f"approved by {_handle(handle)}", Approval(handle=handle, head=head, at=at)
        self._change(number, event, at, lambda proposal: _approved(proposal, approval))

    def merge(
        self, number: int, head: str, message: str, at: datetime, *, still: Callable[[], bool] = unconditionally
    ) -> str:
        main = self._git.refs([_MAIN])[0]

        def attempt(state: _State) -> str:
            proposal = state.proposal(number)
            if proposal.merge_commit is not None:
                self._heal(state, proposal, at)
                return proposal.merge_commit
            _require_mergeable(state, proposal, head)
            if not still():
                raise Raced(f"#{number} may not merge any more; read it again and decide again")
            commit = self._merge_commit(main, proposal, message, at)
            merged = replace(proposal, state=ProposalState.MERGED, merged_at=at, merge_commit=commit)
            # main comes first: who is killed in between leaves a main that says it, never a record that lies.
            moves = {_MAIN: (main, commit), _branch(proposal.branch): (head, None)}
            self._write(state, merged, f"merged as {commit}", at, moves)
            return commit

        return self._retried(attempt)

    def _merge_commit(self, main: str | None, proposal: Proposal, message: str, at: datetime) -> str:
        if main is None:
            raise Refused(f"{self._git.path} has no branch main to merge into; push one")
        options = ("--write-tree", "-z", "--name-only", "--no-messages")
        output = self._git.run("merge-tree", *options, main, proposal.head, accepted=(0, 1))
        tree, *files = [part for part in _decoded(output).split("\0") if part]
        if files:
            step = f"merge main into {proposal.branch}, or close the proposal"
            raise MergeConflict(f"#{proposal.number} conflicts with main in {', '.join(files)}; {step}")
        trailer = ("--if-exists", "addIfDifferent", "--trailer", f"Tidegate-Proposal: {proposal.number}")
        text = self._git.run("interpret-trailers", *trailer, stdin=_encoded(f"{message.rstrip()}\n"))
        return self._git.write_commit(tree, (main, proposal.head), _decoded(text), at)

    def _heal(self, state: _State, proposal: Proposal, at: datetime) -> None:
        """Write down what main says already, and finish what the merge would have done."""
        if state.recorded[proposal.number].state is ProposalState.MERGED:
            return
        left = state.branches[proposal.branch] == proposal.head
        moves = {_branch(proposal.branch): (proposal.head, None)} if left else {}
        self._write(state, proposal, f"found merged as {proposal.merge_commit}", at, moves)

    def close(self, number: int, handle: str, at: datetime, *, ours: bool = False) -> None:
        event = f"closed by {_handle(handle)}{' (ours)' if ours else ''}"

        def attempt(state: _State) -> None:
            before = state.proposal(number)
            after = _closed(before, handle, ours=ours)
            if after != before:
                self._write(state, after, event, at, self._moves_of_closing(state, after))

        self._retried(attempt)

    def _moves_of_closing(self, state: _State, proposal: Proposal) -> _Moves:
        """Its head stays reachable, or `git gc` would take what reopening needs; of ours the branch goes."""
        kept, here = _kept_head(proposal.number), state.branches[proposal.branch]
        moves: dict[str, tuple[str | None, str | None]] = {}
        if self._git.objects([proposal.head])[0] is not None:
            moves[kept] = (self._git.refs([kept])[0], proposal.head)
        if proposal.closed_by_us and here is not None:
            moves[_branch(proposal.branch)] = (here, None)
        return moves

    def reopen(self, number: int, handle: str, at: datetime) -> None:
        def attempt(state: _State) -> None:
            proposal = state.proposal(number)
            if proposal.state is ProposalState.OPEN:
                return
            _require_reopenable(state, proposal)
            branch, keeps = _branch(proposal.branch), _kept_head(number)
            now, kept = self._git.refs([branch, keeps])
            opened = replace(proposal, state=ProposalState.OPEN, head=now or proposal.head, lifted=False)
            opened = replace(opened, closed_by=None, closed_by_us=False)
            moves = {branch: (now, opened.head), **({keeps: (kept, None)} if kept else {})}
            self._write(state, opened, f"reopened by {_handle(handle)}", at, moves)

        self._retried(attempt)

    def lift(self, number: int, handle: str, at: datetime) -> None:
        self._change(number, f"veto lifted by {_handle(handle)}", at, _lifted)

    def diff(self, number: int) -> str:
        proposal = self.proposal(number)
        base = f"{proposal.merge_commit}^1" if proposal.merge_commit else _MAIN
        plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        output = self._git.run("diff", *plain, f"{base}...{proposal.head}", "--")
        return _decoded(output)

    def show_serving(self, serving: Serving) -> None:
        """There is no place for it here: the rendered files say it."""

    def urgently(self) -> AbstractContextManager[None]:
        """There are no limits here."""
        return nullcontext()

    def tidy(self) -> None:
        """Write down every merge that main tells of, and remove the branches that a killed process left."""
        state = self._state()
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
        addresses = _decoded(self._git.run("show", "--no-patch", "--format=%ae", *commits, "--")).split()
        return frozenset(_handle(address.partition("@")[0]) for address in addresses)

    def _change(self, number: int, event: str, at: datetime, edit: Callable[[Proposal], Proposal]) -> None:
        def attempt(state: _State) -> None:
            before = state.proposal(number)
            if (after := edit(before)) != before:
                self._write(state, after, event, at)

        self._retried(attempt)

    def _retried(self, attempt: Callable[[_State], _Result]) -> _Result:
        """Attempt until no other process moved the forge's ref meanwhile. Each loser means that somebody won."""
        while True:
            state = self._state()
            try:
                return attempt(state)
            except Raced:
                if self._git.refs([_FORGE])[0] == state.commit:
                    raise

    def _write(self, state: _State, proposal: Proposal, event: str, at: datetime, moves: _Moves | None = None) -> None:
        text = records.text_of(replace(proposal, updated_at=at))
        tree = self._git.write_tree(state.commit, {records.path_of(proposal.number): text})
        parents = (state.commit,) if state.commit else ()
        commit = self._git.write_commit(tree, parents, f"#{proposal.number} {event}\n", at)
        self._git.move({**(moves or {}), _FORGE: (state.commit, commit)})

    def _state(self) -> _State:
        # The forge's ref is read before the branches, and main last: a merge in between shows as a merge.
        commit = self._git.refs([_FORGE])[0]
        recorded = self._recorded(commit)
        names = [each.branch for each in recorded.values() if each.state is ProposalState.OPEN]
        *heads, main = self._git.refs([*map(_branch, names), _MAIN])
        branches = dict(zip(names, heads, strict=True))
        seen = {number: _at_its_branch(each, branches) for number, each in recorded.items()}
        merges = self._merges(main, [each.head for each in seen.values() if each.state is ProposalState.OPEN])
        proposals = {number: _as_main_says(each, merges) for number, each in seen.items()}
        return _State(commit=commit, recorded=recorded, branches=branches, proposals=proposals)

    def _recorded(self, commit: str | None) -> dict[int, Proposal]:
        files = self._git.entries(commit, ("proposals",)) if commit else {}
        blobs = {identifier: path for path, (_, identifier) in files.items()}
        new = [identifier for identifier in blobs if identifier not in self._parsed]
        parsed = {identifier: self._parsed[identifier] for identifier in blobs if identifier in self._parsed}
        for identifier, blob in zip(new, self._git.objects(new), strict=True):
            parsed[identifier] = self._parse(blobs[identifier], blob)
        self._parsed = parsed
        return {each.number: each for each in sorted(parsed.values(), key=lambda proposal: proposal.number)}

    def _parse(self, path: str, blob: Blob | None) -> Proposal:
        try:
            return records.parse(blob.text if blob else "")
        except (ValueError, KeyError, TypeError) as error:
            step = "restore it from the ref's log, or use the version of Tidegate that wrote it"
            raise OutsideSystem(f"{self._git.path}: {path} of {_FORGE} is unreadable: {error}; {step}") from error

    def _merges(self, main: str | None, heads: Sequence[str]) -> Mapping[str, tuple[str, datetime]]:
        """Of these commits those that main contains, each with the commit that brought it there, and when."""
        if main is None:
            return {}
        key = (main, tuple(heads))
        known, merges = self._contained
        if known != key:
            merges = {head: self._brought_by(head, main) for head in self._contained_in(main, heads)}
            self._contained = (key, merges)
        return merges

    def _contained_in(self, main: str, heads: Sequence[str]) -> list[str]:
        present = [head for head, blob in zip(heads, self._git.objects(heads), strict=True) if blob is not None]
        if not present:
            return []
        outside = self._git.run("rev-list", *present, f"^{main}", "--").decode().split()
        return [head for head in present if head not in set(outside)]

    def _brought_by(self, head: str, main: str) -> tuple[str, datetime]:
        chain = self._git.run("rev-list", "--first-parent", main, "--").decode().split()
        after = self._git.run("rev-list", "--ancestry-path", main, f"^{head}", "--").decode().split()
        with_it = {head, *after}
        commit = [commit for commit in chain if commit in with_it][-1]
        seconds = int(self._git.run("show", "--no-patch", "--format=%ct", commit, "--"))
        return commit, datetime.fromtimestamp(seconds, UTC)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _branch(name: str) -> str:
    return f"refs/heads/{name}"


def _kept_head(number: int) -> str:
    """The ref that keeps the head of a closed proposal."""
    return f"refs/tidegate/heads/{number}"


def _handle(handle: str) -> str:
    return f"@{handle.removeprefix('@')}"


def _at_its_branch(proposal: Proposal, branches: Mapping[str, str | None]) -> Proposal:
    if proposal.state is not ProposalState.OPEN:
        return proposal
    return replace(proposal, head=branches[proposal.branch] or proposal.head)


def _as_main_says(proposal: Proposal, merges: Mapping[str, tuple[str, datetime]]) -> Proposal:
    if proposal.state is not ProposalState.OPEN or proposal.head not in merges:
        return proposal
    commit, at = merges[proposal.head]
    return replace(proposal, state=ProposalState.MERGED, merge_commit=commit, merged_at=at)


def _opened(number: int, draft: Draft, at: datetime) -> Proposal:
    return Proposal(
        number=number,
        branch=draft.branch,
        head=draft.head,
        title=draft.title,
        body=draft.body,
        state=ProposalState.OPEN,
        author=draft.author,
        created_at=at,
        updated_at=at,
    )


def _commented(proposal: Proposal, comment: Comment) -> Proposal:
    for place, said in enumerate(proposal.comments):
        if comment.marker and said.marker == comment.marker:
            if said.text == comment.text:
                return proposal
            edited = (*proposal.comments[:place], comment, *proposal.comments[place + 1 :])
            return replace(proposal, comments=edited)
    return replace(proposal, comments=(*proposal.comments, comment))


def _approved(proposal: Proposal, approval: Approval) -> Proposal:
    if proposal.head != approval.head:
        words = f"#{proposal.number} is at {proposal.head} by now, not at {approval.head}"
        raise Raced(f"{words}; look at it again, then approve")
    if any((given.handle, given.head) == (approval.handle, approval.head) for given in proposal.approvals):
        return proposal
    return replace(proposal, approvals=(*proposal.approvals, approval))


def _closed(proposal: Proposal, handle: str, *, ours: bool) -> Proposal:
    if proposal.state is ProposalState.MERGED:
        raise Refused(f"#{proposal.number} is merged; to undo it, revert {proposal.merge_commit}")
    if proposal.state is ProposalState.CLOSED:
        return proposal  # a person's closing stays a veto, whoever closes it again
    return replace(proposal, state=ProposalState.CLOSED, closed_by=handle, closed_by_us=ours, lifted=False)


def _lifted(proposal: Proposal) -> Proposal:
    if proposal.state is not ProposalState.CLOSED:
        raise Refused(f"#{proposal.number} is {proposal.state.value}, so there is no veto to lift")
    return replace(proposal, lifted=True)


def _require_mergeable(state: _State, proposal: Proposal, head: str) -> None:
    if proposal.state is ProposalState.CLOSED:
        raise Refused(f"#{proposal.number} is closed; reopen it first: tidegate pull reopen {proposal.number}")
    if state.branches[proposal.branch] is None:
        raise Refused(f"the branch of #{proposal.number} was deleted; push {proposal.branch} again, or close it")
    if proposal.head != head:
        raise Raced(f"#{proposal.number} is at {proposal.head} by now, not at {head}; read it and decide again")


def _require_reopenable(state: _State, proposal: Proposal) -> None:
    if proposal.state is ProposalState.MERGED:
        raise Refused(f"#{proposal.number} is merged; what it did can be proposed again, not reopened")
    if (other := state.open_on(proposal.branch)) is not None:
        raise Refused(f"#{other.number} is open on {proposal.branch} already; close that one first")
