"""Rules about days, times and time zones that do not exist; schedules and windows ask here about theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tidegate.core import instants
from tidegate.core.checks import form
from tidegate.core.checks.effective import understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, PinFile, Settings, section
from tidegate.core.fault import Fault, Way
from tidegate.core.nearest import nearest
from tidegate.core.shown import shown

UNKNOWN_TIME_ZONE = Rule(
    id="unknown-time-zone",
    title="A time zone that is not there",
    why="Names are those of the IANA time zone database, such as `Europe/Berlin`, with their capitals. `UTC` is one of "
    "them; abbreviations such as `CEST` and offsets are none, because clocks change.",
    bad="# tidegate.yaml\nfreeze: [{days: [fri], from: '16:00', timeZone: Europe/Berln}]",
    good="# tidegate.yaml\nfreeze: [{days: [fri], from: '16:00', timeZone: Europe/Berlin}]",
)

RULES = (UNKNOWN_TIME_ZONE,)


def hold_ends(manifest: Manifest) -> Iterator[Fault]:
    """The end of a hold is an instant."""
    yield from _hold(section(manifest.spec, "hold"), ("spec", "hold"))


def pin_hold_ends(pin: PinFile) -> Iterator[Fault]:
    yield from _hold(section(pin.data, "hold"), ("hold",))


def workspace_hold_ends(settings: Settings) -> Iterator[Fault]:
    yield from _hold(section(settings.data, "hold"), ("hold",))


def _hold(hold: Data, way: Way) -> Iterator[Fault]:
    if "until" in hold:
        yield from there_is(instants.instant, hold["until"], (*way, "until"))


def there_is(convert: Callable[[Any], object], value: str, way: Way) -> Iterator[Fault]:
    """Whether the date or time of day exists."""
    if understood(convert, value) is None:
        yield form.VALUE.at(way, f"there is no {shown(value)[1:-1]}: no such day or time", "write one that exists")


def there_is_zone(name: str, way: Way, *, hinted: bool = True) -> Iterator[Fault]:
    """Whether the time zone exists. With a hint it takes a while: a file may hold thousands of zones."""
    if not (understood(instants.zone, name) if hinted else name in _zones()):
        meant = _meant(name) if hinted else None
        hint = f"did you mean {meant}?" if meant else "write a name such as Europe/Berlin, or UTC"
        yield UNKNOWN_TIME_ZONE.at(way, f"there is no time zone {shown(name)}", hint)


def _meant(name: str) -> str | None:
    """An abbreviation such as CEST is like many others, and means none of them."""
    if name.upper() in _zones():
        return name.upper()
    return nearest(name, _zones()) if "/" in name or len(name) > len("CEST") else None


@cache
def _zones() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones())
