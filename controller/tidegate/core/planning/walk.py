"""The way of the next version through the environments, and the gates before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tidegate.core.gates import digest
from tidegate.core.launch_record import LaunchState
from tidegate.core.manifest import Environment, Gate
from tidegate.core.pin import Hold, Pin
from tidegate.core.planning.plan import Entry, GateChange
from tidegate.core.planning.state import Facts, State
from tidegate.core.workspace import Approvals


def walk(facts: Facts) -> tuple[Entry, ...]:
    """Every environment of the model after the change, in the order in which a version passes them."""
    state = facts.after
    return tuple(_entry(environment, state, facts) for environment in state.model.environments) if state else ()


def _entry(environment: Environment, state: State, facts: Facts) -> Entry:
    pin = state.pins.get(environment.name)
    served = pin is not None and pin.stable is not None
    listed = facts.workspace.approvals.get(environment.name, Approvals())
    return Entry(
        environment=environment.name,
        after=environment.after,
        steps=environment.rollout.steps if environment.canaries and served else (),
        bake=environment.rollout.bake,
        judge=environment.judge,
        approval=listed if environment.approval_required else None,
        probation=environment.rollout.probation.duration,
        serves=pin.stable.version if pin and pin.stable else None,
        flight=facts.flights.get(environment.name),
        holds=tuple(_holds(pin, state, facts)),
    )


def _holds(pin: Pin | None, state: State, facts: Facts) -> Iterator[str]:
    """The reasons of people's holds that stop an entry now."""
    for hold in (facts.workspace.hold, state.model.hold, pin.hold if pin else None):
        if hold is not None and not _over(hold, facts.now):
            yield hold.reason


def _over(hold: Hold, now: datetime) -> bool:
    return hold.until is not None and datetime.fromisoformat(hold.until) <= now


def gate_changes(facts: Facts) -> tuple[GateChange, ...]:
    """Every gate of the model, old and new, in the order written."""
    before, after = _gates(facts.before), _gates(facts.after)
    metrics = dict.fromkeys((*after, *before))
    return tuple(GateChange(metric=metric, before=before.get(metric), after=after.get(metric)) for metric in metrics)


def judged_again(facts: Facts) -> bool:
    """Whether a finished run that gates stopped is held against others now."""
    if facts.record is None or facts.after is None or facts.record.state is not LaunchState.GATED:
        return False
    return facts.record.gates != digest(facts.after.model.gates)


def _gates(state: State | None) -> dict[str, Gate]:
    return {gate.metric: gate for gate in state.model.gates} if state else {}
