"""How trainings stand, read from git: what a training depends on, its key, and what the launch records say of it.

Launching and collecting are `train`'s business; nothing here writes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from tidegate.core.launch_record import CANDIDATES, PREFIX, LaunchRecord, LaunchState, decode, latest
from tidegate.core.manifest import Model, Training
from tidegate.core.observed import Training as Progress
from tidegate.core.observed import TrainingState
from tidegate.core.training_key import Inputs, training_key
from tidegate.errors import Refused, WrongUse
from tidegate.ports import Repository


def inputs_of(model: Model, commit: str, repository: Repository, request: str = "") -> Inputs:
    """What training this model at this commit depends on. Raises Refused when the source is not there."""
    training = training_of(model)
    paths = exported(model)
    trees = {path: repository.object_id(commit, path) for path in paths}
    if absent := [path for path, found in trees.items() if found is None]:
        raise Refused(f"{model.manifest_path}: {absent[0]} does not exist at {commit[:12]}; add it or correct the path")
    return Inputs(
        trees={path: found for path, found in trees.items() if found is not None},
        command=training.command,
        parameters=training.parameters,
        data={data.name: f"{data.uri} {data.digest}" for data in training.data},
        seed=training.seed,
        environment=_environment_id(model, commit, repository),
        request=request,
    )


def key_at(repository: Repository, commit: str, model: Model) -> str:
    """The training key at a commit; empty for a model that is not trained here, or whose source is not there."""
    if model.training is None:
        return ""
    try:
        return training_key(inputs_of(model, commit, repository))
    except Refused:
        return ""


def exported(model: Model) -> tuple[str, ...]:
    """The paths, from the repository's root, that a training program sees: source and include, nothing else."""
    return (source_of(model), *(posixpath.normpath(path) for path in training_of(model).include))


def source_of(model: Model) -> str:
    """The folder that the training command runs in, from the repository's root."""
    return posixpath.normpath(posixpath.join(model.folder, training_of(model).source))


def training_of(model: Model) -> Training:
    """The manifest's training. Raises WrongUse when it has none."""
    if model.training is None:
        raise WrongUse(f"{model.manifest_path} has no `training`: there is nothing to train")
    return model.training


def all_records(repository: Repository) -> tuple[LaunchRecord, ...]:
    """Every launch record, in one reading."""
    return tuple(decode(text) for text in repository.records(PREFIX).values())


def records_of(repository: Repository, key: str, *, candidates: bool = False) -> tuple[LaunchRecord, ...]:
    """Every attempt at a training key from main, or from commits that are not there."""
    prefix = CANDIDATES if candidates else PREFIX
    return tuple(decode(text) for text in repository.records(f"{prefix}{key}/").values())


def training_state(model: Model, key: str, records: Iterable[LaunchRecord]) -> Progress:
    """How far the key has come, as the launch records say."""
    return progress_of(model, key, latest(record for record in records if record.key == key))


def may_try_again(model: Model, record: LaunchRecord) -> bool:
    """Whether a lost attempt leaves another one."""
    return record.state is LaunchState.LOST and record.attempt < training_of(model).lease.attempts


def is_due(model: Model, key: str, records: Iterable[LaunchRecord]) -> bool:
    """Whether a launch would start a run now: the key's first attempt, or the next one after a lost one."""
    record = latest(record for record in records if record.key == key)
    return record is None or may_try_again(model, record)


def progress_of(model: Model, key: str, record: LaunchRecord | None) -> Progress:
    """What a record means for people and for `decide`."""
    if record is None:
        return Progress(key=key, state=TrainingState.ABSENT)
    return Progress(
        key=key,
        state=_state(model, record),
        words=record.words,
        run_id=record.run_id,
        attempt=record.attempt,
        version=record.version,
        until=record.deadline if record.running else None,
    )


def _state(model: Model, record: LaunchRecord) -> TrainingState:
    match record.state:
        case LaunchState.PREPARED | LaunchState.LAUNCHED:
            return TrainingState.RUNNING
        case LaunchState.SUCCEEDED:
            return TrainingState.SUCCEEDED if record.candidate else TrainingState.RUNNING
        case LaunchState.LOST:
            return TrainingState.RUNNING if may_try_again(model, record) else TrainingState.FAILED
        case LaunchState.FAILED:
            return TrainingState.FAILED
        case LaunchState.GATED:
            return TrainingState.GATED
        case LaunchState.REGISTERED:
            return TrainingState.SUCCEEDED


def _environment_id(model: Model, commit: str, repository: Repository) -> str | None:
    """The lock file's id where there is such a file; otherwise the text itself (an image with its digest)."""
    named = training_of(model).environment
    if named is None:
        return None
    path = posixpath.normpath(posixpath.join(model.folder, named))
    return repository.object_id(commit, path) or named
