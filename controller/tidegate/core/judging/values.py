"""Values held against their bounds at the end of each cell: `for`, hysteresis, and why there is no reading.

An expression is asked at fixed instants, so that it answers the same whenever a pass asks. What a breach may do is
`rollout`'s and `promotion`'s work.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tidegate.core.judging.counts import instant
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Question, Stage, Standing, ValueVerdict
from tidegate.core.manifest import Effect, ValueObjective

_CURRENT = 2
"""A reading of one of so many cells is current: one missing answer is not the end of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """What the expression answered at the end of a cell: one figure where all is well."""

    index: int
    figures: tuple[float, ...]

    @property
    def figure(self) -> float | None:
        """None for several, for NaN, and for the infinity that a division by nothing gives."""
        only = self.figures[0] if len(self.figures) == 1 else math.nan
        return only if math.isfinite(only) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """After one reading: since which one the value breaches, the one by which it first did, and in how many it has
    been outside by now."""

    index: int
    figure: float
    outside: int
    since: _Point | None
    first: _Point | None


class Value:
    """One value objective over a whole stage; `at` reads off its verdict at any instant."""

    def __init__(self, question: Question, objective: ValueObjective, reading: Sampled | Unread) -> None:
        self._question, self._objective, self._reading = question, objective, reading
        self._cell = question.rollout.resolution.total_seconds()
        self._since = math.ceil(question.since.timestamp() / self._cell)
        series = () if isinstance(reading, Unread) else reading.series
        self._by_version = any(question.version_label in each.labels for each in series)
        self._mine = self._after_since(self._points(series, question.subject))
        self._states = self._warm_states(self._mine)
        reference = question.reference if self._by_version else None
        self._theirs = [] if reference is None else self._points(series, reference)
        self._their_states = self._warm_states(self._after_since(self._theirs))

    def at(self, now: datetime) -> ValueVerdict:
        """As of an instant. A cell is judged once as long a time has passed since its end as it lasted."""
        if isinstance(self._reading, Unread):
            return ValueVerdict(objective=self._objective, unread=self._reading)
        last = math.floor(now.timestamp() / self._cell) - 1
        state = _last(self._states, last)
        if state is not None and state.first is not None and self._latches():
            return self._breach(state.first)
        if (reason := self._unread(last)) is not None:
            return ValueVerdict(objective=self._objective, unread=reason, by_version=self._by_version)
        if state is None:  # read, and not yet warm
            return ValueVerdict(objective=self._objective, standing=Standing.TOO_FEW, by_version=self._by_version)
        if state.since is not None:
            return self._breach(state.since)
        return ValueVerdict(
            objective=self._objective,
            standing=Standing.FINE,
            figure=state.figure,
            outside_for=state.outside * self._question.rollout.resolution,
            by_version=self._by_version,
        )

    def _latches(self) -> bool:
        """What reverts a version stays found: better readings later do not lift it."""
        return self._objective.effect is Effect.REVERT and self._by_version

    def _breach(self, by: _Point) -> ValueVerdict:
        """The figure of a breach is that by which it was found: the same at every later look."""
        return ValueVerdict(
            objective=self._objective,
            standing=Standing.BREACH,
            figure=by.figure,
            breached_at=instant(by.index * self._cell),
            by_version=self._by_version,
            reference_standing=self._reference_standing(by.index),
        )

    def _reference_standing(self, until: int) -> Standing:
        """How the other version stood: beside a canary up to the same cell, where only a reading now tells that it is
        fine; before probation over as many cells."""
        if self._question.stage is Stage.CANARY:
            state = _last(self._their_states, until)
            current = state is not None and (state.first is not None or state.index > until - _CURRENT)
            state = state if current else None
        else:
            before = [p for p in self._theirs if 2 * self._since - until < p.index <= self._since]
            state = _last(_states(self._objective, before, self._cell), self._since)
        if state is None:
            return Standing.UNKNOWN
        return Standing.FINE if state.first is None else Standing.BREACH

    def _points(self, series: Iterable[Series], version: int) -> list[_Point]:
        """The answers about one version, or about all of them where the expression does not tell versions apart."""
        figures: dict[int, list[float]] = {}
        for each in series:
            if not self._by_version or each.labels.get(self._question.version_label) == str(version):
                for at, figure in each.samples:
                    figures.setdefault(round(at / self._cell), []).append(figure)
        return [_Point(index=index, figures=tuple(figures[index])) for index in sorted(figures)]

    def _after_since(self, points: Sequence[_Point]) -> Sequence[_Point]:
        return points[bisect_right(points, self._since, key=lambda point: point.index) :]

    def _warm_states(self, points: Sequence[_Point]) -> list[_State]:
        """Warm-up begins with the first reading, however long loading took."""
        first = next((point.index for point in points if point.figure is not None), None)
        if first is None:
            return []
        warm = first + self._question.rollout.warm_up.total_seconds() / self._cell
        return _states(self._objective, points[bisect_left(points, warm, key=lambda point: point.index) :], self._cell)

    def _unread(self, last: int) -> Unread | None:
        """Why there is no reading now."""
        newest = bisect_right(self._mine, last, key=lambda point: point.index)
        if not newest:
            who = f"of version {self._question.subject}" if self._by_version else ""
            return Unread(why=Why.NO_DATA, words=f"the value {who} has no answer".replace("  ", " "))
        point = self._mine[newest - 1]
        if point.index <= last - _CURRENT:
            words = f"last answer at {instant(point.index * self._cell):%Y-%m-%d %H:%M:%S} UTC"
            return Unread(why=Why.STALE, words=words)
        if len(point.figures) > 1:
            words = f"the value answers {len(point.figures)} series, and a bound needs one"
            return Unread(why=Why.SEVERAL, words=words)
        if point.figure is None:
            return Unread(why=Why.NAN, words=f"the value answers {point.figures[0]}")
        return None


def _last(states: Sequence[_State], index: int) -> _State | None:
    known = bisect_right(states, index, key=lambda state: state.index)
    return states[known - 1] if known else None


def _states(objective: ValueObjective, points: Iterable[_Point], cell: float) -> list[_State]:
    return list(_walk(objective, points, cell))


def _walk(objective: ValueObjective, points: Iterable[_Point], cell: float) -> Iterator[_State]:
    """A breach begins once the value was outside for as long as `for` says, and ends once it was inside for as long.

    Each reading stands for its cell. A cell without one counts for neither side. After so many that there was none
    (`stale`) both begin anew, as Prometheus' own `for` does: what stood in between nobody knows.
    """
    outside = inside = 0
    before = -math.inf
    since: _Point | None = None
    first: _Point | None = None
    for point in points:
        if (figure := point.figure) is None:
            continue
        if point.index - before > _CURRENT:
            outside = inside = 0
        before, good = point.index, objective.inside(figure)
        outside, inside = (0, inside + 1) if good else (outside + 1, 0)
        if max(outside, inside) * cell >= objective.held.total_seconds():
            since = None if good else since or point
        first = first or since
        yield _State(index=point.index, figure=figure, outside=outside, since=since, first=first)


def values(question: Question, readings: Mapping[str, Sampled | Unread]) -> list[Value]:
    """Every value objective of a question, over all that was read."""
    return [Value(question, each, readings.get(each.name, _NOT_ASKED)) for each in question.values]


_NOT_ASKED = Unread(why=Why.NO_DATA, words="was not asked for")
