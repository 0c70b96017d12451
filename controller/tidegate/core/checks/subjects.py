"""What checks look at: one file of ours with what surrounds it. Data is pruned to what has the schema's shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from tidegate.core.environment_order import in_order
from tidegate.core.fault import Fault
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import Document

Data: TypeAlias = Mapping[str, Any]


class Surroundings(Protocol):
    """The repository's files, by their paths from its root."""

    def has(self, path: str) -> bool:
        """Whether there is a file or folder of this path."""
        ...

    def digest(self, path: str) -> str | None:
        """`sha256:…` over the file's bytes; None where there is no such file."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Manifest:
    """A `model.yaml`. Told apart by identity, so that what is worked out for one check is there for the others."""

    document: Document
    data: Data
    folder: str
    workspace: Workspace
    around: Surroundings

    @cached_property
    def spec(self) -> Data:
        return section(self.data, "spec")

    @cached_property
    def environments(self) -> Data:
        """The environments by name, as the manifest has them; a value may be None."""
        return section(self.spec, "environments")

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names of the environments in the order in which a version walks: the workspace's, then the model's own."""
        return in_order(self.environments, self.workspace.environments)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFile:
    """An `<environment>.yaml`. `manifest` is None where its folder has none that can be read.

    `orphan`: its folder has no manifest at all.
    """

    document: Document
    data: Data
    environment: str
    manifest: Manifest | None
    orphan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A `tidegate.yaml`."""

    document: Document
    data: Data
    around: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Lone:
    """A data lock or a data contract. `manifest` is that of the same folder, None where it has none."""

    document: Document
    data: Data
    manifest: Manifest | None


Of: TypeAlias = Iterable[Fault]
ManifestCheck: TypeAlias = Callable[[Manifest], Of]
PinCheck: TypeAlias = Callable[[PinFile], Of]
SettingsCheck: TypeAlias = Callable[[Settings], Of]
LoneCheck: TypeAlias = Callable[[Lone], Of]


def section(data: Data, *keys: str) -> Data:
    """The mapping under these keys; empty where there is none."""
    inner: Any = data
    for key in keys:
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner if isinstance(inner, dict) else {}
