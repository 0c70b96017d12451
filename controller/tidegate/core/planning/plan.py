"""A plan: what a change does when merged, as plain data. How it comes about stands in the modules beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Gate, Judge
from tidegate.core.observed import Training, TrainingState
from tidegate.core.pin import Pin
from tidegate.core.workspace import Approvals


class Fate(Enum):
    """What becomes of a model."""

    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    MOVED = "moved"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the training key that changes, by the name that `--explain-key` gives it.

    Values are short text, None where a side has none. Of a tree or a lock file it is the changed `files` that count.
    """

    name: str
    before: str | None = None
    after: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The training keys before and after (None: not trained), and how far the new one has come already.

    `rejected` is the environment that rejects the new key or the version it led to, and the reason given there.
    """

    before: str | None
    after: str | None
    parts: tuple[Part, ...] = ()
    progress: Training | None = None
    rejected: tuple[str, str] | None = None

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def launches(self) -> bool:
        """Whether the merge asks for a run that nobody launched yet."""
        if not self.changes or self.after is None:
            return False
        return self.progress is None or self.progress.state is TrainingState.ABSENT

    @property
    def leads_on(self) -> bool:
        """Whether the new key can lead to a version that enters environments."""
        stuck = (TrainingState.FAILED, TrainingState.GATED)
        known = self.progress is not None and self.progress.state in stuck
        return self.changes and self.after is not None and self.rejected is None and not known


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChange:
    """A gate that a candidate must pass, as it was and as it will be (None: not there)."""

    metric: str
    before: Gate | None
    after: Gate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A rollout in flight: a canary with its weight, or a version on probation (`weight` None) until an instant.

    `policy` is the commit whose objectives and rollout it is judged by, None where none is frozen.
    """

    version: int
    weight: float | None = None
    until: datetime | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How the next version enters one environment, and what it meets there.

    `steps` is empty where it enters at 100 %. `approval` None: nobody is asked. `serves` is the stable version there
    now; `flight` must end first; `holds` are reasons of people's holds that stop promotions.
    """

    environment: str
    after: tuple[str, ...]
    steps: tuple[float, ...]
    bake: timedelta
    judge: Judge
    approval: Approvals | None
    probation: timedelta
    serves: int | None = None
    flight: Flight | None = None
    holds: tuple[str, ...] = ()


class Acts(Enum):
    """From when on an edit counts. `frozen`: with the next rollout, and not with the one in flight."""

    AT_ONCE = "at-once"
    NEXT_RUN = "next-run"
    NEXT_ENTRY = "next-entry"
    NEXT_ROLLOUT = "next-rollout"
    FROZEN = "frozen"
    THROUGH_MODELS = "through-models"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A setting that changes, for the environments named (none: for the model, or the workspace)."""

    setting: str
    before: str | None
    after: str | None
    acts: Acts
    environments: tuple[str, ...] = ()


class Origin(Enum):
    """Who wrote a pin file, as the file itself tells."""

    TRANSITION = "transition"
    BROUGHT_BACK = "brought-back"
    BY_HAND = "by-hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinEdit:
    """A pin file that this change touches. `holds`: the environment then counts as set by a person."""

    environment: str
    path: str
    before: Pin | None
    after: Pin | None
    origin: Origin
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderChange:
    """A rendered file that main should have after the merge.

    `carried`: this change brings exactly that text along; else a proposal does, and a person is asked where `asks`.
    `spoilt`: this change writes another text into it.
    """

    environment: str
    path: str
    before: str | None
    after: str
    carried: bool
    spoilt: bool = False
    asks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A model, an environment or a name that nothing looks after any more.

    `serving` are the stable versions by environment, `aliases` those of ours in the registry. Pin files in `pins` and
    rendered ones in `rendered` stay behind; `gone` are rendered files that this change deletes.
    """

    registry_name: str
    serving: Mapping[str, int] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    rendered: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    running: str | None = None
    dependants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """A model that goes on under another name or in another folder.

    `follow` are environments whose pin files go along, `stay` those whose pin files do not.
    """

    name: tuple[str, str] | None
    folder: tuple[str, str] | None
    follow: tuple[str, ...] = ()
    stay: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """An environment that a model gets; `first` is passed by every version from its first one on."""

    environment: str
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRollout:
    """A real rollout of which the changed policy would have decided otherwise (`after`) than main's (`before`)."""

    environment: str
    version: int
    entered: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """The last rollouts replayed by main's policy and by the changed one.

    `incomparable` are those of which too little was read under one of them; `older` ones were left out, for want of
    time where it is `hurried`; `unread` says why not all could be read. `head` (empty: the work tree) and `base` are
    the names under which the two were asked for.
    """

    rollouts: int
    differing: tuple[PastRollout, ...] = ()
    incomparable: int = 0
    older: int = 0
    hurried: bool = False
    unread: str = ""
    head: str = ""
    base: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """What the change does to one model. `backtest` is None where the policy stays what it is."""

    name: str
    path: str
    fate: Fate
    training: TrainingPlan | None = None
    gates: tuple[GateChange, ...] = ()
    judged_again: bool = False
    walk: tuple[Entry, ...] = ()
    added: tuple[Added, ...] = ()
    edits: tuple[Edit, ...] = ()
    flights: Mapping[str, Flight] = field(default_factory=dict)
    pins: tuple[PinEdit, ...] = ()
    renders: tuple[RenderChange, ...] = ()
    renaming: Renaming | None = None
    leaving: Leaving | None = None
    removed: Mapping[str, Leaving] = field(default_factory=dict)
    backtest: Backtested | None = None

    @property
    def launches(self) -> bool:
        return self.training is not None and self.training.launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The freeze window that covers `now`, or the next one; instants are in its own zone, `end` None without one."""

    start: datetime
    end: datetime | None
    reason: str
    now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What merging does. `base` is the commit it is compared with: main, or where a change left it that does not merge
    (`conflict`).

    `trained` are the models that train because of it, `allowed` how many of them one merge may launch unasked.
    """

    base: str
    conflict: bool = False
    models: tuple[ModelPlan, ...] = ()
    trained: tuple[str, ...] = ()
    workspace: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()
    freeze: Window | None = None
    allowed: int = 10

    @property
    def asks(self) -> bool:
        """Whether more models train than may unasked."""
        return len(self.trained) > self.allowed

    @property
    def fine(self) -> bool:
        return not self.asks and not any(finding.severity is Severity.ERROR for finding in self.findings)
