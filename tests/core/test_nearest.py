"""Which of the known names was meant."""

from __future__ import annotations

import time
from collections.abc import Collection
from zoneinfo import available_timezones

import pytest

from tidegate.core.nearest import nearest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        pytest.param("dept", ["depth", "width"], "depth", id="a letter too few"),
        pytest.param("batchsize", ["batch_size", "batch_seed"], "batch_size", id="an underscore too few"),
        pytest.param("htpp-availability", ["http-availability"], "http-availability", id="letters in another order"),
        pytest.param("europe/berlin", ["Europe/Berlin", "Europe/Paris"], "Europe/Berlin", id="other capitals"),
        pytest.param("Europe/Berln", ["Europe/Paris", "Europe/Berlin"], "Europe/Berlin", id="the closest of two"),
        pytest.param("Europe/Berln", available_timezones(), "Europe/Berlin", id="the closest of hundreds"),
        pytest.param("Amerika/New_York", available_timezones(), "America/New_York", id="the same from the end"),
        pytest.param("zebra", ["depth", "width"], None, id="like no other"),
        pytest.param("depth", [], None, id="nothing is known"),
        pytest.param("12", [12, None, "123"], "123", id="keys that are no text"),
        pytest.param("", ["a"], None, id="no name"),
        pytest.param("a" * 101, ["a" * 102], None, id="too long to be looked at"),
        pytest.param("a1", [f"a{i}" for i in range(2, 2000)], None, id="too many to be looked at"),
    ],
)
def test_nearest(name: str, known: Collection[object], meant: str | None) -> None:
    assert nearest(name, known) == meant


def test_the_order_of_the_known_names_changes_nothing() -> None:
    zones = sorted(available_timezones())
    for name in ("Europe/Berln", "Europe/Zurch", "Asia/Calcuta", "Amerika/New_York"):
        assert nearest(name, zones) == nearest(name, zones[::-1]) == nearest(name, frozenset(zones))


def test_thousands_of_unknown_names_take_no_time() -> None:
    known = [f"parameter_{number}" for number in range(300)]
    began = time.process_time()
    for number in range(1000):
        nearest(f"parametr_{number}", known)
    assert time.process_time() - began < 5
