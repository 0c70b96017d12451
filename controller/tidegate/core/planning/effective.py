"""A manifest with every default filled in, and where each value comes from.

What is written is a valid manifest itself: in the same workspace it is read as the same Model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, TypeAlias

from tidegate.core.dialects import describe
from tidegate.core.manifest import COVERAGE, Lease, Model, Objective, Rollout
from tidegate.core.objective_keys import lead
from tidegate.core.planning.fields import SHARES, settings_of
from tidegate.core.quantity import show_share, write_duration
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.layout import flow
from tidegate.core.yaml.scalars import written


class Source(Enum):
    """Where a value comes from."""

    MANIFEST = "manifest"
    WORKSPACE = "tidegate.yaml"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Unset:
    """What holds where a setting is not there."""

    words: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the manifest, plain data or Unset."""

    data: Any
    source: Source


Tree: TypeAlias = "dict[str, Value | Tree]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One model's manifest at `path`, with every default filled in."""

    model: str
    path: str
    tree: Tree


_UNSET = {"minimumEffect": Unset("a tenth of 1 - target"), "probation.holdback": Unset("none")}


def effective(data: Mapping[str, Any], model: Model, workspace: Workspace) -> Tree:
    """`data` is what the manifest's text says, `model` what it means in this workspace.

    What the text says is laid out first for its order, and once more over the defaults for its values.
    """
    spec = _spelt_out(data["spec"], model)
    said = {**data, "spec": spec}
    built_in = {"metadata": {"owners": [], "labels": {}}, "spec": _defaults(spec, model)}
    tree: Tree = {}
    _lay(tree, said, Source.MANIFEST)
    _lay(tree, built_in, Source.DEFAULT)
    _lay(tree, {"spec": {"objectives": _selectors(spec, model, workspace, Source.DEFAULT)}}, Source.DEFAULT)
    _lay(tree, {"spec": {"objectives": _selectors(spec, model, workspace, Source.WORKSPACE)}}, Source.WORKSPACE)
    _lay(tree, {"spec": {"rollout": workspace.defaults}}, Source.WORKSPACE)
    _lay(tree, said, Source.MANIFEST)
    return tree


def _lay(tree: Tree, data: Mapping[str, Any], source: Source) -> None:
    """Put data over what is there, setting by setting; an empty mapping over a filled one says nothing."""
    for name, value in data.items():
        there = tree.get(name)
        inner = there if isinstance(there, dict) else {}
        if isinstance(value, Mapping) and (value or inner):
            _lay(inner, value, source)
            tree[name] = inner
        else:
            tree[name] = Value(value, source)


