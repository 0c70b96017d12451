"""When a freeze window stops promotions next, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tidegate.core.planning.plan import Window
from tidegate.core.workspace import Freeze, Workspace

_DAYS = range(-2, 16)
"""Around an instant: a weekly window opens within a week, ends on the next day, and its zone may be a day ahead."""


def next_window(workspace: Workspace, now: datetime) -> Window | None:
    """The window that covers `now`, else the one that opens first; None without any to come."""
    current = workspace.frozen(now)
    if current is not None:
        return _window(current, now, workspace, now=True)
    openings = [(start, freeze) for freeze in workspace.freezes for start in _openings(freeze, now)]
    if not openings:
        return None
    start, freeze = min(openings, key=lambda opening: opening[0])
    return _window(freeze, start, workspace, now=False)


def _openings(freeze: Freeze, now: datetime) -> Iterator[datetime]:
    """The instants after `now` at which the window opens; of a weekly one those of the days ahead."""
    if freeze.start is not None:
        starts = [freeze.start.astimezone(UTC)]
    else:
        zone, today = ZoneInfo(freeze.zone), now.astimezone(ZoneInfo(freeze.zone)).date()
        days = (today + timedelta(days=day) for day in _DAYS)
        starts = [datetime.combine(day, freeze.opens, zone).astimezone(UTC) for day in days]
    return (start for start in starts if start > now and freeze.covers(start))


def _window(freeze: Freeze, start: datetime, workspace: Workspace, *, now: bool) -> Window:
    zone = ZoneInfo(freeze.zone)
    closings = sorted(closing for each in workspace.freezes for closing in _closings(each, start))
    end = next((closing for closing in closings if workspace.frozen(closing) is None), None)
    return Window(
        start=start.astimezone(zone), end=end.astimezone(zone) if end else None, reason=freeze.reason, now=now
    )


def _closings(freeze: Freeze, start: datetime) -> Iterator[datetime]:
    """The full minutes behind `start` at which the window closes: those that touch another window are no end."""
    if freeze.end is not None:
        ends = [freeze.end.astimezone(UTC)]
    else:
        zone, today = ZoneInfo(freeze.zone), start.astimezone(ZoneInfo(freeze.zone)).date()
        local = [datetime.combine(today + timedelta(days=day), freeze.closes, zone) for day in _DAYS]
        ends = [max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC)) for end in local]
    return (minute for minute in map(_full_minute, ends) if minute > start)


def _full_minute(at: datetime) -> datetime:
    """The instant, or the next full minute: a day that ends at 23:59:59.999999 touches the next one."""
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=1)
