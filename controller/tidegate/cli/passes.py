"""One whole pass, as the command line runs it: collect trainings, reconcile, project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidegate.core import gates
from tidegate.core.launch_record import LaunchRecord, LaunchState, latest
from tidegate.core.manifest import Model
from tidegate.core.observed import Training
from tidegate.core.outcome import Hold, ModelDecision, WaitingOn
from tidegate.core.transition import Transition
from tidegate.errors import TidegateError
from tidegate.project import Projection, project
from tidegate.reconcile import PassReport, reconcile
from tidegate.steps.champion import champion_of
from tidegate.steps.observe import Sources
from tidegate.steps.trainings import key_at
from tidegate.train import collect, train
from tidegate.wiring.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How the training of one model stands after it was looked at."""

    model: str
    training: Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Everything that one whole pass did."""

    collected: tuple[Collected, ...]
    report: PassReport
    projection: Projection
    failures: tuple[str, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self.report.invalid, *self.projection.refusals)

    @property
    def exit_code(self) -> int:
        return 3 if self.failures else 1 if self.findings or self.report.incidents else 0


def run_pass(context: Context, *, dry_run: bool = False, every_alias: bool = True, launch: bool = True) -> Pass:
    """`every_alias` projects all models, else only those that this pass changed or that are in flight.

    Without `launch` no training is started here, where it may have nothing to run with; it is collected all the same.
    """
    if dry_run:
        report = reconcile(context.reconcile_ports(), dry_run=True)
        return Pass(collected=(), report=report, projection=Projection(changes=()), failures=report.failures)
    collected, failed = _collect(context, launch=launch)
    report = reconcile(context.reconcile_ports())
    only = None if every_alias else _moving(report)
    projection = project(context.repository, context.registry, context.reader, only=only)
    failures = (*failed, *report.failures, *projection.failures)
    return Pass(collected=collected, report=report, projection=projection, failures=tuple(dict.fromkeys(failures)))


def _collect(context: Context, *, launch: bool) -> tuple[tuple[Collected, ...], tuple[str, ...]]:
    sources, ports = context.sources(context.desired()), context.training_ports()
    collected: list[Collected] = []
    failures: list[str] = []
    for model, key in _unfinished(sources):
        try:
            if launch:
                # What a dead launch left half done is handed over, and a lost attempt is tried again; else it stays.
                train(model, sources.desired.commit, ports, context.clock.now())
            state = collect(model, key, ports, context.clock.now(), champion_of(model, sources))
            collected.append(Collected(model=model.name, training=state))
        except TidegateError as error:
            failures.append(f"{model.name}: {error}")
    return tuple(collected), tuple(failures)


def _unfinished(sources: Sources) -> Iterator[tuple[Model, str]]:
    """Models whose training of main's key was launched and is not at its end."""
    for wanted in sources.desired.models:
        model = wanted.model
        key = key_at(sources.repository, sources.desired.commit, model)
        record = latest(sources.records_by_key.get(key, ()))
        if record is not None and _may_go_on(record, model):
            yield model, key


def _may_go_on(record: LaunchRecord, model: Model) -> bool:
    match record.state:
        case LaunchState.FAILED | LaunchState.REGISTERED:
            return False
        case LaunchState.GATED:
            return record.gates != gates.digest(model.gates)
        case _:
            return True


def _moving(report: PassReport) -> frozenset[str]:
    changed = {done.model for done in report.done}
    return frozenset(changed | {decision.model for decision in report.decisions if _in_flight(decision)})


def _in_flight(decision: ModelDecision) -> bool:
    return any(
        isinstance(there, Transition)
        or (isinstance(there, Hold) and there.waiting_on in (WaitingOn.TIME, WaitingOn.EVENTS))
        for there in decision.environments.values()
    )
