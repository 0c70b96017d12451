"""Asks Prometheus what it answers at fixed instants, the ends of cells or steps: values, and counters of late labels.

A pass that asks later is told the same of the same instants (I9). What the answers mean is `core.judging.values`' and
`core.judging.late_labels`' work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tidegate.core.dialects import read_back
from tidegate.core.judging.late_labels import measured_from, step_of
from tidegate.core.judging.placeholders import asks_by_version, filled
from tidegate.core.judging.queries import Scope, late_indicator
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import LateReadings, Question, Stage, Together
from tidegate.core.manifest import Objective, ValueObjective
from tidegate.ports import Metrics

_MOST = 10_000
"""So many instants are asked for at once; Prometheus answers at most 11,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Instants that are multiples of `step` since the Unix epoch, from the `first` one to the `last`."""

    first: int
    last: int
    step: timedelta

    def pieces(self) -> Iterator[tuple[datetime, datetime]]:
        for first in range(self.first, self.last + 1, _MOST):
            yield self._at(first), self._at(min(first + _MOST - 1, self.last))

    def _at(self, index: int) -> datetime:
        return datetime.fromtimestamp(index * self.step.total_seconds(), UTC)


def values(question: Question, scope: Scope, metrics: Metrics, now: datetime) -> dict[str, Sampled | Unread]:
    """What each value objective answered at the ends of the stage's cells; on probation also as long a time before."""
    cell = question.rollout.resolution
    since, ended = question.since.timestamp() / cell.total_seconds(), now.timestamp() / cell.total_seconds()
    last = math.floor(ended) - 1
    first = math.ceil(2 * since - ended) if question.stage is Stage.PROBATION else math.ceil(since)
    span = Span(first=first, last=last, step=cell)
    return {each.name: _value(each, question, scope, metrics, span) for each in question.values}


def expressions(question: Question, scope: Scope) -> Iterator[str]:
    """The texts that are asked, as a proposal prints them."""
    for each in question.values:
        yield from _filled(each, question, scope).values()
    if (together := question.together) is not None:
        for objective in together.objectives:
            yield from _late_texts(objective, together, scope)


def _filled(objective: ValueObjective, question: Question, scope: Scope) -> dict[int | None, str]:
    """The expression for each version, or the one for all of them (None)."""
    known = {"model": scope.model, "environment": scope.environment}
    if not asks_by_version(objective.value):
        return {None: filled(objective.value, known)}
    versions = [version for version in (question.subject, question.reference) if version is not None]
    return {version: filled(objective.value, {**known, "version": str(version)}) for version in versions}


def _value(
    objective: ValueObjective, question: Question, scope: Scope, metrics: Metrics, span: Span
) -> Sampled | Unread:
    found: list[Series] = []
    for version, expression in _filled(objective, question, scope).items():
        answer = answered(expression, metrics, span)
        if isinstance(answer, Unread):
            return answer
        told = {} if version is None else {question.version_label: str(version)}
        found += [replace(series, labels={**series.labels, **told}) for series in answer.series]
    return Sampled(series=tuple(found), start=question.since, end=question.since)


def late(question: Question, scope: Scope, metrics: Metrics, now: datetime) -> dict[str, LateReadings]:
    """The counters of each late objective, of the versions that serve side by side."""
    if (together := question.together) is None:
        return {}

    def read(objective: Objective, expression: str) -> Sampled | Unread:
        answer = answered(expression, metrics, _late_span(objective, together, now))
        if isinstance(answer, Unread):
            return answer
        return read_back(answer, scope.dialect(objective), scope.place, question.version_label)

    found: dict[str, LateReadings] = {}
    for each in together.objectives:
        try:
            bad, total, served = _late_texts(each, together, scope)
        except ValueError as error:
            found[each.name] = never_read(Unread(why=Why.ERROR, words=str(error)))
        else:
            found[each.name] = LateReadings(bad=read(each, bad), total=read(each, total), served=read(each, served))
    return found


def never_read(why: Unread) -> LateReadings:
    return LateReadings(bad=why, total=why, served=why)


def _late_texts(objective: Objective, together: Together, scope: Scope) -> tuple[str, str, str]:
    """The last sample of each step. Raises ValueError for text that is no plain selector."""
    assert objective.labels is not None, "an objective on late labels"
    step = step_of(objective.labels, together.rollout) // timedelta(milliseconds=1)
    asked = late_indicator(objective, scope, (together.subject, together.reference))
    bad, total, served = (f"last_over_time({text}[{step}ms])" for text in asked)
    return bad, total, served


def _late_span(objective: Objective, together: Together, now: datetime) -> Span:
    """From as long before both served as dispersion is measured on, up to when the last label may come."""
    assert objective.labels is not None, "an objective on late labels"
    step = step_of(objective.labels, together.rollout)
    ends = now if together.until is None else min(now, together.until + objective.labels.delay + 2 * step)
    steps = step.total_seconds()
    first, last = measured_from(together, objective.labels).timestamp() / steps, now.timestamp() / steps - 1
    return Span(first=math.floor(first) - 1, last=math.floor(min(last, ends.timestamp() / steps)), step=step)


def answered(expression: str, metrics: Metrics, span: Span) -> Sampled | Unread:
    """All pieces together, series by series."""
    joined: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    end = datetime.fromtimestamp(0, UTC)
    for start, end in span.pieces():
        piece = metrics.answers(expression, start, end, span.step)
        if isinstance(piece, Unread):
            return piece
        for part in piece.series:
            joined.setdefault(frozenset(part.labels.items()), []).extend(part.samples)
    series = tuple(Series(labels=dict(labels), samples=tuple(found)) for labels, found in joined.items())
    return Sampled(series=series, start=end, end=end)
