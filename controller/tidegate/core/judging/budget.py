"""The error budget of one objective in one environment: all bad events of its window over all events, whichever version
answered. Never a mean of ratios, where a quiet night weighs as much as the busiest hour.

Counters are read at fixed instants, multiples of `STEP` since the Unix epoch, and differenced here: every pass between
two of them is told the same. Asking is `steps.budgets`' work; a spent budget stops entries by a row of `guards`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from tidegate.core.alerting.queries import span
from tidegate.core.judging.beginnings import SteppedBeginnings
from tidegate.core.judging.counts import instant
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import NO_EVENTS, ObjectiveReadings, Tally
from tidegate.core.manifest import Objective
from tidegate.core.quantity import write_duration

STEP = timedelta(minutes=10)

LEAD = timedelta(hours=1)
"""So long before the window counters are read as well. What is there by then was there before: its first sample is a
baseline. A series that comes later belongs to a process, or to a kind of event, that is new: it began at 0, unless it
is an old one under other labels (`beginnings`)."""

_VERSION = "version"
"""The usual label of versions. Budgets are of all versions: under another name it is a label as any other."""

_LOOKED_AHEAD = timedelta(hours=1)

_Increments = Mapping[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an objective's window holds, as of the instant `until`. `since` is when its counters are first known, which
    may be later than the window's start; `asked` is what Prometheus was asked. `recovers_at`: when a spent budget is
    below its limit again if nothing more is bad and traffic stays what it was."""

    objective: Objective
    until: datetime
    since: datetime | None = None
    tally: Tally = NO_EVENTS
    unread: Unread | None = None
    recovers_at: datetime | None = None
    asked: tuple[str, ...] = ()

    @property
    def allowed(self) -> float:
        """So many of these events may be bad."""
        return self.objective.budget * self.tally.total

    @property
    def spent(self) -> float | None:
        """The share of the budget that is spent; None where it is less than one event: the first bad one would be many
        times too much, and says nothing yet."""
        enough = self.unread is None and round(self.allowed, 6) >= 1
        return self.tally.bad / self.allowed if enough else None

    @property
    def exhausted(self) -> bool:
        return self.spent is not None and round(self.spent, 9) >= 1


def budget(objective: Objective, read: ObjectiveReadings, until: datetime) -> Budget:
    """The objective's budget from its counters at fixed instants, from `LEAD` before the window up to `until`."""
    if isinstance(read.total, Unread) or isinstance(read.bad, Unread):
        reason = read.total if isinstance(read.total, Unread) else read.bad
        return Budget(objective=objective, until=until, unread=reason if isinstance(reason, Unread) else None)
    if (missing := _missing(objective, read.total, read.bad)) is not None:
        return Budget(objective=objective, until=until, unread=Unread(why=Why.NO_DATA, words=missing))
    first = min(series.samples[0][0] for series in read.total.series)
    beginnings = SteppedBeginnings((read.total, read.bad), _VERSION)
    totals, counted = (_increments(each, first, beginnings) for each in (read.total, read.bad))
    bad = _others(totals, counted) if objective.bad is None else counted
    start = (until - objective.window).timestamp()
    known = Budget(
        objective=objective,
        until=until,
        since=instant(max(first, start)),
        tally=_all(_after(start, bad), _after(start, totals)),
    )
    return replace(known, recovers_at=_recovers(known, bad, totals)) if known.exhausted else known


def last_instant(now: datetime) -> datetime:
    """The newest instant at which every sample is surely in: scrapes end a little after their time stamp."""
    settled = now - timedelta(minutes=1)
    return instant(settled.timestamp() // STEP.total_seconds() * STEP.total_seconds())


def _missing(objective: Objective, total: Sampled, counted: Sampled) -> str | None:
    """Absent bad events are none; absent good ones, or buckets, would make every event a bad one."""
    if not any(series.samples for series in total.series):
        return f"no total events within {span(objective.window)}"
    if objective.bad is None and not any(series.samples for series in counted.series):
        under = objective.under
        what = "no good events" if under is None else f"the histogram has no bucket at {write_duration(under)}"
        return f"{what}: does the selector match any series?"
    return None


def _increments(sampled: Sampled, first: float, beginnings: SteppedBeginnings) -> _Increments:
    """By the instant that showed them, of all series together. A counter that fell was reset to 0 in between."""
    found: dict[float, float] = {}
    for series in sampled.series:
        for at, more in _of_series(series, first, beginnings):
            found[at] = found.get(at, 0.0) + more
    return found


def _of_series(series: Series, first: float, beginnings: SteppedBeginnings) -> Iterator[tuple[float, float]]:
    samples = [(at, value) for at, value in series.samples if math.isfinite(value)]
    if samples and samples[0][0] > first + LEAD.total_seconds():
        known = beginnings.knows_target(series)
        if (began := beginnings.of(series) if known else beginnings.of_new_target(series)) is not None:
            yield began.known, samples[0][1] - began.value
    for (_, before), (at, value) in pairwise(samples):
        yield at, value - before if value >= before else value


def _others(totals: _Increments, good: _Increments) -> _Increments:
    """Where good events are counted, the others are bad: less than none in a step that shows good ones of the step
    before."""
    return {at: totals.get(at, 0.0) - good.get(at, 0.0) for at in {**totals, **good}}


def _after(start: float, increments: _Increments) -> float:
    """All events that were shown after an instant."""
    return sum(more for at, more in increments.items() if at > start)


def _all(bad: float, total: float) -> Tally:
    """Two counters may be scraped a moment apart. Over a window that cancels out; rounded step by step it does not."""
    return Tally(bad=min(max(bad, 0.0), total), total=total)


def _recovers(spent: Budget, bad: _Increments, totals: _Increments) -> datetime:
    """The first whole hour from now by which enough bad events have left the window: at its end all have."""
    assert spent.since is not None, "what is spent was counted"
    ends = sorted({*bad, *totals})
    bad_by, total_by = (list(accumulate((each.get(at, 0.0) for at in ends), initial=0.0)) for each in (bad, totals))
    window = spent.objective.window
    rate = spent.tally.total / max((spent.until - spent.since).total_seconds(), 1.0)
    later = spent.until
    while later < spent.until + window:
        later += _LOOKED_AHEAD
        left = bisect_right(ends, (later - window).timestamp())
        events = total_by[-1] - total_by[left] + rate * (later - spent.until).total_seconds()
        if bad_by[-1] - bad_by[left] < spent.objective.budget * events:
            break
    return later
