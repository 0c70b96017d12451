"""Increases to counts on a fixed grid: what happened in each cell, per version (DESIGN.md section 6).

Cells are multiples of the resolution since the Unix epoch, so that no reader's clock moves them. Whatever is said of a
cell depends only on samples up to its end: once it is judged, later samples change nothing (I9). So a grid cut once
also tells what was known at any earlier instant. What the counts mean is `comparison`'s and `judgement`'s work.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate, islice, pairwise, zip_longest
from statistics import median
from typing import NamedTuple

from tidegate.core.judging.figures import Figures, first_outside, shares
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.tracking import Track, Tracked
from tidegate.core.judging.verdict import NO_EVENTS, Tally

_SPACINGS = 30
"""The scrape interval is the median of so many spacings, the earliest ones: more would let later samples move it."""

LEAD_CELLS = 5
"""So many cells before the first are read as well: baselines of counters, and scrapes enough to tell their interval."""

_MISSED = 1.5
"""A scrape is missing when the last sample is older than so many scrapes: they come a little late at times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Which cells are cut, in seconds since the epoch: whole ones from `start` to `now`, over `resolution`."""

    start: float
    now: float
    resolution: float

    @property
    def first(self) -> int:
        return math.ceil(self.start / self.resolution)

    @property
    def last(self) -> int:
        """The index after the last cell that is over."""
        return max(self.cell(self.now), self.first)

    @property
    def earliest(self) -> float:
        """A window that begins earlier, as probation's does more and more, must not change what is said of a cell."""
        return self.start - LEAD_CELLS * self.resolution

    def cell(self, at: float) -> int:
        return math.floor(at / self.resolution)


class Cell(NamedTuple):
    """One version in one cell. `observed`: it was scraped in it; `gap`: a scrape is missing at one of its ends.

    A tuple, because there are thousands of them: it is made in half the time.
    """

    start: float
    tally: Tally
    observed: bool
    gap: bool


class Known:
    """A figure that grows with the news (`best` of all so far): what it was by any instant."""

    def __init__(self, news: Iterable[tuple[float, float]], best: Callable[[float, float], float]) -> None:
        ordered = sorted(news)
        self._at = [at for at, _ in ordered]
        self._figures = list(accumulate((figure for _, figure in ordered), best))

    def by(self, at: float) -> float | None:
        number = bisect_right(self._at, at)
        return self._figures[number - 1] if number else None

    @property
    def settled(self) -> float:
        """When the last news came."""
        return self._at[-1] if self._at else -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One target of one version: when it was scraped (in reach of the frame, and last before), and since when it is
    known to have that version."""

    times: Sequence[float]
    last_before: Sequence[float]
    since: float
    began: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version's cells, oldest first. `began` is the first instant it is known at.

    `first_bad` is the first cell with a bad event (counted from the frame's first) and the instant that showed it.
    """

    cells: tuple[Cell, ...]
    began: Known
    sources: Sequence[Source]
    first_bad: tuple[int, float] | None


