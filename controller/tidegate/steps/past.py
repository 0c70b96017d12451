"""One model's past, read from git: what main wanted since when, its pin files' histories, the policies that rollouts
froze. What it means is `core.replay`'s; nothing here asks a server.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core.history import distinct
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import ModelVersion, PinChange
from tidegate.core.quantity import VersionPin
from tidegate.core.replay.episodes import Episode, Probation, episodes
from tidegate.core.replay.past import Era, Past
from tidegate.core.workspace import Workspace
from tidegate.ports import CommitInfo, FileVersion, Repository
from tidegate.steps.desired import WORKSPACE, DesiredReader
from tidegate.steps.observe import pin_history
from tidegate.steps.trainings import exported, key_at

Histories = Mapping[str, tuple[PinChange, ...]]
"""By environment, the pin file's history without changes of layout alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where the past is read: one commit of main, and the launch records that tell versions' training keys. `others`
    reads the workspace's other models as main has them: only a breach asks for them. `until`: the model's folder was
    another one from then on."""

    repository: Repository
    reader: DesiredReader
    main: str
    model: Model
    workspace: Workspace
    records: tuple[LaunchRecord, ...] = ()
    others: Callable[[], Iterable[Model]] = tuple
    until: datetime | None = None

    def histories(self, until: datetime) -> Histories:
        """Up to an instant, of today's environments and of all that ever were pinned beside the manifest."""
        found = {environment.name: self._history(environment.name, until) for environment in self.model.environments}
        gone = {name: self._history(name, until) for name in self._files() if name not in found}
        return found | {name: history for name, history in gone.items() if any(change.pin for change in history)}

    def _files(self) -> Iterator[str]:
        """The names of all files that could have been pin files."""
        model = self.model
        for path in self.repository.paths_ever(self.main, model.folder):
            name = path.removeprefix(f"{model.folder}/").removesuffix(".yaml")
            if path == model.pin_path(name) and path != model.manifest_path:
                yield name

    def _history(self, environment: str, until: datetime) -> tuple[PinChange, ...]:
        changes = pin_history(self.main, self.model.pin_path(environment), self.repository, self.reader)
        return distinct([change for change in changes if change.at <= until])

    def environment(self, name: str, history: Sequence[PinChange]) -> Environment | None:
        """As main has it; of one that it has no more, as it was when its pin file was written last."""
        today = next((each for each in self.model.environments if each.name == name), None)
        last = next((change for change in reversed(history) if change.pin is not None), None)
        return today or (self.frozen(name, last.commit) if last else None)

    def frozen(self, environment: str, commit: str | None) -> Environment | None:
        """The environment as a rollout froze it."""
        return self.reader.environment(commit, self.model, environment) if commit else None

    def of(self, other: Model) -> Archive:
        """The past of another model of the same main."""
        return replace(self, model=other)

    @property
    def born(self) -> FileVersion | None:
        """The first text of the manifest at this path."""
        return next(iter(self.repository.history(self.main, self.model.manifest_path)), None)

    def before(self) -> Archive | None:
        """The archive of the folder in which the model lay before it was moved to this one; None where it was not."""
        born = self.born
        parents = self.repository.commit_info(born.commit).parents if born else ()
        if born is None or not parents:
            return None
        here = set(self.repository.paths(born.commit))
        left = (path for path in self.repository.paths(parents[0]) if path.endswith("/model.yaml") and path not in here)
        there = (self.reader.both_at(parents[0], replace(self.model, folder=posixpath.dirname(path))) for path in left)
        found = next((both for both in there if both and both[1].name == self.model.name), None)
        if found is None:
            return None
        workspace, model = found
        return replace(self, main=parents[0], model=model, workspace=workspace, until=born.at)


def archives(archive: Archive, since: datetime) -> Iterator[Archive]:
    """The newest folder of the model first, then those where it lay before, back to an instant."""
    found: Archive | None = archive
    while found is not None:
        yield found
        born = found.born
        found = found.before() if born is not None and born.at > since else None


