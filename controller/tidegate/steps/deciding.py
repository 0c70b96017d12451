"""From what is wanted of one model to its decision: observe, ask the judges' questions, judge, decide. Writes nothing.

`reconcile` acts on it, `status` shows it; both see the same. What reads, judges and explains samples is loaded where
something is in flight: `status` of a settled model need not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tidegate.core.decision import decide
from tidegate.core.grounds import by_bounds_alone
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.questions import questions
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import Question, Stage, Verdict
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import Observed, ProposalState
from tidegate.core.outcome import Decision, Hold, ModelDecision, Nothing, WaitingOn
from tidegate.core.quantity import VersionPin
from tidegate.core.siblings import elsewhere, of_sibling, siblings, siblings_since
from tidegate.core.transition import Kind, Transition
from tidegate.core.workspace import Workspace
from tidegate.errors import TidegateError
from tidegate.ports import Clock, Metrics
from tidegate.steps.clocks import Timed
from tidegate.steps.desired import Wanted
from tidegate.steps.observe import Sources, observe, stable_version, with_bytes_checked
from tidegate.steps.trainings import key_at, training_state

if TYPE_CHECKING:
    from tidegate.core.explaining import Account
    from tidegate.steps.hearing import Heard

Before = TypeVar("Before")
Made = TypeVar("Made")

_CELLS_SHOWN = 40
"""So many of an objective's cells stand in a proposal; `status --explain` prints all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Where the judges read, and our clock: without one it stands still during a pass. `thorough`: also what no
    decision needs, and a person who asks why does."""

    metrics: Metrics
    clock: Clock | None = None
    thorough: bool = False

    def sit(self, now: datetime) -> _Sitting:
        """For one pass, which began at an instant of ours."""
        timed = Timed(self.metrics, self.clock or _Still(now))
        return _Sitting(metrics=timed, timed=timed, thorough=self.thorough)


@dataclass(frozen=True, slots=True)
class _Still:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sitting:
    """The judges in one pass, which has one time."""

    metrics: Metrics
    timed: Timed
    thorough: bool

    def sharing(self, wanted: Sequence[tuple[Question, Scope]]) -> _Sitting:
        """The same, where these questions are about to be judged: what they have in common is asked for once."""
        if len(wanted) < 2:
            return self
        from tidegate.steps.shared_readings import SharedReadings

        return replace(self, metrics=SharedReadings(self.metrics, wanted))

    def sharing_budgets(self, entered: Sequence[tuple[Environment, Scope]]) -> _Sitting:
        """The same, where the error budgets of these environments are about to be read."""
        if len(entered) < 2:
            return self
        from tidegate.steps.shared_readings import SharedReadings

        return replace(self, metrics=SharedReadings(self.metrics, (), entered))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What must be judged of one model, by environment, before any judge has read anything."""

    wanted: Wanted
    observed: Observed
    questions: Mapping[str, Question]
    scopes: Mapping[str, Scope]

    def wants(self) -> Iterator[tuple[Question, Scope]]:
        return ((question, self.scopes[name]) for name, question in self.questions.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaning:
    """Where one model's verdicts lead before any error budget is read; by environment, how each verdict came about.
    `entering` are the versions that are about to enter, `entered` the environments whose budgets are read."""

    asked: _Asked
    observed: Observed
    verdicts: Mapping[str, Verdict]
    decision: ModelDecision
    accounts: Mapping[str, Account]
    entering: Mapping[str, VersionPin]
    entered: Sequence[tuple[Environment, Scope]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One model's decision with everything it rests on; by environment, how each verdict came about."""

    model: Model
    observed: Observed
    verdicts: Mapping[str, Verdict]
    decision: ModelDecision
    accounts: Mapping[str, Account]

    def account_of(self, transition: Transition) -> list[str]:
        """What its proposal shows, folded: how its verdict came about, and the budgets that let it enter."""
        from tidegate.core.explaining import account_lines, budget_lines

        account = self.accounts.get(transition.environment) if transition.verdict is not None else None
        lines = account_lines(account, _CELLS_SHOWN) if account is not None else []
        return lines + budget_lines(self.observed.budgets.get(transition.environment, ()))

    def shown(self) -> ModelDecision:
        """The decision as people and programs are told it: what serves and cannot be observed is not Healthy (I3)."""
        there = self.decision.environments.items()
        return replace(self.decision, environments={name: self._shown(name, decision) for name, decision in there})

    def _shown(self, environment: str, decision: Decision) -> Decision:
        verdict = self.verdicts.get(environment)
        if isinstance(decision, Nothing) and verdict is not None and verdict.unread is not None:
            reason = f"cannot observe version {verdict.subject}: {verdict.unread}"
            return Hold(reason=reason, waiting_on=WaitingOn.OUTSIDE, unknown=True)
        return decision

    def unreachable(self) -> Iterator[Unread]:
        """Readings that failed because the system behind them did not answer."""
        for verdict in self.verdicts.values():
            if verdict.unread is not None and verdict.unread.why in (Why.UNREACHABLE, Why.ERROR):
                yield verdict.unread


def decide_model(wanted: Wanted, sources: Sources, judges: Judges, now: datetime) -> Decided:
    """Raises OutsideSystem when git or forge do not answer; registry and Prometheus become holds."""
    sitting = judges.sit(now)
    return _decided(_leaning(_asked(wanted, sources, now), sources, sitting, now), sources, sitting, now)


def decide_models(
    wanted: Iterable[Wanted], sources: Sources, judges: Judges, now: datetime
) -> Iterator[tuple[Wanted, Decided | TidegateError]]:
    """Each model's decision, or why there is none. What several of them read from Prometheus is asked for once."""
    found = [(one, _tried(partial(_asked, one, sources, now))) for one in wanted]
    asked = [each for _, each in found if isinstance(each, _Asked)]
    sitting = judges.sit(now).sharing([want for each in asked for want in each.wants()])
    led = [(one, _then(each, partial(_leaning, sources=sources, judges=sitting, now=now))) for one, each in found]
    entered = [entry for _, each in led if isinstance(each, _Leaning) for entry in each.entered]
    spending = sitting.sharing_budgets(entered)
    for one, each in led:
        yield one, _then(each, partial(_decided, sources=sources, judges=spending, now=now))


def _then(before: Before | TidegateError, step: Callable[[Before], Made]) -> Made | TidegateError:
    return before if isinstance(before, TidegateError) else _tried(partial(step, before))


def _tried(step: Callable[[], Made]) -> Made | TidegateError:
    try:
        return step()
    except TidegateError as error:
        return error


def _asked(wanted: Wanted, sources: Sources, now: datetime) -> _Asked:
    model = wanted.model
    key = key_at(sources.repository, sources.desired.commit, model)
    training = training_state(model, key, sources.records_by_key.get(key, ()))
    observed = observe(wanted, training, sources, now)
    asked = questions(model, observed, now, sources.desired.workspace.labels.version)
    scopes = {name: scope_of(model, name, sources.desired.workspace) for name in asked}
    return _Asked(wanted=wanted, observed=observed, questions=asked, scopes=scopes)


def _leaning(asked: _Asked, sources: Sources, judges: _Sitting, now: datetime) -> _Leaning:
    model, observed = asked.wanted.model, asked.observed
    heard = _heard(asked, judges)
    verdicts = {name: each.account.verdict for name, each in heard.items()}
    others = _siblings(asked, heard, sources, judges)
    failing = {name: words for name, verdicts in others.items() if (words := elsewhere(verdicts))}
    observed = replace(observed, failing_siblings=failing)
    decision = decide(model, sources.desired.workspace, observed, verdicts, now)
    entering = _entering(decision, observed)
    # What the budgets leave of a decision to enter is not known yet: its proposal may show any of the verdicts.
    shown = set(heard) if judges.thorough or entering else {t.environment for t in decision.transitions()}
    spenders = [e.name for e in model.environments] if judges.thorough else list(entering)
    return _Leaning(
        asked=asked,
        observed=observed,
        verdicts=verdicts,
        decision=decision,
        accounts={name: each.told(others.get(name, {}), fully=name in shown) for name, each in heard.items()},
        entering=entering,
        entered=_entered(spenders, asked, sources, now),
    )


def _decided(led: _Leaning, sources: Sources, judges: _Sitting, now: datetime) -> Decided:
    model, observed, decision = led.asked.wanted.model, led.observed, led.decision
    if led.entering:
        observed = with_bytes_checked(observed, model, led.entering, sources.registry)
    if led.entered:
        from tidegate.steps.budgets import budgets

        found = {environment.name: budgets(environment, scope, judges.metrics) for environment, scope in led.entered}
        observed = replace(observed, budgets=found)
    if led.entering or led.entered:
        decision = decide(model, sources.desired.workspace, observed, led.verdicts, now)
    shown = {t.environment for t in decision.transitions()}
    return Decided(
        model=model,
        observed=observed,
        verdicts=led.verdicts,
        decision=decision,
        accounts=led.accounts if judges.thorough else _with_cells(led.accounts, shown),
    )


def _with_cells(accounts: Mapping[str, Account], shown: Collection[str]) -> dict[str, Account]:
    """How each verdict came about, with the cells of these alone: they are much."""
    there = accounts.items()
    return {name: each if name in shown else replace(each, workings={}, late={}) for name, each in there}


def _heard(asked: _Asked, judges: _Sitting) -> dict[str, Heard]:
    if not asked.questions:
        return {}
    from tidegate.steps.hearing import hear

    return {name: hear(q, asked.scopes[name], judges.metrics, judges.timed) for name, q in asked.questions.items()}


def _entering(decision: ModelDecision, observed: Observed) -> dict[str, VersionPin]:
    """The versions that are about to enter: when they are proposed, and again once somebody approved."""
    asking = {p.number for p in observed.proposals if p.state is ProposalState.OPEN and not p.approvals}
    found: dict[str, VersionPin] = {}
    for transition in decision.transitions():
        version = transition.after.canary.pin if transition.after.canary else transition.after.stable
        waits = transition.needs_person and transition.adopts in asking
        if transition.kind is Kind.PROMOTE and version is not None and not waits:
            found[transition.environment] = version
    return found


def _entered(
    names: Sequence[str], asked: _Asked, sources: Sources, now: datetime
) -> tuple[tuple[Environment, Scope], ...]:
    """Environments that a version is about to enter: nobody else's budgets are read. One that is new has spent
    nothing."""
    if not names:
        return ()
    from tidegate.steps.budgets import may_be_spent

    model, workspace = asked.wanted.model, sources.desired.workspace
    old = [name for name in names if may_be_spent(asked.observed.environments[name].history, now)]
    return tuple((model.environment(name), scope_of(model, name, workspace)) for name in old)


def _siblings(
    asked: _Asked, heard: Mapping[str, Heard], sources: Sources, judges: _Sitting
) -> dict[str, dict[str, Verdict]]:
    """Where a version would go back by a breach alone: what the judges say now of other models on the same serving."""
    found: dict[str, dict[str, Verdict]] = {}
    for name, question in asked.questions.items():
        ground = by_bounds_alone(heard[name].account.verdict) if question.stage is Stage.PROBATION else None
        if ground is not None:
            from tidegate.steps.hearing import verdict_on

            lately = replace(question, since=siblings_since(question, ground, heard[name].now))
            wants = list(_of_siblings(asked.wanted.model, name, lately, sources))
            sharing = judges.sharing(wants)
            found[name] = {scope.model: verdict_on(same, scope, sharing.metrics) for same, scope in wants}
    return found


def _of_siblings(
    model: Model, environment: str, question: Question, sources: Sources
) -> Iterator[tuple[Question, Scope]]:
    """Each one's stable version against its own objectives, over the same time; none where it has no stable version."""
    for other, there in siblings((each.model for each in sources.desired.models), model, environment):
        stable = stable_version(other, environment, sources)
        if stable is not None:
            yield of_sibling(there, stable, question), scope_of(other, environment, sources.desired.workspace)


def scope_of(model: Model, environment: str, workspace: Workspace) -> Scope:
    """Whose series are meant: those of a model's versions in one environment."""
    return Scope(
        model=model.name,
        environment=environment,
        labels=workspace.labels,
        ready=model.environment(environment).target.ready,
    )
