"""Look at everything that the loop depends on, and say what is amiss, what is fine, and what could not be seen.

Reads only. What is wanted is read from the commit that is given; what it means is `core.diagnosis`' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from tidegate.core.diagnosis import (
    access,
    actions,
    checkout,
    codeowners,
    expectation,
    gateways,
    metrics,
    protection,
    registry,
    repository,
    series,
    values,
)
from tidegate.core.diagnosis import workflows as workflow_files
from tidegate.core.diagnosis.checkout import CheckoutFacts
from tidegate.core.diagnosis.gaps import metric
from tidegate.core.diagnosis.metrics import PrometheusFacts, Rejected
from tidegate.core.diagnosis.protection import Files
from tidegate.core.diagnosis.registry import RegistryFacts
from tidegate.core.diagnosis.remark import Fine, Remark, Section, Unknown, section, unseen, weighed
from tidegate.core.diagnosis.repository import ForgeFacts, TurnedAway
from tidegate.core.diagnosis.selectors import Place, Read, Selector, reads
from tidegate.core.diagnosis.series import Watched
from tidegate.core.diagnosis.values import Answered
from tidegate.core.finding import Severity
from tidegate.core.judging.reading import Sampled
from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Pin
from tidegate.core.transition import Kind
from tidegate.core.workspace import Workspace
from tidegate.core.yaml import document
from tidegate.errors import InvalidManifest
from tidegate.ports import Clock, Metrics, Repository, Surveyor, Target
from tidegate.steps.desired import WORKSPACE, Desired, DesiredReader

ASKED = 50
"""So many objectives are looked at: the first ones tell what there is to tell of labels and scrapes."""

_BEGINS = (Kind.PROMOTE.value, Kind.RESTART.value)
_CELLS = 10
_LEAST = timedelta(minutes=15)
_SECOND = timedelta(seconds=1)

Sample = tuple[str, int]
"""A registered model's name and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyors:
    """Who looks. `forge` is None for the local one; `registry` is told a version that is pinned, if there is one."""

    checkout: Surveyor[CheckoutFacts]
    forge: Surveyor[ForgeFacts | TurnedAway | Unknown] | None
    registry: Callable[[Sample | None], Surveyor[RegistryFacts | registry.TurnedAway | Unknown]]
    prometheus: Surveyor[PrometheusFacts | Rejected | Unknown]
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What one commit wants, and what else its files say. `unread` are files that hold something else; `rollouts` are
    those that began in the last months."""

    desired: Desired
    pins: Mapping[Place, Pin]
    files: Files
    unread: tuple[str, ...] = ()
    rollouts: tuple[expectation.Rollout, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        return tuple(wanted.model for wanted in self.desired.models)

    def sample(self) -> Sample | None:
        """A version that serves somewhere, whose bytes must be there to be read."""
        for model in self.models:
            for environment in model.environments:
                pin = self.pins.get((model.name, environment.name))
                if pin is not None and pin.stable is not None:
                    return model.registry_name, pin.stable.version
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is said, by subject."""

    sections: tuple[Section, ...]

    @property
    def has_errors(self) -> bool:
        return any(each.severity is Severity.ERROR for one in self.sections for each in one.complaints)

    @property
    def has_silence(self) -> bool:
        """Whether a named server did not answer."""
        return any(each.silent for one in self.sections for each in one.unseen)


def read_wishes(reader: DesiredReader, tree: Repository, commit: str, targets: Mapping[str, Target]) -> Wishes:
    """What a commit wants. Raises WrongUse without a workspace, InvalidManifest without a valid one."""
    desired = reader.read(commit)
    models = [wanted.model for wanted in desired.models]
    places = [(model, environment) for model in models for environment in model.environments]
    paths = {model.pin_path(environment.name): (model.name, environment.name) for model, environment in places}
    pins: dict[Place, Pin] = {}
    unread = [wanted.model.manifest_path for wanted in desired.models if wanted.invalid]
    unread += [error.findings[0].path for error in desired.unreadable]
    for path, text in tree.read_many(commit, list(paths)).items():
        try:
            pins[paths[path]] = reader.pin(text, path)
        except InvalidManifest:
            unread.append(path)
    rendered = [targets[e.target.kind].path(m, e.name) for m, e in places if e.target.kind in targets]
    files = _files(tree, commit, (*paths, *rendered))
    rates = _where_rates_stand(tree, commit, places)
    rollouts = (_rollouts(reader, tree, commit, place, rate) for place, rate in zip(places, rates, strict=True))
    return Wishes(desired=desired, pins=pins, files=files, unread=tuple(unread), rollouts=tuple(chain(*rollouts)))


def _where_rates_stand(tree: Repository, commit: str, places: Sequence[tuple[Model, Environment]]) -> Iterator[str]:
    """Where each place's `falseRevertRate` is written."""
    texts = tree.read_many(commit, sorted({model.manifest_path for model, _ in places}))
    manifests: dict[str, Mapping[str, Any]] = {}
    for path, text in texts.items():
        with suppress(InvalidManifest):
            manifests[path] = document.read(text, path).data
    for model, environment in places:
        path = model.manifest_path
        yield expectation.written_in(manifests.get(path, {}), path, environment.name)


