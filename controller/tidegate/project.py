"""Project git's truth elsewhere: the registry's aliases `<environment>` and `<environment>-canary`.

One writer, main re-read just before, read back after, repaired when they drift. From git alone (I1).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from tidegate.core.manifest import Model
from tidegate.core.pin import Pin
from tidegate.errors import InvalidManifest, OutsideSystem, Raced, Refused
from tidegate.ports import Registry, Repository
from tidegate.steps.desired import Desired, DesiredReader


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasChange:
    """One alias that was not as main wants it. Versions are None where the alias should not be, or was not, there."""

    model: str
    alias: str
    found: int | None
    wanted: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What one projection changed, and what stopped it."""

    changes: tuple[AliasChange, ...]
    failures: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def project(
    repository: Repository, registry: Registry, reader: DesiredReader, *, only: frozenset[str] | None = None
) -> Projection:
    """Bring every model's aliases to what main says now (`only` names models: a cheaper, partial look)."""
    main = repository.head()
    if main is None:
        return Projection(changes=())
    desired = reader.read(main)
    changes: list[AliasChange] = []
    failures: list[str] = []
    refusals: list[str] = []
    for wanted in desired.models:
        if only is not None and wanted.model.name not in only:
            continue
        try:
            changes += _project_model(wanted.model, desired, repository, registry, reader)
        except Refused as error:
            refusals.append(f"{wanted.model.name}: {error}")
        except (OutsideSystem, Raced) as error:
            failures.append(f"{wanted.model.name}: {error}")
    return Projection(changes=tuple(changes), failures=tuple(failures), refusals=tuple(refusals))


def _project_model(
    model: Model, desired: Desired, repository: Repository, registry: Registry, reader: DesiredReader
) -> list[AliasChange]:
    wanted = _wanted(model, desired, repository, reader)
    if any(wanted.values()):
        return _brought_to(wanted, model, registry)
    if not wanted or not _was_pinned(model, desired, repository):
        return []  # a new model costs no request
    with suppress(Refused):  # of a name that is not ours nothing is wanted: its aliases are its owner's business
        return _brought_to(wanted, model, registry)
    return []


def _wanted(model: Model, desired: Desired, repository: Repository, reader: DesiredReader) -> dict[str, int | None]:
    """Every alias of the model with its version, None where it should not be; none for an unreadable pin file."""
    wanted: dict[str, int | None] = {}
    for environment in model.environments:
        path = model.pin_path(environment.name)
        text = repository.read(desired.commit, path)
        try:
            pin = reader.pin(text, path) if text is not None else Pin()
        except InvalidManifest:
            continue
        wanted[environment.name] = pin.stable.version if pin.stable else None
        wanted[f"{environment.name}-canary"] = pin.canary.pin.version if pin.canary else None
    return wanted


def _was_pinned(model: Model, desired: Desired, repository: Repository) -> bool:
    """Whether a pin file ever existed: only then an alias of ours may be left over."""
    paths = (model.pin_path(environment.name) for environment in model.environments)
    return any(repository.history(desired.commit, path) for path in paths)


def _brought_to(wanted: Mapping[str, int | None], model: Model, registry: Registry) -> list[AliasChange]:
    found = registry.aliases(model.registry_name)
    return [
        _write(model, alias, found.get(alias), version, registry)
        for alias, version in wanted.items()
        if found.get(alias) != version
    ]


def _write(model: Model, alias: str, found: int | None, wanted: int | None, registry: Registry) -> AliasChange:
    if wanted is None:
        registry.delete_alias(model.registry_name, alias)
    else:
        registry.set_alias(model.registry_name, alias, wanted)
    return AliasChange(model=model.name, alias=alias, found=found, wanted=wanted)
