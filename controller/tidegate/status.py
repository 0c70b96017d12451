"""What is wanted of each model, what serves, and why they differ. Sees what a pass would see, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tidegate.core.observed import ProposalState, Training, Unavailable
from tidegate.core.outcome import Decision, Hold, Nothing, Status, WaitingOn, status_of
from tidegate.core.pin import Pin
from tidegate.core.transition import Transition, parse_branch
from tidegate.errors import OutsideSystem, TidegateError
from tidegate.ports import Target
from tidegate.steps.deciding import Decided, Judges, decide_models
from tidegate.steps.desired import Wanted
from tidegate.steps.observe import Sources

if TYPE_CHECKING:
    from tidegate.core.explaining import Account
    from tidegate.core.judging.budget import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStatus:
    """One environment. Versions are numbers, `weight` is the canary's share (0 to 1).

    `serving` is what the judges saw of the version in question (None: not asked, or nobody can tell); `rendered` is
    whether the rendered file on main says what the pin file says. `proposal` is the open one.
    """

    environment: str
    status: Status
    stable: int | None
    canary: int | None
    weight: float | None
    previous: int | None
    serving: bool | None
    rendered: bool | None
    reason: str
    waiting_on: WaitingOn | None
    until: datetime | None
    proposal: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why one environment is as it is: the decision's reason, what was judged (None: nothing was), and what is left of
    its error budgets, or from when on they are asked for (None: they are, or there are none)."""

    environment: str
    reason: str
    account: Account | None
    budgets: tuple[Budget, ...]
    budgets_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """One model. `invalid` holds the findings of a manifest that cannot be read, `failure` why nothing is known.
    `explained`, by thorough judges alone, is each environment once more."""

    model: str
    training: Training | None
    environments: tuple[EnvironmentStatus, ...] = ()
    invalid: str | None = None
    failure: str | None = None
    explained: tuple[Explained, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The models at one commit of main. `failures` are outside systems that did not answer."""

    main: str
    at: datetime
    models: tuple[ModelStatus, ...]
    unreadable: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def status(
    wanted: Sequence[Wanted], sources: Sources, judges: Judges, targets: Mapping[str, Target], now: datetime
) -> StatusReport:
    """Look at these models. One that cannot be observed says so; the others are shown all the same."""
    models: list[ModelStatus] = []
    failures: list[str] = []
    for one, decided in decide_models(wanted, sources, judges, now):
        if isinstance(decided, OutsideSystem):
            failures.append(str(decided))
            models.append(ModelStatus(model=one.model.name, training=None, invalid=one.invalid, failure=str(decided)))
            continue
        if isinstance(decided, TidegateError):
            raise decided
        shown = _model(decided, sources, targets)
        models.append(replace(shown, explained=_explained(decided)) if judges.thorough else shown)
        failures.extend(_failures(decided))
    return StatusReport(
        main=sources.desired.commit,
        at=now,
        models=tuple(models),
        unreadable=tuple(str(error) for error in sources.desired.unreadable),
        failures=tuple(dict.fromkeys(failures)),
    )


def _failures(decided: Decided) -> list[str]:
    versions = decided.observed.versions
    registry = [str(versions)] if isinstance(versions, Unavailable) else []
    return registry + [str(unread) for unread in decided.unreachable()]


def _model(decided: Decided, sources: Sources, targets: Mapping[str, Target]) -> ModelStatus:
    return ModelStatus(
        model=decided.model.name,
        training=decided.observed.training,
        environments=tuple(
            _environment(name, decided, decision, _in_sync(name, decided, sources, targets))
            for name, decision in decided.shown().environments.items()
        ),
        invalid=decided.observed.invalid,
    )


def _explained(decided: Decided) -> tuple[Explained, ...]:
    there = decided.shown().environments.items()
    return tuple(_explained_one(name, decision, decided) for name, decision in there)


def _explained_one(name: str, decision: Decision, decided: Decided) -> Explained:
    from tidegate.steps.budgets import asked_from

    budgets = decided.observed.budgets.get(name, ())
    since = asked_from(decided.model.environment(name), decided.observed.environments[name].history)
    return Explained(
        environment=name,
        reason=reason_of(decision),
        account=decided.accounts.get(name),
        budgets=budgets,
        budgets_from=None if budgets else since,
    )


def _environment(name: str, decided: Decided, decision: Decision, rendered: bool | None) -> EnvironmentStatus:
    pin = decided.observed.environments[name].pin or Pin()
    verdict = decided.verdicts.get(name)
    hold = decision if isinstance(decision, Hold) else None
    return EnvironmentStatus(
        environment=name,
        status=status_of(decision),
        stable=pin.stable.version if pin.stable else None,
        canary=pin.canary.pin.version if pin.canary else None,
        weight=pin.canary.weight if pin.canary else None,
        previous=pin.previous.version if pin.previous else None,
        serving=verdict.serving if verdict else None,
        rendered=rendered,
        reason=reason_of(decision),
        waiting_on=hold.waiting_on if hold else None,
        until=hold.until if hold else None,
        proposal=_open_proposal(name, decided),
    )


def reason_of(decision: Decision) -> str:
    """Why it is as it is, in a sentence; empty where there is nothing to say."""
    match decision:
        case Nothing():
            return decision.note
        case Hold():
            return decision.reason
        case Transition():
            return f"{decision.kind.value} is due: {'; '.join(decision.reasons)}"


def _open_proposal(environment: str, decided: Decided) -> int | None:
    """The newest open one: a person's and one of ours may both be."""
    found = [
        proposal.number
        for proposal in decided.observed.proposals
        if proposal.state is ProposalState.OPEN
        and (branch := parse_branch(proposal.branch)) is not None
        and branch.environment == environment
    ]
    return max(found, default=None)


def _in_sync(name: str, decided: Decided, sources: Sources, targets: Mapping[str, Target]) -> bool | None:
    pin, model = decided.observed.environments[name].pin, decided.model
    if pin is None:
        return None
    target = targets[model.environment(name).target.kind]
    found = sources.repository.read(sources.desired.commit, target.path(model, name))
    return found == target.render(model, name, pin)
