"""Asks Prometheus what a judgement needs: raw samples behind each selector, long windows in pieces.

The texts of the questions are `core.judging.queries`', what the samples mean is `core.judging.counts`'. A reading that
fails is a value with its reason; nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tidegate.core.judging.counts import LEAD_CELLS
from tidegate.core.judging.queries import Scope, indicator, readiness, targets_up
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage
from tidegate.core.manifest import Objective
from tidegate.ports import Metrics

_PIECE = timedelta(hours=6)


def measure(question: Question, scope: Scope, metrics: Metrics) -> Counters:
    """Everything that `judge` needs for one version in one environment, as of Prometheus' own time."""
    now = metrics.now()
    if isinstance(now, Unread):
        unread = ObjectiveReadings(bad=now, total=now)
        ready = now if scope.ready is not None else None
        return Counters(now=question.since, objectives={o.name: unread for o in question.objectives}, ready=ready)
    window = _Window(metrics, _start(question, now), now)
    readings = {o.name: _objective(o, question, scope, window) for o in question.objectives}
    return Counters(
        now=now,
        objectives=readings,
        ready=_ready(question, scope, window),
        up=_up(readings.values(), question, window),
    )


def queries_of(question: Question, scope: Scope) -> tuple[str, ...]:
    """The selectors that `measure` asks for, as a proposal prints them; those that cannot be made are left out."""
    found: list[str] = []
    for objective in question.objectives:
        try:
            asked = indicator(objective, scope, _versions(question))
        except ValueError:
            continue
        found += [asked.bad, asked.total]
    return tuple(dict.fromkeys(found))


class _Window:
    """One window of time in which each selector is asked for once."""

    def __init__(self, metrics: Metrics, start: datetime, end: datetime) -> None:
        self._metrics, self.start, self.end = metrics, start, end
        self._known: dict[str, Sampled | Unread] = {}

    def since(self, start: datetime) -> _Window:
        """The same up to the same end, from another start."""
        return _Window(self._metrics, start, self.end)

    def samples(self, selector: str) -> Sampled | Unread:
        if selector not in self._known:
            self._known[selector] = self._ask(selector)
        return self._known[selector]

    def _ask(self, selector: str) -> Sampled | Unread:
        joined: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
        start = self.start
        while start < self.end:
            end = min(start + _PIECE, self.end)
            piece = self._metrics.samples(selector, start, end)
            if isinstance(piece, Unread):
                return piece
            for part in piece.series:
                joined.setdefault(frozenset(part.labels.items()), []).extend(part.samples)
            start = end
        series = tuple(Series(labels=dict(labels), samples=tuple(found)) for labels, found in joined.items())
        return Sampled(series=series, start=self.start, end=self.end)


def _start(question: Question, now: datetime) -> datetime:
    """Probation also looks at as long a time before it, for the version that served then."""
    before = now - question.since if question.stage is Stage.PROBATION else timedelta(0)
    return question.since - before - LEAD_CELLS * question.rollout.resolution


def _versions(question: Question) -> tuple[int, ...]:
    return (question.subject,) if question.reference is None else (question.subject, question.reference)


def _objective(objective: Objective, question: Question, scope: Scope, window: _Window) -> ObjectiveReadings:
    try:
        asked = indicator(objective, scope, _versions(question))
    except ValueError as error:
        reason = Unread(why=Why.ERROR, words=str(error))
        return ObjectiveReadings(bad=reason, total=reason)
    return ObjectiveReadings(bad=window.samples(asked.bad), total=window.samples(asked.total))


def _ready(question: Question, scope: Scope, window: _Window) -> Sampled | Unread | None:
    """The readiness gauge. A version may wait for an approval for weeks: twice its bake is enough to see it baked."""
    try:
        selector = readiness(scope, _versions(question))
    except ValueError as error:
        return Unread(why=Why.ERROR, words=str(error))
    if selector is None:
        return None
    rollout = question.rollout
    enough = 2 * rollout.bake + rollout.progress_deadline + LEAD_CELLS * rollout.resolution
    return window.since(max(window.start, window.end - enough)).samples(selector)


def _up(readings: Iterable[ObjectiveReadings], question: Question, window: _Window) -> Sampled | Unread | None:
    """`up` of the targets with a series that began inside the window: it tells a first event from a first scrape."""
    # A cell holds two scrapes or more, so a series that was there before shows up within one.
    settled = (window.start + question.rollout.resolution).timestamp()
    new = {
        (series.labels.get("job", ""), series.labels["instance"])
        for each in readings
        for reading in (each.bad, each.total)
        if isinstance(reading, Sampled)
        for series in reading.series
        if "instance" in series.labels and series.samples and series.samples[0][0] > settled
    }
    return window.samples(targets_up(new)) if new else None
