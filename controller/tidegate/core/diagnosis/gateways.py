"""Whether a gateway counts what an objective reads of the model server itself: the gateway is the better witness.

One question for the whole workspace. Which series a gateway has is said in `presets`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tidegate.core.diagnosis.gaps import metric
from tidegate.core.diagnosis.remark import Remark, Rule
from tidegate.core.diagnosis.selectors import Place
from tidegate.core.dialects import Place as Served
from tidegate.core.dialects import conditions
from tidegate.core.finding import Severity
from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.manifest import Model, Objective
from tidegate.core.pin import Pin
from tidegate.core.presets import BUILT_IN, named
from tidegate.core.workspace import MetricLabels, Workspace

GATEWAY_NOT_READ = Rule(
    id="gateway-not-read",
    severity=Severity.NOTE,
    title="A gateway counts the same requests",
    why="A server does not count what it never answered, and may count probes. A gateway does the first and not the "
    "second, and says the same of every server behind it.",
    fix="use the gateway's preset; see docs/metrics.md",
)

RULES = (GATEWAY_NOT_READ,)

_GATEWAYS = ("istio", "envoy")
_SERVERS = ("bentoml", "kserve", "ray", "seldon", "vllm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """An objective that reads a model server, and what a gateway's preset for it ends in."""

    who: str
    served: Served
    kind: str


def witnesses(models: Sequence[Model], pins: Mapping[Place, Pin]) -> list[Witness]:
    """Those of every environment in which a version is stable."""
    servers = _servers()
    found: list[Witness] = []
    for model in models:
        for environment in model.environments:
            pin = pins.get((model.name, environment.name))
            if pin is None or pin.stable is None:
                continue
            served = Served(model=model.name, environment=environment.name)
            found += [_witness(each, served) for each in environment.objectives if _metric(each) in servers]
    return found


def _witness(objective: Objective, served: Served) -> Witness:
    who = f"{objective.name} of {served.model} in {served.environment}"
    return Witness(who=who, served=served, kind="latency" if objective.histogram else "availability")


def question(workspace: Workspace) -> str:
    """Of all gateways' requests, the labels that say whose they are."""
    asked = (metric(BUILT_IN[f"{gateway}-availability"].selectors["total"]) for gateway in _GATEWAYS)
    labels = (name for each in _dialects(workspace).values() for name in _names(each))
    return f'count by ({", ".join(dict.fromkeys(labels))}) ({{__name__=~"{"|".join(filter(None, asked))}"}})'


def examine(found: Collection[Witness], workspace: Workspace, answer: Sampled | Unread) -> Iterator[Remark]:
    """A note for each that a gateway would count as well. Nothing where that could not be asked."""
    there = () if isinstance(answer, Unread) else answer.series
    dialects = _dialects(workspace)
    for each in found:
        for gateway, labels in dialects.items():
            wanted = conditions(labels, each.served, None)
            if any(_meets(series.labels, wanted) for series in there):
                preset = f"{gateway}-{each.kind}"
                what = f"{each.who} is counted by the server, and {gateway} counts its requests too"
                yield GATEWAY_NOT_READ.broken(what, f"preset: {preset}; see docs/metrics.md")
                break


def _servers() -> frozenset[str]:
    """The metrics of model servers' presets. A gateway knows nothing of first tokens."""
    own = (preset for name, preset in BUILT_IN.items() if name.startswith(_SERVERS) and "first-token" not in name)
    found = (preset.selectors.get("total") or preset.selectors.get("histogram") for preset in own)
    names = (metric(selector) for selector in found if selector)
    return frozenset(name for name in names if name is not None)


def _metric(objective: Objective) -> str | None:
    selector = objective.histogram or objective.total
    return None if selector is None or objective.mean is not None else metric(selector)


def _dialects(workspace: Workspace) -> dict[str, MetricLabels]:
    """By gateway, the labels of its series in this workspace."""
    presets = ((gateway, named(f"{gateway}-availability", workspace)) for gateway in _GATEWAYS)
    return {name: preset.dialect(workspace) or workspace.labels for name, preset in presets if preset is not None}


def _names(labels: MetricLabels) -> list[str]:
    return [name for name in (labels.model, labels.environment, labels.version) if name]


def _meets(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in wanted.items())