def _rollouts(
    reader: DesiredReader, tree: Repository, commit: str, place: tuple[Model, Environment], where: str
) -> Iterator[expectation.Rollout]:
    """The canaries that began here, as the pin file's history tells: once for each transition."""
    model, environment = place
    if not environment.canaries:
        return
    path, since = model.pin_path(environment.name), tree.commit_info(commit).at - expectation.REACH
    began: dict[str, datetime] = {}
    for version in tree.history(commit, path):
        if version.text is not None and version.at > since:
            with suppress(InvalidManifest):
                pin = reader.pin(version.text, path)
                if pin.canary is not None and pin.transition is not None and pin.transition.kind in _BEGINS:
                    began.setdefault(pin.transition.key, version.at)
    rollout = environment.rollout
    comparisons = 1 if rollout.probation.holdback is None else 2
    for at in began.values():
        yield expectation.Rollout(
            environment=environment.name,
            at=at,
            rate=rollout.false_revert_rate,
            comparisons=comparisons,
            alone=expectation.by_objectives_alone(environment),
            where=where,
            model=model.name,
            late=environment.late,
        )


def _files(tree: Repository, commit: str, written: Sequence[str]) -> Files:
    under = tree.paths(commit, [workflow_files.FOLDER])
    flows = tree.read_many(commit, [path for path in under if path.endswith((".yml", ".yaml"))])
    parsed = (workflow_files.parse(path, text) for path, text in sorted(flows.items()))
    others = tree.read_many(commit, [WORKSPACE, *codeowners.PLACES])
    unfilled = (actions.unfilled(path, text) for path, text in sorted({**flows, **others}.items()))
    return Files(
        workflows=tuple(workflow for workflow in parsed if workflow is not None),
        code_owners=next((others[place] for place in codeowners.PLACES if place in others), None),
        pins=tuple(written),
        unfilled=tuple(place for place in unfilled if place is not None),
    )


def doctor(wishes: Wishes, surveyors: Surveyors, clock: Clock) -> Report:
    """Everything that can be looked at from here. A server that does not answer keeps no other from being asked."""
    prometheus = surveyors.prometheus.survey(clock)
    return Report(
        sections=(
            section("Checkout", checkout.examine(surveyors.checkout.survey(clock), wishes.unread)),
            section("Proposals", _forge(surveyors.forge, wishes, clock)),
            section("MLflow", registry.examine(surveyors.registry(wishes.sample()).survey(clock))),
            section("Prometheus", metrics.examine(prometheus, wishes.models)),
            section("Series", _series(wishes, prometheus, surveyors.metrics)),
            section("Judgement", expectation.examine(wishes.rollouts, clock.now())),
        )
    )


def _forge(forge: Surveyor[ForgeFacts | TurnedAway | Unknown] | None, wishes: Wishes, clock: Clock) -> Iterator[Remark]:
    if forge is None:
        yield Fine(what="proposals are kept in the repository itself, by the local forge")
        return
    files, settings = wishes.files, wishes.desired.workspace
    yield from actions.fill_in(files)
    match forge.survey(clock):
        case Unknown() as unknown:
            yield unseen("GitHub", unknown)
        case TurnedAway() as refusal:
            yield refusal.rule.broken(refusal.words)
        case ForgeFacts() as facts:
            yield from access.examine(
                facts.access,
                private=facts.private,
                actions_may_propose=facts.actions_may_propose,
                teams=_teams(settings),
            )
            yield from repository.examine(facts)
            yield from protection.examine(facts.gateway, facts.access, files)
            yield from actions.examine(facts.actions, facts.access, files)


def _teams(settings: Workspace) -> frozenset[str]:
    """Those whose members count as approving."""
    rules = (*settings.approvals.values(), *settings.changes.values())
    return frozenset(team for rule in rules for team in rule.teams)


def _series(wishes: Wishes, prometheus: PrometheusFacts | Rejected | Unknown, readings: Metrics) -> Iterator[Remark]:
    """The series that are read where something serves."""
    wanted = reads(wishes.models, wishes.pins, wishes.desired.workspace.labels)
    if not wanted:
        yield Fine(what="no version with objectives serves yet: nothing need be measured")
        return
    now = readings.now() if isinstance(prometheus, PrometheusFacts) else None
    if not isinstance(prometheus, PrometheusFacts) or not isinstance(now, datetime):
        yield unseen("the series of objectives", Unknown(why="Prometheus gives no readings"))
        return
    most = prometheus.most_samples if isinstance(prometheus.most_samples, int) else None
    for each in wanted[:ASKED]:
        yield from weighed(_examined(each, readings, now, most), each.idle)
    if found := gateways.witnesses(wishes.models, wishes.pins):
        workspace = wishes.desired.workspace
        yield from gateways.examine(found, workspace, readings.answers(gateways.question(workspace), now, now, _LEAST))
    if left := wanted[ASKED:]:
        yield unseen(f"{len(left)} more objectives", Unknown(why=f"the first {ASKED} were looked at"))


def _examined(read: Read, readings: Metrics, now: datetime, most: int | None) -> Iterator[Remark]:
    if read.expressions:
        asked = (Answered(expression=e, answer=readings.answers(e, now, now, _LEAST)) for e in read.expressions)
        return values.examine(read.who, tuple(asked), read.labels.version)
    return series.examine(read.who, [_watched(each, readings, now) for each in read.counters], most)


def _watched(selector: Selector, readings: Metrics, now: datetime) -> Watched:
    span = max(_LEAST, _CELLS * selector.resolution)
    found, every = readings.samples(selector.text, now - span, now), None
    if isinstance(found, Sampled) and not found.series and (name := metric(selector.text)) is not None:
        # One sample of each series: there may be many under that name.
        every = readings.answers(f"last_over_time({name}{{}}[{span // _SECOND}s])", now, now, _LEAST)
    return Watched(wanted=selector, found=found, metric=every)
