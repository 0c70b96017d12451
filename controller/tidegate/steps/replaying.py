"""Replays a model's rollouts: readings from Prometheus, once for each stage of a rollout, then `core.replay`.

`backtest` prints what comes of it, `plan` sets an old policy against a new one. Writes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core.grounds import by_bounds_alone
from tidegate.core.judging.budget import Budget, last_instant
from tidegate.core.judging.counts import LEAD_CELLS
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.core.judging.verdict import Counters, Question, Stage, Verdict
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import PinChange
from tidegate.core.planning.backtest import backtested, policy_of
from tidegate.core.planning.plan import Backtested
from tidegate.core.replay.episodes import Episode
from tidegate.core.replay.moves import happened
from tidegate.core.replay.passes import Rules
from tidegate.core.replay.past import Past, Policy
from tidegate.core.replay.report import Backtest, EpisodeReport, Move
from tidegate.core.replay.walk import replay
from tidegate.core.replay.wording import cannot
from tidegate.ports import Clock, Metrics
from tidegate.steps.budgets import budgets, may_be_spent
from tidegate.steps.deciding import breaches, of_sibling, scope_of, siblings_since
from tidegate.steps.measure import measure
from tidegate.steps.past import Archive, past_of, rollouts

Progress = Callable[[str, float], object]
"""Told what comes next, and which share of all of it is done; a true answer says that it is enough."""

_PLANNED_BACK, _PLANNED_STEP = timedelta(days=90), timedelta(minutes=1)
_PLANNED_MOST, _PLANNED_TIME = 5, timedelta(seconds=15)
"""A plan replays so many rollouts, of so many days, and begins no further one after so long."""

_AFTER = timedelta(seconds=1)
"""So much is read beyond an instant: git knows it by whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is replayed: rollouts entered from `since` to `until`, decided every `step`; the newest `most` of them."""

    since: datetime
    until: datetime
    step: timedelta
    most: int | None = None


def by_two_policies(archive: Archive, changed: Model, metrics: Metrics, clock: Clock) -> Backtested:
    """The last rollouts by main's policy and by a changed one, as far as there is time for: a plan must not wait."""
    if isinstance(there := metrics.now(), Unread):
        return Backtested(rollouts=0, unread=str(there))
    began = clock.now()
    period = Period(since=began - _PLANNED_BACK, until=began, step=_PLANNED_STEP, most=_PLANNED_MOST)
    policies = (policy_of(archive.model, "main"), policy_of(changed, "this change"))

    def enough(_words: str, _share: float) -> bool:
        return clock.now() - began > _PLANNED_TIME

    return backtested(replayed(archive, metrics, period, policies, enough))


def replayed(
    archive: Archive, metrics: Metrics, period: Period, policies: Sequence[Policy], progress: Progress
) -> Backtest:
    """Each rollout of the period under each policy, the newest first; older ones are left out when it is enough."""
    histories = archive.histories(period.until)
    found = sorted(rollouts(archive, histories, period.since, period.until), key=lambda e: (e.entered, e.environment))
    kept = found[-period.most :] if period.most is not None else found
    past = past_of(archive, histories, min((episode.start for episode in kept), default=period.until))
    ends = metrics.now()
    reports: list[EpisodeReport] = []
    for place, episode in enumerate(reversed(kept)):
        if progress(f"{episode.environment}, version {episode.version}", place / len(kept)):
            break
        reports.append(_episode(episode, past, archive, _Source(metrics, ends), _By(policies, period.step)))
    return Backtest(
        model=archive.model.name,
        since=period.since,
        until=period.until,
        step=period.step,
        policies=tuple(policy.name for policy in policies),
        episodes=tuple(reversed(reports)),
        cannot=cannot(archive.model),
        passed_over=len(found) - len(reports),
        unreachable=str(ends) if isinstance(ends, Unread) else "",
    )


@dataclass(frozen=True, slots=True)
class _By:
    """By what an episode is replayed."""

    policies: Sequence[Policy]
    step: timedelta


def _episode(episode: Episode, past: Past, archive: Archive, source: _Source, by: _By) -> EpisodeReport:
    replays = []
    for policy in by.policies:
        readings, siblings = _Readings(episode, past, source), _Siblings(episode, archive, source)
        rules = Rules(
            policy=policy,
            step=by.step,
            ask=readings.verdict,
            budgets=readings.budgets,
            sibling=siblings.failing,
        )
        replays.append(replay(episode, past, rules))
    return EpisodeReport(episode=episode, happened=_happened(episode, past), replays=tuple(replays))


def _happened(episode: Episode, past: Past) -> tuple[Move, ...]:
    history, model = past.histories[episode.environment], past.model
    places = range(episode.first, episode.last + 1)
    return tuple(happened(model, episode.environment, history, place) for place in places)


class _Source:
    """Prometheus as of an instant in the past. What was asked before is not asked again: policies share selectors."""

    def __init__(self, metrics: Metrics, ends: datetime | Unread) -> None:
        self._metrics, self._ends = metrics, ends
        self._until: datetime | None = None
        self._known: dict[tuple[str, datetime, datetime], Sampled | Unread] = {}

    def until(self, until: datetime) -> _Source:
        self._until = until
        return self

    def now(self) -> datetime | Unread:
        if isinstance(self._ends, Unread) or self._until is None:
            return self._ends
        return min(self._until, self._ends)

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        asked = (selector, start, end)
        if asked not in self._known:
            self._known[asked] = self._metrics.samples(selector, start, end)
        return self._known[asked]

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        asked = (expression, start, end)
        if asked not in self._known:
            self._known[asked] = self._metrics.answers(expression, start, end, step)
        return self._known[asked]


