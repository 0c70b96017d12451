"""What holds in each environment of a manifest, and where it is written: the environment's own settings go before the
model's, and those before the workspace's and the built-in ones. Rules about it are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar

from tidegate.core import objective_keys, presets
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.environment_order import comes_after
from tidegate.core.fault import Way
from tidegate.core.quantity import duration, show_duration
from tidegate.core.shown import shown

T = TypeVar("T")


@lru_cache(maxsize=8192)
def _read(convert: Callable[[Any], Any], value: Any) -> Any:  # noqa: ANN401 - scalars and lists of a YAML file
    try:
        return convert(value)
    except ValueError:
        return None


def understood(convert: Callable[[Any], T], value: Any) -> T | None:  # noqa: ANN401
    """What a scalar or a pair means; None where it means nothing, which is another rule's finding."""
    read = _read if isinstance(value, Hashable) else _read.__wrapped__
    meaning: T | None = read(convert, value)
    return meaning


class Setting(NamedTuple, Generic[T]):
    """A value that holds. `way` is where this file writes it, None where another says so or nobody does; `layer` 0 is
    the nearest."""

    value: T
    way: Way | None
    layer: int

    @property
    def source(self) -> str:
        """Where it comes from, for a message about a file that does not write it."""
        if self.way is not None:
            return ""
        return " by default" if self.layer == _BUILT_IN else " in tidegate.yaml"


_BUILT_IN = 99


@dataclass(frozen=True, slots=True)
class Layers:
    """Where the settings of one rollout are written, nearest first. A layer without a way is another file's."""

    layers: tuple[tuple[Way | None, Data], ...]

    def find(self, *keys: str) -> Setting[Any] | None:
        for number, (way, data) in enumerate(self.layers):
            inner: Any = data
            for key in keys:
                inner = inner.get(key) if isinstance(inner, dict) else None
            if inner is not None:
                return Setting(inner, None if way is None else (*way, *keys), number)
        return None

    def duration(self, *keys: str, default: timedelta) -> Setting[timedelta] | None:
        """The span of time that holds; None for one that means nothing."""
        return self.quantity(duration, *keys, default=default)

    def quantity(self, convert: Callable[[Any], T], *keys: str, default: T) -> Setting[T] | None:
        found = self.find(*keys)
        if found is None:
            return Setting(default, None, _BUILT_IN)
        meaning = understood(convert, found.value)
        return None if meaning is None else Setting(meaning, found.way, found.layer)

    @property
    def written(self) -> bool:
        """Whether this file writes any of it."""
        return any(way is not None and data for way, data in self.layers)


@dataclass(frozen=True, slots=True)
class Entry:
    """How versions enter one environment. `canaries`: step by step, beside the stable version."""

    environment: str
    layers: Layers
    canaries: bool


def _rollout_of(environment: str) -> tuple[str, ...]:
    return ("spec", "environments", environment, "rollout")


def awaited(manifest: Manifest) -> frozenset[str]:
    """The environments whose version another one takes next, once it has baked there."""
    order = manifest.order
    before = (comes_after(order, index, manifest.environments[name]) for index, name in enumerate(order))
    return frozenset(chain.from_iterable(before))


@lru_cache(maxsize=1)
def entries(manifest: Manifest) -> tuple[Entry, ...]:
    """Every environment in order. By default only the last canaries; `steps` of its own make another do so too."""
    return tuple(_entries(manifest))


def _entries(manifest: Manifest) -> Iterator[Entry]:
    common, order = section(manifest.spec, "rollout"), manifest.order
    for name in order:
        own = section(manifest.environments, name, "rollout")
        layers = Layers(
            (
                (_rollout_of(name), own),
                (("spec", "rollout"), common),
                (None, manifest.workspace.defaults),
            )
        )
        steps = layers.find("steps")
        some = steps is None or bool(steps.value)
        asked = name == order[-1] or "steps" in section(manifest.document.data, *_rollout_of(name))
        yield Entry(name, layers, canaries=some and asked)


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective as it holds in `environments`; `data` has the preset's selectors too. `keys` are those of the text:
    where a value does not fit the schema, `data` lacks it."""

    name: str
    environments: tuple[str, ...]
    data: Data
    keys: Collection[str]
    layers: tuple[tuple[Way, Data], ...]

    def way(self, key: str) -> Way:
        """Where the key is written: nearest first; a preset's on the name of the preset."""
        for way, data in self.layers:
            if key in data:
                return (*way, key)
        return self.way("preset") if key != "preset" and "preset" in self.data else self.layers[0][0]

    @property
    def title(self) -> str:
        """The name for a message."""
        return shown(self.name)[1:-1]

    @property
    def lead(self) -> str | None:
        return objective_keys.lead(self.keys)

    @property
    def effect(self) -> str:
        effect: str = self.data.get("effect", "revert")
        return effect


@lru_cache(maxsize=1)
def objectives(manifest: Manifest) -> tuple[Objective, ...]:
    """Every objective in every form in which it holds somewhere; those of unknown presets without their selectors."""
    return tuple(_objectives(manifest))


def _objectives(manifest: Manifest) -> Iterator[Objective]:
    common, order = section(manifest.spec, "objectives"), manifest.order
    own = {name: overrides for name in order if (overrides := section(manifest.environments, name, "objectives"))}
    overridden = frozenset(chain.from_iterable(own.values()))
    for name, data in common.items():
        plain = order
        if name in overridden:
            plain = tuple(environment for environment in order if name not in own.get(environment, ()))
        if plain or not order:
            yield _objective(manifest, name, plain, ((("spec", "objectives", name), data),))
    for environment, overrides in own.items():
        for name, data in overrides.items():
            layers: list[tuple[Way, Data]] = [(("spec", "environments", environment, "objectives", name), data or {})]
            if name in common:
                layers.append((("spec", "objectives", name), common[name]))
            yield _objective(manifest, name, (environment,), layers)


def _objective(
    manifest: Manifest, name: str, environments: tuple[str, ...], layers: Sequence[tuple[Way, Data]]
) -> Objective:
    merged: dict[str, Any] = {}
    for _, data in reversed(layers):
        merged.update(data)
    preset = presets.named(merged["preset"], manifest.workspace) if "preset" in merged else None
    data = {**(preset.selectors if preset else {}), **merged}
    keys: Collection[str] = data
    if manifest.data is not manifest.document.data:
        keys = {*data, *(key for way, _ in layers for key in section(manifest.document.data, *way))}
    return Objective(name, environments, data, keys, tuple(layers))


def nearest(*settings: Setting[Any]) -> Way | None:
    """Where this file writes one of them, the nearest one; None if it writes none."""
    written = [setting for setting in settings if setting.way is not None]
    return min(written, key=lambda setting: setting.layer).way if written else None


def span(setting: Setting[timedelta]) -> str:
    """The span of time in words, with where it comes from."""
    return f"{show_duration(setting.value)}{setting.source}"
