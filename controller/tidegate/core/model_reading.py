"""From a manifest's document (its shape already checked) to a Model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from tidegate.core import bounds, later
from tidegate.core.environment_order import comes_after, in_order, not_before
from tidegate.core.manifest import (
    Data,
    Environment,
    Gate,
    Judge,
    Lease,
    Model,
    OnAbsent,
    OnInconclusive,
    Probation,
    Rollout,
    Target,
    Training,
)
from tidegate.core.misread import Misread, at
from tidegate.core.objective_reading import Objectives
from tidegate.core.pin import read_hold
from tidegate.core.quantity import duration, share
from tidegate.core.repository_path import inside
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import Document

_Path = tuple[str | int, ...]
ROLLOUT: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "bake": ("bake", duration),
    "warmUp": ("warm_up", duration),
    "worseThan": ("worse_than", bounds.number),
    "ruleOut": ("rule_out", bounds.number),
    "falseRevertRate": ("false_revert_rate", bounds.rate_of_errors),
    "falseAdvanceRate": ("false_advance_rate", bounds.rate_of_errors),
    "minimumEffect": ("minimum_effect", share),
    "minimumEvents": ("minimum_events", int),
    "maximumDuration": ("maximum_duration", duration),
    "progressDeadline": ("progress_deadline", duration),
    "onInconclusive": ("on_inconclusive", OnInconclusive),
    "onAbsent": ("on_absent", OnAbsent),
}


def parse(document: Document, folder: str, workspace: Workspace) -> Model:
    """The model as its manifest and the workspace's defaults want it."""
    metadata, spec = document.data["metadata"], document.data["spec"]
    _refuse_later(spec)
    return Model(
        name=metadata["name"],
        folder=folder,
        owners=tuple(metadata.get("owners", ())),
        labels=metadata.get("labels", {}),
        training=_training(spec["training"]) if "training" in spec else None,
        gates=tuple(_gate(name, gate) for name, gate in spec.get("gates", {}).items()),
        environments=_environments(spec, workspace),
        hold=read_hold(spec["hold"], ("spec", "hold")) if "hold" in spec else None,
        depends_on=tuple(spec.get("dependsOn", ())),
        registry_name=spec.get("registry", {}).get("name", metadata["name"]),
    )


def _refuse_later(spec: Mapping[str, Any]) -> None:
    for refused in later.in_model(spec):
        raise Misread(refused.path, str(refused))


def _training(data: Mapping[str, Any]) -> Training:
    path = ("spec", "training")
    return Training(
        source=at((*path, "source"), inside, data["source"]),
        command=tuple(str(word) for word in data["command"]),
        lease=_lease(data["lease"]),
        include=tuple(at((*path, "include", i), inside, p) for i, p in enumerate(data.get("include", ()))),
        environment=at((*path, "environment"), inside, data["environment"]) if "environment" in data else None,
        parameters=data.get("parameters", {}),
        data=_data(data.get("data", {})),
        seed=data.get("seed"),
    )


def _lease(value: str | Mapping[str, Any]) -> Lease:
    path = ("spec", "training", "lease")
    if isinstance(value, Mapping):
        deadline = at((*path, "deadline"), duration, value["deadline"])
        return Lease(deadline=deadline, attempts=value.get("attempts", 2))
    return Lease(deadline=at(path, duration, value))


def _data(entries: Mapping[str, Any] | list[Mapping[str, Any]]) -> tuple[Data, ...]:
    listed = entries if isinstance(entries, list) else [{"name": name, **entry} for name, entry in entries.items()]
    return tuple(Data(name=entry["name"], uri=entry["uri"], digest=entry.get("digest", "")) for entry in listed)


def _gate(name: str, data: Mapping[str, Any]) -> Gate:
    def bound(key: str) -> float | None:
        return at(("spec", "gates", name, key), bounds.number, data[key]) if key in data else None

    return Gate(
        metric=f"{name}/{data['slice']}" if "slice" in data else name,
        minimum=bound("minimum"),
        maximum=bound("maximum"),
        max_drop=bound("maxDrop"),
        failing=data.get("severity", "failing") == "failing",
    )


def _environments(spec: Mapping[str, Any], workspace: Workspace) -> tuple[Environment, ...]:
    own = spec["environments"]
    names = in_order(own, workspace.environments)
    environments: list[Environment] = []
    objectives = Objectives(spec.get("objectives", {}), workspace)
    for index, name in enumerate(names):
        data = own[name] or {}
        after = comes_after(names, index, data)
        if wrong := not_before(names, index, after):
            raise Misread(("spec", "environments", name), f"comes after {wrong[0]!r}, which does not come before it")
        last = index == len(names) - 1
        environment = _environment(spec, name, data, workspace.defaults, last=last)
        own_objectives = objectives.of(data.get("objectives", {}))
        environments.append(
            replace(
                environment,
                after=after,
                objectives=own_objectives.events,
                late=own_objectives.late,
                values=own_objectives.values,
            )
        )
    return tuple(environments)


def _environment(
    spec: Mapping[str, Any], name: str, data: Mapping[str, Any], defaults: Mapping[str, Any], *, last: bool
) -> Environment:
    path: _Path = ("spec", "environments", name)
    default = Judge.OBJECTIVES if last else Judge.READY
    return Environment(
        name=name,
        approval_required=data.get("approval", "required" if last else "none") == "required",
        automatic_revert=data.get("revert", "automatic") == "automatic",
        judge=Judge(data["judge"]) if "judge" in data else default,
        canaries=last or "steps" in data.get("rollout", {}),
        rollout=rollout_of(
            (*path, "rollout") if "rollout" in data else ("spec", "rollout"),
            defaults,
            spec.get("rollout", {}),
            data.get("rollout", {}),
        ),
        target=_target({**spec.get("serving", {}).get("target", {}), **data.get("target", {})}),
    )


def _target(data: Mapping[str, Any]) -> Target:
    return Target(kind=data.get("kind", "file"), ready=data.get("ready"))


def rollout_of(path: _Path, *layers: Mapping[str, Any]) -> Rollout:
    """Later layers override earlier ones key by key, also inside `probation` and `analysis`."""
    merged = _merged(layers)
    known = {
        field: at((*path, key), convert, merged[key]) for key, (field, convert) in ROLLOUT.items() if key in merged
    }
    analysis = merged.get("analysis", {})
    if "steps" in merged:
        known["steps"] = at((*path, "steps"), bounds.steps, merged["steps"])
    if "resolution" in analysis:
        known["resolution"] = at((*path, "analysis", "resolution"), bounds.resolution, analysis["resolution"])
    if "dispersion" in analysis:
        known["dispersion"] = at((*path, "analysis", "dispersion"), bounds.number, analysis["dispersion"])
    return Rollout(probation=_probation(merged.get("probation", {}), path), **known)


def _merged(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    return merged


def _probation(data: Mapping[str, Any], path: _Path) -> Probation:
    lasts = Probation().duration
    if "duration" in data:
        lasts = at((*path, "probation", "duration"), duration, data["duration"])
    holdback = at((*path, "probation", "holdback"), share, data["holdback"]) if "holdback" in data else None
    return Probation(duration=lasts, holdback=holdback)
