"""Dates, times of day and time zones as people write them in YAML. Their form is the schema's; whether there is such a
day is seen here."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidegate.core.shown import shown


def zone(value: object) -> str:
    """The name of a time zone. Raises ValueError where there is none of this name."""
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{shown(value)} is not a time zone such as Europe/Berlin") from None


def time_of_day(value: object) -> time:
    return time.fromisoformat(str(value))


def local(value: object) -> datetime:
    """A date, or a date and time, by some local clock. Raises ValueError for a day that no month has."""
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"there is no {shown(value)}: such a day or time does not exist") from None


def instant(value: object) -> datetime:
    """A date and time with its offset from UTC. Raises ValueError as `local` does, and without an offset."""
    at = local(value)
    if at.tzinfo is None:
        raise ValueError(f"{shown(value)} lacks its offset from UTC, such as Z or +01:00")
    return at
