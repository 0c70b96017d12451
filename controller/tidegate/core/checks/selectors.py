"""Rules about which series selectors choose: what contradicts the labels that are added, and what counts itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tidegate.core import presets, promql
from tidegate.core.checks.effective import Objective, objectives
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, Settings, section
from tidegate.core.dialects import Place, rendered
from tidegate.core.fault import Fault, Way
from tidegate.core.promql import Matcher
from tidegate.core.shown import shown
from tidegate.core.workspace import MetricLabels

CONTRADICTING_MATCHER = Rule(
    id="contradicting-matcher",
    title="A matcher that contradicts the one that is added",
    why="Tidegate adds the labels of model, environment and version to every selector (named as `metrics.labels` in "
    "`tidegate.yaml` says), and `le` to a histogram's. A matcher on the same label that wants another value leaves "
    "nothing to count. Leave it out: each model, environment and version is asked for by itself.",
    bad="spec:\n"
    "  objectives: {errors: {bad: 'failed_total{environment=\"prod\"}', total: tried_total, target: 99%}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}\n"
    "  environments: {production: {}}",
)

SAME_SERIES = Rule(
    id="same-series",
    title="Bad events that are all events",
    why="`bad` and `total` select the same series: every event counts as bad, and every version breaches. With `good` "
    "it is the other way round, and nothing is ever bad.",
    bad="spec: {objectives: {errors: {bad: tried_total, total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

HISTOGRAM_PART = Rule(
    id="histogram-part",
    title="A part of a histogram in place of its name",
    why="A histogram is three kinds of series: `_bucket`, `_count` and `_sum`. Tidegate adds the endings itself, and "
    "reads the bucket at `under` and the count. So the selector has the histogram's own name.",
    bad="spec: {objectives: {latency: {histogram: predict_seconds_bucket, under: 250ms, target: 99%}}}",
    good="spec: {objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 99%}}}",
)

HISTOGRAM_WITHOUT_NAME = Rule(
    id="histogram-without-name",
    title="A histogram without a name",
    why="`_bucket` and `_count` are added to the name, so that it must stand before the braces.",
    bad="spec: {objectives: {latency: {histogram: '{job=\"churn\"}', under: 250ms, target: 99%}}}",
    good="spec: {objectives: {latency: {histogram: 'predict_seconds{job=\"churn\"}', under: 250ms, target: 99%}}}",
)

RULES = (CONTRADICTING_MATCHER, SAME_SERIES, HISTOGRAM_PART, HISTOGRAM_WITHOUT_NAME)

_COUNTERS = ("bad", "good", "total")


@dataclass(frozen=True, slots=True)
class _Served:
    """Whose series a selector reads: the manifest's model in these environments, told apart by these labels."""

    manifest: Manifest
    environments: tuple[str, ...]
    labels: MetricLabels


_PART = re.compile(r"_(?:bucket|count|sum)$")


def selectors_select_something(manifest: Manifest) -> Iterator[Fault]:
    """Each objective where it holds, and the readiness gauges."""
    for objective in objectives(manifest):
        yield from _histogram(objective.data, objective.layers[0][0], objective)
        yield from _same(objective)
        for key in (*_COUNTERS, "histogram"):
            if "{" in objective.data.get(key, ""):
                labels = presets.dialect(objective.data, manifest.workspace)
                served = _Served(manifest, objective.environments, labels)
                yield from _contradictions(objective.data[key], objective.way(key), served)
    ready = section(manifest.spec, "serving", "target").get("ready", "")
    if "{" in ready:
        others = tuple(n for n in manifest.order if "ready" not in section(manifest.environments, n, "target"))
        served = _Served(manifest, others, manifest.workspace.labels)
        yield from _contradictions(ready, ("spec", "serving", "target", "ready"), served)
    for name in manifest.order:
        own = section(manifest.environments, name, "target").get("ready", "")
        if "{" in own:
            served = _Served(manifest, (name,), manifest.workspace.labels)
            yield from _contradictions(own, ("spec", "environments", name, "target", "ready"), served)


def presets_select_something(settings: Settings) -> Iterator[Fault]:
    """What is wrong with a preset in every model."""
    for name, preset in section(settings.data, "presets").items():
        yield from _histogram(preset, ("presets", name), None)


def _histogram(data: Data, way: Way, objective: Objective | None) -> Iterator[Fault]:
    if "histogram" not in data:
        return
    text: str = data["histogram"]
    way = objective.way("histogram") if objective else (*way, "histogram")
    if way[-1] == "preset":
        return  # told once, where the preset is
    name = text.partition("{")[0].strip()
    if not name:
        message = f"{shown(text)} has no name to which _bucket and _count could be added"
        yield HISTOGRAM_WITHOUT_NAME.at(way, message, "write the histogram's name before the braces")
    elif found := _PART.search(name):
        message = f"{shown(name)[1:-1]} is a part of a histogram, and `_bucket` and `_count` are added to it"
        yield HISTOGRAM_PART.at(way, message, f"write {shown(name.removesuffix(found[0]))[1:-1]}")


def _same(objective: Objective) -> Iterator[Fault]:
    total: str | None = objective.data.get("total")
    for key in ("bad", "good"):
        if total is not None and _alike(objective.data.get(key), total):
            outcome = "every event is bad" if key == "bad" else "no event is ever bad"
            way = objective.way(key)
            yield SAME_SERIES.at(way, f"{key} and total select the same series: {outcome}", f"narrow `{key}`")


def _alike(one: str | None, other: str) -> bool:
    if one is None or ("{" in one) != ("{" in other):
        return False
    return one.strip() == other.strip() or ("{" in one and _series(one) == _series(other) is not None)


def _series(text: str) -> tuple[str, frozenset[Matcher]] | None:
    read = promql.read(text)
    if isinstance(read, promql.Unread) or len(read.selectors) != 1:
        return None
    return read.selectors[0].name, read.selectors[0].matchers


def _contradictions(text: str, way: Way, served: _Served) -> Iterator[Fault]:
    labels = served.labels
    if not any(label and label in text for label in (labels.model, labels.environment, labels.version, "le")):
        return
    series = _series(text)
    for matcher in sorted(series[1], key=lambda one: one.label) if series else ():
        if matcher.operator == "=" and (why := _contradiction(matcher, way, served)) is not None:
            message = f"{shown(matcher.label)[1:-1]}={shown(matcher.value)} selects nothing: {why}"
            yield CONTRADICTING_MATCHER.at(way, message, "leave it out")


def _contradiction(matcher: Matcher, way: Way, served: _Served) -> str | None:
    """What is added beside it and cannot hold at the same time."""
    labels, model = served.labels, section(served.manifest.data, "metadata").get("name")
    places = {name: Place(model=model or "", environment=name) for name in served.environments}
    if matcher.label == labels.version:
        return "each version is asked for by itself"
    if matcher.label == labels.model and model is not None:
        wrong = [p for p in places.values() if rendered(labels.model_value, p) != matcher.value]
        return f"the model is {model}" if wrong else None
    others = [name for name, place in places.items() if rendered(labels.environment_value, place) != matcher.value]
    if matcher.label == labels.environment and others:
        also = " too" if len(others) < len(places) else ""
        return f"it is asked for in {', '.join(others)}{also}"
    return "le is added from `under`" if matcher.label == "le" and way[-1] == "histogram" else None
