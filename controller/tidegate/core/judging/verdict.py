"""What the judges say: plain data, filled by `judgement.judge` and read by `decision.decide`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.manifest import Effect, Objective, Rollout


class Stage(Enum):
    """Where a version stands in an environment."""

    CANARY = "canary"
    PROBATION = "probation"
    BAKE = "bake"


class Comparison(Enum):
    """Canary against stable."""

    WORSE = "worse"
    CLEARED = "cleared"
    UNDECIDED = "undecided"


class Standing(Enum):
    """A version against the objective itself (absolute)."""

    BREACH = "breach"
    FINE = "fine"
    TOO_FEW = "too few events"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Bad and total events."""

    bad: float = 0.0
    total: float = 0.0

    @property
    def rate(self) -> float | None:
        return self.bad / self.total if self.total else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(bad=self.bad + other.bad, total=self.total + other.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveReadings:
    """The raw samples of one objective, all versions of one environment. `bad` may be good events: see `Objective`."""

    bad: Sampled | Unread
    total: Sampled | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChange:
    """From `at` on the canary should have this share (0 to 1) of the traffic."""

    at: datetime
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be judged: one version at one stage in one environment. The frozen policy, nothing observed.

    `subject` is the version judged: the canary, or the stable on probation or while baking. `reference` is stable
    (canary stage) or previous (probation). `since` is when the stage began; `weights` are the changes since then.
    """

    stage: Stage
    subject: int
    reference: int | None
    since: datetime
    rollout: Rollout
    objectives: tuple[Objective, ...]
    weights: tuple[WeightChange, ...] = ()
    version_label: str = "version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What Prometheus said: its own time, raw samples by objective's name, and the readiness gauge if there is one.

    `up` holds the samples of `up` for the targets behind the series, to tell a new series from a new target.
    """

    now: datetime
    objectives: Mapping[str, ObjectiveReadings] = field(default_factory=dict)
    ready: Sampled | Unread | None = None
    up: Sampled | Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveVerdict:
    """One objective judged. Ratios are canary's bad rate over stable's; `evidence` is the largest e-value seen."""

    objective: str
    effect: Effect
    unread: Unread | None = None
    comparison: Comparison = Comparison.UNDECIDED
    subject: Tally = field(default_factory=Tally)
    reference: Tally = field(default_factory=Tally)
    evidence: float = 1.0
    needed: float = 1.0
    worse_at: datetime | None = None
    cleared_by: str = ""
    standing: Standing = Standing.UNKNOWN
    reference_standing: Standing = Standing.UNKNOWN

    @property
    def ratio(self) -> float | None:
        mine, theirs = self.subject.rate, self.reference.rate
        return mine / theirs if mine is not None and theirs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judges say of one version in one environment, as of `judged_until` (the end of the last judged cell).

    `serving` is None when nobody can tell, True when the version serves (or is ready), False when it never did although
    the reference did (canary) or it should have. `baked` is how long it has baked so far, pauses left out.
    """

    stage: Stage
    subject: int
    judged_until: datetime
    objectives: tuple[ObjectiveVerdict, ...] = ()
    serving: bool | None = None
    serving_since: datetime | None = None
    baked: timedelta = timedelta(0)
    events: float = 0.0
    absent_for: timedelta = timedelta(0)
    first_bad_at: datetime | None = None
    unread: Unread | None = None
