"""What merging a change does: two commits compared, every model that may differ between them read from both.

How the facts are read is `steps.changes`' business, what they mean that of `core.planning`. Nothing is written but what
`Repository.snapshot` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tidegate.core.finding import Finding
from tidegate.core.manifest import Model
from tidegate.core.planning.backtest import touches_policy
from tidegate.core.planning.change import in_order, model_plan
from tidegate.core.planning.effective import Effective, effective
from tidegate.core.planning.freezes import next_window
from tidegate.core.planning.plan import Backtested, ModelPlan, Plan
from tidegate.core.planning.settings import workspace_edits
from tidegate.core.yaml.document import read as read_document
from tidegate.errors import WrongUse
from tidegate.ports import Repository
from tidegate.steps.changes import Changes

_MAINS = ("refs/remotes/origin/main", "refs/heads/main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The two commits of a plan: main's, and main with the change merged.

    Where they `conflict`, the change is compared as it is with the commit where it left main. `main` is the name by
    which it was met.
    """

    main: str
    base: str
    head: str
    conflict: bool = False


def compared(repository: Repository, head: str, reference: str | None) -> Compared:
    """What merging `head` into the reference is compared with, and comes to.

    Without a reference it is origin's main, or main itself in a repository that has no origin. Raises WrongUse.
    """
    if reference is not None:
        return _merged(repository, head, reference)
    for main in _MAINS:
        try:
            return _merged(repository, head, main)
        except WrongUse as error:
            why = str(error)
    raise WrongUse(f"nothing to compare with: {why}; or name a commit with --base")


def _merged(repository: Repository, head: str, reference: str) -> Compared:
    left, name = _met(repository, head, reference), reference.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    merged = repository.merged(reference, head)
    if merged is None:
        return Compared(main=name, base=left, head=head, conflict=True)
    return Compared(main=name, base=commit_of(repository, reference), head=merged)


def commit_of(repository: Repository, reference: str) -> str:
    """The commit behind a name. Raises WrongUse."""
    return _met(repository, reference, reference)


def _met(repository: Repository, head: str, reference: str) -> str:
    base = repository.merge_base(reference, head)
    if base is None:
        step = "fetch its whole history (in actions/checkout: fetch-depth: 0)"
        raise WrongUse(f"{reference} and {head[:12]} share no commit in this repository; {step}")
    return base


Past = Callable[[Model, Model], Backtested]
"""The last rollouts of a model, replayed by its policy as main has it and as the change has it."""


def plan(
    changes: Changes,
    now: datetime,
    *,
    findings: Sequence[Finding] = (),
    allowed: int = 0,
    conflict: bool = False,
) -> Plan:
    """What merging does to every model. `findings` are what `validate` says of the change.

    As many trainings as the workspace lets pass need no consent; `allowed` consents to so many. `conflict` says that
    the change does not merge as it is.
    """
    plans = [plan for facts in changes.facts(now) if (plan := model_plan(facts)) is not None]
    told_of = {finding.path for finding in findings}  # where validate says something, the reader has nothing to add
    own = [finding for finding in changes.findings if finding.path not in told_of]
    found = {_place(finding): finding for finding in (*own, *findings)}
    told = tuple(found[place] for place in sorted(found))
    workspace = changes.after.workspace
    if workspace is None:
        return Plan(base=changes.before.commit, findings=told, conflict=conflict)
    return Plan(
        base=changes.before.commit,
        conflict=conflict,
        models=in_order(plans),
        trained=tuple(sorted(plan.name for plan in plans if plan.launches)),
        workspace=workspace_edits(changes.before.workspace, workspace),
        findings=told,
        freeze=next_window(workspace, now) if any(plan.walk for plan in plans) else None,
        allowed=max(allowed, workspace.limits.trainings_per_merge),
    )


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.line, finding.column, finding.rule, finding.message


def with_past(whole: Plan, changes: Changes, past: Past) -> Plan:
    """The plan with the last rollouts of those models whose policy changes, replayed."""
    return replace(whole, models=tuple(_with_past(model, changes, past) for model in whole.models))


def _with_past(plan: ModelPlan, changes: Changes, past: Past) -> ModelPlan:
    before, after = changes.before.model(plan.path), changes.after.model(plan.path)
    if before is None or after is None or not touches_policy(plan):
        return plan
    return replace(plan, backtest=past(before, after))


def only(whole: Plan, names: Collection[str], changes: Changes) -> Plan:
    """The plan with these models alone; how many trainings are asked for stays that of the whole.

    Raises WrongUse for a name that no model has, before or after.
    """
    known = {model.name for model in whole.models}
    _require([name for name in names if name not in known], changes)
    return replace(whole, models=tuple(model for model in whole.models if model.name in names))


def _require(names: Collection[str], changes: Changes) -> None:
    for name in names:
        if not changes.has(name) and not changes.findings:  # it may be one of those that cannot be read
            raise WrongUse(f"no model {name!r} in this workspace, before or after the change; correct the name")


def effective_manifests(changes: Changes, names: Collection[str]) -> Iterator[Effective]:
    """The models of these names (of none: all of them) as they are after the change. Raises WrongUse for no such
    name."""
    _require(names, changes)
    workspace = changes.after.workspace
    for path, text in changes.after.manifests.items():
        model = changes.after.model(path) if not names or any(name in text for name in names) else None
        if workspace is not None and model is not None and (not names or model.name in names):
            tree = effective(read_document(text, path).data, model, workspace)
            yield Effective(model=model.name, path=path, tree=tree)
