"""Tallies of cells in a row, added up once: what any stretch of them holds is the difference of two sums.

Which stretch matters is said by who asks: `against_objective` and `against_stable` from the first cell on, `burning` in
windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from tidegate.core.judging.verdict import Tally


class Sums:
    """`bad` and `total` of the first so many cells, from none to all."""

    def __init__(self, tallies: Sequence[Tally]) -> None:
        self.bad = list(accumulate((tally.bad for tally in tallies), initial=0.0))
        self.total = list(accumulate((tally.total for tally in tallies), initial=0.0))
        self._squares = list(accumulate((tally.squares for tally in tallies), initial=0.0))

    def between(self, start: int, end: int) -> Tally:
        """The cells from one on, up to the one before another."""
        return Tally(
            bad=self.bad[end] - self.bad[start],
            total=self.total[end] - self.total[start],
            squares=self._squares[end] - self._squares[start],
        )

    def first(self, cells: int) -> Tally:
        """So many cells from the first one on."""
        return Tally(bad=self.bad[cells], total=self.total[cells], squares=self._squares[cells])
