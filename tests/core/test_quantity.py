"""Shares: a percentage and a fraction that mean the same are the same number."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.quantity import share


@given(st.decimals(min_value=0, max_value=100, places=4))
def test_a_percentage_is_its_fraction(percentage: Decimal) -> None:
    assert share(f"{percentage}%") == share(str(percentage / 100)) == float(percentage / 100)


def test_nines() -> None:
    assert share("99.9%") == 0.999
    assert share("99.99%") == 0.9999
