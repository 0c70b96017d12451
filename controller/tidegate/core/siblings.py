"""Other models on the same serving: whether what would send a version back is wrong with them as well.

They are judged as any version is, by `judging`; what follows from it is `guards`' work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from tidegate.core.grounds import Ground
from tidegate.core.judging.verdict import Question, Stage, Standing, Verdict
from tidegate.core.manifest import Effect, Environment, Model

_SHARE = 0.2
"""So many of them must breach too. Serving that fails shows in many; in a large fleet one breaches at any time."""

_NAMED = 3


def siblings(models: Iterable[Model], model: Model, environment: str) -> Iterator[tuple[Model, Environment]]:
    """The other models that the same kind of target serves there: no more is desired of where they are served."""
    kind = model.environment(environment).target.kind
    for other in models:
        there = next((e for e in other.environments if e.name == environment), None)
        if other.name != model.name and there is not None and there.target.kind == kind:
            yield other, there


def siblings_since(question: Question, ground: Ground, now: datetime) -> datetime:
    """Siblings are judged over as long a time, up to now, as it took to find the breach: what is long over excuses
    nobody. A cell is judged up to a cell after its end."""
    took = (ground.found_at or now) - question.since
    return max(question.since, now - took - 2 * question.rollout.resolution)


def of_sibling(there: Environment, stable: int, question: Question) -> Question:
    """A question about another model's stable version, over the time of this one. It has long been warm."""
    return replace(
        question,
        subject=stable,
        reference=None,
        stage=Stage.BAKE,
        rollout=replace(there.rollout, warm_up=timedelta(0)),
        objectives=there.objectives,
        values=there.values,
        together=None,
    )


def breaches(verdict: Verdict) -> bool:
    """Whether a version is outside bounds that would send it back."""
    reverting = (each for each in verdict.objectives if each.effect is Effect.REVERT)
    return any(each.standing is Standing.BREACH for each in reverting) or any(each.reverts for each in verdict.values)


def is_told(verdict: Verdict) -> bool:
    """Whether anybody can tell how a version stands against bounds that would send it back."""
    standings = [each.standing for each in verdict.objectives if each.effect is Effect.REVERT]
    standings += [
        each.standing for each in verdict.values if each.objective.effect is Effect.REVERT and each.by_version
    ]
    return breaches(verdict) or Standing.FINE in standings


def needed(told: int) -> int:
    """How many of so many must breach, so that the cause is likely elsewhere."""
    return max(ceil(told * _SHARE), 1)


def elsewhere(verdicts: Mapping[str, Verdict]) -> str:
    """Who breaches as well, by name, if they are enough to say that the cause is elsewhere; else nothing."""
    told = sum(map(is_told, verdicts.values()))
    failing = [name for name, verdict in verdicts.items() if breaches(verdict)]
    if len(failing) < needed(told):
        return ""
    more = ", …" if len(failing) > _NAMED else ""
    return f"{', '.join(failing[:_NAMED])}{more}: {len(failing)} of {told}"
