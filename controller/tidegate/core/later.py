"""Settings of the format that this version cannot honour. One that was silently ignored would be a lie.

The reader refuses them, and `validate` lists them; both ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.core.fault import Way

_Data = Mapping[str, Any]
_MODEL = ("formerName", "deletionPolicy")
_TRAINING = ("retrain", "adopt", "resources")


@dataclass(frozen=True, slots=True)
class Later:
    """What is not there yet, where it is asked for, and what can be done instead."""

    path: Way
    what: str
    instead: str = "leave it out"

    def __str__(self) -> str:
        return f"{self.what} is not available in this version; {self.instead}"


def in_model(spec: _Data) -> Iterator[Later]:
    """Everything in a manifest's `spec` that has to wait. Parts may be absent."""
    yield from _keys(spec, _MODEL, ("spec",))
    if "training" in spec:
        yield from _in_training(spec["training"], ("spec", "training"))
    if "serving" in spec:
        yield from _other(spec["serving"], "mode", "online", ("spec", "serving"))
        yield from _in_target(spec["serving"].get("target"), ("spec", "serving", "target"))
    for name, environment in (spec.get("environments") or {}).items():
        if environment:
            yield from _in_environment(environment, ("spec", "environments", name))


def _keys(data: _Data, keys: tuple[str, ...], path: Way) -> Iterator[Later]:
    for key in keys:
        if key in data:
            yield Later((*path, key), key)


def _other(data: _Data, key: str, only: str, path: Way) -> Iterator[Later]:
    value = data.get(key, only)
    if value != only:
        yield Later((*path, key), f"{key} {value!r}", f"use {only}")


def _in_training(training: _Data, path: Way) -> Iterator[Later]:
    yield from _keys(training, _TRAINING, path)
    yield from _other(training, "launcher", "local", path)
    if isinstance(lease := training.get("lease"), Mapping):
        yield from _keys(lease, ("maxCost",), (*path, "lease"))
    data: Any = training.get("data") or {}
    for place, entry in data.items() if isinstance(data, Mapping) else enumerate(data):
        yield from _keys(entry, ("follow", "contract"), (*path, "data", place))


def _in_target(target: _Data | None, path: Way) -> Iterator[Later]:
    if target is not None:
        yield from _other(target, "kind", "file", path)
        yield from _keys(target, ("options",), path)


def _in_environment(environment: _Data, path: Way) -> Iterator[Later]:
    if environment.get("judge") == "smoke":
        yield Later((*path, "judge"), "judge: smoke", "use ready or objectives")
    yield from _keys(environment, ("smoke",), path)
    yield from _in_target(environment.get("target"), (*path, "target"))
