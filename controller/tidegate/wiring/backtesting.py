"""What `backtest` works with: main's past and the policies to replay it by."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tidegate import bundled
from tidegate.core.manifest import Model
from tidegate.core.read import read_model
from tidegate.core.replay.past import AS_IT_WAS, Policy
from tidegate.errors import WrongUse
from tidegate.steps.past import Archive
from tidegate.steps.trainings import all_records
from tidegate.wiring.context import Context


def archive_of(context: Context, name: str) -> Archive:
    """The past of the model of this name. Raises WrongUse with the names there are."""
    desired = context.desired()
    return Archive(
        repository=context.repository,
        reader=context.reader,
        main=desired.commit,
        model=desired.model(name).model,
        workspace=desired.workspace,
        records=all_records(context.repository),
        others=lambda: (wanted.model for wanted in desired.models if wanted.model.name != name),
    )


def policies_of(context: Context, archive: Archive, policy: str | None, compare: str | None) -> tuple[Policy, ...]:
    """The policy asked for (else each rollout's own), and the one to compare it with. Raises WrongUse."""
    first = AS_IT_WAS if policy is None else _policy(context, archive, policy)
    return (first,) if compare is None else (first, _at(context, archive, compare))


def _policy(context: Context, archive: Archive, name: str) -> Policy:
    """A manifest on disk, or main's at a commit."""
    file = Path(name)
    return _in(file, archive, context.clock.now()) if file.is_file() else _at(context, archive, name)


def _in(file: Path, archive: Archive, now: datetime) -> Policy:
    """What lies on disk may be made of what happened until now."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{file} cannot be read: {error}") from error
    model = read_model(text, str(file), bundled.schemas(), archive.workspace)
    return Policy(
        name=file.name,
        environments={environment.name: environment for environment in model.environments},
        since={environment.name: now for environment in model.environments},
    )


def _at(context: Context, archive: Archive, reference: str) -> Policy:
    """Each environment counts as old as the oldest commit that wanted the same of it."""
    commit = context.desired_at(reference).commit
    model = archive.reader.model_at(commit, archive.model)
    if model is None:
        raise WrongUse(f"{archive.model.manifest_path} has no valid text at {reference}; name another commit")
    return Policy(
        name=reference,
        environments={environment.name: environment for environment in model.environments},
        since={
            environment.name: _since(archive, commit, model, environment.name) for environment in model.environments
        },
    )


def _since(archive: Archive, commit: str, model: Model, environment: str) -> datetime:
    oldest = archive.reader.policy_commit(commit, model, model.environment(environment))
    return archive.repository.commit_info(oldest).at
