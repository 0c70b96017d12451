"""Which series are read where something serves: the counters of objectives without a version, and readiness.

What is said of what they show is `series`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from tidegate.core.judging.queries import Scope, indicator, readiness
from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Pin
from tidegate.core.workspace import MetricLabels

Place: TypeAlias = tuple[str, str]
"""A model's name and an environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What is read of one model in one environment; `bare` is the same without our labels."""

    who: str
    text: str
    bare: str | None
    resolution: timedelta


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
    resolution = environment.rollout.resolution
    nobody = replace(scope, labels=MetricLabels(model="", environment=""))
    for objective in environment.objectives:
        try:
            asked, bare = indicator(objective, scope, None), indicator(objective, nobody, None)
        except ValueError:
            continue  # `validate` tells
        who = f"{objective.name} of {scope.model} in {scope.environment}"
        yield Selector(who=who, text=asked.total, bare=bare.total, resolution=resolution)
        if objective.bad is None:
            yield Selector(who=who, text=asked.bad, bare=bare.bad, resolution=resolution)


def _gauge(environment: Environment, scope: Scope, versions: Sequence[int]) -> Iterator[Selector]:
    with suppress(ValueError):  # `validate` tells
        if (ready := readiness(scope, versions)) is not None:
            who = f"readiness of {scope.model} in {scope.environment}"
            yield Selector(who=who, text=ready, bare=None, resolution=environment.rollout.resolution)
