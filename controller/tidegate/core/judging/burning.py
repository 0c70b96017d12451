"""Burn rates of one version: how many times faster than it may it spent the error budget, over pairs of windows.

A bound on the bad rate since a stage began forgets nothing: after a good day it takes long to see a bad hour. Windows
see the bad hour at once, and do not see what overspends slowly. So both look for a breach (`against_objective`). Which
pairs there are, and which of them work for an objective, is said in `core.alerting.burn_rate`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.core.alerting.burn_rate import Burn, Severity, budget, burns
from tidegate.core.judging.sums import Sums
from tidegate.core.judging.verdict import BurnRate, Question, Stage, Tally
from tidegate.core.manifest import Objective, Rollout


def paging(objective: Objective) -> tuple[Burn, ...]:
    """The pairs that page and work for this objective. What a mean spends is no share of events."""
    if objective.mean is not None:
        return ()
    return tuple(b for b in burns(objective) if b.fault is None and b.pair.severity is Severity.PAGE)


def looks(question: Question) -> int:
    """In how many cells of its stage a version may be looked at: the false revert rate is shared over them."""
    rollout = question.rollout
    longest = rollout.maximum_duration * max(len(rollout.steps), 1)
    lasts = rollout.probation.duration if question.stage is Stage.PROBATION else longest
    return max(lasts // rollout.resolution, 1)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A pair with what its arithmetic needs at every look: windows in cells, and what a bad and a good event weigh."""

    burn: Burn
    factor: float
    short: int
    long: int
    bad: float
    good: float


def _weighed(burn: Burn, rollout: Rollout, allowed: float) -> _Weighed:
    factor = float(burn.factor)
    bet = min(factor * allowed, 1 - 1e-9)
    return _Weighed(
        burn=burn,
        factor=factor,
        short=-(-burn.pair.short // rollout.resolution),
        long=-(-burn.pair.long // rollout.resolution),
        bad=math.log(factor) / rollout.dispersion,
        good=(math.log1p(-bet) - math.log1p(-allowed)) / rollout.dispersion,
    )


class Burning:
    """One version's burn rates after any of its cells, which are counted from the first of their grid; those that are
    left out among them hold no events.

    `tripped` is the first of them by which a pair burned: in both windows, and in the long one with `minimumEvents` and
    with more evidence than chance gives in so many looks. Two bad events of two hundred may be ten times the budget.
    """

    def __init__(
        self, question: Question, objective: Objective, cells: Sequence[int], tallies: Sequence[Tally]
    ) -> None:
        self._rollout, self._cells = question.rollout, cells
        self._allowed = float(budget(objective.target))
        self._pairs = [_weighed(burn, question.rollout, self._allowed) for burn in paging(objective)]
        chances = max(len(self._pairs), 1) * looks(question) * question.sharing
        self._needed = math.log(2 * chances / question.rollout.false_revert_rate)
        self.sums = Sums(tallies)
        self.tripped, self.by = self._first()

    def after(self, number: int) -> tuple[BurnRate, ...]:
        """Every pair, as of the last of the first so many cells."""
        return tuple(self._rate(pair, number - 1) for pair in self._pairs) if number else ()

    def _first(self) -> tuple[int | None, BurnRate | None]:
        trips = ((self._trip(pair), pair) for pair in self._pairs)
        found = [(index, pair) for index, pair in trips if index is not None]
        if not found:
            return None, None
        index, pair = min(found, key=lambda trip: trip[0])
        return index, self._rate(pair, index)

    def _trip(self, pair: _Weighed) -> int | None:
        """The first cell by which the pair trips. Only one with a bad event is looked at, and few of them closely."""
        bad, total, limit = self.sums.bad, self.sums.total, pair.factor * self._allowed
        enough, start = max(self._rollout.minimum_events, 1), 0
        for index, cell in enumerate(self._cells):
            while self._cells[start] <= cell - pair.long:
                start += 1
            events = total[index + 1] - total[start]
            if bad[index + 1] > bad[index] and events >= enough and bad[index + 1] - bad[start] > limit * events:
                rate = self._rate(pair, index)
                if rate.burns and rate.evidence >= rate.needed:
                    return index
        return None

    def _rate(self, pair: _Weighed, index: int) -> BurnRate:
        short, long = self._within(pair.short, index), self._within(pair.long, index)
        return BurnRate(
            short=pair.burn.pair.short,
            long=pair.burn.pair.long,
            factor=pair.factor,
            allowed=self._allowed,
            in_short=short,
            in_long=long,
            evidence=self._evidence(long, pair),
            needed=self._needed,
        )

    def _within(self, width: int, index: int) -> Tally:
        """All events of the last so many cells, up to this one."""
        start = bisect_right(self._cells, self._cells[index] - width, hi=index + 1)
        return self.sums.between(start, index + 1)

    def _evidence(self, tally: Tally, pair: _Weighed) -> float:
        """How much likelier these events are at the bad rate that trips the pair than at the budget; a logarithm.

        While the rate is at most the budget, its exponential has expectation at most 1. Windows are many, hence
        `needed`: by Markov's inequality in each of them, and a union over the looks.
        """
        return tally.bad * pair.bad + max(tally.total - tally.bad, 0.0) * pair.good
