"""Sums that prove that figures lie outside their range, and sums that prove nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.figures import Figures, first_outside, shares
from tidegate.core.judging.verdict import Tally
from tidegate.core.manifest import Mean

REVENUE = Mean(sum="s", squares="q", low=0, high=50, higher_is_better=True)
RATINGS = Mean(sum="s", squares="q", low=1, high=5, higher_is_better=True)


def cell(*figures: float, times: int = 1, ahead: float | None = None) -> Figures:
    """Unless it is said, one counter may be ahead of another by all events of a cell."""
    number = times * len(figures)
    total, squares = times * sum(figures), times * sum(each**2 for each in figures)
    return Figures(number=number, total=total, squares=squares, ahead=number if ahead is None else ahead)


INSIDE = cell(3, 4, 5, times=10)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param(cell(), Tally(), id="none"),
        pytest.param(cell(1, 3, 5), Tally(bad=1.5, total=3, squares=1.25), id="from one end to the other"),
        pytest.param(cell(1, 1), Tally(bad=0, total=2, squares=0), id="all at the better end"),
        pytest.param(cell(5, 5), Tally(bad=2, total=2, squares=2), id="all at the worse end"),
        pytest.param(Figures(number=2, total=14), Tally(bad=2, total=2, squares=2), id="beyond the range: at its end"),
    ],
)
def test_the_way_through_the_range(figures: Figures, expected: Tally) -> None:
    lower_is_better = replace(RATINGS, higher_is_better=False)
    assert shares(lower_is_better, figures, squared=True) == expected
    turned = shares(RATINGS, figures, squared=True)
    assert (turned.bad, turned.total) == (expected.total - expected.bad, expected.total)
    assert shares(lower_is_better, figures, squared=False) == replace(expected, squares=0)


def test_squares_are_those_of_the_way_that_is_bad() -> None:
    assert shares(RATINGS, cell(1, 5, 5), squared=True) == Tally(bad=1, total=3, squares=1)


@pytest.mark.parametrize(
    ("mean", "cells", "expected"),
    [
        pytest.param(RATINGS, [INSIDE] * 9, None, id="inside"),
        pytest.param(
            RATINGS,
            [INSIDE, cell(11, times=60)],
            (1, "60 figures add up to 660, and in [1, 5] at most to 300"),
            id="above",
        ),
        pytest.param(
            RATINGS,
            [INSIDE, cell(-5, times=30)],
            (1, "30 figures add up to -150, and in [1, 5] at least to 30"),
            id="below",
        ),
        pytest.param(
            REVENUE,
            [*[INSIDE] * 99, cell(*[0] * 29, 500)],
            (99, "30 figures add up to 500, and in [0, 50] their squares at most to 25000, not to 250000"),
            id="a-few-far-outside-by-their-squares-after-many-inside",
        ),
        pytest.param(replace(REVENUE, squares=None), [cell(*[0] * 29, 500)] * 9, None, id="by-sums-alone-nothing"),
        pytest.param(RATINGS, [cell(5.5, times=20)] * 9, None, id="a-little-above-is-no-proof-for-long"),
        pytest.param(
            RATINGS,
            [cell(5.5, times=20)] * 30,
            (10, "220 figures add up to 1210, and in [1, 5] at most to 1100"),
            id="and-then-it-is",
        ),
        pytest.param(
            REVENUE,
            [cell(*[0] * 29, 500, ahead=1)],
            (0, "30 figures add up to 500, and in [0, 50] their squares at most to 25000, not to 250000"),
            id="at-once-where-counters-are-read-together",
        ),
        pytest.param(
            RATINGS,
            [Figures(number=2, total=50, squares=250, ahead=2), *[INSIDE] * 9],
            None,
            id="sums-that-are-ahead-when-the-first-events-come",
        ),
    ],
)
def test_first_outside(mean: Mean, cells: Sequence[Figures], expected: tuple[int, str] | None) -> None:
    assert first_outside(mean, cells) == expected


rows = st.lists(st.lists(st.floats(-3, 7), max_size=8), max_size=20)
ranges = st.tuples(st.floats(-3, 2), st.floats(2.5, 7))


@given(rows, ranges)
def test_figures_inside_are_never_called_outside(figures: list[list[float]], ends: tuple[float, float]) -> None:
    low, high = ends
    mean = replace(REVENUE, low=low, high=high)
    inside = [cell(*(min(max(each, low), high) for each in row)) for row in figures]
    assert first_outside(mean, inside) is None


@given(st.lists(st.floats(1, 5), min_size=40, max_size=40), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_nor_are_those_whose_sums_are_read_later(figures: list[float], ahead: list[int]) -> None:
    """Cells of ten events each; at the end of one the sums may have some of the next in them already."""
    ends = [(10 * n, 10 * n + more) for n, more in zip(range(1, 5), ahead, strict=True)]
    cells, counted, summed = [], 0, 0
    for by_number, by_sum in ends:
        both = cell(*figures[summed:by_sum])
        cells.append(replace(both, number=by_number - counted))
        counted, summed = by_number, by_sum
    assert first_outside(RATINGS, cells) is None


@given(rows, rows)
def test_I9_later_cells_change_nothing(before: list[list[float]], later: list[list[float]]) -> None:
    mean = replace(REVENUE, low=0, high=1)
    cells = [cell(*row) for row in (*before, *later)]
    then, now = first_outside(mean, cells[: len(before)]), first_outside(mean, cells)
    assert now == then or (then is None and now is not None and now[0] >= len(before))
