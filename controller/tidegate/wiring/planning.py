"""What `plan` works with: the clone that we stand in, a change in it, and the launch records of its origin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tidegate import bundled
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Model
from tidegate.core.planning.plan import Backtested
from tidegate.errors import WrongUse
from tidegate.plan import Compared, commit_of, compared
from tidegate.ports import Metrics, Repository
from tidegate.steps.changes import Changes, Sources
from tidegate.steps.trainings import all_records
from tidegate.wiring.context import Context, NoMetrics

_PATIENCE = timedelta(seconds=3)


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


def past(context: Context, changes: Changes) -> Callable[[Model, Model], Backtested]:
    """What tells how the last rollouts of a model would have gone by its policy of main and by the changed one."""

    def replayed(before: Model, after: Model) -> Backtested:
        from tidegate.steps.replaying import by_two_policies

        return by_two_policies(changes.archive(before), after, impatient(context), context.clock)

    return replayed


def impatient(context: Context) -> Metrics:
    """Prometheus for a plan: it waits for no server that does not answer at once, and needs none."""
    try:
        return context.metrics_within(_PATIENCE)
    except ImportError:  # what a workflow installs for plans asks no server
        return NoMetrics("no Prometheus client is installed here")


def work_tree(context: Context) -> Path | None:
    """Where the files lie that the change is made of; None for a bare repository."""
    return clone_at(context.settings.folder).work_tree


def _records(context: Context, clone: Repository) -> tuple[LaunchRecord, ...]:
    """Origin has them; where it is no folder, what was fetched of them counts."""
    try:
        return all_records(context.repository)
    except WrongUse:
        return all_records(clone)
