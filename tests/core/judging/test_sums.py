"""Sums of tallies: any stretch of cells holds what its cells hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.sums import Sums
from tidegate.core.judging.verdict import Tally

COUNTS = st.integers(0, 10**6)
TALLIES = st.lists(st.builds(Tally, bad=COUNTS, total=COUNTS, squares=COUNTS), max_size=20)


@given(TALLIES, st.integers(0, 20), st.integers(0, 20))
def test_a_stretch_holds_what_its_cells_hold(tallies: Sequence[Tally], one: int, other: int) -> None:
    start, end = (min(each, len(tallies)) for each in sorted((one, other)))
    sums = Sums(tallies)
    assert sums.between(start, end) == reduce(add, tallies[start:end], Tally())
    assert sums.first(end) == sums.between(0, end)
