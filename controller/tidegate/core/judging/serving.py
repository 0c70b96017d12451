"""Whether a version serves, since when, and how long it has baked: from its events, and from the readiness gauge.

Missing data says nothing here (I3); an absence is only claimed where events should have come, or the gauge says so.
How good the answers were is `judgement`'s work.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tidegate.core.judging.counts import Arm, Frame, Scrapes, due, instant, too_coarse, written
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Question, Stage

_MOST_OF_THE_TRAFFIC = 0.9
"""No share is taken for more certain than this: one event elsewhere must not prove an absence."""

_STALE_SCRAPES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What one source says of a version's serving. `serving` is None when it cannot tell."""

    serving: bool | None = None
    since: datetime | None = None
    baked: timedelta = timedelta(0)
    absent_for: timedelta = timedelta(0)


UNTOLD = Service()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """One cell over all objectives: events of subject and reference, and whether the subject was watched in it."""

    start: float
    subject: float
    reference: float
    watched: bool


def last_change(question: Question) -> datetime:
    """When the canary's weight was last changed; the stage's start if never."""
    return max((change.at for change in question.weights), default=question.since)


class EventService:
    """Serving as a version's events show it, over the cells that every objective has judged.

    Bake counts from the first cell after the last weight change in which the observed share is at least half of the
    desired one, and pauses while unobserved or absent. Weight 0 never bakes. Absence is only claimed once so many
    events without one of the subject's would be rarer than `falseRevertRate` at its desired share.
    """

    def __init__(self, question: Question, counted: Sequence[Mapping[int, Arm]]) -> None:
        self._services = [UNTOLD, *_by_events(question, _moments(question, counted))]

    def after(self, cells: int) -> Service:
        """What so many cells show."""
        return self._services[cells]


def _by_events(question: Question, moments: Iterator[_Moment]) -> Iterator[Service]:
    resolution, changed = question.rollout.resolution, last_change(question).timestamp()
    surprise = math.log(question.rollout.false_revert_rate) * question.rollout.dispersion
    since, baking, baked, absent, missed = None, False, 0, 0, 0.0
    for moment in moments:
        share = _desired(question, moment.start)
        if moment.subject > 0:
            since, absent, missed = since or instant(moment.start), 0, 0.0
            enough = moment.subject >= share / 2 * (moment.subject + moment.reference)
            baking = baking or (moment.start >= changed and share > 0 and enough)
        elif moment.reference > 0 and share > 0:
            absent += 1
            missed += moment.reference * math.log1p(-min(share, _MOST_OF_THE_TRAFFIC))
        baked += baking and moment.watched and missed > surprise
        yield Service(
            serving=False if missed <= surprise else True if since is not None else None,
            since=since,
            baked=baked * resolution,
            absent_for=absent * resolution,
        )


class ReadyService:
    """Serving as the readiness gauge shows it: 1 in the last two scrapes; bake counts the cells in which it stayed 1.

    A gauge that speaks of other versions and not of the subject is an observed absence.
    """

    def __init__(self, question: Question, ready: Sampled, now: datetime) -> None:
        self._question, self._frame = question, frame_of(question, now)
        self._gauges = [_Gauge(series, question, self._frame) for series in ready.series if series.samples]
        self._scrapes = Scrapes([gauge.times for gauge in self._gauges], self._frame.resolution / 2)
        self._due = due(self._frame, self._scrapes)
        self._ready_cells = sorted({index for gauge in self._gauges if gauge.mine for index in gauge.ready_cells()})

    def at(self, now: datetime) -> Service | Unread:
        """What the gauge had shown by an instant."""
        asked, resolution = now.timestamp(), self._frame.resolution
        shown = [(gauge, last) for gauge in self._gauges if (last := gauge.shown(asked)) is not None]
        if not shown:
            return Unread(why=Why.NO_DATA, words="the readiness gauge has no series")
        newest, scrape = max(last.at for _, last in shown), self._scrapes.by(asked)
        if stale := staleness(newest, now, max(scrape * _STALE_SCRAPES, resolution)):
            return stale
        if coarse := too_coarse(resolution, scrape):
            return coarse
        return self._told(asked, [last for gauge, last in shown if gauge.mine], newest - 1.5 * scrape)

    def _told(self, now: float, mine: Sequence[_Shown], current_from: float) -> Service:
        current = [last for last in mine if last.at >= current_from]
        serving = _ready_now(current)
        start = max(self._frame.start, now - self._question.rollout.readiness_reach.total_seconds())
        seen = max((last.ready_at for last in mine if last.ready_at is not None), default=start)
        return Service(
            serving=serving,
            since=_ready_since(current, start) if serving else None,
            baked=self._ready_between(start, now) * self._question.rollout.resolution,
            absent_for=timedelta(0) if serving else timedelta(seconds=max(now - max(seen, start), 0)),
        )

    def _ready_between(self, start: float, now: float) -> int:
        """In how many judged cells it stayed ready."""
        first, last = math.ceil(start / self._frame.resolution), self._frame.first + bisect_right(self._due, now)
        return max(bisect_left(self._ready_cells, last) - bisect_left(self._ready_cells, first), 0)


