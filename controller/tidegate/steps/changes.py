"""The facts of a change: what two commits say of every model that may differ between them, read from git.

Costs what changed: a manifest is only parsed where something that it may depend on differs (I10). What main says counts
as the controller takes it, by its last valid text; what the change says must be valid, or is a finding.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from tidegate.core.checks.paths import MISSING_FILE
from tidegate.core.fault import placed
from tidegate.core.finding import Finding
from tidegate.core.history import finished_at
from tidegate.core.launch_record import LaunchRecord, latest
from tidegate.core.manifest import Model
from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin
from tidegate.core.planning.plan import Flight
from tidegate.core.planning.state import Facts, Rendered, State
from tidegate.core.read import Schemas, read_model, read_pin, read_workspace
from tidegate.core.training_key import Inputs, training_key
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import read as read_document
from tidegate.errors import InvalidManifest, Refused, WrongUse
from tidegate.ports import Repository, Target
from tidegate.steps.desired import WORKSPACE, DesiredReader
from tidegate.steps.past import Archive
from tidegate.steps.trainings import exported, inputs_of, progress_of

T = TypeVar("T")
Pair = tuple[Model | None, Model | None]
_RENDERED = "rendered/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where both commits are read, and every launch record that is known."""

    repository: Repository
    schemas: Schemas
    targets: Mapping[str, Target]
    records: tuple[LaunchRecord, ...]