def rollouts(archive: Archive, histories: Histories, since: datetime, until: datetime) -> Iterator[Episode]:
    """The episodes that were entered in a period, oldest first in each environment. What a moved folder came with
    entered before."""
    born = archive.born
    came = born.commit if born is not None and born.at >= since and archive.before() is not None else None
    for name, history in histories.items():
        environment = archive.environment(name, history)
        for episode in _episodes(archive, environment, histories, until) if environment else ():
            if since <= episode.entered < until and history[episode.first].commit != came:
                yield episode


def _episodes(archive: Archive, environment: Environment, histories: Histories, until: datetime) -> Iterator[Episode]:
    lasts = _probation(archive, environment)
    return (each for each in episodes(environment, histories, lasts, until) if each.start < each.end)


def _probation(archive: Archive, environment: Environment) -> Probation:
    def lasts(change: PinChange) -> timedelta:
        frozen = archive.frozen(environment.name, change.pin.policy if change.pin else None)
        return (frozen or environment).rollout.probation.duration

    return lasts


def left_out(archive: Archive, histories: Histories) -> Iterator[str]:
    """What of the past is not replayed, and why."""
    for name, history in histories.items():
        if archive.environment(name, history) is None:
            yield f"rollouts in {name}: main's manifest had no such environment when its pin file was written last"
    if archive.until is not None:
        yield (
            f"{archive.model.folder}: the model lay there until {archive.until:%Y-%m-%d %H:%M}; "
            "a rollout that was under way then is replayed up to then"
        )


def past_of(archive: Archive, histories: Histories, since: datetime) -> Past:
    """What the model's past was from an instant on; of before that, what held then."""
    policies = {
        (name, commit): frozen
        for name, history in histories.items()
        for commit in dict.fromkeys(change.pin.policy for change in history if change.pin and change.pin.policy)
        if (frozen := archive.frozen(name, commit)) is not None
    }
    eras = tuple(_eras(archive, since))
    return Past(eras=eras, histories=histories, policies=policies, versions=tuple(_versions(archive, histories)))


_Wanted = tuple[Workspace, Model]


def _eras(archive: Archive, since: datetime) -> Iterator[Era]:
    """Oldest first. Where main had no valid manifest, the last valid one goes on, marked; where there was none yet,
    the first one."""
    changes = list(reversed(list(_changes(archive, since))))
    wanted = next((found for _, found in changes if found), (archive.workspace, archive.model))
    for commit, found in changes:
        workspace, model = wanted = found or wanted
        yield Era(
            at=commit.at,
            commit=commit.sha,
            model=model,
            workspace=workspace,
            key=key_at(archive.repository, commit.sha, model),
            invalid=None if found else f"it had no valid text at {commit.sha[:12]}",
        )


def _changes(archive: Archive, since: datetime) -> Iterator[tuple[CommitInfo, _Wanted | None]]:
    """The commits by which main may have come to want something else of the model, with what it wanted then. Newest
    first, back to one before an instant that had a valid text; the source of a training is looked up where it lay."""
    repository, reader = archive.repository, archive.reader
    born = archive.born
    commit = repository.last_change(archive.main, _paths(archive.model))
    found = reader.both_at(commit, archive.model) if commit else None
    while commit is not None:
        info = repository.commit_info(commit)
        yield info, found
        first = born is not None and commit == born.commit
        if first or not info.parents or (info.at < since and found is not None):
            return
        before = info.parents[0]
        found = reader.both_at(before, archive.model)
        commit = repository.last_change(before, _paths(found[1] if found else archive.model))


def _paths(model: Model) -> list[str]:
    return [model.manifest_path, WORKSPACE, *(exported(model) if model.training else ())]


def _versions(archive: Archive, histories: Histories) -> Iterator[ModelVersion]:
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
