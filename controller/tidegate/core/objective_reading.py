"""From a manifest's objectives (their shape already checked) to what they mean: events, means, late labels, values.

An environment's own keys go before the model's, and both before those of a preset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tidegate.core import bounds, objective_keys, presets
from tidegate.core.manifest import BUDGET_WINDOW, COVERAGE, Effect, Labels, Mean, Objective, Unit, ValueObjective
from tidegate.core.misread import Misread, at
from tidegate.core.quantity import duration
from tidegate.core.workspace import Workspace

_Path = tuple[str | int, ...]
_Read = Objective | ValueObjective


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The objectives of one environment by how they are judged."""

    events: tuple[Objective, ...]
    late: tuple[Objective, ...]
    values: tuple[ValueObjective, ...]


class Objectives:
    """The objectives of a model's environments. Those that nothing overrides are read once for all of them."""

    def __init__(self, common: Mapping[str, Any], workspace: Workspace) -> None:
        self._common = common
        self._workspace = workspace
        self._plain: dict[str, _Read] = {}
        self._unchanged: Sorted | None = None

    def of(self, own: Mapping[str, Any]) -> Sorted:
        if not own:
            return self._all()
        names = (*self._common, *(name for name in own if name not in self._common))
        return _sorted([self._objective(name, own.get(name)) for name in names])

    def _all(self) -> Sorted:
        if self._unchanged is None:
            self._unchanged = _sorted([self._objective(name, None) for name in self._common])
        return self._unchanged

    def _objective(self, name: str, own: Mapping[str, Any] | None) -> _Read:
        if own:
            return _objective(name, {**self._common.get(name, {}), **own}, self._workspace)
        if name not in self._plain:
            self._plain[name] = _objective(name, self._common.get(name, {}), self._workspace)
        return self._plain[name]


def _sorted(read: Sequence[_Read]) -> Sorted:
    events = [each for each in read if isinstance(each, Objective)]
    return Sorted(
        events=tuple(each for each in events if each.labels is None),
        late=tuple(each for each in events if each.labels is not None),
        values=tuple(each for each in read if isinstance(each, ValueObjective)),
    )


def _objective(name: str, data: Mapping[str, Any], workspace: Workspace) -> _Read:
    path = ("spec", "objectives", name)
    dialect = None
    if "preset" in data:
        preset = presets.named(data["preset"], workspace)
        if preset is None:
            there = ", ".join(presets.known(workspace))
            raise Misread((*path, "preset"), f"no preset {data['preset']!r}; there are: {there}")
        if (refusal := preset.refusal(workspace)) is not None:
            raise Misread((*path, "preset"), f"cannot judge: {refusal}; {preset.remedy(data['preset'], workspace)}")
        data = {**preset.selectors, **data}
        dialect = preset.dialect(workspace)
    if (wrong := objective_keys.fault(data)) is not None:
        raise Misread(path, wrong)
    match objective_keys.lead(data):
        case "value":
            return _value(name, data, path)
        case "sum":
            return _mean(name, data, path)
        case _:
            return replace(_events(name, data, path), dialect=dialect)


def _events(name: str, data: Mapping[str, Any], path: _Path) -> Objective:
    return Objective(
        name=name,
        target=at((*path, "target"), bounds.target, data["target"]),
        window=at((*path, "window"), bounds.window, data["window"]) if "window" in data else BUDGET_WINDOW,
        effect=Effect(data.get("effect", "revert")),
        bad=data.get("bad"),
        good=data.get("good"),
        total=data.get("total"),
        histogram=data.get("histogram"),
        under=at((*path, "under"), bounds.under, data["under"]) if "under" in data else None,
        unit=Unit(data["unit"]) if "unit" in data else None,
        labels=_labels(data["labels"], (*path, "labels")) if "labels" in data else None,
    )


def _labels(data: Mapping[str, Any], path: _Path) -> Labels:
    least = COVERAGE
    if "minimumCoverage" in data:
        least = at((*path, "minimumCoverage"), bounds.coverage, data["minimumCoverage"])
    return Labels(
        served=data["served"], delay=at((*path, "delay"), bounds.delay, data["delay"]), minimum_coverage=least
    )


def _mean(name: str, data: Mapping[str, Any], path: _Path) -> Objective:
    """A mean is judged as events are that are bad by a share; its bound becomes the target of good ones."""
    if "minimum" in data and "maximum" in data:
        raise Misread((*path, "maximum"), "a mean is better when it is higher or when it is lower: write one bound")
    low, high = at((*path, "range"), bounds.span_of_figures, data["range"])
    bound = "minimum" if "minimum" in data else "maximum"
    share = (at((*path, bound), bounds.number, data[bound]) - low) / (high - low)
    if not 0 < share < 1:
        raise Misread((*path, bound), f"{data[bound]} does not lie inside the range, {low:g} to {high:g}")
    return Objective(
        name=name,
        target=share if bound == "minimum" else 1 - share,
        effect=Effect(data.get("effect", "revert")),
        total=data["total"],
        mean=Mean(
            sum=data["sum"], low=low, high=high, higher_is_better=bound == "minimum", squares=data.get("squares")
        ),
    )


def _value(name: str, data: Mapping[str, Any], path: _Path) -> ValueObjective:
    def bound(key: str) -> float | None:
        return at((*path, key), bounds.number, data[key]) if key in data else None

    least, most = bound("minimum"), bound("maximum")
    if least is not None and most is not None and least > most:
        raise Misread((*path, "maximum"), f"no value is at least {least:g} and at most {most:g}")
    return ValueObjective(
        name=name,
        value=data["value"],
        minimum=least,
        maximum=most,
        held=at((*path, "for"), duration, data["for"]) if "for" in data else timedelta(0),
        effect=Effect(data.get("effect", "revert")),
    )
