"""What `plan` works with: the clone that we stand in, a change in it, and the launch records of its origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate import bundled
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Model
from tidegate.core.planning.plan import Backtested
from tidegate.errors import WrongUse
from tidegate.plan import Compared, Past, commit_of, compared
from tidegate.ports import Repository
from tidegate.steps.changes import Changes, Sources
from tidegate.steps.trainings import all_records
from tidegate.wiring.backtesting import is_shallow
from tidegate.wiring.context import Context

if TYPE_CHECKING:
    from tidegate.steps.past_policies import PastPolicies

_PATIENCE = timedelta(seconds=3)
"""A plan waits for no server that does not answer at once."""


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


def past(context: Context, changes: Changes, main: str, head: str | None, no_replay: str | None = None) -> Past:
    """What tells how the last rollouts of a model would have gone by its policy of main and by the changed one;
    or, for all models, why that is not told. `main` and `head` are the names by which they are found in the clone."""

    @cache
    def policies() -> PastPolicies | str:
        from tidegate.steps.past_policies import PastPolicies

        why = no_replay or _cut_off(context)
        return why or PastPolicies(context.metrics_within(_PATIENCE), context.clock)

    def replayed(before: Model, after: Model) -> Backtested:
        found = policies()
        if isinstance(found, str):
            return Backtested(rollouts=0, unread=found)
        return replace(found.by_two(changes.archive(before), after), base=main, head=head or "")

    return replayed


def _cut_off(context: Context) -> str | None:
    """Why the past is not here."""
    if not is_shallow(clone_at(context.settings.folder).directory):
        return None
    return "this clone is shallow; fetch its whole history (in actions/checkout: fetch-depth: 0)"


def work_tree(context: Context) -> Path | None:
    """Where the files lie that the change is made of; None for a bare repository."""
    return clone_at(context.settings.folder).work_tree


def _records(context: Context, clone: Repository) -> tuple[LaunchRecord, ...]:
    """Origin has them; where it is no folder, what was fetched of them counts."""
    try:
        return all_records(context.repository)
    except WrongUse:
        return all_records(clone)
