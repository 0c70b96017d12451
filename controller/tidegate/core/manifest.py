"""What is wanted of one model: the content of its `model.yaml`, with the workspace's defaults filled in. Types only;
`read.py` makes them from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from tidegate.core.pin import Hold
from tidegate.core.workspace import MetricLabels

BUDGET_WINDOW = timedelta(days=30)
COVERAGE = 0.8
"""So many predictions must have a label before the labels judge, where an objective does not say."""


class Effect(Enum):
    """What a bad reading of an objective may do."""

    REVERT = "revert"
    BLOCK = "block"
    INFORM = "inform"


class Unit(Enum):
    """What the bounds of a histogram's buckets count."""

    SECONDS = "s"
    MILLISECONDS = "ms"


class Judge(Enum):
    """How a version is judged while it bakes as stable, or as canary."""

    NONE = "none"
    READY = "ready"
    OBJECTIVES = "objectives"


class OnInconclusive(Enum):
    ASK = "ask"
    ADVANCE = "advance"
    REVERT = "revert"


class OnAbsent(Enum):
    ASK = "ask"
    REVERT = "revert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How long a training run may live, and how often an infrastructure failure is tried again."""

    deadline: timedelta
    attempts: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """One named input of a training run."""

    name: str
    uri: str
    digest: str


def data_variable(name: str) -> str:
    """The environment variable in which a training program finds an input."""
    return "TIDEGATE_DATA_" + re.sub(r"\W", "_", name).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the model is trained. Paths are relative to the manifest's folder, `include` to the repository's root."""

    source: str
    command: tuple[str, ...]
    lease: Lease
    include: tuple[str, ...] = ()
    environment: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Data, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """An offline check of a candidate's metric; `max_drop` compares with the champion. Only `failing` gates stop it."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None
    max_drop: float | None = None
    failing: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A figure of each event, such as what a session brought in; `sum` is the counter that adds them up, `squares` one
    of their squares.

    Every figure lies in [`low`, `high`]; with `higher_is_better` a version is worse whose mean is lower.
    """

    sum: str
    low: float
    high: float
    higher_is_better: bool
    squares: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The truth of predictions that comes later: `served` counts predictions, labels come up to `delay` after them."""

    served: str
    delay: timedelta
    minimum_coverage: float = COVERAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """An event objective: two counter selectors and the share (0 to 1) of events that must be good.

    With `histogram`, `bad` is None: good events are the histogram's bucket at `under`, total its `_count`; without a
    `unit` its buckets are in seconds. `dialect` is its preset's, None for the workspace's labels. The budget of
    `window` is what rules record and alert on; where it is spent no version enters.

    With `mean`, each event is bad by a share: its figure's way through the range. With `labels`, the selectors are
    histograms of how old a prediction was when its label came.
    """

    name: str
    target: float
    window: timedelta = BUDGET_WINDOW
    effect: Effect = Effect.REVERT
    bad: str | None = None
    good: str | None = None
    total: str | None = None
    histogram: str | None = None
    under: timedelta | None = None
    unit: Unit | None = None
    dialect: MetricLabels | None = None
    mean: Mean | None = None
    labels: Labels | None = None

    @property
    def budget(self) -> float:
        """The bad share that the objective allows."""
        return 1 - self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueObjective:
    """A figure that PromQL answers, and the bounds it must keep. Outside them for `held` it is a breach."""

    name: str
    value: str
    minimum: float | None = None
    maximum: float | None = None
    held: timedelta = timedelta(0)
    effect: Effect = Effect.REVERT

    def inside(self, figure: float) -> bool:
        above = self.minimum is None or figure >= self.minimum
        return above and (self.maximum is None or figure <= self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probation:
    """The time after a rollout in which a breach still reverts by itself; `holdback` keeps a share on the old
    version."""

    duration: timedelta = timedelta(hours=24)
    holdback: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a version enters an environment and how it is judged there (DESIGN.md sections 3 and 6)."""

    steps: tuple[float, ...] = (0.1, 0.5)
    bake: timedelta = timedelta(minutes=30)
    warm_up: timedelta = timedelta(minutes=2)
    worse_than: float = 1.1
    rule_out: float = 2.0
    false_revert_rate: float = 0.01
    false_advance_rate: float = 0.05
    minimum_effect: float | None = None
    minimum_events: int = 200
    maximum_duration: timedelta = timedelta(hours=24)
    progress_deadline: timedelta = timedelta(minutes=10)
    on_inconclusive: OnInconclusive = OnInconclusive.ASK
    on_absent: OnAbsent = OnAbsent.ASK
    probation: Probation = field(default_factory=Probation)
    resolution: timedelta = timedelta(minutes=1)
    dispersion: float = 2.0

    @property
    def readiness_reach(self) -> timedelta:
        """How far readiness looks back. A version may wait weeks for an approval: this is enough to see it baked."""
        return 2 * self.bake + self.progress_deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What serves the model. `ready` is a gauge selector that is 1 for every version that is loaded."""

    kind: str = "file"
    ready: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment as this model wants it. `canaries` says whether a version enters it step by step.

    `objectives` are judged as their events come, `late` ones as their labels come, `values` as they stand.
    """

    name: str
    after: tuple[str, ...] = ()
    approval_required: bool = False
    automatic_revert: bool = True
    judge: Judge = Judge.READY
    canaries: bool = False
    rollout: Rollout = field(default_factory=Rollout)
    target: Target = field(default_factory=Target)
    objectives: tuple[Objective, ...] = ()
    late: tuple[Objective, ...] = ()
    values: tuple[ValueObjective, ...] = ()

    @property
    def last_labels(self) -> timedelta:
        """How long after its rollout a version may be judged by labels: their probation begins when they are there."""
        delay = max((each.labels.delay for each in self.late if each.labels), default=timedelta(0))
        return delay + self.rollout.probation.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. `folder` is the manifest's folder in the repository; environments stand in rollout order."""

    name: str
    folder: str
    owners: tuple[str, ...]
    environments: tuple[Environment, ...]
    training: Training | None = None
    gates: tuple[Gate, ...] = ()
    hold: Hold | None = None
    depends_on: tuple[str, ...] = ()
    registry_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def environment(self, name: str) -> Environment:
        return next(environment for environment in self.environments if environment.name == name)

    def pin_path(self, environment: str) -> str:
        return f"{self.folder}/{environment}.yaml"

    @property
    def manifest_path(self) -> str:
        return f"{self.folder}/model.yaml"
