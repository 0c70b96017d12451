"""One model's plan, and the whole: what is left out because nothing changes, and the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.core.planning.fate import added, fate_of, leaving, removed, renaming
from tidegate.core.planning.pins import pin_edits, render_changes
from tidegate.core.planning.plan import Fate, GateChange, ModelPlan
from tidegate.core.planning.policy import edits
from tidegate.core.planning.state import Facts
from tidegate.core.planning.training import training_plan
from tidegate.core.planning.walk import gate_changes, judged_again, walk

_FATES = (Fate.DELETED, Fate.RENAMED, Fate.MOVED)


def model_plan(facts: Facts) -> ModelPlan | None:
    """What the change does to one model, None where it does nothing."""
    state, training, gates = facts.either, training_plan(facts), gate_changes(facts)
    pins = pin_edits(facts)
    launching = training is not None and training.leads_on
    gates_matter = launching or any(gate.before != gate.after for gate in gates)
    plan = ModelPlan(
        name=state.model.name,
        path=state.model.manifest_path,
        fate=fate_of(facts),
        training=training,
        gates=gates if gates_matter and facts.after else (),
        judged_again=judged_again(facts),
        walk=walk(facts) if launching else (),
        added=added(facts),
        edits=edits(facts),
        flights=facts.flights,
        pins=pins,
        renders=render_changes(facts, pins),
        renaming=renaming(facts),
        leaving=leaving(facts),
        removed=removed(facts),
    )
    return plan if _does_something(plan) else None


def _does_something(plan: ModelPlan) -> bool:
    parts = (plan.edits, plan.pins, plan.renders, plan.removed, plan.added)
    trains = plan.training is not None and plan.training.changes
    return plan.fate is not Fate.CHANGED or trains or any(parts) or any(map(_differs, plan.gates))


def _differs(gate: GateChange) -> bool:
    return gate.before != gate.after


def in_order(plans: Iterable[ModelPlan]) -> tuple[ModelPlan, ...]:
    """What nobody may overlook comes first: what goes away, then what a person set, then what trains; else by name."""
    return tuple(sorted(plans, key=lambda plan: (_rank(plan), plan.name, plan.path)))


def _rank(plan: ModelPlan) -> int:
    if plan.fate in _FATES or plan.removed:
        return 0
    if any(edit.holds for edit in plan.pins):
        return 1
    return 2 if plan.launches else 3
