"""What is read where something serves: the counters of objectives without a version, readiness, and values.

What is said of what they show is `series`' and `values`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from tidegate.core.dialects import conditions, version_pattern
from tidegate.core.judging.late_labels import step_of
from tidegate.core.judging.placeholders import filled
from tidegate.core.judging.queries import Scope, indicator, late_indicator, readiness, squares
from tidegate.core.manifest import Effect, Environment, Judge, Model, Objective, ValueObjective
from tidegate.core.pin import Pin
from tidegate.core.workspace import MetricLabels

Place: TypeAlias = tuple[str, str]
"""A model's name and an environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One selector of an objective, named by the manifest's `key`. An `optional` one may find nothing: bad events that
    have not happened have no series.

    `labels` are ours, `conditions` the patterns that their values meet, and `number` is that of a version's label with
    the number itself in a group.
    """

    key: str
    text: str
    resolution: timedelta
    labels: MetricLabels
    conditions: Mapping[str, str]
    number: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one objective, or readiness, reads in one environment: counters, or expressions that answer a value.

    `idle` says why nothing waits for it; it is empty where something does.
    """

    who: str
    idle: str = ""
    counters: tuple[Selector, ...] = ()
    expressions: tuple[str, ...] = ()
    labels: MetricLabels
    resolution: timedelta


def reads(models: Sequence[Model], pins: Mapping[Place, Pin], labels: MetricLabels) -> list[Read]:
    """Those of every environment in which a version is stable. What cannot be asked is left to `validate` to tell."""
    found: list[Read] = []
    for model in models:
        for environment in model.environments:
            pin = pins.get((model.name, environment.name))
            if pin is not None and pin.stable is not None:
                scope = Scope(
                    model=model.name, environment=environment.name, labels=labels, ready=environment.target.ready
                )
                found += _of(environment, scope, [serving.version for serving in pin.serves()])
    return found


def _of(environment: Environment, scope: Scope, versions: Sequence[int]) -> Iterator[Read]:
    def read(name: str, idle: str) -> Read:
        who = f"{name} of {scope.model} in {scope.environment}"
        return Read(who=who, idle=idle, labels=scope.labels, resolution=environment.rollout.resolution)

    for each in (*environment.objectives, *environment.late):
        with suppress(ValueError):
            yield replace(
                read(each.name, _idle(environment, each)), counters=tuple(_counters(each, environment, scope))
            )
    for value in environment.values:
        yield replace(read(value.name, _idle(environment, value)), expressions=_expressions(value, scope, versions))
    with suppress(ValueError):
        if (text := readiness(scope, versions)) is not None:
            idle = f"nothing is judged in {environment.name} (judge: none)" if _judges_nothing(environment) else ""
            gauge = replace(_selector(scope.labels, environment, scope), key="target.ready", text=text)
            yield replace(read("readiness", idle), counters=(gauge,))


def _idle(environment: Environment, objective: Objective | ValueObjective) -> str:
    """Why neither an entry nor a rollout waits for it here."""
    late = isinstance(objective, Objective) and objective.labels is not None
    # Without a gauge it is its events that tell whether a version serves, where readiness judges.
    by_events = environment.judge is Judge.READY and environment.target.ready is None
    counts = isinstance(objective, Objective) and by_events
    if objective.effect is Effect.INFORM and not counts:
        return "its effect is `inform`"
    if environment.canaries or (not late and (environment.judge is Judge.OBJECTIVES or counts)):
        return ""
    if _judges_nothing(environment):
        return f"nothing is judged in {environment.name} (judge: none)"
    return f"{environment.name} has no rollout" if late else f"{environment.name} is judged by readiness"


def _judges_nothing(environment: Environment) -> bool:
    return environment.judge is Judge.NONE and not environment.canaries


def _counters(objective: Objective, environment: Environment, scope: Scope) -> Iterator[Selector]:
    """All events first. Raises ValueError for text that is no plain selector."""
    plain = _selector(scope.dialect(objective), environment, scope)
    if objective.labels is not None:
        plain = replace(plain, resolution=step_of(objective.labels, environment.rollout))
        bad, total, served = late_indicator(objective, scope, None)
        yield replace(plain, key="labels.served", text=served)
    else:
        asked = indicator(objective, scope, None)
        bad, total = asked.bad, asked.total
    yield replace(plain, key="histogram" if objective.histogram else "total", text=total)
    yield replace(plain, key=_counted(objective), text=bad, optional=objective.bad is not None)
    if (of_squares := squares(objective, scope, None)) is not None:
        yield replace(plain, key="squares", text=of_squares)


def _counted(objective: Objective) -> str:
    """The key of what is counted among all events."""
    if objective.histogram is not None:
        return "under"
    if objective.mean is not None:
        return "sum"
    return "good" if objective.bad is None else "bad"


def _expressions(value: ValueObjective, scope: Scope, versions: Sequence[int]) -> tuple[str, ...]:
    known = {"model": scope.model, "environment": scope.environment}
    return tuple(dict.fromkeys(filled(value.value, {**known, "version": str(version)}) for version in versions))


def _selector(labels: MetricLabels, environment: Environment, scope: Scope) -> Selector:
    """One whose text is still to come."""
    return Selector(
        key="",
        text="",
        resolution=environment.rollout.resolution,
        labels=labels,
        conditions=conditions(labels, scope.place, None),
        number=version_pattern(labels, scope.place),
    )