class Side:
    """One of the two commits. Files are parsed when asked for, once; `findings` are what was wrong with them."""

    def __init__(self, commit: str, sources: Sources, *, merged: bool) -> None:
        self.commit = commit
        self.findings: list[Finding] = []
        self._sources = sources
        self._merged = merged
        self._parsed: dict[str, Model | Pin | None] = {}
        self.texts: dict[str, str] = {}
        self.load((WORKSPACE,))
        self.workspace = self._read(WORKSPACE, self._workspace)
        self.manifests = self._manifests(self.workspace) if self.workspace else {}

    def load(self, paths: Iterable[str]) -> None:
        """Have the texts of these files, in one reading."""
        new = [path for path in dict.fromkeys(paths) if path not in self.texts]
        self.texts |= self._sources.repository.read_many(self.commit, new)

    def model(self, path: str) -> Model | None:
        """The model of a manifest; None where there is none, or no valid one."""
        workspace, schemas = self.workspace, self._sources.schemas
        if workspace is None or path not in self.manifests:
            return None
        return self._once(path, lambda text, at: read_model(text, at, schemas, workspace))

    def pin(self, path: str) -> Pin | None:
        """The pin file; None where there is none, or no valid one."""
        return self._once(path, lambda text, at: read_pin(text, at, self._sources.schemas))

    def _once(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        if path not in self._parsed:
            self._parsed[path] = self._read(path, parse)  # type: ignore[assignment]
        return self._parsed[path]  # type: ignore[return-value]

    def _workspace(self, text: str, path: str) -> Workspace:
        return read_workspace(text, path, self._sources.schemas)

    def _manifests(self, workspace: Workspace) -> dict[str, str]:
        paths = self._sources.repository.paths(self.commit, workspace.models)
        manifests = [path for path in paths if path.endswith("/model.yaml")]
        self.load(manifests)
        return {path: self.texts[path] for path in manifests if path in self.texts}

    def _read(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        if path not in self.texts:
            return None
        try:
            return parse(self.texts[path], path)
        except InvalidManifest as error:
            if self._merged:
                return self._last_valid(path, parse)
            self.findings += error.findings
            return None

    def _last_valid(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        for version in reversed(self._sources.repository.history(self.commit, path)):
            try:
                if version.text is not None:
                    return parse(version.text, path)
            except InvalidManifest:
                continue
        return None


class Changes:
    """What differs between `base` and `head`. Raises WrongUse where the change has no workspace."""

    def __init__(self, sources: Sources, base: str, head: str) -> None:
        self._sources = sources
        self._reader = DesiredReader(sources.repository, sources.schemas)
        self.before = Side(base, sources, merged=True)
        self.after = Side(head, sources, merged=False)
        if self.after.workspace is None and not self.after.findings:
            raise WrongUse(f"no {WORKSPACE} in {head[:12]}: `tidegate init` writes one")
        self._changed = sources.repository.changed_paths(base, head)
        self._records: dict[str, list[LaunchRecord]] = {}
        for record in sources.records:
            self._records.setdefault(record.key, []).append(record)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self.after.findings)

    def archive(self, model: Model) -> Archive:
        """The past of a model up to the commit before the change."""
        return Archive(
            repository=self._sources.repository,
            reader=self._reader,
            main=self.before.commit,
            model=model,
            workspace=self.before.workspace or Workspace(),
            records=self._sources.records,
            others=partial(self._others, model),
        )

    def _others(self, model: Model) -> Iterator[Model]:
        for path in self.before.manifests:
            if path != model.manifest_path and (other := self.before.model(path)) is not None:
                yield other

    def has(self, name: str) -> bool:
        """Whether a model has this name, before or after."""
        return any(
            (model := side.model(path)) is not None and model.name == name
            for side in (self.before, self.after)
            for path, text in side.manifests.items()
            if name in text
        )

    def facts(self, now: datetime) -> Iterator[Facts]:
        """One for each model that the change may do something to; none where the workspace cannot be read."""
        workspace = self.after.workspace
        if workspace is None:
            return
        pairs = list(self._pairs())
        for side in (self.before, self.after):
            side.load(path for pair in pairs for path in self._paths(pair))
        for pair in pairs:
            yield self._facts(pair, workspace, now)

    def _pairs(self) -> Iterator[Pair]:
        """Each model before and after: by its folder, else by its name. What cannot be read is in no pair."""
        suspects = list(self._suspects())
        old = {path: model for path in suspects if (model := self.before.model(path))}
        new = {path: model for path in suspects if (model := self.after.model(path))}
        came = {path: model for path, model in new.items() if path not in old}
        for path, model in old.items():
            elsewhere = next((there for there, other in came.items() if other.name == model.name), None)
            if path in new:
                yield model, new[path]
            elif path not in self.after.manifests:
                yield model, came.pop(elsewhere) if elsewhere else None
        yield from ((None, model) for model in came.values())

    def _suspects(self) -> Iterator[str]:
        """Manifests that may mean something else than before, or whose files beside or behind them differ."""
        paths = sorted({*self.before.manifests, *self.after.manifests})
        if _through_models(self.before.workspace) != _through_models(self.after.workspace):
            yield from paths
            return
        folders = {folder for path in self._changed for folder in _folders(path)}
        mentioned = _Mentioned.by(self._changed)
        for path in paths:
            text, was = self.after.manifests.get(path), self.before.manifests.get(path)
            if posixpath.dirname(path) in folders or text is None or was is None or mentioned.may_be_in(text):
                yield path

    def _paths(self, pair: Pair) -> Iterator[str]:
        for model in pair:
            for environment in model.environments if model else ():
                assert model is not None
                yield model.pin_path(environment.name)
                yield self._sources.targets[environment.target.kind].path(model, environment.name)

    def _facts(self, pair: Pair, workspace: Workspace, now: datetime) -> Facts:
        before, after = (self._state(side, model) for side, model in zip((self.before, self.after), pair, strict=True))
        facts = Facts(
            before=before,
            after=after,
            workspace=workspace,
            now=now,
            changed=self._changed,
            files=frozenset(path for path in self._paths(pair) if path in self.after.texts),
            dependants=tuple(self._dependants(pair)),
        )
        inputs, model = facts.either.inputs, facts.either.model
        if inputs is not None:
            record = latest(self._records.get(training_key(inputs), ()))
            facts = replace(facts, record=record, progress=progress_of(model, training_key(inputs), record))
        return replace(facts, flights=self._flights(facts), histories=self._histories(facts))

    def _state(self, side: Side, model: Model | None) -> State | None:
        if model is None:
            return None
        names = [environment.name for environment in model.environments]
        pins = {name: pin for name in names if (pin := side.pin(model.pin_path(name)))}
        rendered = {name: self._rendered(side, model, name, pins.get(name)) for name in names}
        return State(model=model, inputs=self._inputs(side, model), pins=pins, rendered=rendered)

    def _rendered(self, side: Side, model: Model, environment: str, pin: Pin | None) -> Rendered:
        target = self._sources.targets[model.environment(environment).target.kind]
        path = target.path(model, environment)
        wanted = target.render(model, environment, pin) if pin else None
        return Rendered(path=path, wanted=wanted, found=side.texts.get(path))

    def _inputs(self, side: Side, model: Model) -> Inputs | None:
        if model.training is None:
            return None
        try:
            return inputs_of(model, side.commit, self._sources.repository)
        except Refused:
            if side is self.after:
                side.findings.append(self._no_source(model))
            return None

    def _no_source(self, model: Model) -> Finding:
        repository, path, seen = self._sources.repository, model.manifest_path, exported(model)
        absent = next(place for place, p in enumerate(seen) if repository.object_id(self.after.commit, p) is None)
        way = ("spec", "training", *(("include", absent - 1) if absent else ("source",)))
        missing = MISSING_FILE.at(way, f"there is no {seen[absent]} in the repository", "add it, or correct the path")
        return placed(read_document(self.after.texts[path], path), missing)

    def _flights(self, facts: Facts) -> Mapping[str, Flight]:
        """Rollouts in flight, as main has them, where something might have to wait for them."""
        before, after = facts.before, facts.after
        if before is None or after is None or (before.model, before.inputs) == (after.model, after.inputs):
            return {}
        found = ((name, self._flight(facts, name, pin)) for name, pin in before.pins.items())
        return {name: flight for name, flight in found if flight is not None}

    def _flight(self, facts: Facts, environment: str, pin: Pin) -> Flight | None:
        if pin.canary is not None:
            return Flight(version=pin.canary.pin.version, weight=pin.canary.weight, policy=pin.policy)
        assert facts.before is not None
        model, now = facts.before.model, facts.now
        finished = finished_at(self._since_stable(model.pin_path(environment), pin)) if pin.policy else None
        if finished is None or pin.stable is None:
            return None
        frozen = self._reader.environment(pin.policy or "", model, environment) or model.environment(environment)
        until = finished + frozen.rollout.probation.duration
        return Flight(version=pin.stable.version, until=until, policy=pin.policy) if now < until else None

    def _since_stable(self, path: str, pin: Pin) -> tuple[PinChange, ...]:
        """The end of a pin file's history in which its stable version is this one, and the entry before it."""
        changes: list[PinChange] = []
        for change in self._history_backwards(path):
            changes.append(change)
            if change.pin is None or change.pin.stable != pin.stable:
                break
        return tuple(reversed(changes))

    def _history_backwards(self, path: str) -> Iterator[PinChange]:
        for version in reversed(self._sources.repository.history(self.before.commit, path)):
            try:
                pin = self._reader.pin(version.text, path) if version.text is not None else None
            except InvalidManifest:
                continue
            yield PinChange(commit=version.commit, at=version.at, pin=pin)

    def _histories(self, facts: Facts) -> Mapping[str, tuple[PinChange, ...]]:
        """Of each pin file that the change touches and that can be read after it, or is gone."""
        model, found = facts.either.model, {}
        for environment in model.environments:
            path = model.pin_path(environment.name)
            unreadable = path in self.after.texts and self.after.pin(path) is None
            if path in self._changed and not unreadable:
                found[environment.name] = tuple(reversed(list(self._history_backwards(path))))
        return found

    def _dependants(self, pair: Pair) -> Iterator[str]:
        """Models that wait for a name which goes away."""
        before, after = pair
        if before is None or (after is not None and after.name == before.name):
            return
        for path, text in self.after.manifests.items():
            model = self.after.model(path) if "dependsOn" in text and before.name in text else None
            if model is not None and before.name in model.depends_on:
                yield model.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mentioned:
    """Words that the text of a manifest must hold for a change outside of its folder to reach it."""

    included: frozenset[str]
    models: frozenset[str]

    @classmethod
    def by(cls, changed: Iterable[str]) -> _Mentioned:
        known = tuple(changed)
        stems = (posixpath.basename(path).removesuffix(".yaml") for path in known if path.startswith(_RENDERED))
        return cls(included=frozenset(path.partition("/")[0] for path in known), models=frozenset(stems))

    def may_be_in(self, text: str) -> bool:
        """An `include` holds the first folder of what it includes, a rendered file is called as its model. Both stand
        in the text as they are, where it has no escapes and the name neither blanks, to be folded, nor quotes."""
        if "\\" in text or any(" " in word or "'" in word for word in self.included):
            return True
        included = "include" in text and any(word in text for word in self.included)
        return included or any(name in text for name in self.models)


def _through_models(workspace: Workspace | None) -> object:
    """What a model's meaning depends on besides its manifest."""
    if workspace is None:
        return None
    return (workspace.environments, workspace.presets, workspace.labels, workspace.defaults)


def _folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
