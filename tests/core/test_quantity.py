"""Shares: a percentage and a fraction that mean the same are the same number. Durations: as people write them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.quantity import LONGEST, duration, share, show_duration, write_duration

MS = timedelta(milliseconds=1)


@given(st.decimals(min_value=0, max_value=100, places=4))
def test_a_percentage_is_its_fraction(percentage: Decimal) -> None:
    assert share(f"{percentage}%") == share(str(percentage / 100)) == float(percentage / 100)


def test_nines() -> None:
    assert share("99.9%") == 0.999
    assert share("99.99%") == 0.9999


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        pytest.param(timedelta(0), "0s", id="nothing"),
        pytest.param(timedelta(milliseconds=250), "250ms", id="a-quarter-second"),
        pytest.param(timedelta(seconds=90), "1m30s", id="two-units"),
        pytest.param(timedelta(hours=24), "24h", id="a-day-is-24h"),
        pytest.param(timedelta(hours=36, minutes=5), "36h5m", id="hours-below-two-days"),
        pytest.param(timedelta(hours=48), "2d", id="days-from-two-on"),
        pytest.param(timedelta(days=7), "7d", id="no-weeks"),
        pytest.param(timedelta(days=15), "15d", id="fifteen-days"),
        pytest.param(timedelta(days=30), "30d", id="a-window"),
        pytest.param(timedelta(days=60, hours=3, minutes=7), "60d3h", id="behind-two-units-nobody-reads"),
    ],
)
def test_durations_are_shown_as_people_write_them(length: timedelta, shown: str) -> None:
    assert show_duration(length) == shown


@pytest.mark.parametrize(
    ("length", "text"),
    [
        pytest.param(timedelta(hours=1, minutes=1, seconds=1), "1h1m1s", id="three-units"),
        pytest.param(timedelta(seconds=1.5), "1s500ms", id="a-part-of-a-second"),
        pytest.param(timedelta(days=60, minutes=7), "60d7m", id="a-unit-in-between-is-missing"),
    ],
)
def test_a_setting_loses_nothing_when_it_is_written(length: timedelta, text: str) -> None:
    assert write_duration(length) == text


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST).map(lambda length: length // MS * MS))
def test_what_is_written_is_read_as_the_same(length: timedelta) -> None:
    assert duration(write_duration(length)) == length
