"""The freeze window that a plan names: the one that is on, or the next one, and its end."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.planning.freezes import next_window
from tidegate.core.workspace import Freeze, Workspace

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = Freeze(zone="Europe/Berlin", reason="fri", days=("fri",), opens=time(16), closes=time(23, 59))
NIGHTS = Freeze(zone="UTC", reason="night", days=("mon", "tue"), opens=time(22), closes=time(6))
WEEKEND = Freeze(zone="UTC", reason="weekend", days=("sat", "sun"))
ALWAYS = Freeze(zone="UTC", reason="always", days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
APRIL = Freeze(
    zone="Europe/Berlin", reason="april",
    start=datetime(2026, 4, 1, tzinfo=BERLIN), end=datetime(2026, 5, 1, tzinfo=BERLIN),
)  # fmt: skip
TONIGHT = Freeze(
    zone="UTC", reason="tonight", start=datetime(2026, 3, 2, 18, tzinfo=UTC), end=datetime(2026, 3, 2, 22, tzinfo=UTC)
)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("freezes", "now", "said"),
    [
        pytest.param((), MONDAY, None, id="none"),
        pytest.param((FRIDAY,), MONDAY, ("fri", at(6, 15), at(6, 22, 59)), id="a-weekly-one-in-its-own-zone"),
        pytest.param((FRIDAY,), at(6, 15), ("fri", at(6, 15), at(6, 22, 59)), id="on-at-its-first-instant"),
        pytest.param((FRIDAY,), at(6, 22, 59), ("fri", at(13, 15), at(13, 22, 59)), id="over-at-its-last"),
        pytest.param((FRIDAY,), at(27, 12), ("fri", at(27, 15), at(27, 22, 59)), id="before-the-clock-changes"),
        pytest.param((FRIDAY,), at(29, 12), ("fri", at(3, 14, month=4), at(3, 21, 59, month=4)), id="after-it"),
        pytest.param((NIGHTS,), MONDAY, ("night", at(2, 22), at(3, 6)), id="past-midnight"),
        pytest.param((NIGHTS,), at(3, 3), ("night", at(3, 3), at(3, 6)), id="in-the-small-hours"),
        pytest.param((WEEKEND,), MONDAY, ("weekend", at(7, 0), at(9, 0)), id="days-that-touch-are-one"),
        pytest.param((TONIGHT, NIGHTS), MONDAY, ("tonight", at(2, 18), at(3, 6)), id="windows-that-touch-are-one"),
        pytest.param((APRIL, FRIDAY), MONDAY, ("fri", at(6, 15), at(6, 22, 59)), id="the-first-to-open"),
        pytest.param((APRIL,), MONDAY, ("april", at(31, 22), at(30, 22, month=4)), id="once"),
        pytest.param((APRIL,), at(2, 0, month=6), None, id="once-and-over"),
        pytest.param((ALWAYS,), MONDAY, ("always", MONDAY, None), id="without-an-end"),
    ],
)
def test_the_window_to_tell_of(
    freezes: tuple[Freeze, ...], now: datetime, said: tuple[str, datetime, datetime | None] | None
) -> None:
    found = next_window(Workspace(freezes=freezes), now)
    assert (found and (found.reason, found.start, found.end)) == said
    assert found is None or found.now == (found.start <= now)


times = st.times().map(lambda value: value.replace(microsecond=0, second=0))
weekly = st.builds(
    Freeze,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland", "America/St_Johns", "Pacific/Apia"]),
    reason=st.just("x"),
    days=st.sets(st.sampled_from(["mon", "wed", "sun"]), min_size=1, max_size=2).map(tuple),
    opens=times,
    closes=times,
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(freezes=st.lists(weekly, min_size=1, max_size=3), now=instants)
def test_it_is_frozen_in_the_window_and_neither_before_nor_at_its_end(freezes: list[Freeze], now: datetime) -> None:
    workspace = Workspace(freezes=tuple(freezes))
    found = next_window(workspace, now)
    assert found is not None
    assert workspace.frozen(found.start) is not None
    assert found.end is not None
    assert workspace.frozen(found.end) is None
    between = (found.start - now) / 7
    assert found.now or all(workspace.frozen(now + step * between) is None for step in range(7))
    inside = (found.end - found.start) / 7
    minutes = (found.start + step * inside for step in range(7))
    assert all(workspace.frozen(minute) is not None for minute in minutes)
    assert found.end - found.start <= timedelta(days=7)
