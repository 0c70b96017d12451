"""Which version should be on its way: the candidate, and the version in flight that may have to finish first.

The candidate is *the* version whose training key equals main's key now; version numbers carry no order.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tidegate.core.history import entries_since, stable_change
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import ModelVersion, Observed, TrainingState, Unavailable
from tidegate.core.outcome import Hold, WaitingOn
from tidegate.core.pin import Pin, Rejected
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind

SUPERSEDINGS = 3
PATIENCE = timedelta(days=3)


def candidate(model: Model, observed: Observed) -> ModelVersion | Hold | None:
    """The version that main's training inputs lead to, why there is none yet, or None when the model is not
    trained here."""
    if isinstance(observed.versions, Unavailable):
        return Hold(reason=str(observed.versions), waiting_on=WaitingOn.OUTSIDE, unknown=True)
    if model.training is None:
        return None
    found = [version for version in observed.versions if version.training_key == observed.training.key]
    if not found:
        return _no_version_yet(model, observed)
    pinned = {pin.version for state in observed.environments.values() if state.pin for pin in state.pin.serves()}
    return max(found, key=lambda version: (version.number in pinned, version.number))


def _no_version_yet(model: Model, observed: Observed) -> Hold:
    training = observed.training
    key = training.key
    match training.state:
        case TrainingState.ABSENT:
            return Hold(
                reason=f"main's training key {key} has no version yet: `tidegate train {model.name}` launches it",
                waiting_on=WaitingOn.OUTSIDE,
            )
        case TrainingState.RUNNING:
            return Hold(reason=f"training of {key} is running", waiting_on=WaitingOn.TIME, until=training.until)
        case TrainingState.FAILED:
            return Hold(reason=f"training failed: {training.words}", waiting_on=WaitingOn.PERSON)
        case TrainingState.GATED:
            return Hold(reason=f"gates failed: {training.words}", waiting_on=WaitingOn.PERSON)
        case TrainingState.SUCCEEDED:
            return Hold(
                reason=f"version {training.version} of {key} is recorded but not in the registry, or not vouched for",
                waiting_on=WaitingOn.PERSON,
                degraded=True,
            )


def rejection(observed: Observed, version: int, key: str | None) -> tuple[str, Rejected] | None:
    """The environment and entry that reject this version or its training key. Rejected anywhere is candidate
    nowhere."""
    own = ((name, entry) for name, state in observed.environments.items() for entry in state.rejected)
    for name, entry in (*own, *observed.rejected_elsewhere):
        if entry.version == version or (key is not None and entry.key == key):
            return name, entry
    return None


def in_flight(model: Model, observed: Observed, now: datetime) -> Pin | None:
    """The first environment's pin when its version must finish first: superseded too often, or waiting too long."""
    first, last = model.environments[0].name, model.environments[-1].name
    here, there = observed.environments[first], observed.environments[last]
    if here.pin is None or here.pin.stable is None or there.pin is None or there.pin.stable is None:
        return None
    version = here.pin.stable
    if version == there.pin.stable or rejection(observed, version.version, None) or _vetoed(version, last, observed):
        return None
    arrived = stable_change(there.history)
    entries = entries_since(here.history, arrived.at if arrived else None)
    superseded = len(entries) - 1
    waited = now - entries[0].at if entries else timedelta(0)
    return here.pin if superseded >= SUPERSEDINGS or (superseded > 0 and waited >= PATIENCE) else None


def _vetoed(version: VersionPin, environment: str, observed: Observed) -> bool:
    """Whether a person closed this version's entry: it will not finish, so nothing waits for it."""
    entry = f"{Kind.PROMOTE.value} {environment} {version.version} "
    return any(proposal.vetoes and proposal.moves.startswith(entry) for proposal in observed.proposals)


def predecessors(model: Model, environment: Environment, observed: Observed) -> tuple[str, ...]:
    """The environments whose judgement this one waits for. One that never had a pin blocks nobody, unless it is
    the first."""
    found: list[str] = []
    for name in environment.after:
        state = observed.environments[name]
        if (state.pin and state.pin.stable) or name == model.environments[0].name:
            found.append(name)
        else:
            found.extend(predecessors(model, model.environment(name), observed))
    return tuple(dict.fromkeys(found))