class _Readings:
    """The readings of one episode, had once for each stage of it, and the verdicts on them at any instant."""

    def __init__(self, episode: Episode, past: Past, source: _Source) -> None:
        self._episode, self._past, self._source = episode, past, source
        self._counters: dict[object, Counters] = {}
        self._since: dict[object, datetime] = {}
        self._judged: dict[object, tuple[Question, Judged]] = {}
        self._budgets: dict[object, tuple[Budget, ...]] = {}

    def verdict(self, environment: str, question: Question, at: datetime) -> Verdict:
        stage = (environment, question.stage, question.subject, question.reference)
        if stage not in self._counters:
            self._counters[stage], self._since[stage] = self._read(environment, question, at), question.since
        counters = self._counters[stage]
        if question.since != self._since[stage]:  # it looks back so far, and no further
            return judge(question, between(counters, question, at))
        known = self._judged.get(stage)
        if known is None or known[0] != question:
            known = self._judged[stage] = question, Judged(question, counters)
        return known[1].at(at)

    def budgets(self, environment: Environment, history: Sequence[PinChange], at: datetime) -> tuple[Budget, ...]:
        """They move at fixed instants: between two of them the same is read."""
        if not may_be_spent(history, at):
            return ()
        asked = (environment.name, last_instant(at))
        if asked not in self._budgets:
            self._budgets[asked] = budgets(environment, self._scope(environment.name, at), self._source.until(at))
        return self._budgets[asked]

    def _read(self, environment: str, question: Question, at: datetime) -> Counters:
        """Everything up to the end of the stage."""
        until = self._source.until(self._last(question) + _AFTER)
        counters = measure(question, self._scope(environment, at), until, throughout=True)
        # Where Prometheus does not tell its time, every reading says so at any instant.
        return replace(counters, now=max(counters.now, self._last(question) + _AFTER))

    def _last(self, question: Question) -> datetime:
        """When the stage was over."""
        match question.stage:
            case Stage.BAKE:
                return self._episode.entered
            case Stage.CANARY:
                return self._episode.finished or self._episode.end
            case Stage.PROBATION | Stage.LABELS:
                return self._episode.end

    def _scope(self, environment: str, at: datetime) -> Scope:
        era = self._past.era(at)
        return scope_of(era.model, environment, era.workspace)


class _Siblings:
    """The other models of an environment, judged over the last of the time of a version that breaches on probation."""

    def __init__(self, episode: Episode, archive: Archive, source: _Source) -> None:
        self._until, self._archive, self._source = episode.end + _AFTER, archive, source
        self._counters: dict[tuple[str, int], Counters] = {}

    def failing(self, environment: str, question: Question, verdict: Verdict, at: datetime) -> str | None:
        """The first of them that breached as well."""
        ground = by_bounds_alone(verdict)
        if ground is None:
            return None
        since, others = siblings_since(question, ground, at), self._archive.others()
        return next((m.name for m in others if self._fails(m, environment, (question, since), at)), None)

    def _fails(self, model: Model, environment: str, asked: tuple[Question, datetime], at: datetime) -> bool:
        there = next((e for e in model.environments if e.name == environment), None)
        stable = self._archive.stable(model, environment, at) if there else None
        if there is None or stable is None:
            return False
        question, since = asked
        same = of_sibling(there, stable, question)
        if (model.name, stable) not in self._counters:
            scope = scope_of(model, environment, self._archive.workspace)
            counters = measure(same, scope, self._source.until(self._until), throughout=True)
            self._counters[model.name, stable] = replace(counters, now=max(counters.now, self._until))
        lately = replace(same, since=since)
        return breaches(judge(lately, between(self._counters[model.name, stable], lately, at)))


def between(counters: Counters, question: Question, at: datetime) -> Counters:
    """The counters as a pass at an instant would have read them: from the question's start on, nothing later."""
    start = (question.since - LEAD_CELLS * question.rollout.resolution).timestamp()

    def cut(reading: Sampled | Unread) -> Sampled | Unread:
        return reading if isinstance(reading, Unread) else _between(reading, start, at)

    objectives = {
        name: replace(each, bad=cut(each.bad), total=cut(each.total)) for name, each in counters.objectives.items()
    }
    ready = None if counters.ready is None else cut(counters.ready)
    up = None if counters.up is None else cut(counters.up)
    return replace(counters, now=at, objectives=objectives, ready=ready, up=up)


def _between(reading: Sampled, start: float, at: datetime) -> Sampled:
    """Samples in (start, at]."""
    end = at.timestamp()
    cut = (replace(series, samples=_samples(series, start, end)) for series in reading.series)
    return Sampled(series=tuple(series for series in cut if series.samples), start=reading.start, end=at)


def _samples(series: Series, start: float, end: float) -> tuple[tuple[float, float], ...]:
    samples = series.samples
    first, last = (bisect_right(samples, edge, key=lambda sample: sample[0]) for edge in (start, end))
    return samples[first:last]
