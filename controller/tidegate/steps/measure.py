"""Asks Prometheus what a judgement needs: raw samples behind each selector, long windows in pieces.

The texts of the questions are `core.judging.queries`', what the samples mean is `core.judging.counts`'. A reading that
fails is a value with its reason; nothing here raises for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tidegate.core.dialects import read_back
from tidegate.core.judging.counts import LEAD_CELLS
from tidegate.core.judging.doubts import doubted, unless_native
from tidegate.core.judging.queries import Scope, indicator, kept, readiness, squares, targets_up
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.retention import expected, read_since
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage, Standing, Verdict
from tidegate.core.manifest import Objective
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics
from tidegate.steps import fixed_instants

_PIECE = timedelta(hours=12)


def measure(
    question: Question, scope: Scope, metrics: Metrics, *, throughout: bool = False, before: bool = False
) -> Counters:
    """Everything that `judge` needs for one version in one environment, as of Prometheus' own time.

    `before`: also the time before probation, if the verdict `asks_before`. `throughout`: at any earlier instant of the
    stage as well; else readiness is read as far back as the last one needs.
    """
    now = metrics.now()
    if isinstance(now, Unread):
        return nothing_read(question, scope, now)
    start = reaches_before(question, now) if before else read_since(question)
    window = _Window(metrics, start, now)
    readings = {o.name: _objective(o, question, scope, window) for o in question.objectives}
    return Counters(
        now=now,
        objectives=readings,
        ready=_ready(question, scope, window, throughout=throughout),
        up=_up(readings.values(), question, window),
        values=fixed_instants.values(question, scope, metrics, now),
        late=fixed_instants.late(question, scope, metrics, now),
        kept=_kept(readings.values(), question, scope, metrics),
    )


def nothing_read(question: Question, scope: Scope, why: Unread) -> Counters:
    """What is known where Prometheus could not be asked at all: the same reason everywhere."""
    late = question.together.objectives if question.together else ()
    return Counters(
        now=question.since,
        objectives={o.name: ObjectiveReadings(bad=why, total=why) for o in question.objectives},
        ready=why if scope.ready is not None else None,
        values={o.name: why for o in question.values},
        late={o.name: fixed_instants.never_read(why) for o in late},
    )


def queries_of(question: Question, scope: Scope) -> tuple[str, ...]:
    """The selectors that `measure` asks for, as a proposal prints them; those that cannot be made are left out."""
    found: list[str] = []
    for objective in question.objectives:
        try:
            asked = indicator(objective, scope, versions_of(question))
            of_squares = squares(objective, scope, versions_of(question))
        except ValueError:
            continue
        found += [asked.bad, asked.total, *([of_squares] if of_squares else [])]
    with suppress(ValueError):
        found += fixed_instants.expressions(question, scope)
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
        start, seen_native = self.start, False
        while start < self.end:
            end = min(start + _PIECE, self.end)
            piece = self._metrics.samples(selector, start, end)
            if isinstance(piece, Unread):
                return piece
            seen_native |= piece.native
            for part in piece.series:
                joined.setdefault(frozenset(part.labels.items()), []).extend(part.samples)
            start = end
        series = tuple(Series(labels=dict(labels), samples=tuple(found)) for labels, found in joined.items())
        return Sampled(series=series, start=self.start, end=self.end, native=seen_native)


def asks_before(question: Question, verdict: Verdict) -> bool:
    """Whether it matters how the version before stood: it is what a breach on probation is held against. Nothing else
    asks, and a long probation would read twice as much in every pass."""
    breach = any(objective.standing is Standing.BREACH for objective in verdict.objectives)
    return breach and question.stage is Stage.PROBATION and question.reference is not None


def reaches_before(question: Question, now: datetime) -> datetime:
    """On probation as long a time before it, for the version that served then."""
    start = read_since(question)
    lasted = now - question.since + LEAD_CELLS * question.rollout.resolution
    return min(start, question.since - lasted) if question.stage is Stage.PROBATION else start


def versions_of(question: Question) -> tuple[int, ...]:
    return (question.subject,) if question.reference is None else (question.subject, question.reference)


def _objective(objective: Objective, question: Question, scope: Scope, window: _Window) -> ObjectiveReadings:
    try:
        asked = indicator(objective, scope, versions_of(question))
        of_squares = squares(objective, scope, versions_of(question))
    except ValueError as error:
        reason = Unread(why=Why.ERROR, words=str(error))
        return ObjectiveReadings(bad=reason, total=reason)
    read = doubted(ObjectiveReadings(bad=window.samples(asked.bad), total=window.samples(asked.total)))
    if asked.native is not None and isinstance(read.total, Sampled) and not read.total.series:
        read = unless_native(read, objective.name, window.samples(asked.native))
    labels, name = scope.dialect(objective), question.version_label
    return ObjectiveReadings(
        bad=_told_apart(read.bad, labels, scope, name),
        total=_told_apart(read.total, labels, scope, name),
        squares=None if of_squares is None else _told_apart(window.samples(of_squares), labels, scope, name),
    )


def _told_apart(read: Sampled | Unread, labels: MetricLabels, scope: Scope, name: str) -> Sampled | Unread:
    """With the version under one name, whatever the source calls it."""
    return read if isinstance(read, Unread) else read_back(read, labels, scope.place, name)


def _ready(question: Question, scope: Scope, window: _Window, *, throughout: bool) -> Sampled | Unread | None:
    """The readiness gauge. A version may wait for an approval for weeks: twice its bake is enough to see it baked."""
    try:
        selector = readiness(scope, versions_of(question))
    except ValueError as error:
        return Unread(why=Why.ERROR, words=str(error))
    if selector is None or question.stage is Stage.LABELS:
        return None
    enough = question.rollout.readiness_reach + LEAD_CELLS * question.rollout.resolution
    seen = window if throughout else window.since(max(window.start, window.end - enough))
    return _told_apart(seen.samples(selector), scope.labels, scope, question.version_label)


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


def _kept(
    readings: Iterable[ObjectiveReadings], question: Question, scope: Scope, metrics: Metrics
) -> Sampled | Unread | None:
    """Whether Prometheus still has anything of when a version ought to be known. Asked where it is known only from
    later on: either it was deployed late, or retention lost the start."""
    wanted = expected(question)
    if wanted is None or _known_since(wanted.version, readings, question) <= wanted.by.timestamp():
        return None
    selectors = []
    for objective in question.objectives:
        with suppress(ValueError):
            selectors.append(indicator(objective, scope, None).total)
    resolution = question.rollout.resolution
    cell = resolution.total_seconds()
    at = datetime.fromtimestamp(wanted.kept.timestamp() // cell * cell, UTC)
    return metrics.answers(kept(dict.fromkeys(selectors)), at, at, resolution)


def _known_since(version: int, readings: Iterable[ObjectiveReadings], question: Question) -> float:
    """Of the objective that knows it last; those without a number of it do not count. As the judgement tells it: of
    what every pass reads."""
    label, earliest = question.version_label, read_since(question).timestamp()
    found = []
    for each in readings:
        series = each.total.series if isinstance(each.total, Sampled) else ()
        own = (_first_number_after(earliest, s) for s in series if s.labels.get(label) == str(version))
        found += [min((at for at in own if at is not None), default=-math.inf)]
    return max(found, default=-math.inf)


def _first_number_after(earliest: float, series: Series) -> float | None:
    return next((at for at, value in series.samples if at > earliest and math.isfinite(value)), None)
