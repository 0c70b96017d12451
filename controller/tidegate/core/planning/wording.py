"""The sentences at the top of a plan: what the whole does, and each model in one line. `details` has the rest."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.finding import Severity
from tidegate.core.observed import TrainingState
from tidegate.core.pin import Pin
from tidegate.core.planning.phrase import Line, joined, quoted, some, typed
from tidegate.core.planning.plan import Acts, Edit, Entry, Fate, ModelPlan, Part, PinEdit, Plan, TrainingPlan, Window
from tidegate.core.quantity import show_share
from tidegate.core.workspace import Approvals

_SHORT = 40
_NAMED = 2
"""How many of several things the one line of a model names."""


def headline(plan: Plan) -> str:
    """What the change does, in one sentence."""
    deleted = sum(model.fate is Fate.DELETED for model in plan.models)
    elsewhere = sum(model.fate in (Fate.RENAMED, Fate.MOVED) for model in plan.models)
    held = sum(edit.holds for model in plan.models for edit in model.pins)
    others = len(plan.models) - sum(_is_named(model) for model in plan.models)
    errors = sum(finding.severity is Severity.ERROR for finding in plan.findings)
    counts = (
        _count(errors, "error", "errors"),
        _count(len(plan.trained), "model trains", "models train"),
        _count(deleted, "model is deleted", "models are deleted"),
        _count(elsewhere, "model is renamed or moved", "models are renamed or moved"),
        _count(held, "environment is set by hand", "environments are set by hand"),
        _count(others, "model changes without training", "models change without training"),
        _count(len(plan.workspace), "setting of the workspace changes", "settings of the workspace change"),
    )
    words = ", ".join(count for count in counts if count)
    return f"{words}." if words else "Merging this changes nothing that Tidegate acts on."


def compared(plan: Plan) -> Line:
    """What the change was held against."""
    if plan.conflict:
        left = f"{plan.base[:12]}, where it left main"
        return (f"It conflicts with main: this compares it with {left}. Merge main to see more.",)
    return (f"Compared with {plan.base[:12]}.",)


def _is_named(model: ModelPlan) -> bool:
    elsewhere = model.fate in (Fate.DELETED, Fate.RENAMED, Fate.MOVED)
    return model.launches or elsewhere or any(edit.holds for edit in model.pins)


def _count(number: int, one: str, several: str) -> str:
    return "" if number == 0 else f"{number} {one if number == 1 else several}"


def question(plan: Plan) -> Line:
    """What a person is asked when a merge trains more models than it may unasked."""
    number = len(plan.trained)
    return (
        f"Merging trains {number} models, and {plan.allowed} may train unasked. If that is meant, run this with ",
        typed(f"--allow-trainings {number}"), " or raise ", typed("limits.trainingsPerMerge"),
        " in tidegate.yaml; if not, split the change.",
    )  # fmt: skip


def freeze(window: Window) -> Line:
    """The window that stops what is planned, now or next."""
    end = f"until {window.end:%a %Y-%m-%d %H:%M %Z}" if window.end else "without an end"
    when = "Frozen now, " if window.now else f"Next freeze window: {window.start:%a %Y-%m-%d %H:%M %Z} "
    return (f"{when}{end} (", quoted(window.reason), "). Nothing is promoted or advanced in it; reverts go.")


def summary(model: ModelPlan) -> Line:
    """What happens to one model, in one line that its name stands before."""
    clauses = [*_fate(model), *_training(model), *_environments(model), *map(_pin, model.pins), *_rest(model)]
    return joined(clauses, "; ")


def _fate(model: ModelPlan) -> Iterator[Line]:
    match model.fate:
        case Fate.ADDED:
            yield ("new",)
        case Fate.DELETED:
            serving = model.leaving.serving if model.leaving else {}
            yield ("deleted",)
            yield from ((quoted(name), f" goes on serving {version}") for name, version in serving.items())
        case Fate.RENAMED if model.renaming and model.renaming.name:
            yield ("renamed from ", quoted(model.renaming.name[0]))
        case Fate.MOVED if model.renaming and model.renaming.folder:
            yield ("moved from ", quoted(model.renaming.folder[0]))
        case _:
            return


def _training(model: ModelPlan) -> Iterator[Line]:
    training = model.training
    if training is None or not training.changes or model.fate is Fate.DELETED:
        return
    if training.after is None:
        yield ("no longer trained",)
        return
    launched: Line = ("trains for the first time",) if training.before is None else _trains_again(training)
    why = launched if training.launches else _known(training)
    yield (*why, ", then ", *_way(model.walk)) if model.walk else why


def _trains_again(training: TrainingPlan) -> Line:
    reasons = joined([part(each) for each in training.parts[:_NAMED]])
    more = len(training.parts) - _NAMED
    return ("trains again (", *reasons, f" and {more} more)" if more > 0 else ")")


def _known(training: TrainingPlan) -> Line:
    progress = training.progress
    assert progress is not None, "asked of a key that was launched"
    match progress.state:
        case TrainingState.SUCCEEDED:
            where: Line = (", rejected in ", quoted(training.rejected[0])) if training.rejected else ()
            return (f"trained already: version {progress.version}", *where)
        case TrainingState.FAILED:
            return ("its training has failed before",)
        case TrainingState.GATED:
            return ("gates have stopped its training before",)
        case _:
            return ("its training runs already",)


def part(changed: Part, longest: int = _SHORT) -> Line:
    """One part of the training key in a few words."""
    kind, _, name = changed.name.partition(" ")
    if kind == "tree":
        return ("code in ", quoted(name))
    if changed.files:
        return ("content of ", *some(changed.files, _NAMED))
    return (f"{kind} ", *((quoted(name), " ") if name else ()), *turned(changed.before, changed.after, longest))


def turned(before: str | None, after: str | None, longest: int) -> Line:
    """`old → new`; what is not shown, or differs behind the clipping, is said to change."""
    if before == after:
        return ("changes",)
    old, new = ("none" if text is None else quoted(text, longest) for text in (before, after))
    return (old, " → ", new) if old != new else (old, " changes")


def _environments(model: ModelPlan) -> Iterator[Line]:
    if model.removed:
        yield ("leaves ", *some(model.removed, _NAMED))
    if model.added:
        yield ("gets ", *some((each.environment for each in model.added), _NAMED))


def _pin(edit: PinEdit) -> Line:
    how = "set by hand" if edit.holds else "pin file edited"
    states = list(versions(edit.before, edit.after))
    return (quoted(edit.environment), f": {how}", *((" (", *joined(states), ")") if states else ()))


def versions(before: Pin | None, after: Pin | None) -> Iterator[Line]:
    """Each of stable, previous and canary that is not the same."""
    old, new = _states(before), _states(after)
    for name in old:
        if old[name] != new[name]:
            yield (f"{name} {old[name]} → {new[name]}",)


def _states(pin: Pin | None) -> dict[str, str]:
    stable, previous, canary = (pin.stable, pin.previous, pin.canary) if pin else (None, None, None)
    return {
        "stable": str(stable.version) if stable else "none",
        "previous": str(previous.version) if previous else "none",
        "canary": f"{canary.pin.version} at {show_share(canary.weight)}" if canary else "none",
    }


def _rest(model: ModelPlan) -> Iterator[Line]:
    if model.fate is Fate.CHANGED and any(gate.before != gate.after for gate in model.gates):
        yield ("gates change",)
    if model.edits:
        acting = [edit for edit in model.edits if edit.acts is not Acts.NEVER] or model.edits
        told = list(dict.fromkeys(setting(edit, _SHORT) for edit in acting))
        more = len(told) - _NAMED
        yield (*joined(told[:_NAMED]), f" and {more} more" if more > 0 else "")
    if model.renders and not model.pins:
        yield ("rendered files change",)


def setting(edit: Edit, longest: int) -> Line:
    """A setting with its old and new value."""
    return (quoted(edit.setting), " ", *turned(edit.before, edit.after, longest))


def _way(walk: tuple[Entry, ...]) -> Line:
    return joined([_stop(entry) for entry in walk], " → ")


def _stop(entry: Entry) -> Line:
    name = quoted(entry.environment)
    return (name, " (approval by ", *approvers(entry.approval), ")") if entry.approval else (name,)


def approvers(rule: Approvals) -> Line:
    """Who is asked, and how many of them."""
    if not rule.handles:
        return ("a person, and nobody is listed",)
    number = f"{rule.count} of " if rule.count > 1 else ""
    return (number, *joined([(quoted(handle),) for handle in rule.handles], " or "))
