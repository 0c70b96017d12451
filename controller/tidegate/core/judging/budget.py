"""The error budget of one objective in one environment: all bad events of its window over all events, whichever version
answered. Never a mean of ratios, where a quiet night weighs as much as the busiest hour.

Counters are read at fixed instants, multiples of `STEP` since the Unix epoch, and differenced here: every pass between
two of them is told the same. Asking is `steps.budgets`' work; a spent budget stops entries by a row of `guards`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from tidegate.core.alerting.queries import span
from tidegate.core.judging.beginnings import SteppedBeginnings
from tidegate.core.judging.counts import instant
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import ObjectiveReadings, Tally
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
    tally: Tally = field(default_factory=Tally)
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
    steps = _steps(totals, counted, inverted=objective.bad is None)
    start = (until - objective.window).timestamp()
    inside = [(at, tally) for at, tally in steps if at > start]
    known = Budget(
        objective=objective,
        until=until,
        since=instant(max(first, start)),
        tally=_all([tally for _, tally in inside]),
    )
    if not known.exhausted:
        return known
    return Budget(
        objective=objective, until=until, since=known.since, tally=known.tally, recovers_at=_recovers(known, inside)
    )


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
        if not beginnings.knows_target(series):
            yield samples[0]
        elif (began := beginnings.of(series)) is not None:
            yield began.known, samples[0][1] - began.value
    for (_, before), (at, value) in pairwise(samples):
        yield at, value - before if value >= before else value


def _steps(totals: _Increments, counted: _Increments, *, inverted: bool) -> list[tuple[float, Tally]]:
    """Oldest first. Where good events are counted, the others are bad: less than none in a step that shows good ones of
    the step before."""
    steps = []
    for at in sorted({*totals, *counted}):
        events, other = totals.get(at, 0.0), counted.get(at, 0.0)
        steps.append((at, Tally(bad=events - other if inverted else other, total=events)))
    return steps


def _all(steps: Sequence[Tally]) -> Tally:
    """Two counters may be scraped a moment apart. Over a window that cancels out; rounded step by step it does not."""
    bad, total = sum(tally.bad for tally in steps), sum(tally.total for tally in steps)
    return Tally(bad=min(max(bad, 0.0), total), total=total)


def _recovers(spent: Budget, steps: Sequence[tuple[float, Tally]]) -> datetime:
    """The first whole hour from now by which enough bad events have left the window: at its end all have."""
    assert spent.since is not None, "what is spent was counted"
    at = [end for end, _ in steps]
    so_far = list(accumulate((tally for _, tally in steps), initial=Tally()))
    window = spent.objective.window
    rate = spent.tally.total / max((spent.until - spent.since).total_seconds(), 1.0)
    later = spent.until
    while later < spent.until + window:
        later += _LOOKED_AHEAD
        gone = so_far[bisect_right(at, (later - window).timestamp())]
        events = spent.tally.total - gone.total + rate * (later - spent.until).total_seconds()
        if spent.tally.bad - gone.bad < spent.objective.budget * events:
            break
    return later
