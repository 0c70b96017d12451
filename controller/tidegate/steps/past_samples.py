"""Prometheus as of an instant in the past. What was asked for a longer time is not asked again: two policies share
selectors, and every pass of a stage asks for a part of what its last one did.

What is asked, and what it means, is for the same steps to say as live: `measure` and `budgets`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.ports import Metrics
from tidegate.steps.fixed_instants import Span, answered


@dataclass(frozen=True, slots=True)
class _Read:
    """What was answered for a span of time."""

    start: datetime
    end: datetime
    answer: Sampled | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSamples:
    """`ports.Metrics` as it was by `until` (None: to this day). `ends` is Prometheus' own time now, or why it does not
    tell it. Fixed instants are read on up to `ahead` at once, for who asks again for later ones."""

    metrics: Metrics
    ends: datetime | Unread
    until: datetime | None = None
    ahead: datetime | None = None
    known: dict[object, list[_Read]] = field(default_factory=dict)

    def by(self, until: datetime, ahead: datetime | None = None) -> PastSamples:
        """The same, as of an instant."""
        return replace(self, until=until, ahead=ahead)

    def now(self) -> datetime | Unread:
        if isinstance(self.ends, Unread) or self.until is None:
            return self.ends
        return min(self.until, self.ends)

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        reads = self.known.setdefault(selector, [])
        read = _holding(reads, start, end)
        if read is None:
            read = _Read(start, end, self.metrics.samples(selector, start, end))
            reads.append(read)
        return _part(read, start, end, since=behind(start))

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        reads = self.known.setdefault((expression, step), [])
        read = _holding(reads, start, end)
        if read is None:
            read = self._read_on(expression, start, end, step)
            reads.append(read)
        return _part(read, start, end, since=start.timestamp())

    def _read_on(self, expression: str, start: datetime, end: datetime, step: timedelta) -> _Read:
        last = max(end, self.ahead) if self.ahead else end
        steps = step.total_seconds()
        span = Span(first=round(start.timestamp() / steps), last=math.floor(last.timestamp() / steps), step=step)
        return _Read(start, last, answered(expression, self.metrics, span))


def behind(at: datetime) -> float:
    """The first instant behind another one."""
    return math.nextafter(at.timestamp(), math.inf)


def _holding(reads: Sequence[_Read], start: datetime, end: datetime) -> _Read | None:
    return next((read for read in reads if read.start <= start and end <= read.end), None)


def _part(read: _Read, start: datetime, end: datetime, *, since: float) -> Sampled | Unread:
    if isinstance(read.answer, Unread) or (read.start, read.end) == (start, end):
        return read.answer
    return replace(samples_between(read.answer, since, end), start=start)


def samples_between(reading: Sampled, since: float, end: datetime) -> Sampled:
    """The samples from an instant on up to another one; series without any are left out."""
    until = behind(end)
    cut = (replace(series, samples=_between(series, since, until)) for series in reading.series)
    return replace(reading, series=tuple(series for series in cut if series.samples), end=end)


def _between(series: Series, since: float, until: float) -> tuple[tuple[float, float], ...]:
    first, last = (bisect_left(series.samples, (edge,)) for edge in (since, until))
    return series.samples[first:last]
