"""Look at everything that the loop depends on, and say what is amiss, what is fine, and what could not be seen.

Reads only. What is wanted is read from the commit that is given; what it means is `core.diagnosis`' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from tidegate.core.diagnosis import (
    access,
    actions,
    checkout,
    codeowners,
    expectation,
    metrics,
    protection,
    registry,
    repository,
    series,
)
from tidegate.core.diagnosis import workflows as workflow_files
from tidegate.core.diagnosis.checkout import CheckoutFacts
from tidegate.core.diagnosis.metrics import PrometheusFacts, Rejected
from tidegate.core.diagnosis.protection import Files
from tidegate.core.diagnosis.registry import RegistryFacts
from tidegate.core.diagnosis.remark import Fine, Remark, Section, Unknown, section, unseen
from tidegate.core.diagnosis.repository import ForgeFacts, TurnedAway
from tidegate.core.diagnosis.selectors import Place, Selector, selectors
from tidegate.core.diagnosis.series import Watched
from tidegate.core.finding import Severity
from tidegate.core.judging.reading import Sampled
from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Pin
from tidegate.core.transition import Kind
from tidegate.errors import InvalidManifest
from tidegate.ports import Clock, Metrics, Repository, Surveyor, Target
from tidegate.steps.desired import WORKSPACE, Desired, DesiredReader

ASKED = 50
"""So many selectors are asked for: the first ones tell what there is to tell of labels and scrapes."""

_BEGINS = (Kind.PROMOTE.value, Kind.RESTART.value)
_CELLS = 10
_LEAST = timedelta(minutes=15)

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
    rollouts = (_rollouts(reader, tree, commit, place) for place in places)
    return Wishes(desired=desired, pins=pins, files=files, unread=tuple(unread), rollouts=tuple(chain(*rollouts)))


def _rollouts(
    reader: DesiredReader, tree: Repository, commit: str, place: tuple[Model, Environment]
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
    for at in began.values():
        yield expectation.Rollout(environment=environment.name, at=at, rate=environment.rollout.false_revert_rate)


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
            section("Proposals", _forge(surveyors.forge, wishes.files, clock)),
            section("MLflow", registry.examine(surveyors.registry(wishes.sample()).survey(clock))),
            section("Prometheus", metrics.examine(prometheus, wishes.models)),
            section("Series", _series(wishes, prometheus, surveyors.metrics)),
            section("Judgement", expectation.examine(wishes.rollouts, clock.now())),
        )
    )


def _forge(forge: Surveyor[ForgeFacts | TurnedAway | Unknown] | None, files: Files, clock: Clock) -> Iterator[Remark]:
    if forge is None:
        yield Fine(what="proposals are kept in the repository itself, by the local forge")
        return
    yield from actions.fill_in(files)
    match forge.survey(clock):
        case Unknown() as unknown:
            yield unseen("GitHub", unknown)
        case TurnedAway() as refusal:
            yield refusal.rule.broken(refusal.words)
        case ForgeFacts() as facts:
            yield from access.examine(
                facts.access, private=facts.private, actions_may_propose=facts.actions_may_propose
            )
            yield from repository.examine(facts)
            yield from protection.examine(facts.gateway, facts.access, files)
            yield from actions.examine(facts.actions, facts.access, files)


def _series(wishes: Wishes, prometheus: PrometheusFacts | Rejected | Unknown, readings: Metrics) -> Iterator[Remark]:
    """The series that are read where something serves."""
    wanted = selectors(wishes.models, wishes.pins, wishes.desired.workspace.labels)
    if not wanted:
        yield Fine(what="no version with objectives serves yet: nothing need be measured")
        return
    now = readings.now() if isinstance(prometheus, PrometheusFacts) else None
    if not isinstance(prometheus, PrometheusFacts) or not isinstance(now, datetime):
        yield unseen("the series of objectives", Unknown(why="Prometheus gives no readings"))
        return
    most = prometheus.most_samples
    for each in wanted[:ASKED]:
        yield from series.examine(_watched(each, readings, now), most if isinstance(most, int) else None)
    if left := wanted[ASKED:]:
        yield unseen(f"{len(left)} more series", Unknown(why=f"the first {ASKED} were looked at"))


def _watched(selector: Selector, readings: Metrics, now: datetime) -> Watched:
    start = now - max(_LEAST, _CELLS * selector.resolution)
    found = readings.samples(selector.text, start, now)
    absent = isinstance(found, Sampled) and not found.series
    return Watched(
        who=selector.who,
        selector=selector.text,
        resolution=selector.resolution,
        found=found,
        bare=readings.samples(selector.bare, start, now) if absent and selector.bare else None,
        labels=selector.labels,
        number=selector.number,
    )
