"""Which series are read where something serves: the counters of objectives without a version, and readiness.

What is said of what they show is `series`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from tidegate.core.dialects import version_pattern
from tidegate.core.judging.queries import Scope, indicator, readiness
from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Pin
from tidegate.core.workspace import MetricLabels

Place: TypeAlias = tuple[str, str]
"""A model's name and an environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What is read of one model in one environment; `bare` is the same without our labels, `labels` are these, and
    `number` is the pattern of a version's label with the number itself in a group."""

    who: str
    text: str
    bare: str | None
    resolution: timedelta
    labels: MetricLabels
    number: str


def selectors(models: Sequence[Model], pins: Mapping[Place, Pin], labels: MetricLabels) -> list[Selector]:
    """Those of every environment in which a version is stable."""
    found: list[Selector] = []
    for model in models:
        for environment in model.environments:
            pin = pins.get((model.name, environment.name))
            if pin is not None and pin.stable is not None:
                scope = Scope(
                    model=model.name, environment=environment.name, labels=labels, ready=environment.target.ready
                )
                found += _counters(environment, scope)
                found += _gauge(environment, scope, [serving.version for serving in pin.serves()])
    return found


def _counters(environment: Environment, scope: Scope) -> Iterator[Selector]:
    """Of an objective that counts bad events only the total: no bad event so far means no series so far."""
    nobody = replace(scope, labels=MetricLabels(model="", environment=""))
    for objective in environment.objectives:
        try:
            asked, bare = indicator(objective, scope, None), indicator(replace(objective, dialect=None), nobody, None)
        except ValueError:
            continue  # `validate` tells
        read = _read(environment, scope, scope.dialect(objective), objective.name)
        yield replace(read, text=asked.total, bare=bare.total)
        if objective.bad is None:
            yield replace(read, text=asked.bad, bare=bare.bad)


def _gauge(environment: Environment, scope: Scope, versions: Sequence[int]) -> Iterator[Selector]:
    with suppress(ValueError):  # `validate` tells
        if (ready := readiness(scope, versions)) is not None:
            yield replace(_read(environment, scope, scope.labels, "readiness"), text=ready)


def _read(environment: Environment, scope: Scope, labels: MetricLabels, name: str) -> Selector:
    """What is read, its text still to come."""
    return Selector(
        who=f"{name} of {scope.model} in {scope.environment}",
        text="",
        bare=None,
        resolution=environment.rollout.resolution,
        labels=labels,
        number=version_pattern(labels, scope.place),
    )
