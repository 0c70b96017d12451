"""What the judges say: plain data, filled by `judgement.judge` and read by `decision.decide`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.manifest import Effect, Mean, Objective, Rollout, ValueObjective


class Stage(Enum):
    """Where a version stands in an environment."""

    CANARY = "canary"
    PROBATION = "probation"
    BAKE = "bake"
    LABELS = "labels"
    """Past probation, while labels of predictions may still come that two versions made side by side."""


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
    NOT_YET = "not known yet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Bad and total events. Of a mean each event is bad by a share of the range: `squares` adds up the squares of these
    shares, where they are counted."""

    bad: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    @property
    def rate(self) -> float | None:
        return self.bad / self.total if self.total else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(bad=self.bad + other.bad, total=self.total + other.total, squares=self.squares + other.squares)


NO_EVENTS = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveReadings:
    """The raw samples of one objective, all versions of one environment. `bad` may be good events: see `Objective`."""

    bad: Sampled | Unread
    total: Sampled | Unread
    squares: Sampled | Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReadings:
    """Counters of one late objective at fixed instants: histograms of labels (`bad` may be good ones), and `served`,
    all predictions."""

    bad: Sampled | Unread
    total: Sampled | Unread
    served: Sampled | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChange:
    """From `at` on the canary should have this share (0 to 1) of the traffic."""

    at: datetime
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Two versions that served side by side from `since` to `until` (None: still do): late labels of their
    predictions are compared, whatever stage comes meanwhile. So many objectives are `sharing` the false revert rate.
    `reference_since` is when the reference became stable, where that is known."""

    subject: int
    reference: int
    since: datetime
    until: datetime | None
    objectives: tuple[Objective, ...]
    rollout: Rollout
    sharing: int = 1
    reference_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be judged: one version at one stage in one environment. The frozen policy, nothing observed.

    `subject` is the version judged: the canary, or the stable on probation or while baking. `reference` is stable
    (canary stage) or previous (probation). `since` is when the stage began; `weights` are the changes since then.
    `reference_since` is when the reference became stable, where that is known.
    """

    stage: Stage
    subject: int
    reference: int | None
    since: datetime
    rollout: Rollout
    objectives: tuple[Objective, ...]
    weights: tuple[WeightChange, ...] = ()
    version_label: str = "version"
    reference_since: datetime | None = None
    values: tuple[ValueObjective, ...] = ()
    together: Together | None = None

    @property
    def sharing(self) -> int:
        """Over how many objectives the false revert rate is shared (equal weights, union bound)."""
        late = self.together.objectives if self.together else ()
        return max(sum(each.effect is Effect.REVERT for each in (*self.objectives, *late)), 1)

    @property
    def held_back(self) -> bool:
        """Whether the previous version serves a part of the traffic during probation."""
        return self.stage is Stage.PROBATION and self.reference is not None and bool(self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What Prometheus said: its own time, raw samples by objective's name, and the readiness gauge if there is one.

    `up` holds the samples of `up` for the targets behind the series, to tell a new series from a new target. `kept` is
    what is known of the time before a bake, where its version is known only later: no series if nothing is.
    """

    now: datetime
    objectives: Mapping[str, ObjectiveReadings] = field(default_factory=dict)
    ready: Sampled | Unread | None = None
    up: Sampled | Unread | None = None
    values: Mapping[str, Sampled | Unread] = field(default_factory=dict)
    late: Mapping[str, LateReadings] = field(default_factory=dict)
    kept: Sampled | Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate:
    """How fast one version spends an error budget, in two windows that end together. `factor` times the `allowed` bad
    rate trips the pair where it is exceeded in both. `evidence` and what is `needed` of it are logarithms."""

    short: timedelta
    long: timedelta
    factor: float
    allowed: float
    in_short: Tally
    in_long: Tally
    evidence: float
    needed: float

    @property
    def burns(self) -> bool:
        limit = self.factor * self.allowed
        return all((tally.rate or 0.0) > limit for tally in (self.in_short, self.in_long))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveVerdict:
    """One objective judged. Ratios are canary's bad rate over stable's; `evidence` is the largest e-value seen, its
    logarithm divided by `dispersion`, which was measured on the reference or is the policy's. `burned` is the pair of
    windows by which the subject breaches, as it was then, where no other finding was first. `never_bad`: no series
    matches `bad`. None may have happened yet; a misspelt selector looks the same."""

    objective: str
    effect: Effect
    unread: Unread | None = None
    comparison: Comparison = Comparison.UNDECIDED
    subject: Tally = NO_EVENTS
    reference: Tally = NO_EVENTS
    evidence: float = 1.0
    needed: float = 1.0
    worse_at: datetime | None = None
    cleared_by: str = ""
    dispersion: float = 1.0
    dispersion_measured: bool = False
    standing: Standing = Standing.UNKNOWN
    reference_standing: Standing = Standing.UNKNOWN
    mean: Mean | None = None
    burned: BurnRate | None = None
    burned_at: datetime | None = None
    never_bad: bool = False

    @property
    def ratio(self) -> float | None:
        """Of bad rates; of a mean that is better when higher, of the means above the range's lower end."""
        mine, theirs = self.subject.rate, self.reference.rate
        if mine is not None and theirs is not None and self.mean and self.mean.higher_is_better:
            mine, theirs = 1 - mine, 1 - theirs
        return mine / theirs if mine is not None and theirs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueVerdict:
    """One value held against its bounds: as read last, or as it was when a breach was found. `by_version` is False for
    a value over all versions, which reverts none of them. `outside_for` is how long it has been out of bounds where
    that is no breach yet."""

    objective: ValueObjective
    unread: Unread | None = None
    standing: Standing = Standing.UNKNOWN
    figure: float | None = None
    outside_for: timedelta = timedelta(0)
    breached_at: datetime | None = None
    by_version: bool = True
    reference_standing: Standing = Standing.UNKNOWN

    @property
    def lets_on(self) -> bool:
        """Whether a version may go on: what is out of bounds now is not good, though no breach before `for` is over."""
        return self.standing is Standing.FINE and not self.outside_for

    @property
    def reverts(self) -> bool:
        breach = self.standing is Standing.BREACH and self.by_version
        return breach and self.objective.effect is Effect.REVERT


@dataclass(frozen=True, slots=True, kw_only=True)
class LateVerdict:
    """Late labels compared: the shares of predictions that have one beside the objective's verdict."""

    verdict: ObjectiveVerdict
    coverage: float | None = None
    reference_coverage: float | None = None


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
    values: tuple[ValueVerdict, ...] = ()
    late: tuple[LateVerdict, ...] = ()
