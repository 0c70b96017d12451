"""What was read from Prometheus: raw samples, or exactly why there are none. Missing is never health nor failure
(I3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Why(Enum):
    """Why an indicator could not be read."""

    UNREACHABLE = "unreachable"
    PARTIAL = "partial"
    ERROR = "error"
    NO_DATA = "no data"
    STALE = "stale"
    HISTORY_LOST = "history lost"
    TOO_COARSE = "resolution shorter than two scrapes"
    SEVERAL = "several series"
    NAN = "NaN"
    OUT_OF_RANGE = "figures outside range"
    NATIVE = "native histogram"
    UNLABELLED = "too few labels"
    SELECTIVE = "selective labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A reading that could not be had, in the source's own words where it has any (never with credentials)."""

    why: Why
    words: str = ""

    def __str__(self) -> str:
        return f"{self.why.value}: {self.words}" if self.words else self.why.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One time series: its labels and raw samples (seconds since the epoch, value), oldest first."""

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The raw samples of every series behind one selector, over [start, end]. `native`: some were native histograms,
    which have no samples of this kind."""

    series: tuple[Series, ...]
    start: datetime
    end: datetime
    native: bool = False
