"""Figures of a mean: their way through their range, and whether they can lie in it, as far as sums tell. Both is what
the evidence of `means` rests on.

n figures between low and high add up to between n·low and n·high; where they add up to s, their squares add up to at
most (low + high)·s − n·low·high. Sums beyond that prove that some lie outside. Sums within prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tidegate.core.judging.verdict import Tally
from tidegate.core.manifest import Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """So many of them, what they add up to, and what their squares do (0 where nobody counts these).

    `ahead`: of so many at most one counter was read and another was not yet.
    """

    number: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    ahead: float = 0.0

    def __add__(self, other: Figures) -> Figures:
        number, total = self.number + other.number, self.total + other.total
        squares, ahead = self.squares + other.squares, max(self.ahead, other.ahead)
        return Figures(number=number, total=total, squares=squares, ahead=ahead)


def shares(mean: Mean, cell: Figures, *, squared: bool) -> Tally:
    """Each figure's way through the range, added up, from its better end: what lies outside was no figure of it.

    Squares, where they are counted, are at least what they would be if all figures were alike, and at most what two
    ends give.
    """
    events, width = cell.number, mean.high - mean.low
    way, squares = min(max((cell.total - mean.low * events) / width, 0.0), events), 0.0
    if squared and events:
        found = (cell.squares - 2 * mean.low * cell.total + mean.low**2 * events) / width**2
        squares = min(max(found, way**2 / events), way)
    if not mean.higher_is_better:
        return Tally(bad=way, total=events, squares=squares)
    return Tally(bad=events - way, total=events, squares=squares + events - 2 * way if squares else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """By how much figures are beyond it, what one event may be worth of that, and in words what is wrong."""

    beyond: Callable[[Figures], float]
    of_one: float
    words: Callable[[Figures], str]


def first_outside(mean: Mean, cells: Iterable[Figures]) -> tuple[int, str] | None:
    """The first cell by which some lie outside for certain, and what says so.

    Any row of cells that ends there may say it: figures inside before make up for nothing. What one counter may be
    ahead of another is allowed for; counters that are read apart tell how much that is from the second busy cell on.
    """
    limits = _limits(mean)
    rows = [Figures() for _ in limits]
    ahead, busy = 0.0, 0
    for index, cell in enumerate(cells):
        ahead, busy = max(ahead, cell.ahead), busy + (cell.number > 0)
        for which, limit in enumerate(limits):
            row = rows[which] + cell
            beyond = limit.beyond(row)
            if beyond > ahead * limit.of_one and (busy > 1 or cell.ahead < cell.number):
                return index, limit.words(row)
            rows[which] = row if beyond > 0 else Figures()
    return None


def _limits(mean: Mean) -> list[_Limit]:
    low, high = mean.low, mean.high
    largest = max(abs(low), abs(high))

    def squares_at_most(row: Figures) -> float:
        return (low + high) * row.total - row.number * low * high

    def summed(row: Figures, extreme: str) -> str:
        return f"{row.number:.10g} figures add up to {row.total:.10g}, and in [{low:g}, {high:g}] {extreme}"

    sums = [
        _Limit(
            beyond=lambda row: low * row.number - row.total,
            of_one=largest,
            words=lambda row: summed(row, f"at least to {low * row.number:.10g}"),
        ),
        _Limit(
            beyond=lambda row: row.total - high * row.number,
            of_one=largest,
            words=lambda row: summed(row, f"at most to {high * row.number:.10g}"),
        ),
    ]
    squares = _Limit(
        beyond=lambda row: row.squares - squares_at_most(row),
        of_one=largest**2,
        words=lambda row: summed(
            row, f"their squares at most to {squares_at_most(row):.10g}, not to {row.squares:.10g}"
        ),
    )
    return sums if mean.squares is None else [*sums, squares]