class Scrapes:
    """The scrape interval as it could be known at any instant, from the earliest spacings between samples."""

    def __init__(self, times: Iterable[Sequence[float]], otherwise: float) -> None:
        spacings = sorted((b, b - a) for own in times for a, b in pairwise(own[: _SPACINGS + 1]))
        self._ends = [end for end, _ in spacings[:_SPACINGS]]
        self._known = [spacing for _, spacing in spacings[:_SPACINGS]]
        self._otherwise = otherwise
        self._medians: dict[int, float] = {}

    @property
    def settled(self) -> float:
        """After this it stays what it is."""
        return self._ends[-1] if self._ends else -math.inf

    def by(self, at: float) -> float:
        number = bisect_left(self._ends, at)
        if number not in self._medians:
            self._medians[number] = median(self._known[:number]) if number else self._otherwise
        return self._medians[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One objective's counters in cells: every arm has the same ones, all that are over by `frame.now`.

    `outside`: the first cell in which figures of a mean are known to leave their range, and what shows it.
    """

    tracked: Tracked
    frame: Frame
    arms: Mapping[int, Arm]
    scrapes: Scrapes
    due: Sequence[float]
    outside: tuple[int, str] | None

    def judged(self, now: float) -> int:
        """How many cells are judged at an instant: they ended two scrapes ago, so that their last scrape is in."""
        return bisect_right(self.due, now)

    def in_range(self, cells: int) -> int:
        """How many of the first cells come before the one whose figures are outside."""
        return cells if self.outside is None else min(cells, self.outside[0])

    @property
    def settled(self) -> float:
        """After this `unread` stays what it is."""
        squares = self.tracked.squares or {}
        by_version = [*self.tracked.totals.values(), *self.tracked.counted.values(), *squares.values()]
        return max([self.scrapes.settled, *(track.since for tracks in by_version for track in tracks)])

    def newest(self, versions: Iterable[int]) -> Known:
        """When any of them was last scraped."""
        sources = [source for version in versions for source in self.arms[version].sources]
        return Known(((max(at, s.since), at) for s in sources for at in (*s.last_before, *s.times)), max)

    def unread(self, now: float) -> Unread | None:
        """Why nothing can be said yet at an instant."""
        if missing := self.tracked.absent(now):
            return Unread(why=Why.NO_DATA, words=missing)
        return too_coarse(self.frame.resolution, self.scrapes.by(now))

    def out_of_range(self, cells: int) -> Unread | None:
        """Why nothing more can be said once so many cells are judged. What was said of those before stays said."""
        if self.outside is None or cells <= self.outside[0]:
            return None
        return Unread(why=Why.OUT_OF_RANGE, words=self.outside[1])


def cut(series: Tracked, frame: Frame) -> Grid:
    """The cells of every version."""
    sources = {version: _sources(tracks, frame) for version, tracks in series.totals.items()}
    scrapes = Scrapes(_together(sources.values()).values(), frame.resolution / 2)
    return Grid(
        tracked=series,
        frame=frame,
        arms={version: _arm(series, version, frame, (own, scrapes)) for version, own in sources.items()},
        scrapes=scrapes,
        due=due(frame, scrapes),
        outside=min(_outside(series, frame), default=None),
    )


def due(frame: Frame, scrapes: Scrapes) -> list[float]:
    """When each cell is judged; none before the one ahead of it."""
    ends = ((index + 1) * frame.resolution for index in range(frame.first, frame.last))
    return list(accumulate((end + 2 * scrapes.by(end) for end in ends), max))


def too_coarse(resolution: float, scrape: float) -> Unread | None:
    """Why cells of this size cannot be filled from scrapes this far apart; a tenth is left to jitter."""
    if 2 * scrape <= 1.1 * resolution:
        return None
    return Unread(why=Why.TOO_COARSE, words=f"scraped every {scrape:g} s, while the resolution is {resolution:g} s")


def by_target(series: Tracked, version: int, frame: Frame) -> list[list[Tally]]:
    """The tallies of one version in every cell, for each target on its own."""
    targets = {track.source: None for track in series.totals[version]}
    return [_tallies(series.at_target(version, target), version, frame) for target in targets]


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def written(seconds: float) -> str:
    """An instant, as reasons print it."""
    return f"{instant(seconds):%Y-%m-%d %H:%M:%S} UTC"


def _sources(tracks: Sequence[Track], frame: Frame) -> dict[object, Source]:
    since: dict[object, float] = {}
    for track in tracks:
        since[track.source] = min(track.since, since.get(track.source, math.inf))
    return {name: _source(times, since[name], frame) for name, times in {t.source: t.times for t in tracks}.items()}


def _source(times: Sequence[float], since: float, frame: Frame) -> Source:
    reach = bisect_left(times, frame.earliest)
    return Source(times=times[reach:], last_before=times[max(reach - 1, 0) : reach], since=since, began=times[0])


def _together(arms: Iterable[Mapping[object, Source]]) -> dict[object, Sequence[float]]:
    """When each target was scraped since it is known to have one of the versions: what was before came up later."""
    since: dict[object, float] = {}
    times: dict[object, Sequence[float]] = {}
    for sources in arms:
        for name, source in sources.items():
            since[name] = min(source.since, since.get(name, math.inf))
            times[name] = source.times
    return {name: own[bisect_left(own, since[name]) :] for name, own in times.items()}


def _arm(series: Tracked, version: int, frame: Frame, watched: tuple[Mapping[object, Source], Scrapes]) -> Arm:
    sources, scrapes = watched
    observed: set[int] = set()
    gaps: set[int] = set()
    for source in sources.values():
        # Of cells before it had this version nobody knew, when they were judged, that it would.
        known, resolution = frame.cell(source.since), frame.resolution
        scraped = {math.floor(at / resolution): at for at in source.times}
        observed.update(index for index in scraped if index >= known)
        gaps.update(index for index in _gaps(scraped, frame, scrapes) if index >= known)
    cells = tuple(
        Cell(start=index * frame.resolution, tally=tally, observed=index in observed, gap=index in gaps)
        for index, tally in enumerate(_tallies(series, version, frame), start=frame.first)
    )
    return Arm(
        cells=cells,
        began=Known(((source.since, source.began) for source in sources.values()), min),
        sources=tuple(sources.values()),
        first_bad=_first_bad(cells, series, version, frame),
    )


def _tallies(series: Tracked, version: int, frame: Frame) -> list[Tally]:
    if (mean := series.objective.mean) is not None:
        squared = series.squares is not None
        return [shares(mean, figures, squared=squared) for figures in _figures(series, version, frame)]
    totals, bad = (_cells(tracks[version], frame) for tracks in (series.totals, series.counted))
    if series.inverted:
        bad = [max(events - good, 0.0) for events, good in zip(totals, bad, strict=True)]
    return [Tally(bad=min(k, n), total=n) if n else NO_EVENTS for n, k in zip(totals, bad, strict=True)]


def _figures(series: Tracked, version: int, frame: Frame) -> list[Figures]:
    """Of a mean, what every cell counts: figures, what they add up to, and what their squares do."""
    numbers, sums = (_cells(tracks[version], frame) for tracks in (series.totals, series.counted))
    squares = _cells(series.squares[version], frame) if series.squares is not None else [0.0] * len(numbers)
    counted = zip(numbers, sums, squares, strict=True)
    return [Figures(number=number, total=total, squares=squared) for number, total, squared in counted]


def _outside(series: Tracked, frame: Frame) -> Iterator[tuple[int, str]]:
    """Of each version, the first cell in which figures are known to lie outside their range."""
    if (mean := series.objective.mean) is not None:
        for version in series.totals:
            if found := first_outside(mean, _read_apart(series, version, frame)):
                index, words = found
                yield index, f"version {version}: {words}"


def _read_apart(series: Tracked, version: int, frame: Frame) -> Iterator[Figures]:
    """The figures of every cell, with how many events one counter may be ahead of another: one of each target and one
    of a hundred where the same scrapes brought all of them, else as many as the cell has."""
    counters = (series.totals, series.counted, series.squares)
    scrapes = [_scrapes(tracks[version], frame) for tracks in counters if tracks is not None]
    for index, cell in enumerate(_figures(series, version, frame), start=frame.first):
        seen = [each.get(index, set()) for each in scrapes]
        together = all(each == seen[0] for each in seen)
        targets = len({source for source, _ in seen[0]})
        yield replace(cell, ahead=targets + cell.number / 100 if together else cell.number)


def _scrapes(tracks: Iterable[Track], frame: Frame) -> dict[int, set[tuple[object, float]]]:
    """By cell, which targets were scraped in it, and when."""
    found: dict[int, set[tuple[object, float]]] = {}
    resolution = frame.resolution
    for track in tracks:
        for at, _ in _between(track, frame.first * resolution, frame.last * resolution):
            found.setdefault(math.floor(at / resolution), set()).add((track.source, at))
    return found


def _cells(tracks: Iterable[Track], frame: Frame) -> list[float]:
    """Events per cell. An increment belongs to the cell in which it was seen: no event is split or lost."""
    cells: defaultdict[int, float] = defaultdict(float)
    resolution = frame.resolution
    for track in tracks:
        for at, increment in _between(track, frame.first * resolution, frame.last * resolution):
            cells[math.floor(at / resolution)] += increment
    return [cells.get(index, 0.0) for index in range(frame.first, frame.last)]


def _between(track: Track, start: float, end: float) -> Sequence[tuple[float, float]]:
    """Its increments seen in [start, end)."""
    return track.increments[bisect_left(track.increments, (start,)) : bisect_left(track.increments, (end,))]


def _gaps(scraped: Mapping[int, float], frame: Frame, scrapes: Scrapes) -> Iterator[int]:
    """Cells at whose ends a target was not scraped as it should have been; one that is gone is no gap for long.

    Only samples up to the end of a cell speak about it: the last one in each (`scraped`).
    """
    resolution = frame.resolution
    for (index, last), after in zip_longest(scraped.items(), islice(scraped, 1, None)):
        end = (index + 1) * resolution
        missed = end - last > _MISSED * scrapes.by(end)
        if missed or after is None or after > index + 1:
            yield index if missed else index + 1
        if after is not None and after * resolution - last > _MISSED * scrapes.by((after + 1) * resolution):
            yield after


def _first_bad(cells: Sequence[Cell], series: Tracked, version: int, frame: Frame) -> tuple[int, float] | None:
    """When a bad event was first seen: the sample that showed it, in the first cell that has one."""
    first = next((index for index, cell in enumerate(cells) if cell.tally.bad > 0), None)
    if first is None or series.objective.mean is not None:
        return None
    start = cells[first].start
    signed = [(-1.0, series.counted), (1.0, series.totals)] if series.inverted else [(1.0, series.counted)]
    increase: dict[float, float] = {}
    for sign, tracks in signed:
        for track in tracks[version]:
            for at, increment in _between(track, start, start + frame.resolution):
                increase[at] = increase.get(at, 0.0) + sign * increment
    return first, min((at for at, bad in increase.items() if bad > 0), default=start)
