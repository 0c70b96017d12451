"""Rules about freeze windows: those that never hold, and those that leave no time at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time, timedelta

from tidegate.core import instants
from tidegate.core.checks.clock import there_is, there_is_zone
from tidegate.core.checks.effective import understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Settings
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity

FREEZE_NEVER_HOLDS = Rule(
    id="freeze-never-holds",
    title="A freeze window that never holds",
    why="It ends no later than it begins, so that promotions go on through it. `until` is the first instant that is "
    "free again: a freeze through the 27th is `until` the 28th.",
    bad="# tidegate.yaml\nfreeze: [{from: '2026-12-24', until: '2026-12-24', reason: holidays}]",
    good="# tidegate.yaml\nfreeze: [{from: '2026-12-24', until: '2026-12-25', reason: holidays}]",
)

FREEZE_ALWAYS_HOLDS = Rule(
    id="freeze-always-holds",
    severity=Severity.WARNING,
    title="A freeze without an end",
    why="Windows that cover the whole week, or one that lasts longer than a year, leave no time in which anything is "
    "promoted. If that is meant, `hold` says it with a reason and is lifted in one place.",
    bad="# tidegate.yaml\nfreeze: [{days: [mon, tue, wed, thu, fri, sat, sun], reason: quiet}]",
    good="# tidegate.yaml\nfreeze: [{days: [sat, sun], reason: quiet}]",
)

RULES = (FREEZE_NEVER_HOLDS, FREEZE_ALWAYS_HOLDS)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _WEEK, _LONGEST = timedelta(days=1), timedelta(days=7), timedelta(days=366)
_GAP = timedelta(minutes=1)
"""23:59 is how people write the end of a day."""
_HINTED = 20
"""So many windows are told which time zone was meant; who has more has another problem."""


def windows_hold_at_times(settings: Settings) -> Iterator[Fault]:
    """Each freeze window by itself, and all of them together."""
    windows = settings.data.get("freeze", ())
    for index, window in enumerate(windows):
        if "timeZone" in window:
            yield from there_is_zone(window["timeZone"], ("freeze", index, "timeZone"), hinted=index < _HINTED)
        if "days" not in window:
            yield from _once(window, ("freeze", index))
    yield from _weekly(windows)


def _once(window: Data, way: Way) -> Iterator[Fault]:
    for key in ("from", "until"):
        if key in window:
            yield from there_is(instants.local, window[key], (*way, key))
    start, end = (understood(instants.local, window.get(key)) for key in ("from", "until"))
    if start is None or end is None:
        return
    if end <= start:
        message = f"it ends {'when' if end == start else 'before'} it begins: until {window['until']}"
        yield FREEZE_NEVER_HOLDS.at((*way, "until"), message, "write the first day that is free again")
    elif end - start > _LONGEST:
        message = f"it holds for {(end - start).days} days"
        yield FREEZE_ALWAYS_HOLDS.at((*way, "until"), message, "write `hold` with a reason, if that is meant")


def _weekly(windows: Sequence[Data]) -> Iterator[Fault]:
    """Weekly windows of one time zone that leave nothing of the week."""
    by_zone: dict[str, list[int]] = {}
    for index, window in enumerate(windows):
        if "days" in window:
            by_zone.setdefault(window.get("timeZone", "UTC"), []).append(index)
    for mine in by_zone.values():
        spans = sorted(span for index in mine for span in _spans(windows[index]))
        if spans and _cover_the_week(spans):
            way: Way = ("freeze", mine[0]) if len(mine) == 1 else ("freeze",)
            message = "the whole week is frozen: nothing is ever promoted"
            yield FREEZE_ALWAYS_HOLDS.at(way, message, "leave some time, or write `hold` with a reason")


def _spans(window: Data) -> Iterator[tuple[timedelta, timedelta]]:
    """Times since Monday; those of the week before as well, for windows that go past its end."""
    opens = understood(instants.time_of_day, window.get("from", "00:00"))
    closes = understood(instants.time_of_day, window.get("until", "23:59"))
    if opens is None or closes is None:
        return
    start, end = _since_midnight(opens), _since_midnight(closes)
    end = end if end > start else end + _DAY
    for day in window["days"]:
        monday = _DAYS.index(day) * _DAY
        for week in (-_WEEK, timedelta(0)):
            yield week + monday + start, week + monday + end


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _cover_the_week(spans: Sequence[tuple[timedelta, timedelta]]) -> bool:
    reached = timedelta(0)
    for start, end in spans:
        if start > reached + _GAP:
            return False
        reached = max(reached, end)
    return reached + _GAP >= _WEEK
