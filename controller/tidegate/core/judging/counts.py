"""Raw samples to counts on a fixed grid: what happened in each cell, per version (DESIGN.md section 6).

Cells are multiples of the resolution since the Unix epoch, so that no reader's clock moves them. Whatever is said of a
cell depends only on samples up to its end: once it is judged, later samples change nothing (I9). What the counts mean
is `comparison`'s and `judgement`'s work.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import ObjectiveReadings, Tally
from tidegate.core.manifest import Objective

_SPACINGS = 30
"""The scrape interval is the median of so many spacings, the earliest ones: more would let later samples move it."""

LEAD_CELLS = 5
"""So many cells before the first are read as well: baselines of counters, and scrapes enough to tell their interval."""

_MISSED = 1.5
"""A scrape is missing when the last sample is older than so many scrapes: they come a little late at times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Which cells are cut, in seconds since the epoch: whole ones from `start`, over `resolution`, as of `now`."""

    start: float
    now: float
    resolution: float
    version_label: str

    @property
    def first(self) -> int:
        return math.ceil(self.start / self.resolution)

    def cell(self, at: float) -> int:
        return math.floor(at / self.resolution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One version in one cell. `observed`: it was scraped in it; `gap`: a scrape is missing at one of its ends."""

    start: float
    tally: Tally
    observed: bool
    gap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version's judged cells, oldest first. `began` and `newest` are the first and last instants it is known at."""

    cells: tuple[Cell, ...]
    began: float | None
    newest: float | None
    first_bad: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Track:
    """One series as known: when its target (`source`) was scraped, and the increases seen (at, by)."""

    source: object
    times: tuple[float, ...]
    increments: tuple[tuple[float, float], ...]


_Tracks: TypeAlias = Mapping[int, Sequence[_Track]]


class Scrapes:
    """The scrape interval as it could be known at any instant, from the earliest spacings between samples."""

    def __init__(self, times: Iterable[Sequence[float]], otherwise: float) -> None:
        spacings = sorted((b, b - a) for own in times for a, b in pairwise(own[: _SPACINGS + 1]))
        self._ends = [end for end, _ in spacings[:_SPACINGS]]
        self._known = [spacing for _, spacing in spacings[:_SPACINGS]]
        self._otherwise = otherwise
        self._medians: dict[int, float] = {}

    def by(self, at: float) -> float:
        number = bisect_left(self._ends, at)
        if number not in self._medians:
            self._medians[number] = median(self._known[:number]) if number else self._otherwise
        return self._medians[number]


def count(
    objective: Objective,
    readings: ObjectiveReadings,
    up: Sampled | Unread | None,
    frame: Frame,
    versions: Sequence[int],
) -> Mapping[int, Arm] | Unread:
    """The judged cells of each version, or why there are none. Every arm has the same cells.

    A cell is judged once two scrapes have passed since its end: by then its last scrape is in.
    """
    total, counted = readings.total, readings.bad
    if isinstance(total, Unread):
        return total
    if isinstance(counted, Unread):
        return counted
    if isinstance(up, Unread):
        return up
    scraped = _scraped([total, counted] if up is None else [total, counted, up])
    totals = _tracks(total, frame.version_label, versions, scraped)
    return _cut(objective, totals, _tracks(counted, frame.version_label, versions, scraped), frame)


def too_coarse(frame: Frame, scrapes: Scrapes) -> Unread | None:
    """Why cells of this size cannot be filled from scrapes this far apart; a tenth is left to jitter."""
    scrape = scrapes.by(frame.now)
    if 2 * scrape <= 1.1 * frame.resolution:
        return None
    words = f"scraped every {scrape:g} s, while the resolution is {frame.resolution:g} s"
    return Unread(why=Why.TOO_COARSE, words=words)


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _cut(objective: Objective, totals: _Tracks, counted: _Tracks, frame: Frame) -> Mapping[int, Arm] | Unread:
    if missing := _absent(objective, totals, counted):
        return Unread(why=Why.NO_DATA, words=missing)
    # A window that begins earlier, as probation's does more and more, must not change what is said of a cell.
    earliest = frame.start - LEAD_CELLS * frame.resolution
    sources = {track.source: track.times for tracks in totals.values() for track in tracks}
    scrapes = Scrapes([times[bisect_left(times, earliest) :] for times in sources.values()], frame.resolution / 2)
    if coarse := too_coarse(frame, scrapes):
        return coarse
    last, inverted = judged_to(frame, scrapes), objective.bad is None
    return {v: _arm(totals[v], counted[v], frame, scrapes, (last, inverted)) for v in totals}


def _named(versions: Sequence[int]) -> str:
    return " and ".join(f"version {version}" for version in versions)


def _absent(objective: Objective, totals: _Tracks, counted: _Tracks) -> str:
    """Why nothing can be counted. Absent bad events are none; absent good ones would make every event a bad one."""
    if not any(totals.values()):
        return f"no total events of {_named(list(totals))}"
    if objective.histogram is not None:
        bare = [version for version, tracks in totals.items() if tracks and not counted[version]]
        return f"the histogram of {_named(bare)} has no bucket at the objective's bound" if bare else ""
    if objective.good is not None and not any(counted.values()):
        return f"no good events of {_named(list(totals))}: does the selector match any series?"
    return ""


