"""Objectives by the keys that a manifest has for them, figures before selectors. How they are read is
`core.objective_reading`'s business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from tidegate.core.dialects import describe
from tidegate.core.manifest import BUDGET_WINDOW, COVERAGE, Effect, Environment, Labels, Mean, Objective, ValueObjective
from tidegate.core.planning.fields import Difference, differences, shown

_DEFAULTS: Mapping[str, object] = {
    "window": BUDGET_WINDOW,
    "effect": Effect.REVERT,
    "for": timedelta(0),
    "minimumCoverage": COVERAGE,
}
_DIGITS = 12
"""So many of a mean's bound are what was written: it is kept as a share of the range."""


def edits(before: Environment, after: Environment) -> Iterator[Difference]:
    """Each key that differs of an objective that both have; one that comes or goes as a whole, without defaults."""
    old, new = _by_name(before), _by_name(after)
    for name in {**old, **new}:
        setting, was, now = f"objectives.{name}", old.get(name), new.get(name)
        if was is None or now is None:
            yield Difference(setting=setting, before=_whole(was), after=_whole(now))
        else:
            yield from differences(was, now, setting)


def _by_name(environment: Environment) -> dict[str, Mapping[str, object]]:
    events = {each.name: _keys(each) for each in (*environment.objectives, *environment.late)}
    return events | {each.name: _figure(each) for each in environment.values}


def _keys(objective: Objective) -> Mapping[str, object]:
    if objective.mean is not None:
        return _mean(objective, objective.mean)
    return {
        "target": objective.target,
        "under": objective.under,
        "window": objective.window,
        "effect": objective.effect,
        "labels": _labels(objective.labels) if objective.labels else None,
        "bad": objective.bad,
        "good": objective.good,
        "total": objective.total,
        "histogram": objective.histogram,
        "unit": objective.unit,
        "dialect": describe(objective.dialect) if objective.dialect else None,
    }


def _mean(objective: Objective, mean: Mean) -> Mapping[str, object]:
    share = objective.target if mean.higher_is_better else 1 - objective.target
    return {
        "minimum" if mean.higher_is_better else "maximum": round(mean.low + share * (mean.high - mean.low), _DIGITS),
        "range": (mean.low, mean.high),
        "effect": objective.effect,
        "sum": mean.sum,
        "squares": mean.squares,
        "total": objective.total,
    }


def _labels(labels: Labels) -> Mapping[str, object]:
    return {"served": labels.served, "delay": labels.delay, "minimumCoverage": labels.minimum_coverage}


def _figure(objective: ValueObjective) -> Mapping[str, object]:
    return {
        "minimum": objective.minimum,
        "maximum": objective.maximum,
        "for": objective.held,
        "effect": objective.effect,
        "value": objective.value,
    }


def _whole(keys: Mapping[str, object] | None) -> str | None:
    return None if keys is None else shown(_written(keys))


def _written(keys: Mapping[str, object]) -> Mapping[str, object]:
    """What a person has to write."""
    return {
        key: _written(value) if isinstance(value, Mapping) else value
        for key, value in keys.items()
        if value != _DEFAULTS.get(key)
    }
