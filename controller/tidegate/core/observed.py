"""What is true at one moment: registered versions, proposals, pins as they came to be, trainings. Plain data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from tidegate.core.manifest import Environment
from tidegate.core.pin import Pin, Rejected
from tidegate.core.quantity import VersionPin

if TYPE_CHECKING:
    from tidegate.core.judging.budget import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A system that did not answer: its name and address (no credentials), and what it said."""

    system: str
    words: str

    def __str__(self) -> str:
        return f"{self.system}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A registered version. `training_key` is only set where the launch record in git vouches for its run and bytes."""

    number: int
    digest: str
    training_key: str | None
    run_id: str
    created_at: datetime
    source: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def pin(self) -> VersionPin:
        return VersionPin(version=self.number, digest=self.digest)


class TrainingState(Enum):
    """How far main's training key has come."""

    ABSENT = "absent"
    RUNNING = "running"
    FAILED = "failed"
    GATED = "gates failed"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The training of main's key: state, and the words a person needs (exit code, last lines of the log, gate)."""

    key: str
    state: TrainingState
    words: str = ""
    run_id: str | None = None
    attempt: int = 1
    version: int | None = None
    until: datetime | None = None


MAIN = "main"
"""The branch that says what is wanted; every proposal is made for it."""

OURSELVES = "tidegate"
"""The author of a proposal that the loop decided, and nobody asked for."""


class ProposalState(Enum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class CheckState(Enum):
    """The one required check `tidegate`."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Result of the required check for one head commit."""

    head: str
    state: CheckState
    summary: str

    @property
    def is_final(self) -> bool:
        """Whether it waits for nothing."""
        return self.state is not CheckState.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's approval, given at `head`; it counts for the transition that this head proposed."""

    handle: str
    head: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment; those of ours are found again by `marker` and edited in place."""

    author: str
    at: datetime
    text: str
    marker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal on the forge. `closed_by_us` is the close marker; `lifted` says that a person lifted a veto;
    `foreign` that somebody else's commit is on the branch; `moves` is what it would change, whatever it follows from;
    `base` the branch that it goes to, or went to: on some forges people may change it.
    """

    number: int
    branch: str
    head: str
    title: str
    body: str
    state: ProposalState
    author: str
    created_at: datetime
    updated_at: datetime
    base: str = MAIN
    merged_at: datetime | None = None
    merge_commit: str | None = None
    closed_by: str | None = None
    closed_by_us: bool = False
    lifted: bool = False
    foreign: bool = False
    moves: str = ""
    check: Check | None = None
    approvals: tuple[Approval, ...] = ()
    comments: tuple[Comment, ...] = ()

    @property
    def vetoes(self) -> bool:
        """Whether a person closed it (ours carry a close marker) and nobody lifted that."""
        return self.state is ProposalState.CLOSED and not self.closed_by_us and not self.lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label, and who set it."""

    name: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """Any pull request as the approval gate sees it: a proposal of ours, a person's, or one from a fork.

    `approvals` hold the last review of each person that still stands; `comments` only those that nobody edited. All
    names are handles: `@dana`, and `@tidegate[bot]` for a bot.
    """

    number: int
    base: str
    branch: str
    head: str
    author: str
    state: ProposalState
    fork: bool = False
    approvals: tuple[Approval, ...] = ()
    comments: tuple[Comment, ...] = ()
    labels: tuple[Label, ...] = ()
    check: Check | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinChange:
    """One version of a pin file in main's first-parent history (unreadable ones are left out). None: deleted."""

    commit: str
    at: datetime
    pin: Pin | None
    proposal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentObserved:
    """One environment of one model: its pin file's history (oldest first; the last one is main's).

    `policy` is the environment as the frozen policy commit has it; `unreadable` says why main's pin file cannot be
    read; `rendered` whether main's rendered file says what the pin file says. Where it does not, `pin_alone` tells that
    the pin file alone is why: with the manifest as of its last change it leads to the same file.
    """

    history: tuple[PinChange, ...] = ()
    policy: Environment | None = None
    unreadable: str | None = None
    digest_mismatch: tuple[int, ...] = ()
    rendered: bool = True
    pin_alone: bool = False

    @property
    def pin(self) -> Pin | None:
        return self.history[-1].pin if self.history else None

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The rejections of the last readable pin file: deleting the file, or breaking it, lifts none (I6)."""
        return last_rejected(self.history)


def last_rejected(history: Sequence[PinChange]) -> tuple[Rejected, ...]:
    """The rejections of the newest readable pin file in a history."""
    return next((change.pin.rejected for change in reversed(history) if change.pin is not None), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One model at one moment.

    `policy_commits` are, by environment, the oldest commits since which main wants the same of it; `key_at` maps
    commits to main's training key then; `invalid` says why main's manifest cannot be read (its last valid text is used
    meanwhile); `recorded_keys` are training keys by version, from the launch records; `rejected_elsewhere` are the
    rejections of environments that the model has no more; `budgets` are those of environments that a version is about
    to enter.
    """

    main: str
    policy_commits: Mapping[str, str]
    training: Training
    versions: tuple[ModelVersion, ...] | Unavailable
    proposals: tuple[Proposal, ...]
    environments: Mapping[str, EnvironmentObserved]
    invalid: str | None = None
    key_at: Mapping[str, str] = field(default_factory=dict)
    recorded_keys: Mapping[int, str] = field(default_factory=dict)
    rejected_elsewhere: tuple[tuple[str, Rejected], ...] = ()
    unsettled_dependencies: tuple[str, ...] = ()
    budgets: Mapping[str, tuple[Budget, ...]] = field(default_factory=dict)
    failing_siblings: Mapping[str, str] = field(default_factory=dict)
