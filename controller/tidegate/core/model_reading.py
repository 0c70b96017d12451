"""From a manifest's document (its shape already checked) to a Model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tidegate.core.document import Document
from tidegate.core.manifest import (
    Data,
    Effect,
    Environment,
    Gate,
    Judge,
    Lease,
    Model,
    Objective,
    OnAbsent,
    OnInconclusive,
    Probation,
    Rollout,
    Target,
    Training,
)
from tidegate.core.misread import Misread, at
from tidegate.core.pin import Hold
from tidegate.core.quantity import duration, share
from tidegate.core.workspace import Workspace

_PRESETS: Mapping[str, Mapping[str, str]] = {
    "http-availability": {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}
}
_Path = tuple[str | int, ...]
_ROLLOUT: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "bake": ("bake", duration),
    "warmUp": ("warm_up", duration),
    "worseThan": ("worse_than", float),
    "ruleOut": ("rule_out", float),
    "falseRevertRate": ("false_revert_rate", share),
    "falseAdvanceRate": ("false_advance_rate", share),
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
        hold=Hold(**spec["hold"]) if "hold" in spec else None,
        depends_on=tuple(spec.get("dependsOn", ())),
        registry_name=spec.get("registry", {}).get("name", metadata["name"]),
    )


_LATER: tuple[_Path, ...] = (
    ("formerName",),
    ("deletionPolicy",),
    ("training", "retrain"),
    ("training", "adopt"),
    ("training", "resources"),
    ("training", "lease", "maxCost"),
    ("serving", "target", "options"),
)
"""Keys of the format that this version cannot honour. A setting that is silently ignored would be a lie."""


def _refuse_later(spec: Mapping[str, Any]) -> None:
    for path in _LATER:
        inner: Any = spec
        for key in path:
            inner = inner.get(key) if isinstance(inner, Mapping) else None
        if inner is not None:
            raise Misread(("spec", *path), f"{path[-1]} is not available in this version; leave it out")
    if spec.get("serving", {}).get("mode", "online") != "online":
        raise Misread(("spec", "serving", "mode"), "only online serving is judged in this version")
    if spec.get("training", {}).get("launcher", "local") != "local":
        raise Misread(("spec", "training", "launcher"), "only the local launcher is available in this version")


def _training(data: Mapping[str, Any]) -> Training:
    path = ("spec", "training")
    return Training(
        source=at((*path, "source"), _inside, data["source"]),
        command=tuple(str(word) for word in data["command"]),
        lease=_lease(data["lease"]),
        include=tuple(at((*path, "include", i), _inside, p) for i, p in enumerate(data.get("include", ()))),
        environment=at((*path, "environment"), _inside, data["environment"]) if "environment" in data else None,
        parameters=data.get("parameters", {}),
        data=_data(data.get("data", {})),
        seed=data.get("seed"),
    )


def _inside(value: object) -> str:
    """A path that stays inside the repository."""
    path = str(value)
    if path.startswith("/") or ".." in path.split("/") or "\\" in path:
        raise ValueError(f"{path!r} leaves the repository")
    inside = path.removeprefix("./").rstrip("/")
    if inside in ("", "."):
        raise ValueError(
            "a folder of its own is needed: the manifest's would hold the pin files, so that each promotion trains"
        )
    return inside


def _lease(value: str | Mapping[str, Any]) -> Lease:
    path = ("spec", "training", "lease")
    if isinstance(value, Mapping):
        deadline = at((*path, "deadline"), duration, value["deadline"])
        return Lease(deadline=deadline, attempts=value.get("attempts", 2))
    return Lease(deadline=at(path, duration, value))


def _data(entries: Mapping[str, Any] | list[Mapping[str, Any]]) -> tuple[Data, ...]:
    listed = entries if isinstance(entries, list) else [{"name": name, **entry} for name, entry in entries.items()]
    for entry in listed:
        if late := [key for key in ("follow", "contract") if key in entry]:
            raise Misread(("spec", "training", "data"), f"{late[0]} is not available in this version; leave it out")
    return tuple(Data(name=entry["name"], uri=entry["uri"], digest=entry.get("digest", "")) for entry in listed)


def _gate(name: str, data: Mapping[str, Any]) -> Gate:
    metric = f"{name}/{data['slice']}" if "slice" in data else name
    return Gate(
        metric=metric,
        minimum=data.get("minimum"),
        maximum=data.get("maximum"),
        max_drop=data.get("maxDrop"),
        failing=data.get("severity", "failing") == "failing",
    )


def _environments(spec: Mapping[str, Any], workspace: Workspace) -> tuple[Environment, ...]:
    """The workspace's environments that the model names, in the workspace's order, then its own in the order
    written."""
    own = spec["environments"]
    names = [n for n in workspace.environments if n in own] + [n for n in own if n not in workspace.environments]
    environments: list[Environment] = []
    for index, name in enumerate(names):
        data = own[name] or {}
        after: Any = data.get("after", names[index - 1] if index else ())
        after = (after,) if isinstance(after, str) else tuple(after)
        unknown = [other for other in after if other not in names[:index]]
        if unknown:
            raise Misread(("spec", "environments", name), f"comes after {unknown[0]!r}, which does not come before it")
        last = index == len(names) - 1
        environments.append(_environment(spec, name, data, after, workspace, last=last))
    return tuple(environments)


def _environment(  # noqa: PLR0913 - the six things that an environment is made from
    spec: Mapping[str, Any],
    name: str,
    data: Mapping[str, Any],
    after: tuple[str, ...],
    workspace: Workspace,
    *,
    last: bool,
) -> Environment:
    path: _Path = ("spec", "environments", name)
    if data.get("judge") == "smoke" or "smoke" in data:
        raise Misread((*path, "judge"), "judge: smoke is not available in this version; use ready or objectives")
    default = Judge.OBJECTIVES if last else Judge.READY
    return Environment(
        name=name,
        after=after,
        approval_required=data.get("approval", "required" if last else "none") == "required",
        automatic_revert=data.get("revert", "automatic") == "automatic",
        judge=Judge(data["judge"]) if "judge" in data else default,
        canaries=last or "steps" in data.get("rollout", {}),
        rollout=_rollout(
            (*path, "rollout") if "rollout" in data else ("spec", "rollout"),
            workspace.defaults,
            spec.get("rollout", {}),
            data.get("rollout", {}),
        ),
        target=_target({**spec.get("serving", {}).get("target", {}), **data.get("target", {})}),
        objectives=_objectives(spec.get("objectives", {}), data.get("objectives", {}), workspace),
    )


def _target(data: Mapping[str, Any]) -> Target:
    if data.get("kind", "file") != "file":
        raise Misread(
            ("spec", "serving", "target"), f"target {data['kind']!r} is not available in this version; use file"
        )
    return Target(kind="file", ready=data.get("ready"))


def _rollout(path: _Path, *layers: Mapping[str, Any]) -> Rollout:
    """Later layers override earlier ones key by key, also inside `probation` and `analysis`."""
    merged = _merged(layers)
    known = {
        field: at((*path, key), convert, merged[key]) for key, (field, convert) in _ROLLOUT.items() if key in merged
    }
    analysis = merged.get("analysis", {})
    if "steps" in merged:
        known["steps"] = at((*path, "steps"), _steps, merged["steps"])
    if "resolution" in analysis:
        known["resolution"] = at((*path, "analysis", "resolution"), duration, analysis["resolution"])
    if "dispersion" in analysis:
        known["dispersion"] = float(analysis["dispersion"])
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


def _steps(value: object) -> tuple[float, ...]:
    steps = tuple(share(step) for step in value) if isinstance(value, list) else ()
    if any(b <= a for a, b in zip((0.0, *steps), (*steps, 1.0), strict=True)):
        raise ValueError("steps must rise, each between 0% and 100%")
    return steps


def _objectives(common: Mapping[str, Any], own: Mapping[str, Any], workspace: Workspace) -> tuple[Objective, ...]:
    names = [*common, *(name for name in own if name not in common)]
    return tuple(_objective(name, {**common.get(name, {}), **(own.get(name) or {})}, workspace) for name in names)


def _objective(name: str, data: dict[str, Any], workspace: Workspace) -> Objective:
    path = ("spec", "objectives", name)
    if "preset" in data:
        preset = workspace.presets.get(data["preset"], _PRESETS.get(data["preset"]))
        if preset is None:
            known = ", ".join(sorted({*workspace.presets, *_PRESETS}))
            raise Misread((*path, "preset"), f"no preset {data['preset']!r}; there are: {known}")
        data = {**preset, **data}
    if "value" in data or "labels" in data:
        raise Misread(path, "value objectives and late labels are not judged in this version; use counters")
    if "window" in data:
        raise Misread((*path, "window"), "error budgets over a window are not judged in this version; leave it out")
    if "histogram" in data and "under" not in data:
        raise Misread(path, "a histogram needs `under`: the latency that is still good")
    return Objective(
        name=name,
        target=at((*path, "target"), _target_share, data["target"]),
        effect=Effect(data.get("effect", "revert")),
        bad=data.get("bad"),
        good=data.get("good"),
        total=data.get("total"),
        histogram=data.get("histogram"),
        under=at((*path, "under"), duration, data["under"]) if "under" in data else None,
    )


def _target_share(value: object) -> float:
    target = share(value)
    if not 0 < target < 1:
        raise ValueError(
            "a target lies between 0% and 100%, both excluded: at 100% a single bad event is a breach for ever"
        )
    return target
