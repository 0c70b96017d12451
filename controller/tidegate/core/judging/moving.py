"""Processes whose `instance` changed: which target goes on as another one when it ends and the other begins.

One counter alone cannot tell: a new process may soon have more errors than an old one ever had. So all counters that a
target showed are looked at together. What that means for a new series is `beginnings`' work.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from tidegate.core.judging.reading import Sampled
from tidegate.core.judging.relabelling import Counter

_Shown: TypeAlias = Mapping[frozenset[tuple[str, str]], float]

_HOUR = 3600.0
"""So long the old one was there. Within a step a new process hardly counts as much; where processes live for minutes,
those of one step show more than those of the last one half of the time."""


class Targets:
    """All counters by target, with those that were there around the instants at which any began: what became of one is
    told without a look at those that were not."""

    def __init__(self, counters: Mapping[str, Sequence[Counter]], readings: Sequence[Sampled]) -> None:
        self.counters = counters
        self._instants = sorted({at for reading in readings for each in reading.series for at, _ in each.samples})
        self._first = {name: min(counter.first for counter in own) for name, own in counters.items()}
        self._began = _by_instant((at, name) for name, at in self._first.items())
        around = {at for began in self._began for at in (self.last_before(began), began, self.next_after(began))}
        self._there = _by_instant(_seen(readings, around))

    def last_before(self, at: float) -> float:
        """The last instant before at which anything is known."""
        index = bisect_left(self._instants, at)
        return self._instants[index - 1] if index else -math.inf

    def next_after(self, at: float) -> float:
        """The next one."""
        index = bisect_right(self._instants, at)
        return self._instants[index] if index < len(self._instants) else math.inf

    def began(self, at: float) -> Iterable[str]:
        return self._began.get(at, ())

    def there(self, at: float) -> AbstractSet[str]:
        """Those with a number at this very instant, which is one of those."""
        return self._there.get(at, frozenset())

    def known_by(self, at: float, names: Iterable[str]) -> list[str]:
        """Those of these that were there by an instant."""
        return [name for name in names if self._first[name] <= at]


class Moves:
    """What became of targets as new ones began at one instant. `known` is the instant by which that shows."""

    def __init__(self, targets: Targets, began: float) -> None:
        before, self.known = targets.last_before(began), targets.next_after(began)
        self._new = {name: _shown(targets.counters[name], (began,)) for name in targets.began(began)}
        older = targets.known_by(began - _HOUR, targets.there(began) | targets.there(before))
        shown = ((name, _shown(targets.counters[name], (began, before))) for name in older)
        self._candidates = list(self._that_could_go_on({name: own for name, own in shown if own}))
        self._may_continue = {new for new, _, _ in self._candidates}
        self._moved = self._paired(set(older) - targets.there(self.known))

    def may_continue(self, new: Counter) -> bool:
        """Whether there is any target that a new one could be."""
        return new.instance in self._may_continue

    def continued(self, new: Counter) -> float:
        """What the old one showed last from which a new one goes on; 0 where its target is no old one."""
        return self._moved.get(new.instance, {}).get(_without_instance(new), 0.0)

    def _that_could_go_on(self, older: Mapping[str, _Shown]) -> Iterator[tuple[str, str, _Shown]]:
        """None that counted more in all: of a fleet that is replaced at once, hardly any is left to look at."""
        by_sum = sorted((math.fsum(shown.values()), name) for name, shown in older.items())
        for new, begun in self._new.items():
            for _, old in by_sum[: bisect_right(by_sum, math.fsum(begun.values()), key=lambda each: each[0])]:
                if _goes_on(older[old], begun):
                    yield new, old, older[old]

    def _paired(self, gone: AbstractSet[str]) -> Mapping[str, _Shown]:
        """Each with one at most, those first that counted least meanwhile."""
        found: dict[str, _Shown] = {}
        taken: set[str] = set()
        for _, new, old, shown in sorted(self._grown(gone), key=lambda each: each[:3]):
            if new not in found and old not in taken:
                found[new] = shown
                taken.add(old)
        return found

    def _grown(self, gone: AbstractSet[str]) -> Iterator[tuple[float, str, str, _Shown]]:
        for new, old, shown in self._candidates:
            if old in gone:
                yield sum(self._new[new][labels] - value for labels, value in shown.items()), new, old, shown


def _goes_on(old: _Shown, new: _Shown) -> bool:
    """No counter of a process goes away, or back."""
    return all(labels in new and new[labels] >= value for labels, value in old.items())


def _shown(counters: Iterable[Counter], instants: Sequence[float]) -> _Shown:
    """What each showed at the first of these instants at which it was there."""
    found: dict[frozenset[tuple[str, str]], float] = {}
    for counter in counters:
        values = (value for at in instants if (value := counter.at(at)) is not None)
        if (value := next(values, None)) is not None:
            found[_without_instance(counter)] = value
    return found


def _seen(readings: Iterable[Sampled], instants: AbstractSet[float]) -> Iterator[tuple[float, str]]:
    for reading in readings:
        for series in reading.series:
            instance = series.labels.get("instance", "")
            yield from ((at, instance) for at, value in series.samples if at in instants and math.isfinite(value))


def _by_instant(seen: Iterable[tuple[float, str]]) -> Mapping[float, AbstractSet[str]]:
    found: dict[float, set[str]] = {}
    for at, name in seen:
        found.setdefault(at, set()).add(name)
    return found


def _without_instance(counter: Counter) -> frozenset[tuple[str, str]]:
    return frozenset(item for item in counter.items if item[0] != "instance")
