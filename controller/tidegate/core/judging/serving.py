"""Whether a version serves, since when, and how long it has baked: from its events, and from the readiness gauge.

Missing data says nothing here (I3); an absence is only claimed where events should have come, or the gauge says so.
How good the answers were is `judgement`'s work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from tidegate.core.judging.counts import Arm, Frame, Scrapes, instant, judged_to, too_coarse
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


def by_events(question: Question, counted: Sequence[Mapping[int, Arm]]) -> Service:
    """Serving as its events show it, over the cells that every objective has judged.

    Bake counts from the first cell after the last weight change in which the observed share is at least half of the
    desired one, and pauses while unobserved or absent. Weight 0 never bakes. Absence is only claimed once so many
    events without one of the subject's would be rarer than `falseRevertRate` at its desired share.
    """
    resolution, changed = question.rollout.resolution, last_change(question).timestamp()
    surprise = math.log(question.rollout.false_revert_rate) * question.rollout.dispersion
    served_at, baking, baked, absent, missed = None, False, 0, 0, 0.0
    for moment in _moments(question, counted):
        share = _desired(question, moment.start)
        if moment.subject > 0:
            served_at, absent, missed = served_at if served_at is not None else moment.start, 0, 0.0
            enough = moment.subject >= share / 2 * (moment.subject + moment.reference)
            baking = baking or (moment.start >= changed and share > 0 and enough)
        elif moment.reference > 0 and share > 0:
            absent += 1
            missed += moment.reference * math.log1p(-min(share, _MOST_OF_THE_TRAFFIC))
        baked += baking and moment.watched and missed > surprise
    return Service(
        serving=False if missed <= surprise else True if served_at is not None else None,
        since=None if served_at is None else instant(served_at),
        baked=baked * resolution,
        absent_for=absent * resolution,
    )


def by_readiness(question: Question, ready: Sampled, now: datetime) -> Service | Unread:
    """Serving as the readiness gauge shows it: 1 in the last two scrapes; bake counts the cells in which it stayed 1.

    A gauge that speaks of other versions and not of the subject is an observed absence.
    """
    if not any(series.samples for series in ready.series):
        return Unread(why=Why.NO_DATA, words="the readiness gauge has no series")
    frame = frame_of(question, now)
    scrapes = Scrapes([[at for at, _ in series.samples] for series in ready.series], frame.resolution / 2)
    scrape = scrapes.by(frame.now)
    newest = max(series.samples[-1][0] for series in ready.series if series.samples)
    if stale := staleness(newest, now, max(scrape * _STALE_SCRAPES, frame.resolution)):
        return stale
    if coarse := too_coarse(frame, scrapes):
        return coarse
    mine = [s for s in ready.series if s.labels.get(question.version_label) == str(question.subject) and s.samples]
    current = [series for series in mine if series.samples[-1][0] >= newest - 1.5 * scrape]
    serving = _ready_now(current)
    last = max((at for s in mine for at, value in s.samples if value == 1), default=frame.start)
    return Service(
        serving=serving,
        since=_ready_since(current, frame.start) if serving else None,
        baked=_ready_cells(mine, frame, judged_to(frame, scrapes)) * question.rollout.resolution,
        absent_for=timedelta(0) if serving else max(now - instant(max(last, frame.start)), timedelta(0)),
    )


def frame_of(question: Question, now: datetime) -> Frame:
    """The cells of a stage: from its start to now."""
    return Frame(
        start=question.since.timestamp(),
        now=now.timestamp(),
        resolution=question.rollout.resolution.total_seconds(),
        version_label=question.version_label,
    )


def staleness(newest: float, now: datetime, allowed: float) -> Unread | None:
    """Unread when the newest sample is older than `allowed` seconds: nobody scrapes any more."""
    if now.timestamp() - newest <= allowed:
        return None
    return Unread(why=Why.STALE, words=f"last sample at {instant(newest):%Y-%m-%d %H:%M:%S} UTC")


def _moments(question: Question, counted: Sequence[Mapping[int, Arm]]) -> Iterable[_Moment]:
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


def _is_ready(series: Series) -> bool:
    return len(series.samples) >= 2 and all(value == 1 for _, value in series.samples[-2:])


def _ready_now(current: Sequence[Series]) -> bool | None:
    """None for a series that shows its first 1 just now: two scrapes make it ready."""
    if any(_is_ready(series) for series in current):
        return True
    return None if any(series.samples[-1][1] == 1 for series in current) else False


def _ready_since(current: Sequence[Series], start: float) -> datetime:
    """The first sample of the longest run of 1s that a series ends with, at the earliest the stage's start."""
    runs = (list(takewhile(_is_one, reversed(series.samples))) for series in current if _is_ready(series))
    return instant(max(min(run[-1][0] for run in runs), start))


def _is_one(sample: tuple[float, float]) -> bool:
    return sample[1] == 1


def _ready_cells(mine: Sequence[Series], frame: Frame, last: int) -> int:
    ready: set[int] = set()
    for series in mine:
        seen = {frame.cell(at) for at, _ in series.samples}
        ready |= seen - {frame.cell(at) for at, value in series.samples if value != 1}
    return sum(frame.first <= index < last for index in ready)
