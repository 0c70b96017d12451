"""From what is wanted of one model to its decision: observe, ask the judges' questions, judge, decide. Writes nothing.

`reconcile` acts on it, `status` shows it; both see the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core.decision import decide
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.questions import questions
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import Question, Stage, Standing, Verdict
from tidegate.core.manifest import Model
from tidegate.core.observed import Observed, ProposalState
from tidegate.core.outcome import ModelDecision
from tidegate.core.quantity import VersionPin, show_duration
from tidegate.core.transition import Kind
from tidegate.ports import Metrics
from tidegate.steps.desired import Wanted
from tidegate.steps.measure import measure, queries_of
from tidegate.steps.observe import Sources, observe, stable_version, with_bytes_checked
from tidegate.steps.trainings import key_at, training_state

_CLOCKS_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Where the judges read."""

    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One model's decision with everything it rests on. `queries` are the exact texts asked, by environment."""

    model: Model
    observed: Observed
    verdicts: Mapping[str, Verdict]
    decision: ModelDecision
    queries: Mapping[str, tuple[str, ...]]

    def unreachable(self) -> Iterator[Unread]:
        """Readings that failed because the system behind them did not answer."""
        for verdict in self.verdicts.values():
            if verdict.unread is not None and verdict.unread.why in (Why.UNREACHABLE, Why.ERROR):
                yield verdict.unread


def decide_model(wanted: Wanted, sources: Sources, judges: Judges, now: datetime) -> Decided:
    """Raises OutsideSystem when git or forge do not answer; registry and Prometheus become holds."""
    model = wanted.model
    key = key_at(sources.repository, sources.desired.commit, model)
    training = training_state(model, key, sources.records_by_key.get(key, ()))
    observed = observe(wanted, training, sources, now)
    label = sources.desired.workspace.labels.version
    asked = questions(model, observed, now, label)
    scopes = {name: _scope(model, name, sources) for name in asked}
    verdicts = {name: _judge_as_of(now, question, scopes[name], judges) for name, question in asked.items()}
    observed = replace(observed, failing_siblings=_failing_siblings(wanted, asked, verdicts, sources, judges))
    workspace = sources.desired.workspace
    decision = decide(model, workspace, observed, verdicts, now)
    entering = _entering(decision, observed)
    if entering:
        observed = with_bytes_checked(observed, model, entering, sources.registry)
        decision = decide(model, workspace, observed, verdicts, now)
    return Decided(
        model=model,
        observed=observed,
        verdicts=verdicts,
        decision=decision,
        queries={name: queries_of(question, scopes[name]) for name, question in asked.items()},
    )


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


def _failing_siblings(
    wanted: Wanted, asked: Mapping[str, Question], verdicts: Mapping[str, Verdict], sources: Sources, judges: Judges
) -> dict[str, str]:
    """Where a version breaches on probation: the first other model on the same serving that breaches there too."""
    found: dict[str, str] = {}
    for name, question in asked.items():
        if question.stage is Stage.PROBATION and _breaches(verdicts[name]):
            others = (other for other in sources.desired.models if other.model.name != wanted.model.name)
            failing = next((o.model.name for o in others if _fails_too(o.model, name, question, sources, judges)), None)
            found |= {name: failing} if failing else {}
    return found


def _breaches(verdict: Verdict) -> bool:
    return any(objective.standing is Standing.BREACH for objective in verdict.objectives)


def _fails_too(model: Model, environment: str, question: Question, sources: Sources, judges: Judges) -> bool:
    """The other model's stable version against its own objectives, over the same time."""
    there = next((e for e in model.environments if e.name == environment), None)
    stable = stable_version(model, environment, sources) if there else None
    if there is None or stable is None:
        return False
    same = replace(
        question, subject=stable, reference=None, stage=Stage.BAKE, rollout=there.rollout, objectives=there.objectives
    )
    return _breaches(_judge(same, _scope(model, environment, sources), judges))


def _scope(model: Model, environment: str, sources: Sources) -> Scope:
    return Scope(
        model=model.name,
        environment=environment,
        labels=sources.desired.workspace.labels,
        ready=model.environment(environment).target.ready,
    )


def _judge(question: Question, scope: Scope, judges: Judges) -> Verdict:
    return judge(question, measure(question, scope, judges.metrics))


def _judge_as_of(now: datetime, question: Question, scope: Scope, judges: Judges) -> Verdict:
    """Times in git are by our clock, samples by Prometheus': where the two differ, nothing is told from both (I3)."""
    counters = measure(question, scope, judges.metrics)
    verdict = judge(question, counters)
    apart = abs(counters.now - now)
    if verdict.unread is not None or apart <= max(question.rollout.resolution, _CLOCKS_APART):
        return verdict
    words = f"its clock and ours are {show_duration(apart)} apart"
    return replace(verdict, unread=Unread(why=Why.ERROR, words=words), objectives=(), serving=None)