def _spelt_out(spec: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The text's `spec` with its short forms written out, environments in the order of the rollout."""
    training = spec.get("training")
    if training is not None and not isinstance(training["lease"], Mapping):
        training = {**training, "lease": {"deadline": training["lease"]}}
    environments = {e.name: _environment(spec["environments"][e.name] or {}) for e in model.environments}
    return {**spec, **({"training": training} if training else {}), "environments": environments}


def _environment(raw: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in raw.items() if value is not None}
    objectives = {name: own or {} for name, own in said.get("objectives", {}).items()}
    return {**said, **({"objectives": objectives} if objectives else {})}


def _defaults(spec: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """What holds for everything that `spec` leaves out."""
    lease = _plain(Lease(deadline=timedelta()), but=("deadline",))
    training = {"include": [], "parameters": {}, "data": {}, "launcher": "local", "lease": lease}
    return {
        **({"training": training} if "training" in spec else {}),
        "gates": {name: {"severity": "failing"} for name in spec.get("gates", {})},
        "objectives": {name: _default_of(said) for name, said in spec.get("objectives", {}).items()},
        "rollout": _nested({"strategy": "canary", **_plain(Rollout()), "proposals": "each", **_UNSET}),
        "environments": _of_environments(spec, model),
        "serving": {"mode": "online", "target": {"kind": "file"}},
        **({"hold": {"scope": "promotions"}} if "hold" in spec else {}),
        "dependsOn": [],
        "registry": {"name": model.name},
    }


def _default_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """A figure has no budget, and no window for one; labels have a coverage."""
    objective = _plain(Objective(name="", target=0.5), but=("target",))
    if lead(said) in ("value", "sum"):
        del objective["window"]
    return {**objective, **({"labels": {"minimumCoverage": show_share(COVERAGE)}} if "labels" in said else {})}


def _of_environments(spec: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Objectives that only an environment has need their defaults there."""
    found: dict[str, Any] = {}
    for environment in model.environments:
        own = spec["environments"][environment.name].get("objectives", {})
        new = {name: _default_of(said) for name, said in own.items() if name not in spec.get("objectives", {})}
        found[environment.name] = {
            "after": list(environment.after),
            "approval": "required" if environment.approval_required else "none",
            "revert": "automatic" if environment.automatic_revert else "approval",
            "judge": environment.judge.value,
            **({"objectives": new} if new else {}),
        }
    return found


def _selectors(spec: Mapping[str, Any], model: Model, workspace: Workspace, source: Source) -> dict[str, Any]:
    """What the presets of objectives from this source stand for, as notes: the name stays in the manifest."""
    found: dict[str, Any] = {}
    for name, raw in spec.get("objectives", {}).items():
        preset = raw.get("preset")
        if preset is None or source is not (Source.WORKSPACE if preset in workspace.presets else Source.DEFAULT):
            continue
        read = _as_read(name, spec, model)
        found[name] = {each: Unset(text) for each, text in _given(read) if each not in raw} if read else {}
    return found


def _given(objective: Objective) -> Iterator[tuple[str, str]]:
    """What a preset may give, as far as the objective has it."""
    for key in ("bad", "good", "total", "histogram"):
        if (selector := getattr(objective, key)) is not None:
            yield key, selector
    if objective.unit is not None:
        yield "unit", objective.unit.value
    if objective.dialect is not None:
        yield "dialect", describe(objective.dialect)


def _as_read(name: str, spec: Mapping[str, Any], model: Model) -> Objective | None:
    """The objective in an environment that says nothing of its own about it."""
    for environment in model.environments:
        if name not in spec["environments"][environment.name].get("objectives", {}):
            return next((objective for objective in environment.objectives if objective.name == name), None)
    return None


def _plain(data: Any, but: tuple[str, ...] = ()) -> dict[str, Any]:  # noqa: ANN401 - one of our dataclasses
    """A dataclass as YAML has it, without what is None."""
    settings = {name: value for name, value in settings_of(data).items() if value is not None and name not in but}
    return _nested({name: _yaml(name, value) for name, value in settings.items()})


def _yaml(name: str, value: object) -> Any:  # noqa: ANN401 - data of a YAML file
    match value:
        case timedelta():
            return write_duration(value)
        case Enum():
            return value.value
        case tuple():
            return [_yaml(name, item) for item in value]
        case float():
            return show_share(value) if name in SHARES else int(value) if value.is_integer() else value
        case str() | int():
            return value
        case _:
            return _plain(value)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`analysis.resolution` inside `analysis`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        outer, _, inner = name.partition(".")
        nested = {**nested, outer: {**nested.get(outer, {}), inner: value} if inner else value}
    return nested


def text(tree: Tree, path: str) -> str:
    """The manifest as YAML; what does not stand in the file at `path` says so in a comment."""
    head = f"# {written(path)} with every default filled in; what has no comment stands there.\n"
    return head + "".join(f"{line}\n" for line in _lines(tree))


def _lines(tree: Tree) -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield f"{written(name)}:"
            yield from (f"  {line}" for line in _lines(value))
        elif isinstance(value.data, Unset):
            yield f"# {name}: {written(value.data.words)} ({value.source.value})"
        else:
            source = "" if value.source is Source.MANIFEST else f"  # {value.source.value}"
            yield f"{written(name)}: {flow(value.data)}{source}"


def sources(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Source]]:
    """Where each value comes from, by its keys from the top."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from sources(value, f"{prefix}{name}.")
        elif not isinstance(value.data, Unset):
            yield f"{prefix}{name}", value.source


def manifest(tree: Tree) -> dict[str, Any]:
    """The manifest as plain data."""
    pairs = ((name, manifest(value) if isinstance(value, dict) else value.data) for name, value in tree.items())
    return {name: data for name, data in pairs if not isinstance(data, Unset)}
