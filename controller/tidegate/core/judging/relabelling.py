"""Counters of one target, as series: which of them goes on under other labels when its series ends and another begins.

What that means for a new series is `beginnings`' work, the rule stands there.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from tidegate.core.judging.reading import Series

_Labels: TypeAlias = frozenset[tuple[str, str]]
_Family: TypeAlias = tuple[str, str]


class Counter:
    """One series, its labels as they are compared: Prometheus 3 writes 1.0 for a bucket's bound that was 1 before."""

    def __init__(self, series: Series, version_label: str) -> None:
        labels = series.labels
        self._samples = series.samples
        self.labels = {name: _number(value) if name == "le" else value for name, value in labels.items()}
        self.items: _Labels = frozenset(self.labels.items())
        self.family: _Family = labels.get("__name__", ""), labels.get(version_label, "")
        self.first, self.began_at = next(((at, v) for at, v in series.samples if math.isfinite(v)), (math.inf, 0.0))

    @property
    def instance(self) -> str:
        return self.labels.get("instance", "")

    @property
    def in_order(self) -> list[tuple[str, str]]:
        return sorted(self.items)

    def at(self, when: float) -> float | None:
        """What it showed at this very instant."""
        index = bisect_left(self._samples, (when,))
        at, value = self._samples[index] if index < len(self._samples) else (math.inf, math.nan)
        return value if at == when and math.isfinite(value) else None

    def last_before(self, when: float) -> float:
        """When it last had a sample before."""
        index = bisect_left(self._samples, (when,))
        return self._samples[index - 1][0] if index else -math.inf

    def first_after(self, when: float) -> float:
        """When it next has a sample after."""
        index = bisect_left(self._samples, (math.nextafter(when, math.inf),))
        return self._samples[index][0] if index < len(self._samples) else math.inf

    def last_one_before(self, when: float) -> float:
        """Of `up`: the last scrape before that brought anything."""
        earlier = range(bisect_left(self._samples, (when,)) - 1, -1, -1)
        return next((self._samples[index][0] for index in earlier if self._samples[index][1] == 1), -math.inf)

    def agrees(self, other: Counter) -> bool:
        """Whether no label has one value here and another there."""
        return all(other.labels.get(name, value) == value for name, value in self.labels.items() if name != "__name__")


class Change:
    """What became of a target's counters as new ones began at one instant. `known` is the instant by which that shows;
    `before` is when the target was last scraped before."""

    def __init__(self, counters: Sequence[Counter], *, before: float, began: float, known: float) -> None:
        self._counters, self.before, self._began, self.known = counters, before, began, known
        self._pairs: dict[_Family, Mapping[_Labels, float]] = {}

    def goes_on(self) -> bool:
        """Whether anything that was there before is there still."""
        return any(self._stays(each) for each in self._counters if each.first < self._began)

    def may_continue(self, new: Counter) -> bool:
        """Whether there is anything that a new one could go on from."""
        return any(shown <= new.began_at for _, shown in self._older(new.family))

    def continued(self, new: Counter) -> float | None:
        """What the one showed last from which a new one goes on; None where it goes on from none."""
        if new.family not in self._pairs:
            self._pairs[new.family] = self._paired(new.family)
        return self._pairs[new.family].get(new.items)

    def _paired(self, family: _Family) -> Mapping[_Labels, float]:
        """Each with one at most, those first that are most alike."""
        found: dict[_Labels, float] = {}
        taken: set[_Labels] = set()
        for new, old, shown in sorted(self._candidates(family), key=_likeness):
            if new.items not in found and old.items not in taken:
                found[new.items] = shown
                taken.add(old.items)
        return found

    def _candidates(self, family: _Family) -> Iterator[tuple[Counter, Counter, float]]:
        """In the order of their labels, which decides between those that are equally alike."""
        older = sorted(self._older(family), key=lambda each: each[0].in_order)
        ended = [(old, shown) for old, shown in older if not self._stays(old)]
        if not ended or self._any_fell():
            return
        begun = [each for each in self._counters if each.family == family and each.first == self._began]
        for new in sorted(filter(self._stays, begun), key=lambda each: each.in_order):
            for old, shown in ended:
                alike = len(ended) == len(older) or old.items <= new.items or new.items <= old.items
                if alike and shown <= new.began_at:
                    yield new, old, shown

    def _older(self, family: _Family) -> Iterator[tuple[Counter, float]]:
        """Those that were there until now, with what they showed last."""
        for each in self._counters:
            if each.family == family and each.first < self._began and (shown := self._shown(each)) is not None:
                yield each, shown

    def _any_fell(self) -> bool:
        seen = ((self._shown(each), each.at(self.known)) for each in self._counters if each.first < self._began)
        return any(shown is not None and now is not None and now < shown for shown, now in seen)

    def _shown(self, counter: Counter) -> float | None:
        now = counter.at(self._began) if self.known > self._began else None
        return counter.at(self.before) if now is None else now

    def _stays(self, counter: Counter) -> bool:
        return counter.at(self.known) is not None


def last_before(when: float, counters: Iterable[Counter]) -> float:
    """When any of them last had a sample before."""
    return max((each.last_before(when) for each in counters), default=-math.inf)


def _likeness(pair: tuple[Counter, Counter, float]) -> tuple[int, float]:
    new, old, shown = pair
    return -len(new.items & old.items), new.began_at - shown


def _number(text: str) -> str:
    try:
        return str(float(text))
    except ValueError:
        return text
