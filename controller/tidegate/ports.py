"""What the use cases need from the outside, as Protocols. Adapters satisfy them; nobody here knows how.

Every method may raise `errors.OutsideSystem` when its system does not answer, and says so nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.listing import Listing, Unfit
from tidegate.core.manifest import Model
from tidegate.core.observed import Check, ModelVersion, Proposal, PullRequest
from tidegate.core.pin import Pin

Facts_co = TypeVar("Facts_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """One version of a file in first-parent history. `text` is None where the commit deleted it."""

    commit: str
    at: datetime
    text: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitInfo:
    """A commit: who made it (e-mail addresses), and its message.

    `proven` is False where a forge that signs our commits does not say of this one that it is ours: then its addresses
    are what anybody can write.
    """

    sha: str
    parents: tuple[str, ...]
    author: str
    committer: str
    at: datetime
    message: str
    proven: bool = True


def is_foreign(commits: Sequence[CommitInfo], identity: str, *, verb: bool = False) -> bool:
    """Whether somebody else's commit is among them.

    Of a person's verb the addresses are enough: they may run it with a token, for which no forge signs, and it takes
    their approval whoever wrote the commit.
    """
    return any(
        commit.author != identity or commit.committer != identity or not (commit.proven or verb) for commit in commits
    )


class Repository(Protocol):
    """The git repository that holds the desired state. Reads are by commit, so that one pass sees one state.

    Every write is a compare-and-swap: `expected` None means "must not exist". Losing the race raises `errors.Raced`.
    """

    identity: str
    """The e-mail address of our own commits."""

    def head(self, branch: str = "main") -> str | None: ...
    def read(self, commit: str, path: str) -> str | None: ...
    def read_many(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]: ...
    def paths(self, commit: str, under: Sequence[str] = ()) -> tuple[str, ...]: ...
    def links(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        """Those of these paths at which no file lies: a symbolic link, or a submodule."""
        ...

    def object_id(self, commit: str, path: str) -> str | None:
        """Id of the tree or blob at `path` (modes of its entries included for trees), None when absent."""
        ...

    def history(self, commit: str, path: str) -> tuple[FileVersion, ...]:
        """Every version of the file along first parents of `commit`, oldest first; survives deletion and
        re-creation."""
        ...

    def paths_ever(self, commit: str, folder: str) -> tuple[str, ...]:
        """Every path below a folder that first-parent history up to `commit` knows, deleted ones too."""
        ...

    def commits(self, base: str, head: str) -> tuple[CommitInfo, ...]:
        """Commits of `head` that `base` does not have, oldest first."""
        ...

    def last_change(self, commit: str, paths: Sequence[str]) -> str | None:
        """The newest first-parent commit up to `commit` that changed one of these paths."""
        ...

    def is_past(self, main: str, commit: str) -> bool:
        """Whether first-parent history up to `main` has this commit."""
        ...

    def commit_info(self, commit: str) -> CommitInfo: ...
    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        """Paths that differ between the merge base of the two and `head`."""
        ...

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both come from; names of refs are taken too. Raises WrongUse for no commit."""
        ...

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        """Every commit that both come from and that is in no other such commit: several after merges criss-cross."""
        ...

    def merged(self, main: str, head: str) -> str | None:
        """A commit of both as merging `head` into `main` would make it; None when they conflict. No ref moves.

        Where one holds the other it is that commit. Raises WrongUse for no commit.
        """
        ...

    def snapshot(self) -> str:
        """A commit of what the work tree holds now; HEAD's own where nothing differs, and in a bare repository.

        No ref moves, and the user's index stays as it is. The same files on the same HEAD give the same commit.
        """
        ...

    def write_commit(self, parent: str, files: Mapping[str, str | None], message: str, at: datetime) -> str:
        """A commit by our identity on `parent` with these files set (None deletes); no ref moves, no work tree."""
        ...

    def move_branch(self, branch: str, new: str | None, expected: str | None) -> None: ...
    def read_record(self, ref: str) -> str | None:
        """The text that `write_record` put behind a ref under refs/tidegate/."""
        ...

    def write_record(self, ref: str, text: str, expected: str | None) -> None:
        """Put text behind a ref; `expected` is the text read before (None: the ref must not exist)."""
        ...

    def records(self, prefix: str) -> Mapping[str, str]: ...
    def export(self, commit: str, paths: Sequence[str], into: Path) -> None:
        """Write the files of these paths as of `commit` into a folder, and nothing else."""
        ...


