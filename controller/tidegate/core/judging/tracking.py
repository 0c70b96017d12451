"""Raw samples to increases: every series behind an objective, by version and target.

Cutting them into cells is `counts`' work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from tidegate.core.judging.beginnings import Beginnings
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Counters, ObjectiveReadings
from tidegate.core.manifest import Objective
from tidegate.core.quantity import write_duration

_NOT_ASKED = Unread(why=Why.NO_DATA, words="was not asked for")
_NEVER_ASKED = ObjectiveReadings(bad=_NOT_ASKED, total=_NOT_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series as known: when its target (`source`) was scraped, its first sample, and the increases (at, by)."""

    source: object
    times: Sequence[float]
    since: float
    increments: Sequence[tuple[float, float]]


Tracks: TypeAlias = Mapping[int, Sequence[Track]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One objective's series as increases, by version. `counted` is good events where the objective counts those."""

    objective: Objective
    totals: Tracks
    counted: Tracks
    squares: Tracks | None = None

    @property
    def inverted(self) -> bool:
        mean = self.objective.mean
        return mean.higher_is_better if mean else self.objective.bad is None

    def only(self, version: int) -> Tracked:
        squares = None if self.squares is None else {version: self.squares[version]}
        return replace(
            self, totals={version: self.totals[version]}, counted={version: self.counted[version]}, squares=squares
        )

    def at_target(self, version: int, target: object) -> Tracked:
        """What one target has of a version."""

        def there(tracks: Tracks) -> Tracks:
            return {version: [track for track in tracks[version] if track.source == target]}

        squares = None if self.squares is None else there(self.squares)
        return replace(self, totals=there(self.totals), counted=there(self.counted), squares=squares)

    def absent(self, now: float) -> str:
        """Why nothing can be counted. Absent bad events are none; absent good ones would make every event a bad one,
        and of one version alone they may be just that. A sum that is absent says nothing of what it adds up."""
        here = [version for version, tracks in self.totals.items() if known_since(tracks) <= now]
        if not here:
            return f"no total events of {_named(list(self.totals))}"
        if self.objective.under is not None:
            bare, bound = _not_known(here, self.counted, now), write_duration(self.objective.under)
            return f"the histogram of {_named(bare)} has no bucket at {bound}" if bare else ""
        if self.objective.mean is not None and (bare := _not_known(here, self.counted, now)):
            return f"no sum of {_named(bare)}: does the selector match any series?"
        if self.squares is not None and (bare := _not_known(here, self.squares, now)):
            return f"no sum of squares of {_named(bare)}: does the selector match any series?"
        if self.objective.good is not None and all(known_since(tracks) > now for tracks in self.counted.values()):
            return f"no good events of {_named(list(self.totals))}: does the selector match any series?"
        return ""


class Follower:
    """Follows the series behind a question's readings; one that several objectives share only once."""

    def __init__(self, counters: Counters, label: str, versions: Sequence[int]) -> None:
        self._counters, self._label, self._versions = counters, label, versions
        readings = [reading for each in counters.objectives.values() for reading in (each.total, each.bad)]
        self._scraped = _scraped(reading for reading in (*readings, counters.up) if isinstance(reading, Sampled))
        every = (*readings, *(each.squares for each in counters.objectives.values()))
        up = counters.up if isinstance(counters.up, Sampled) else None
        self._beginnings = Beginnings((each for each in every if isinstance(each, Sampled)), up, label)
        self._known: dict[int, Tracks] = {}

    def follow(self, objective: Objective) -> Tracked | Unread:
        """The series of each version, or why they could not be read."""
        readings = self._counters.objectives.get(objective.name, _NEVER_ASKED)
        if isinstance(readings.total, Unread):
            return readings.total
        if isinstance(readings.bad, Unread):
            return readings.bad
        if isinstance(self._counters.up, Unread):
            return self._counters.up
        if isinstance(readings.squares, Unread):
            return readings.squares
        squares = None if readings.squares is None else self._tracks(readings.squares)
        return Tracked(
            objective=objective,
            totals=self._tracks(readings.total),
            counted=self._tracks(readings.bad),
            squares=squares,
        )

    def _tracks(self, reading: Sampled) -> Tracks:
        if id(reading) not in self._known:
            self._known[id(reading)] = self._followed(reading)
        return self._known[id(reading)]

    def _followed(self, reading: Sampled) -> Tracks:
        tracks: dict[int, list[Track]] = {version: [] for version in self._versions}
        by_text = {str(version): version for version in self._versions}
        for series in reading.series:
            version = by_text.get(series.labels.get(self._label, ""))
            scraped = self._scraped.get(_target(series), ())
            if version is not None and (track := _track(series, scraped, self._beginnings)) is not None:
                tracks[version].append(track)
        return tracks


def known_since(tracks: Iterable[Track]) -> float:
    """When the first of them had a sample."""
    return min((track.since for track in tracks), default=math.inf)


def _not_known(versions: Iterable[int], tracks: Tracks, now: float) -> list[int]:
    return [version for version in versions if known_since(tracks[version]) > now]


def _named(versions: Sequence[int]) -> str:
    return " and ".join(f"version {version}" for version in versions)


def _target(series: Series) -> tuple[str, str]:
    return series.labels.get("job", ""), series.labels.get("instance", "")


def _scraped(readings: Iterable[Sampled]) -> dict[tuple[str, str], list[float]]:
    """When each target is known to have been scraped: `up` was 1, or another of its series has a sample.

    A scrape that brought no number is one that is missing.
    """
    seen: dict[tuple[str, str], set[float]] = {}
    without: dict[tuple[str, str], set[float]] = {}
    for reading in readings:
        for series in reading.series:
            if (target := _target(series))[1]:
                alive = series.labels.get("__name__") != "up"
                seen.setdefault(target, set()).update(t for t, v in series.samples if alive or v == 1)
                without.setdefault(target, set()).update(t for t, v in series.samples if not math.isfinite(v))
    return {target: sorted(times - without[target]) for target, times in seen.items()}


def _track(series: Series, scraped: Sequence[float], beginnings: Beginnings) -> Track | None:
    """The series' increments, from what it began at. A target that is scraped while one of its series is absent is no
    gap: a label set may appear with its first event."""
    samples = [(at, value) for at, value in series.samples if math.isfinite(value)]
    if not samples:
        return None
    since = samples[0][0]
    if (began := beginnings.of(series)) is not None:
        samples.insert(0, (began.known, began.value))
    return Track(
        source=_target(series) if scraped else frozenset(series.labels.items()),
        times=scraped or [at for at, _ in samples],
        since=since,
        # A counter that fell was reset to 0 in between, and what it shows now came after that.
        increments=[(t, v - u if v >= u else v) for (_, u), (t, v) in pairwise(samples)],
    )
