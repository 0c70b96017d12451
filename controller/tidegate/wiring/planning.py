"""What `plan` works with: the clone that we stand in, a change in it, and the launch records of its origin."""

from __future__ import annotations

from pathlib import Path

from tidegate import bundled
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.core.launch_record import LaunchRecord
from tidegate.errors import WrongUse
from tidegate.plan import Compared, commit_of, compared
from tidegate.ports import Repository
from tidegate.steps.changes import Changes, Sources
from tidegate.steps.trainings import all_records
from tidegate.wiring.context import Context


def changes(context: Context, base: str | None, head: str | None) -> tuple[Changes, Compared]:
    """What merging the work tree (or `head`) into `base` changes, and the commits compared. Raises WrongUse."""
    clone = clone_at(context.settings.folder)
    repository = GitRepository(clone.directory, identity=context.settings.identity, work_tree=clone.work_tree)
    there = commit_of(repository, head) if head else repository.snapshot()
    sources = Sources(
        repository=repository,
        schemas=bundled.schemas(),
        targets=context.targets,
        records=_records(context, repository),
    )
    commits = compared(repository, there, base)
    return Changes(sources, commits.base, commits.head), commits


def work_tree(context: Context) -> Path | None:
    """Where the files lie that the change is made of; None for a bare repository."""
    return clone_at(context.settings.folder).work_tree


def _records(context: Context, clone: Repository) -> tuple[LaunchRecord, ...]:
    """Origin has them; where it is no folder, what was fetched of them counts."""
    try:
        return all_records(context.repository)
    except WrongUse:
        return all_records(clone)
