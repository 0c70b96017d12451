"""What was true of one model at an instant, rebuilt from what git remembers. Data in, data out.

Not rebuilt, because git does not tell: proposals and approvals, the registry's bytes, what the workspace's limits had
left, and when a version was registered (it is known from its first pin on).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from tidegate.core.history import set_by_hand
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import (
    EnvironmentObserved,
    ModelVersion,
    Observed,
    PinChange,
    Training,
    TrainingState,
    last_rejected,
)
from tidegate.core.pin import Rejected
from tidegate.core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """What main wanted from an instant on: the model, the workspace, and the training key that they lead to."""

    at: datetime
    commit: str
    model: Model
    workspace: Workspace
    key: str
    invalid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Objectives and rollout by environment. Empty: each rollout's own, as it was frozen.

    `since` is when main, or whoever proposes it, first wanted it so, by environment; `commit` where it was read, empty
    of a file.
    """

    name: str
    commit: str = ""
    environments: Mapping[str, Environment] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)


_NOT_POLICY = ("name", "after", "approval_required", "canaries", "target")
"""What of an environment says how a version gets there and what serves it, not how it is judged."""

AS_IT_WAS = Policy(name="as it was")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One model's past. Histories are without changes of layout alone; `policies` are the frozen ones, by environment
    and commit; `versions` are all that ever were pinned, `created_at` their first pin."""

    eras: tuple[Era, ...]
    histories: Mapping[str, tuple[PinChange, ...]]
    policies: Mapping[tuple[str, str], Environment] = field(default_factory=dict)
    versions: tuple[ModelVersion, ...] = ()

    @property
    def model(self) -> str:
        """Its name."""
        return self.eras[-1].model.name

    def era(self, at: datetime) -> Era:
        """What main wanted right before an instant; the oldest that is known of before that."""
        return self.eras[max(bisect_left(self.eras, at, key=lambda era: era.at) - 1, 0)]

    def turn(self, since: datetime) -> datetime | None:
        """The next instant at which something changed: main's wishes, a pin file, a version's first pin."""
        pins = (change.at for history in self.histories.values() for change in history)
        every = chain(pins, (era.at for era in self.eras), (version.created_at for version in self.versions))
        return min((at for at in every if at >= since), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What stays the same from one turn to the next: all of `decide`'s arguments but verdicts and time."""

    model: Model
    workspace: Workspace
    observed: Observed


def scene(past: Past, policy: Policy, at: datetime, own: tuple[str, int]) -> Scene:
    """What a pass at an instant would have seen. `own` is the environment replayed and how many changes of its pin file
    count: those of others count up to the instant."""
    era = past.era(at)
    model = with_policy(era.model, policy)
    histories = {name: _until(history, at) for name, history in past.histories.items()}
    histories[own[0]] = past.histories[own[0]][: own[1]]
    environments = {
        environment.name: _environment(environment.name, histories.get(environment.name, ()), past, policy)
        for environment in model.environments
    }
    versions = tuple(version for version in past.versions if version.created_at < at)
    observed = Observed(
        main=era.commit,
        policy_commits={},
        training=_training(era.key, versions),
        versions=versions,
        proposals=(),
        environments=environments,
        invalid=era.invalid,
        key_at=_keys_of_hand_changes(model.name, environments, past),
        recorded_keys={v.number: v.training_key for v in past.versions if v.training_key is not None},
        rejected_elsewhere=tuple(_rejected_elsewhere(model, histories)),
    )
    return Scene(model=model, workspace=era.workspace, observed=observed)


def with_policy(model: Model, policy: Policy) -> Model:
    """The model judged by another policy, in each environment that it names."""
    return replace(model, environments=tuple(_judged_by(e, policy) for e in model.environments))


def _judged_by(environment: Environment, policy: Policy) -> Environment:
    other = policy.environments.get(environment.name)
    if other is None:
        return environment
    kept = {name: getattr(environment, name) for name in _NOT_POLICY}
    return replace(other, **kept)


def _until(history: Sequence[PinChange], at: datetime) -> tuple[PinChange, ...]:
    return tuple(history[: bisect_left(history, at, key=lambda change: change.at)])


def _environment(name: str, history: tuple[PinChange, ...], past: Past, policy: Policy) -> EnvironmentObserved:
    pin = history[-1].pin if history else None
    frozen = past.policies.get((name, pin.policy)) if pin is not None and pin.policy is not None else None
    return EnvironmentObserved(history=history, policy=_judged_by(frozen, policy) if frozen else None)


def _rejected_elsewhere(model: Model, histories: Mapping[str, tuple[PinChange, ...]]) -> Iterator[tuple[str, Rejected]]:
    """The rejections of pin files that were no environment's then."""
    own = {environment.name for environment in model.environments}
    for name, history in histories.items():
        if name not in own:
            yield from ((name, entry) for entry in last_rejected(history))


def _training(key: str, versions: Sequence[ModelVersion]) -> Training:
    """Main's key has led to a version, or its training is under way: more is not known of the past."""
    found = next((version.number for version in versions if version.training_key == key), None)
    state = TrainingState.RUNNING if found is None else TrainingState.SUCCEEDED
    return Training(key=key, state=state, version=found)


def _keys_of_hand_changes(model: str, environments: Mapping[str, EnvironmentObserved], past: Past) -> dict[str, str]:
    """Main's training key at each commit by which a person set versions."""
    found = (set_by_hand(model, name, state.history) for name, state in environments.items())
    return {change.commit: past.era(change.at).key for change in found if change is not None}
