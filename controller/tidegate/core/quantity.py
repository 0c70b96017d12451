"""Durations, percentages and version pins, as people write them in YAML and as we print them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SECOND = timedelta(seconds=1)
_WRITTEN = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": _SECOND,
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
LONGEST = timedelta(days=36_525)
"""Nothing here lasts longer, and every sum of it with a date is a date."""
_PIN = re.compile(r"([1-9]\d*)@(sha256:[0-9a-f]{64})")


def duration(value: object) -> timedelta:
    """`30m`, `1h30m`, `250ms`; a bare number is refused, because its unit could only be guessed."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a duration such as 30s, 15m or 1h30m")
    return _length(value)


@lru_cache(maxsize=2048)
def _length(text: str) -> timedelta:
    """Files say the same few durations over and over."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 30s, 15m or 1h30m")
    seconds = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text))
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text[:60]!r} is longer than a century")
    return timedelta(seconds=seconds)


def share(value: object) -> float:
    """A share from 0 to 1: `99.5%` and `0.995` mean the same."""
    text = value if isinstance(value, str) else ""
    number = _hundredth(text[:-1]) if text.endswith("%") else _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{value!r} is not between 0% and 100%")
    return number


def _hundredth(text: str) -> float:
    """Rounded once: 99.9 / 100 is not 0.999, and two spellings of one share must be one."""
    hundred = _number(text)
    return hundred / 100 if "e" in text.lower() or not math.isfinite(hundred) else float(f"{text}e-2")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a number or a percentage such as 99.5%")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a number or a percentage such as 99.5%") from None


def show_share(value: float) -> str:
    """`0.1` is `10%`."""
    return f"{round(value * 100, 6):g}%"


def show_duration(value: timedelta) -> str:
    """For a sentence, in at most two units: `1m30s`, `24h`, `36h`, `15d`, a quarter second `250ms`. Nobody calls 30
    days `4w2d`."""
    near = value if value < _SECOND else timedelta(seconds=round(value.total_seconds()))
    return "".join(_words(near)[:2]) or "0s"


def write_duration(value: timedelta) -> str:
    """For a setting: in as many units as it takes down to a millisecond, so that it is read as the same."""
    return "".join(_words(value)) or "0s"


def _words(value: timedelta) -> list[str]:
    """In days from two of them on, else in hours and less."""
    units = _WRITTEN if value >= 2 * _WRITTEN["d"] else {name: unit for name, unit in _WRITTEN.items() if name != "d"}
    rest, words = value, []
    for name, unit in units.items():
        count, rest = divmod(rest, unit)
        if count:
            words.append(f"{count}{name}")
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPin:
    """A model version and the digest of its bytes: `12@sha256:…`."""

    version: int
    digest: str

    @classmethod
    def parse(cls, value: object) -> VersionPin:
        match = _PIN.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{value!r} is not a pin such as 12@sha256:<64 hex digits>")
        return cls(version=int(match[1]), digest=match[2])

    def __str__(self) -> str:
        return f"{self.version}@{self.digest}"
