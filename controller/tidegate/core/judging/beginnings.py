"""What a counter stood at before the first sample of a new series: 0, what other labels showed, or nobody knows.

A new series of a target that goes on is a kind of event that was never counted there before: it began at 0. But labels
also change while the counter behind them goes on: somebody adds one to the scrape config, relabels metrics, or gives a
target to another Prometheus. Then all that the process ever counted would look like one burst. So:

- Where the target itself is new under its labels nobody knows, and the first sample is a baseline. It is new where `up`
  begins with the series; and where nothing tells of `up`, if all that was there ended as the series took its place.
- Where the target goes on, a series goes on from one that ended as it began, if that had the same name, target and
  version and showed no more; and if the labels of one are those of the other with some added, or no series of that name
  and version went on. Each goes on from one at most, the one most like it.
- Otherwise it began at 0. So it did, whatever ended, in a process in which another counter fell: it was started again.
- A budget has no baselines, which would lose up to a step of every process: a target that is new began at 0, unless it
  is an old one whose `instance` changed (`moving`).

Nothing rests on samples that came later than the one by which something is counted (I9).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tidegate.core.judging.moving import Moves, Targets
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.relabelling import Change, Counter, last_before

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a counter stood at before its first sample, and the instant by which that is known."""

    value: float
    known: float


class Beginnings:
    """Of raw samples: instants are those of scrapes, and what is not there by one has ended."""

    def __init__(self, readings: Iterable[Sampled], up: Sampled | None, version_label: str) -> None:
        self._version_label = version_label
        self._targets = _by(_target, readings, version_label)
        self._ups = _by(_target, [] if up is None else [up], version_label)
        self._changes: dict[object, Change] = {}

    def of(self, series: Series) -> Beginning | None:
        """None where its first sample is a baseline."""
        new = Counter(series, self._version_label)
        ups = [each for each in self._ups.get(_target(new), ()) if each.agrees(new)]
        here = [each for each in ups if each.at(new.first) is not None]
        was_up = max((each.last_one_before(new.first) for each in here or ups), default=-math.inf)
        if not new.instance or (here and was_up == -math.inf):
            return None
        change = self._change(new, here, was_up)
        return None if change.before == -math.inf else _beginning(new, change, goes_on=bool(here))

    def _change(self, new: Counter, here: Sequence[Counter], was_up: float) -> Change:
        """Among what is scraped under the same labels, where that is known: two servers may scrape one target."""
        key = _target(new), new.first, *(up.items for up in here)
        if key not in self._changes:
            of_target = self._targets.get(_target(new), ())
            counters = [each for each in of_target if all(up.agrees(each) for up in here)]
            there = last_before(new.first, counters)
            before = was_up if here or there == -math.inf else there
            self._changes[key] = Change(counters, before=before, began=new.first, known=new.first)
        return self._changes[key]


class SteppedBeginnings:
    """Of the last samples of steps. What ended within a step shows up at its end, beside what took its place: where a
    series may go on from another, that is known a step later. Whichever job scrapes an instance, it is one target."""

    def __init__(self, readings: Sequence[Sampled], version_label: str) -> None:
        self._version_label = version_label
        self._targets = Targets(_by(lambda counter: counter.instance, readings, version_label), readings)
        self._moved: dict[float, Moves] = {}
        self._changes: dict[object, Change] = {}

    def knows_target(self, series: Series) -> bool:
        """Whether anything of its target was there before it."""
        return self._change(Counter(series, self._version_label)).before > -math.inf

    def of(self, series: Series) -> Beginning | None:
        """None where its first sample is a baseline, or it is not known yet that it is none."""
        new = Counter(series, self._version_label)
        change = self._change(new)
        if change.before == -math.inf:
            return None
        if not change.may_continue(new):
            return Beginning(value=0.0, known=new.first)
        return None if change.known == math.inf else _beginning(new, change)

    def of_new_target(self, series: Series) -> Beginning | None:
        """Where nothing of its target was there before: 0, unless that is an old one under another `instance`. None
        where that is not known yet."""
        new = Counter(series, self._version_label)
        moves = self._moves(new.first)
        if not moves.may_continue(new):
            return Beginning(value=0.0, known=new.first)
        return None if moves.known == math.inf else Beginning(value=moves.continued(new), known=moves.known)

    def _moves(self, began: float) -> Moves:
        if began not in self._moved:
            self._moved[began] = Moves(self._targets, began)
        return self._moved[began]

    def _change(self, new: Counter) -> Change:
        key = new.instance, new.first
        if key not in self._changes:
            counters = self._targets.counters.get(new.instance, ())
            before, known = last_before(new.first, counters), self._targets.next_after(new.first)
            self._changes[key] = Change(counters, before=before, began=new.first, known=known)
        return self._changes[key]


def _beginning(new: Counter, change: Change, *, goes_on: bool = False) -> Beginning | None:
    shown = change.continued(new)
    if shown is not None and not goes_on and not change.goes_on():
        return None
    return Beginning(value=shown or 0.0, known=change.known)


def _by(target: Callable[[Counter], _T], readings: Iterable[Sampled], version_label: str) -> Mapping[_T, list[Counter]]:
    """The counters of each target; one that several readings have once."""
    found: dict[_T, dict[object, Counter]] = {}
    for reading in readings:
        for series in reading.series:
            counter = Counter(series, version_label)
            same = frozenset(series.labels.items()) if "__name__" in series.labels else id(series)
            found.setdefault(target(counter), {}).setdefault(same, counter)
    return {name: list(counters.values()) for name, counters in found.items()}


def _target(counter: Counter) -> tuple[str, str]:
    return counter.labels.get("job", ""), counter.instance
