"""What `backtest` works with: main's past and the policies to replay it by."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tidegate import bundled
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.adapters.git.clone import parsed
from tidegate.core.manifest import Model
from tidegate.core.read import read_model, read_workspace
from tidegate.core.replay.past import AS_IT_WAS, Policy
from tidegate.core.workspace import Workspace
from tidegate.errors import WrongUse
from tidegate.plan import commit_of
from tidegate.ports import Repository
from tidegate.steps.desired import WORKSPACE, DesiredReader
from tidegate.steps.past import Archive
from tidegate.steps.trainings import all_records
from tidegate.wiring.context import Context

_ID = re.compile(r"[0-9a-f]{4,64}")
_BRANCH = re.compile(r"[^-\s]\S*")


def archive_of(context: Context, name: str) -> Archive:
    """The past of the model of this name. Raises WrongUse with the names there are, and where history is cut off."""
    if isinstance(context.repository, GitRepository) and is_shallow(context.repository.plumbing.path):
        where = context.repository.plumbing.path
        raise WrongUse(f"{where} is a shallow clone, whose past ends where it was cut off: git fetch --unshallow")
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


def is_shallow(directory: Path) -> bool:
    """Whether the history there is cut off. Where it ends, a rollout would seem to begin."""
    return parsed(directory, "--is-shallow-repository") == "true"


def policies_of(context: Context, archive: Archive, policy: str | None, compare: str | None) -> tuple[Policy, ...]:
    """The policy asked for (else each rollout's own), and the one to compare it with. Raises WrongUse."""
    first = AS_IT_WAS if policy is None else _policy(context, archive, policy)
    return (first,) if compare is None else (first, _policy(context, archive, compare))


def _policy(context: Context, archive: Archive, name: str) -> Policy:
    """A manifest on disk, or the model's at a commit."""
    file = context.settings.folder / name
    if not file.is_file():
        return _at(context, archive, name)
    model = read_model(_text(file), str(file), bundled.schemas(), _workspace(context) or archive.workspace)
    return _in(model, file.name if Path(name).is_absolute() else name, context.clock.now())


def _workspace(context: Context) -> Workspace | None:
    """The settings beside what lies on disk, as `plan` takes them; None without a work tree, or without any there."""
    try:
        top = clone_at(context.settings.folder).work_tree
    except WrongUse:  # no clone here: the environment says which repository is meant
        return None
    file = top / WORKSPACE if top else None
    return read_workspace(_text(file), str(file), bundled.schemas()) if file and file.is_file() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{file} cannot be read: {error}") from error


def _in(model: Model, name: str, now: datetime) -> Policy:
    """What lies on disk may be made of what happened until now."""
    return Policy(
        name=name,
        environments={environment.name: environment for environment in model.environments},
        since={environment.name: now for environment in model.environments},
    )


def _at(context: Context, archive: Archive, reference: str) -> Policy:
    """Each environment counts as old as the oldest commit that wanted the same of it."""
    repository, commit = _found(context, reference)
    reader = DesiredReader(repository, bundled.schemas())
    model = reader.model_at(commit, archive.model)
    if model is None:
        where = f"{reference}, which is {commit[:12]}"
        raise WrongUse(f"{archive.model.manifest_path} has no valid text at {where}; name another commit")
    return Policy(
        name=reference,
        commit=commit,
        environments={environment.name: environment for environment in model.environments},
        since={
            environment.name: repository.commit_info(reader.policy_commit(commit, model, environment)).at
            for environment in model.environments
        },
    )


def _found(context: Context, reference: str) -> tuple[Repository, str]:
    """A name means what it means to git in the clone where somebody stands, pushed or not; else it is a branch of
    origin's, or a commit there. Origin also has the history that a shallow clone lacks."""
    named = None
    with suppress(WrongUse):
        clone = clone_at(context.settings.folder)
        here = GitRepository(clone.directory, identity=context.settings.identity)
        named = commit_of(here, reference)
        if not is_shallow(clone.directory):
            return here, named
    with suppress(WrongUse):
        if named or _may_be_of_origin(context.repository, reference):
            return context.repository, context.desired_at(named or reference).commit
    if named:
        raise WrongUse(f"{reference} is in this shallow clone alone: git fetch --unshallow, or push it")
    raise WrongUse(f"{reference!r} is neither a file nor a commit, here or of origin; correct the name, or fetch it")


def _may_be_of_origin(origin: Repository, reference: str) -> bool:
    """Other names, such as HEAD, would mean something else there."""
    if _ID.fullmatch(reference):
        return True
    return _BRANCH.fullmatch(reference) is not None and origin.head(reference) is not None