class WorkTree(Protocol):
    """The files of a checkout, as they lie on disk. Paths are relative to its root."""

    def listing(self) -> Listing: ...
    def changed_since(self, ref: str) -> frozenset[str]: ...
    def read(self, path: str) -> bytes | Unfit | None: ...
    def digest(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A proposal to be made: the branch exists and points to `head`."""

    branch: str
    head: str
    title: str
    body: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A merge that is not made yet: the forge took it on (queue, auto-merge), or waits for something of its own."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What an environment serves as of a commit of main: versions, each with whether it is the stable one. `last` is
    the model's last environment."""

    model: str
    environment: str
    last: bool
    commit: str
    versions: Mapping[int, bool]


def unconditionally() -> bool:
    """Nothing else has to hold for a merge than that its head is where it was."""
    return True


class Forge(Protocol):
    """Where proposals live. One open proposal per branch: creating a second one returns the first (adopted).

    `approve` records any handle; whether it counts is decided by the workspace's rules, in the core.
    """

    def proposals(self) -> tuple[Proposal, ...]:
        """Every proposal of ours that a decision may need, one call: all open ones and the closed and merged ones."""
        ...

    def proposal(self, number: int) -> Proposal: ...
    def create(self, draft: Draft, at: datetime) -> Proposal: ...
    def describe(self, number: int, title: str, body: str, at: datetime) -> None: ...
    def comment(self, number: int, author: str, text: str, marker: str, at: datetime) -> None:
        """Add a comment, or replace the one that carries the same non-empty marker."""
        ...

    def set_check(self, number: int, check: Check, at: datetime) -> None: ...
    def approve(self, number: int, handle: str, head: str, at: datetime) -> None:
        """Record an approval of this very head. Raises Raced where the proposal's head is another one by now."""
        ...

    def merge(
        self, number: int, head: str, message: str, at: datetime, *, still: Callable[[], bool] = unconditionally
    ) -> str | Waiting:
        """Merge the proposal if its head still is `head`; returns the merge commit, or what the forge waits for.

        `still` is asked as the last thing before it merges: whether it may, by what people have said until then.
        Raises Raced when it may not, or the head or main moved meanwhile, MergeConflict when it does not merge, Refused
        when it is closed. Merging what is merged already returns the same commit.
        """
        ...

    def close(self, number: int, handle: str, at: datetime, *, ours: bool = False) -> None:
        """Close it. `ours` writes the close marker first: without it the closing is a person's veto.

        Ours takes the branch away with it, a person's leaves it.
        """
        ...

    def reopen(self, number: int, handle: str, at: datetime) -> None:
        """Open it again; a branch that is gone is made again at the last head."""
        ...

    def lift(self, number: int, handle: str, at: datetime) -> None:
        """Mark a vetoed proposal as lifted, so that the transition may be tried with a new attempt."""
        ...

    def diff(self, number: int) -> str: ...
    def show_serving(self, serving: Serving) -> None:
        """Show what an environment serves by now, where the forge has a place for that. Nothing is read back."""
        ...

    def urgently(self) -> AbstractContextManager[None]:
        """Within it, the share of the forge's limits may be used that is kept for what must not wait."""
        ...

    def tidy(self) -> None:
        """Finish what a process that died in the middle of a merge or a closing left undone."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """Any pull request, ours or not, with all that may count as an approval. Raises WrongUse for no such number.

        Its head, a fork's too, can be read from the repository afterwards. `set_check` takes its number; the check's
        `head` may then be a commit that a merge queue made of it.
        """
        ...

    def sparingly(self) -> AbstractContextManager[None]:
        """Within it, what is kept of the forge's limits for what must not wait is not used: OutsideSystem instead."""
        ...

    def unchecked(self) -> Mapping[int, str]:
        """The open pull requests to main that are not among `proposals`, as these were listed last, with their heads;
        without those of which it is known that their check has come to its end. Strangers' are last."""
        ...

    def at_head(self, head: str) -> Sequence[int]:
        """The open pull requests to main with this head that are not among `proposals`, as these were listed last;
        strangers' are last."""
        ...

    def is_checked(self, head: str) -> bool:
        """Whether the check of a head has come to its end: neither missing nor waiting."""
        ...

    def members(self, team: str) -> frozenset[str]:
        """The handles of a team (`@org/team`), child teams' included. Raises WrongUse for one that is not there or may
        not be read."""
        ...

    def may_write(self, handle: str) -> bool:
        """Whether a person (`@dana`) may write to the repository."""
        ...

    def authors(self, commits: Sequence[str]) -> frozenset[str]:
        """The handles of those who wrote these commits, co-authors included; without those that the forge cannot
        tell."""
        ...


class Registry(Protocol):
    """The model registry: versions and aliases. Only names that carry our ownership tag are ever written to."""

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """All registered versions. `training_key` is what the registry's tags claim; the launch record must vouch."""
        ...

    def digest(self, name: str, number: int) -> str:
        """The digest of the version's bytes, read and hashed now (`sha256:…`)."""
        ...

    def register(self, name: str, run_id: str, digest: str, tags: Mapping[str, str]) -> ModelVersion:
        """Register the model that the run logged as `model`; a version of the same run is returned, not made again."""
        ...

    def aliases(self, name: str) -> Mapping[str, int]: ...
    def set_alias(self, name: str, alias: str, number: int) -> None: ...
    def delete_alias(self, name: str, alias: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A tracking run. `status` is MLflow's word: RUNNING, FINISHED, FAILED, KILLED."""

    run_id: str
    status: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Runs(Protocol):
    """The tracking server, as far as trainings need it."""

    def create(self, experiment: str, name: str, tags: Mapping[str, str], at: datetime) -> str: ...
    def run(self, run_id: str) -> Run | None: ...
    def end(self, run_id: str, status: str, tags: Mapping[str, str], at: datetime) -> None: ...
    def model_digest(self, run_id: str) -> str | None:
        """The digest of the bytes that the run logged as `model`; None when it logged none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One training run to be started: everything a launcher needs, nothing it must look up."""

    name: str
    run_id: str
    folder: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    deadline: datetime


class Launcher(Protocol):
    """Starts a run and detaches; the run ends by its lease even if we are gone (I13)."""

    def launch(self, launch: Launch) -> None: ...


class Metrics(Protocol):
    """Prometheus. Failures of single readings are values (`Unread`), so that the core can tell why."""

    def now(self) -> datetime | Unread:
        """The server's own time."""
        ...

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        """Raw samples of every series behind a selector in (start, end]."""
        ...

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        """What an expression answers at `start`, each `step` after it, and up to `end`: every series of it."""
        ...


class Target(Protocol):
    """What serves a model, as far as git is concerned: one rendered file per model and environment."""

    instant_revert: bool
    enforces_digest: bool

    def path(self, model: Model, environment: str) -> str: ...
    def render(self, model: Model, environment: str, pin: Pin) -> str: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


class Surveyor(Protocol[Facts_co]):
    """Looks at one system for `doctor`: reads only, and what it cannot see it says (`Unknown`) rather than raises."""

    def survey(self, clock: Clock) -> Facts_co: ...