def judged_to(frame: Frame, scrapes: Scrapes) -> int:
    """The index after the last judged cell: it ended two scrapes ago."""
    index = frame.first
    while (end := (index + 1) * frame.resolution) + 2 * scrapes.by(end) <= frame.now:
        index += 1
    return index


def _target(series: Series) -> tuple[str, str]:
    return series.labels.get("job", ""), series.labels.get("instance", "")


def _scraped(readings: Iterable[Sampled]) -> dict[tuple[str, str], list[float]]:
    """When each target is known to have been scraped: `up` was 1, or another of its series has a sample."""
    seen: dict[tuple[str, str], set[float]] = {}
    for reading in readings:
        for series in reading.series:
            if (target := _target(series))[1]:
                alive = series.labels.get("__name__") != "up"
                seen.setdefault(target, set()).update(t for t, v in series.samples if alive or v == 1)
    return {target: sorted(times) for target, times in seen.items()}


def _tracks(
    reading: Sampled, label: str, versions: Sequence[int], scraped: Mapping[tuple[str, str], Sequence[float]]
) -> dict[int, list[_Track]]:
    tracks: dict[int, list[_Track]] = {version: [] for version in versions}
    by_text = {str(version): version for version in versions}
    for series in reading.series:
        version = by_text.get(series.labels.get(label, ""))
        if version is not None and (track := _track(series, scraped.get(_target(series), ()))) is not None:
            tracks[version].append(track)
    return tracks


def _track(series: Series, scraped: Sequence[float]) -> _Track | None:
    """The series' increments. It began at 0 if its target was scraped before without it; else the first is a baseline.

    A target that is scraped while one of its series is absent is no gap: a label set may appear with its first event.
    """
    samples = [(at, value) for at, value in series.samples if math.isfinite(value)]
    if not samples:
        return None
    if (before := bisect_left(scraped, samples[0][0])) > 0:
        samples.insert(0, (scraped[before - 1], 0.0))
    return _Track(
        source=_target(series) if scraped else frozenset(series.labels.items()),
        times=tuple(scraped) if scraped else tuple(at for at, _ in samples),
        # A counter that fell was reset to 0 in between, and what it shows now came after that.
        increments=tuple((t, v - u if v >= u else v) for (_, u), (t, v) in pairwise(samples)),
    )


def _arm(
    totals: Sequence[_Track], counted: Sequence[_Track], frame: Frame, scrapes: Scrapes, cut: tuple[int, bool]
) -> Arm:
    last, inverted = cut
    total, other = _cells(totals, frame), _cells(counted, frame)
    sources = {track.source: track.times for track in totals}
    gaps = {index for times in sources.values() for index in _gaps(times, frame, scrapes)}
    observed = {frame.cell(at) for times in sources.values() for at in times}
    cells = []
    for index in range(frame.first, last):
        events = total.get(index, 0.0)
        bad = max(events - other.get(index, 0.0), 0.0) if inverted else other.get(index, 0.0)
        tally = Tally(bad=min(bad, events), total=events)
        start = index * frame.resolution
        cells.append(Cell(start=start, tally=tally, observed=index in observed, gap=index in gaps))
    return Arm(
        cells=tuple(cells),
        began=min((track.times[0] for track in totals), default=None),
        newest=max((track.times[-1] for track in totals), default=None),
        first_bad=_first_bad(cells, (totals, counted), frame, inverted),
    )


def _cells(tracks: Iterable[_Track], frame: Frame) -> dict[int, float]:
    """Events per cell. An increment belongs to the cell in which it was seen: no event is split or lost."""
    cells: dict[int, float] = {}
    for track in tracks:
        for at, increment in track.increments:
            index = frame.cell(at)
            cells[index] = cells.get(index, 0.0) + increment
    return cells


def _gaps(times: Sequence[float], frame: Frame, scrapes: Scrapes) -> Iterable[int]:
    """Cells at whose ends a target was not scraped as it should have been; one that is gone is no gap for long.

    Only samples up to the end of a cell speak about it.
    """
    for at, after in pairwise([*times, math.inf]):
        index, end = frame.cell(at), (frame.cell(at) + 1) * frame.resolution
        if after < end:
            continue
        missed = end - at > _MISSED * scrapes.by(end)
        following = math.isinf(after) or frame.cell(after) > index + 1
        if missed or following:
            yield index if missed else index + 1
        if math.isfinite(after):
            back = frame.cell(after)
            if back * frame.resolution - at > _MISSED * scrapes.by((back + 1) * frame.resolution):
                yield back


def _first_bad(
    cells: Sequence[Cell], tracks: tuple[Sequence[_Track], Sequence[_Track]], frame: Frame, inverted: bool
) -> float | None:
    """When a bad event was first seen: the sample that showed it, in the first judged cell that has one."""
    first = next((cell for cell in cells if cell.tally.bad > 0), None)
    if first is None:
        return None
    increase: dict[float, float] = {}
    totals, counted = tracks
    for sign, side in ((-1.0 if inverted else 1.0, counted), (1.0 if inverted else 0.0, totals)):
        for track in side:
            for at, increment in track.increments:
                if first.start <= at < first.start + frame.resolution:
                    increase[at] = increase.get(at, 0.0) + sign * increment
    return min((at for at, bad in increase.items() if bad > 0), default=first.start)