class _Shown(NamedTuple):
    """The newest sample of a readiness series: with how many of 1 in a row it ends, since when, and its last 1."""

    at: float
    run: int
    since: float
    ready_at: float | None


class _Gauge:
    """One readiness series, as it was known at any instant; `mine` if it speaks of the subject."""

    def __init__(self, series: Series, question: Question, frame: Frame) -> None:
        self._series, self._frame = series, frame
        self.mine = series.labels.get(question.version_label) == str(question.subject)
        self.times = [at for at, _ in series.samples]
        self._run: list[int] = []
        self._last_one: list[float | None] = []
        for at, value in series.samples:
            self._run.append((self._run[-1] if self._run else 0) + 1 if value == 1 else 0)
            self._last_one.append(at if value == 1 else self._last_one[-1] if self._last_one else None)

    def shown(self, now: float) -> _Shown | None:
        """None before its first sample."""
        newest = bisect_right(self.times, now) - 1
        if newest < 0:
            return None
        run = self._run[newest]
        since = self.times[newest - run + 1] if run else math.inf
        return _Shown(at=self.times[newest], run=run, since=since, ready_at=self._last_one[newest])

    def ready_cells(self) -> set[int]:
        seen = {self._frame.cell(at) for at in self.times}
        return seen - {self._frame.cell(at) for at, value in self._series.samples if value != 1}


def frame_of(question: Question, now: datetime) -> Frame:
    """The cells of a stage: from its start to now."""
    return Frame(
        start=question.since.timestamp(),
        now=now.timestamp(),
        resolution=question.rollout.resolution.total_seconds(),
    )


def staleness(newest: float, now: datetime, allowed: float) -> Unread | None:
    """Unread when the newest sample is older than `allowed` seconds: nobody scrapes any more."""
    if now.timestamp() - newest <= allowed:
        return None
    return Unread(why=Why.STALE, words=f"last sample at {written(newest)}")


def _moments(question: Question, counted: Sequence[Mapping[int, Arm]]) -> Iterator[_Moment]:
    mine = [arms[question.subject].cells for arms in counted]
    theirs = [arms[question.reference].cells for arms in counted] if question.reference is not None else []
    for index in range(min((len(cells) for cells in mine), default=0)):
        yield _Moment(
            start=mine[0][index].start,
            subject=sum(cells[index].tally.total for cells in mine),
            reference=sum(cells[index].tally.total for cells in theirs),
            watched=any(cells[index].observed and not cells[index].gap for cells in mine),
        )


def _desired(question: Question, at: float) -> float:
    """The share of traffic that the subject should have at an instant."""
    if question.stage is not Stage.CANARY:
        return 1.0
    passed = [change for change in question.weights if change.at.timestamp() <= at]
    return max(passed, key=lambda change: change.at).weight if passed else 0.0


def _ready_now(current: Sequence[_Shown]) -> bool | None:
    """None for a series that shows its first 1 just now: two scrapes make it ready."""
    longest = max((last.run for last in current), default=0)
    return None if longest == 1 else longest > 1


def _ready_since(current: Sequence[_Shown], start: float) -> datetime:
    """The first sample of the longest run of 1s that a series ends with, at the earliest the stage's start."""
    return instant(max(min(last.since for last in current if last.run > 1), start))
