"""One model's past, read from git: what main wanted since when, its pin files' histories, the policies that rollouts
froze. What it means is `core.replay`'s; nothing here asks a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.history import distinct
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import ModelVersion, PinChange
from tidegate.core.quantity import VersionPin
from tidegate.core.replay.episodes import Episode, Probation, episodes
from tidegate.core.replay.past import Era, Past
from tidegate.core.workspace import Workspace
from tidegate.ports import CommitInfo, Repository
from tidegate.steps.desired import WORKSPACE, DesiredReader
from tidegate.steps.observe import pin_history
from tidegate.steps.trainings import exported, key_at

_Histories = Mapping[str, tuple[PinChange, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where the past is read: one commit of main, and the launch records that tell versions' training keys. `others`
    reads the workspace's other models as main has them: only a breach asks for them."""

    repository: Repository
    reader: DesiredReader
    main: str
    model: Model
    workspace: Workspace
    records: tuple[LaunchRecord, ...] = ()
    others: Callable[[], Iterable[Model]] = tuple

    def histories(self, until: datetime) -> _Histories:
        """The pin files' histories up to an instant, without changes of layout alone."""
        return {environment.name: self._history(environment.name, until) for environment in self.model.environments}

    def _history(self, environment: str, until: datetime) -> tuple[PinChange, ...]:
        changes = pin_history(self.main, self.model.pin_path(environment), self.repository, self.reader)
        return distinct([change for change in changes if change.at <= until])

    def stable(self, model: Model, environment: str, at: datetime) -> int | None:
        """The version of a model that main pinned as stable at an instant."""
        changes = pin_history(self.main, model.pin_path(environment), self.repository, self.reader)
        pins = [change.pin for change in changes if change.at < at]
        return pins[-1].stable.version if pins and pins[-1] is not None and pins[-1].stable is not None else None

    def frozen(self, environment: str, commit: str | None) -> Environment | None:
        """The environment as a rollout froze it."""
        return self.reader.environment(commit, self.model, environment) if commit else None


def rollouts(archive: Archive, histories: _Histories, since: datetime, until: datetime) -> Iterator[Episode]:
    """The episodes that were entered in a period, oldest first in each environment."""
    for environment in archive.model.environments:
        lasts = _probation(archive, environment)
        for episode in episodes(environment, histories, lasts, until):
            if since <= episode.entered < until and episode.start < episode.end:
                yield episode


def _probation(archive: Archive, environment: Environment) -> Probation:
    def lasts(change: PinChange) -> timedelta:
        frozen = archive.frozen(environment.name, change.pin.policy if change.pin else None)
        return (frozen or environment).rollout.probation.duration

    return lasts


def past_of(archive: Archive, histories: _Histories, since: datetime) -> Past:
    """What the model's past was from an instant on; of before that, what held then."""
    policies = {
        (name, commit): frozen
        for name, history in histories.items()
        for commit in dict.fromkeys(change.pin.policy for change in history if change.pin and change.pin.policy)
        if (frozen := archive.frozen(name, commit)) is not None
    }
    eras = tuple(_eras(archive, since))
    return Past(eras=eras, histories=histories, policies=policies, versions=tuple(_versions(archive, histories)))


def _eras(archive: Archive, since: datetime) -> Iterator[Era]:
    """Oldest first. Where main had no valid manifest, the last valid one goes on, marked."""
    before = (archive.workspace, archive.model)
    for commit in reversed(list(_commits(archive, since))):
        found = archive.reader.both_at(commit.sha, archive.model)
        before = found or before
        workspace, model = before
        yield Era(
            at=commit.at,
            commit=commit.sha,
            model=model,
            workspace=workspace,
            key=key_at(archive.repository, commit.sha, model),
            invalid=None if found else f"it had no valid text at {commit.sha[:12]}",
        )


def _commits(archive: Archive, since: datetime) -> Iterator[CommitInfo]:
    """The commits by which main may have come to want something else of the model, newest first, back to one before an
    instant."""
    model, repository = archive.model, archive.repository
    paths = [model.manifest_path, WORKSPACE, *(exported(model) if model.training else ())]
    commit = repository.last_change(archive.main, paths)
    while commit is not None:
        info = repository.commit_info(commit)
        yield info
        commit = repository.last_change(info.parents[0], paths) if info.parents and info.at >= since else None


def _versions(archive: Archive, histories: _Histories) -> Iterator[ModelVersion]:
    """Every version that was ever pinned, known from its first pin on."""
    first: dict[VersionPin, datetime] = {}
    for change in sorted((c for history in histories.values() for c in history), key=lambda change: change.at):
        for pin in _pinned(change):
            first.setdefault(pin, change.at)
    for pin, at in first.items():
        record = _record(pin, archive.records, archive.model.name)
        yield ModelVersion(
            number=pin.version,
            digest=pin.digest,
            training_key=record.key if record else None,
            run_id=record.run_id if record else "",
            created_at=at,
        )


def _pinned(change: PinChange) -> Iterable[VersionPin]:
    pin = change.pin
    found = (pin.stable, pin.previous, pin.canary.pin if pin.canary else None) if pin else ()
    return (one for one in found if one is not None)


def _record(pin: VersionPin, records: Sequence[LaunchRecord], model: str) -> LaunchRecord | None:
    for record in records:
        known = record.model == model and record.version == pin.version and record.artifact_digest == pin.digest
        if known and not record.candidate:
            return record
    return None
