"""Who wrote the change on main that trained a version: from its launch record back to the commits that gave its key."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from tidegate.core.approving.votes import folded
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Model
from tidegate.ports import CommitInfo
from tidegate.steps.desk import Desk
from tidegate.steps.trainings import all_records, exported, key_at


def training_authors(desk: Desk, model: Model, versions: Iterable[int]) -> frozenset[str] | None:
    """Who wrote the changes on main that trained these versions, as `folded`.

    None where nobody can tell: a version without a record, a record that main's history does not bear out, a commit
    whose author the forge does not know.
    """
    numbers = set(versions)
    records = [r for r in all_records(desk.repository) if r.model == model.name and r.version in numbers]
    changes = [_training_change(desk, model, record) for record in records]
    if numbers != {record.version for record in records} or not all(changes):
        return None
    told = [desk.forge.authors([sha]) for sha in sorted({commit.sha for change in changes for commit in change})]
    return frozenset(folded(handle) for handles in told for handle in handles) if all(told) else None


def _training_change(desk: Desk, model: Model, record: LaunchRecord) -> Sequence[CommitInfo]:
    """The commits that came with the change of main's training key; merges wrote nothing where others did.

    None of them where main never was at the record's commit, or did not have the record's key there: whoever may push
    may write a record.
    """
    repository = desk.repository
    there = desk.reader.model_at(record.commit, model) if repository.is_past(desk.main, record.commit) else None
    if there is None or there.training is None or key_at(repository, record.commit, there) != record.key:
        return ()
    paths, key = _inputs(there), record.key
    change = repository.last_change(record.commit, paths)
    while change is not None:
        parents = repository.commit_info(change).parents
        if not parents:
            return (repository.commit_info(change),)
        then = desk.reader.model_at(parents[0], model)
        if then is None or key_at(repository, parents[0], then) != key:
            commits = repository.commits(parents[0], change)
            return [commit for commit in commits if len(commit.parents) < 2] or commits
        change = repository.last_change(parents[0], paths)
    return ()


def _inputs(model: Model) -> tuple[str, ...]:
    """The files that a training key is made from."""
    assert model.training is not None
    locks = (model.training.environment,) if model.training.environment else ()
    named = (posixpath.normpath(posixpath.join(model.folder, path)) for path in locks)
    return (model.manifest_path, *exported(model), *named)
