"""How far back every pass reads, and from when on a version must be known in that. What tells a version that was
deployed late from one whose past Prometheus' retention took: whether anything at all is kept of the hour before. What
is made of it is `judgement`'s.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core.judging.counts import LEAD_CELLS
from tidegate.core.judging.dispersion import HISTORY, measured_from
from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A version that ought to be known by an instant. Where it is not, and something is `kept` of the hour before the
    other instant, it was not there."""

    version: int
    by: datetime
    kept: datetime


def read_since(question: Question) -> datetime:
    """Since when every pass reads: beside another version, or after one, also the six hours before, for how clustered
    bad events are."""
    before = timedelta(0) if question.reference is None else HISTORY
    return question.since - before - LEAD_CELLS * question.rollout.resolution


def read_by_every_pass(question: Question, counters: Counters) -> Counters:
    """The same counters without what only some passes read, of the time before. What was measured once, or not known
    once, must not change because somebody looks further back."""
    earliest = read_since(question).timestamp()
    objectives = {
        name: ObjectiveReadings(
            bad=_after(earliest, read.bad),
            total=_after(earliest, read.total),
            squares=None if read.squares is None else _after(earliest, read.squares),
        )
        for name, read in counters.objectives.items()
    }
    up = None if counters.up is None else _after(earliest, counters.up)
    return replace(counters, objectives=objectives, up=up)


def _after(earliest: float, reading: Sampled | Unread) -> Sampled | Unread:
    if isinstance(reading, Unread):
        return reading
    later = [_series_after(earliest, each) for each in reading.series]
    return replace(reading, series=tuple(each for each in later if each.samples))


def _series_after(earliest: float, series: Series) -> Series:
    """As Prometheus 3 has it, what is read from an instant on begins after it."""
    known = bisect_right(series.samples, (earliest, math.inf))
    return replace(series, samples=series.samples[known:]) if known else series


def expected(question: Question) -> Expected | None:
    """The version that bakes, as soon as it is deployed; beside another one or after it, that one, from when on its bad
    events are measured. None where nothing rests on it."""
    rollout = question.rollout
    if question.stage is Stage.BAKE:
        deployed = question.since + rollout.progress_deadline
        return Expected(version=question.subject, by=deployed + rollout.resolution, kept=question.since)
    start = measured_from(question)
    if question.reference is None or start is None:
        return None
    # A cell holds two scrapes. So all its targets were scraped before `start` if it was known a cell before, and what
    # is kept of two cells before was kept of that one too: a figure is measured from whole hours, or not at all.
    by = start - rollout.resolution
    return Expected(version=question.reference, by=by, kept=by - rollout.resolution)
