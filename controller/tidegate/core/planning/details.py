"""The sentences below a model's line: why it trains, what its next version passes, from when on its settings act."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.manifest import Gate, Judge
from tidegate.core.observed import Training, TrainingState
from tidegate.core.planning.phrase import LISTED, LONG, Line, Quoted, quoted, some, typed
from tidegate.core.planning.plan import Acts, Added, Edit, Entry, Fate, Flight, GateChange, ModelPlan, Part, Plan
from tidegate.core.planning.wording import approvers, part, setting
from tidegate.core.quantity import show_share, write_duration

_JUDGED = {
    Judge.NONE: "not judged there",
    Judge.READY: "judged by readiness",
    Judge.OBJECTIVES: "judged by its objectives",
}
_WHEN = {
    Acts.AT_ONCE: "At once",
    Acts.NEXT_RUN: "With the next training run",
    Acts.NEXT_ENTRY: "With the next version that enters",
    Acts.NEXT_ROLLOUT: "With the next rollout",
    Acts.FROZEN: "With the next rollout, not with the one in flight",
    Acts.THROUGH_MODELS: "Through the models that change",
    Acts.NEVER: "Nothing acts on it",
}


def training(model: ModelPlan) -> Iterator[Line]:
    """Whether it is trained, and which parts of the key make the difference."""
    plan = model.training
    if plan is None or model.fate is Fate.DELETED:
        return
    if not plan.changes:
        yield ("Not trained: its training key ", quoted(plan.after), " does not change.")
        return
    if plan.after is None:
        yield ("Nothing is trained from main any more; what serves goes on serving.",)
        return
    old: Line = (quoted(plan.before), " → ") if plan.before else ()
    yield ("Training key ", *old, quoted(plan.after), ".")
    yield from map(_part, plan.parts)
    yield from _progress(model.name, plan.progress)
    if plan.rejected:
        environment, reason = plan.rejected
        yield ("Rejected in ", quoted(environment), " (", quoted(reason), "): it is a candidate nowhere.")


def _part(changed: Part) -> Line:
    if not changed.name.startswith("tree "):
        return part(changed, LONG)
    path = quoted(changed.name.removeprefix("tree "))
    if changed.before is None:
        return ("code in ", path, " is part of it now")
    if changed.after is None:
        return ("code in ", path, " is part of it no more")
    return ("code in ", path, ": ", *some(changed.files, LISTED))


def _progress(name: str, progress: Training | None) -> Iterator[Line]:
    match progress.state if progress else TrainingState.ABSENT:
        case TrainingState.ABSENT:
            yield ("No run has this key yet: ", typed(f"tidegate train {name}"), " launches it after the merge.")
        case TrainingState.SUCCEEDED if progress:
            yield (f"Trained already, as version {progress.version}: nothing is launched.",)
        case TrainingState.RUNNING:
            yield ("A run with this key is under way: nothing is launched.",)
        case TrainingState.FAILED if progress:
            yield ("A run with this key failed, and is not tried again: ", _first_line(progress.words), ".")
        case TrainingState.GATED if progress:
            yield ("A run with this key was stopped by its gates: ", _first_line(progress.words), ".")
        case _:
            return


def _first_line(words: str) -> Quoted:
    return quoted(words.partition("\n")[0].rstrip(":. "))


def gates(model: ModelPlan) -> Iterator[Line]:
    """Each gate that the next candidate must pass, with what it was."""
    yield from map(_gate, model.gates)
    if model.judged_again:
        yield ("The finished run that gates stopped is judged again by these, without another training.",)


def _gate(gate: GateChange) -> Line:
    name = quoted(gate.metric)
    if gate.after is None:
        return (name, ": no gate any more (was ", bounds(gate.before), ")")
    changed = gate.before is not None and gate.before != gate.after
    return (name, ": ", bounds(gate.after), f" (was {bounds(gate.before)})" if changed else "")


def bounds(gate: Gate | None) -> str:
    """What a metric must hold."""
    if gate is None:
        return "nothing"
    lower = gate.maximum is not None and gate.minimum is None
    words = (
        f"at least {gate.minimum:g}" if gate.minimum is not None else "",
        f"at most {gate.maximum:g}" if gate.maximum is not None else "",
        f"at most {gate.max_drop:g} {'above' if lower else 'below'} the champion" if gate.max_drop is not None else "",
        "" if gate.failing else "warning only",
    )
    return ", ".join(word for word in words if word)


def way(model: ModelPlan) -> Iterator[Line]:
    """One line an environment, in the order in which a version passes them."""
    return map(_entry, model.walk)


def _entry(entry: Entry) -> Line:
    steps = " → ".join(map(show_share, entry.steps))
    bake = write_duration(entry.bake)
    how = f"as canary at {steps}, each step for {bake} or longer" if steps else f"at 100%, baking for {bake}"
    line: Line = (quoted(entry.environment), f": {how}, {_JUDGED[entry.judge]}")
    if entry.steps:
        line = (*line, f"; probation {write_duration(entry.probation)}")
    if entry.approval is not None:
        line = (*line, "; needs an approval by ", *approvers(entry.approval))
    if entry.serves is not None:
        line = (*line, f"; serves {entry.serves} now")
    if entry.flight is not None:
        line = (*line, "; waits for ", *flight(entry.flight))
    for reason in entry.holds:
        line = (*line, "; held: ", quoted(reason))
    return line


def flight(there: Flight) -> Line:
    """The version of a rollout in flight, and where it stands."""
    if there.weight is not None:
        return (f"version {there.version} (canary at {show_share(there.weight)})",)
    until = f" until {there.until:%Y-%m-%d %H:%M %Z}" if there.until else ""
    return (f"version {there.version} (on probation{until})",)


def policy(model: ModelPlan) -> Iterator[Line]:
    """The edits, those that act at once first; and what a rollout in flight goes on by."""
    for acts in Acts:
        of_kind = [edit for edit in model.edits if edit.acts is acts]
        yield from ((f"{_WHEN[acts]}: ", *_edit(edit)) for edit in of_kind)
    frozen = dict.fromkeys(n for edit in model.edits if edit.acts is Acts.FROZEN for n in edit.environments)
    yield from (_frozen(model.name, name, model.flights[name]) for name in frozen)
    yield from map(_registry, (edit for edit in model.edits if edit.setting == "registry.name"))
    yield from map(_added, model.added)


def workspace(plan: Plan) -> Iterator[Line]:
    """The edits of `tidegate.yaml`."""
    return ((f"{_WHEN[edit.acts]}: ", *setting(edit, LONG)) for edit in plan.workspace)


def _edit(edit: Edit) -> Line:
    where: Line = (" in ", *some(edit.environments, LISTED)) if edit.environments else ()
    return (*setting(edit, LONG), *where)


def _frozen(name: str, environment: str, there: Flight) -> Line:
    line: Line = (
        *flight(there), " in ", quoted(environment), " goes on by the policy of commit ",
        quoted((there.policy or "")[:12]),
    )  # fmt: skip
    if there.weight is None:
        return line
    return (*line, "; ", typed(f"tidegate restart-rollout {name} {environment}"), " starts it again by the new one")


def _registry(edit: Edit) -> Line:
    old, new = quoted(edit.before), quoted(edit.after)
    keep = typed(f"registry: {{name: {edit.before}}}")
    return ("Versions are looked up in the registered model ", new, ", where those of ", old,
            " do not count; aliases in ", old, " stay. To keep them write ", keep, ".")  # fmt: skip


def _added(new: Added) -> Line:
    if new.first:
        return ("New environment ", quoted(new.environment), ": it comes first, and every version has to pass it.")
    return ("New environment ", quoted(new.environment), ": it holds up nobody until its first version.")
