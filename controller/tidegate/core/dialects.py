"""How series say whose they are: matchers for the labels of model, environment and version, and versions read back.

A dialect is a `MetricLabels`: names of labels, and templates of their values such as `{model}-{version}`. Placeholders
are `{model}`, `{environment}`, `{version}` and `{number}`, any number that means nothing here. Which dialect a source
speaks is said in `presets`; whole selectors are `judging.queries`'.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.core.judging.reading import Sampled
from tidegate.core.workspace import MetricLabels

_NUMBER = "[0-9]+"
_PLAIN = "{version}"
_PLACE = re.compile(r"\{(model|environment|version|number)\}")
_MEANT = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""Characters that mean something in a pattern of RE2, which is Prometheus'. A hyphen outside a class means nothing."""
_APART = re.compile(r"[^A-Za-z0-9]")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A model in an environment."""

    model: str
    environment: str


def with_labels(labels: MetricLabels, written: Mapping[str, Any]) -> MetricLabels:
    """The labels with those that are written before them: a name each, or a mapping of `label` and `value`."""
    changes: dict[str, str] = {}
    for which, given in written.items():
        said = given if isinstance(given, Mapping) else {"label": given}
        changes[which] = said["label"]
        changes[f"{which}_value"] = said.get("value", f"{{{which}}}")
    return replace(labels, **changes)


def matchers(labels: MetricLabels, place: Place, versions: Collection[int] | None) -> list[str]:
    """What a selector needs to find these versions and nobody else; all versions where None are named."""
    return shared_matchers([conditions(labels, place, versions)], labels)


def conditions(labels: MetricLabels, place: Place, versions: Collection[int] | None) -> dict[str, str]:
    """By label, a pattern for its value: what a series must show to belong to these versions."""
    wanted = ((labels.model, labels.model_value), (labels.environment, labels.environment_value))
    found = {name: _literal(rendered(value, place)) for name, value in wanted if name}
    pattern = _versions(labels, place, versions)
    return found if pattern is None else {**found, labels.version: pattern}


def shared_matchers(several: Sequence[Mapping[str, str]], labels: MetricLabels) -> list[str]:
    """Matchers for series that meet one of several conditions, and for as few others as label by label can be said."""
    found: list[str] = []
    for name in several[0]:
        patterns = list(dict.fromkeys(each[name] for each in several))
        if name != labels.version and len(patterns) == 1:
            value = _ESCAPED.sub(r"\1", patterns[0])
            found.append(f'{name}="{escaped(value)}"')
        else:
            found.append(f'{name}=~"{escaped("|".join(patterns))}"')
    return found


def read_back(sampled: Sampled, labels: MetricLabels, place: Place, name: str) -> Sampled:
    """The same samples with the plain number of the version under the label `name`: the judges speak one dialect.

    What belongs to no version of this model is left out.
    """
    if labels.version == name and labels.version_value == _PLAIN:
        return sampled
    pattern = re.compile(version_pattern(labels, place))
    read = ((series, pattern.fullmatch(series.labels.get(labels.version, ""))) for series in sampled.series)
    series = tuple(replace(each, labels={**each.labels, name: found[1]}) for each, found in read if found)
    return replace(sampled, series=series)


def version_pattern(labels: MetricLabels, place: Place) -> str:
    """The value of the version's label, the number itself in a group."""
    return _pattern(labels.version_value, place, f"({_NUMBER})")


def rendered(template: str, place: Place) -> str:
    """The value of the label of model or environment."""
    known = {"model": place.model, "environment": place.environment}
    return _PLACE.sub(lambda found: known.get(found[1], found[0]), template)


def describe(labels: MetricLabels) -> str:
    """In words, for people who ask which series are read: `environment, application={model}-{version}`."""
    return ", ".join(_described(labels))


def fault(labels: MetricLabels) -> str | None:
    """Why no two arms can be told apart by these labels; None where they can."""
    if not labels.version:
        return "no label tells its versions apart"
    if not labels.model and "{model}" not in labels.version_value + labels.environment_value:
        return "no label tells its models apart"
    named = ((labels.model, labels.model_value), (labels.environment, labels.environment_value))
    values = (value for name, value in (*named, (labels.version, labels.version_value)) if name)
    return next((words for value in values if (words := _runs_together(value))), None)


def escaped(value: str) -> str:
    """The value as it stands between double quotes in PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _runs_together(template: str) -> str:
    """Names end in letters and digits: without another character in between, `churn` and 12 might be `churn1` and 2."""
    pieces = _PLACE.split(template)
    for index in range(2, len(pieces) - 1, 2):
        if not _APART.search(pieces[index]):
            one, other = pieces[index - 1], pieces[index + 1]
            return f"`{template}` lacks a character between {one} and {other} that is neither letter nor digit"
    return ""


def _described(labels: MetricLabels) -> Iterator[str]:
    for which in ("model", "environment", "version"):
        name, value = getattr(labels, which), getattr(labels, f"{which}_value")
        if name:
            yield name if value == f"{{{which}}}" else f"{name}={value}"


def _versions(labels: MetricLabels, place: Place, versions: Collection[int] | None) -> str | None:
    """A pattern for the version's label. All versions need one only where it is the label that names the model too."""
    if versions is not None:
        return "|".join(_pattern(labels.version_value, place, str(version)) for version in sorted(versions))
    if labels.version_value == _PLAIN or not labels.version:
        return None
    return _pattern(labels.version_value, place, _NUMBER)


def _pattern(template: str, place: Place, version: str) -> str:
    known = {"model": _literal(place.model), "environment": _literal(place.environment)}
    patterns = {**known, "version": version, "number": _NUMBER}
    pieces = _PLACE.split(template)
    return "".join(patterns[piece] if index % 2 else _literal(piece) for index, piece in enumerate(pieces))


def _literal(text: str) -> str:
    return _MEANT.sub(r"\\\g<0>", text)
