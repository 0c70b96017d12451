"""In which environments a setting acts: how versions enter one, and how they are judged there, tells what is read of
its policy. From when on is `policy`'s business."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.core.manifest import Environment, Judge, Objective, ValueObjective

_OF_CANARIES = frozenset(
    {
        "steps",
        "worseThan",
        "ruleOut",
        "falseAdvanceRate",
        "minimumEffect",
        "onInconclusive",
        "onAbsent",
        "probation",
    }
)
"""Two versions side by side, and what becomes of the new one."""
_OF_OBJECTIVES = frozenset({"warmUp", "minimumEvents", "falseRevertRate", "maximumDuration", "analysis.dispersion"})
_OF_ANY_JUDGE = frozenset({"progressDeadline", "analysis.resolution"})
_READ = frozenset({"bad", "good", "total", "histogram", "sum"})
"""What shows that a version serves, where no gauge does."""


def acts(setting: str, before: Environment, after: Environment, *, canary: bool) -> bool:
    """Whether anything rests on a setting that changes. `canary` says that one is there, however it came."""
    by_canary = canary or after.canaries
    by_objectives = by_canary or after.judge is Judge.OBJECTIVES
    head, _, rest = setting.partition(".")
    match head:
        case "revert":
            return by_canary
        case "objectives":
            return by_canary or _judges(rest, before, after)
        case "rollout" if rest.partition(".")[0] in _OF_CANARIES:
            return by_canary
        case "rollout" if rest in _OF_OBJECTIVES:
            return by_objectives
        case "rollout" if rest in _OF_ANY_JUDGE:
            return by_objectives or after.judge is Judge.READY
        case _:
            return True


def _judges(setting: str, before: Environment, after: Environment) -> bool:
    """Whether an objective says anything of a version that has no other beside it: labels that come late do not."""
    events = (*before.objectives, *after.objectives)
    match after.judge:
        case Judge.OBJECTIVES:
            return _is_of(setting, (*events, *before.values, *after.values))
        case Judge.READY:
            whole = any(setting == each.name for each in events)
            read = setting.rpartition(".")[2] in _READ and _is_of(setting, events)
            return after.target.ready is None and (whole or read)
        case Judge.NONE:
            return False


def _is_of(setting: str, objectives: Iterable[Objective | ValueObjective]) -> bool:
    """Names may have dots in them."""
    return any(f"{setting}.".startswith(f"{each.name}.") for each in objectives)
