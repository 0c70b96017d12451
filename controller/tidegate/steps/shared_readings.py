"""One question for many models: samples that several judgements need are asked for once, and each gets its own.

Objectives that read the same selector by the same labels differ between models in the labels' values alone. Asked
together, queries grow with presets and windows and not with models. What each model gets is what it would have got by
itself, sample by sample; which samples a judgement needs is `measure`'s work.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tidegate.core.dialects import conditions, shared_matchers
from tidegate.core.judging.queries import Scope, Template, targets_of, targets_up, templates
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Question
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics
from tidegate.steps.measure import reaches_back_to, versions_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOT = timedelta(hours=12)
"""Windows begin when rollouts did. Cut at multiples of this since the Unix epoch they have their pieces in common."""
_TOGETHER = 50
"""So many models share a query. More would save little, and what one answer holds is in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What one model needs of a question: the selector it asks by itself, and what a series of its own must show."""

    selector: str
    template: Template
    labels: MetricLabels
    conditions: Mapping[str, str]
    start: datetime


@dataclass(frozen=True, slots=True)
class _Packed:
    """A series as two rows of numbers: a tenth of what pairs of objects take."""

    labels: Mapping[str, str]
    times: array[float]
    values: array[float]

    @classmethod
    def of(cls, series: Series) -> _Packed:
        times, values = (array("d", row) for row in zip(*series.samples, strict=True))
        return cls(series.labels, times, values)

    def within(self, start: datetime, end: datetime) -> Iterator[tuple[float, float]]:
        first, last = (bisect_right(self.times, edge.timestamp()) for edge in (start, end))
        return zip(self.times[first:last], self.values[first:last], strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Several shares in one question. `answers` are by slot and by the shares' own selectors."""

    selector: str
    shares: Sequence[_Share]
    start: datetime
    answers: dict[int, dict[str, list[_Packed]] | Unread] = field(default_factory=dict)

    @classmethod
    def of(cls, shares: Sequence[_Share]) -> _Group:
        conditions_of_all = [share.conditions for share in shares]
        selector = shares[0].template.text(shared_matchers(conditions_of_all, shares[0].labels))
        return cls(selector=selector, shares=shares, start=min(share.start for share in shares))

    def halves(self) -> Iterator[_Group]:
        """The same in two questions, with the answers there are. A share alone is no group."""
        middle = len(self.shares) // 2
        for some in (self.shares[:middle], self.shares[middle:]):
            if len(some) > 1:
                half, own = _Group.of(some), {share.selector for share in some}
                for slot, answer in self.answers.items():
                    kept = answer if isinstance(answer, Unread) else {of: answer[of] for of in own & answer.keys()}
                    half.answers[slot] = kept
                yield half

    def release(self, selector: str) -> None:
        """Forget what was handed out up to now: a judgement asks for each selector once."""
        for answer in self.answers.values():
            if not isinstance(answer, Unread):
                answer.pop(selector, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Up:
    """`up` of the targets with these instances; `gone`: there is no server to ask."""

    instances: frozenset[str]
    answer: Sampled | Unread
    gone: bool


class SharedReadings:
    """`ports.Metrics` for a pass that has these questions to ask. Its time is that of its first question.

    A shared question that has no whole answer is asked again in halves: it may have been too much at once, or one model
    alone may be the reason, and nobody else is to be held for that. Only a server that is gone is asked no more.
    """

    def __init__(self, metrics: Metrics, wanted: Sequence[tuple[Question, Scope]]) -> None:
        self._metrics = metrics
        self._now: datetime | Unread | None = None
        groups = list(_grouped(wanted)) if wanted and isinstance(self.now(), datetime) else []
        self._groups = {share.selector: group for group in groups for share in group.shares}
        self._earliest = min((group.start for group in groups), default=_EPOCH)
        self._targets: set[tuple[str, str]] = set()
        self._up: dict[int, _Up] = {}

    def now(self) -> datetime | Unread:
        if self._now is None:
            self._now = self._metrics.now()
        return self._now

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        found: Sampled | Unread | None = None
        if selector in self._groups:
            found = self._of_group(selector, start, end)
        elif (asked := targets_of(selector)) is not None:
            found = self._whether_up(asked, start, end)
        return self._metrics.samples(selector, start, end) if found is None else found

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        """A person's expression: there is no telling what in it could be shared."""
        return self._metrics.answers(expression, start, end, step)

    def _of_group(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread | None:
        """None where it has to be asked by itself."""
        pieces: list[_Packed] = []
        for slot in _slots(start, end):
            answer = self._of_slot(selector, slot, start)
            if answer is None or isinstance(answer, Unread):
                return answer
            pieces += answer
        if end == self._now:
            self._groups[selector].release(selector)
        return Sampled(series=tuple(_joined(pieces, start, end)), start=start, end=end)

    def _of_slot(self, selector: str, slot: int, start: datetime) -> list[_Packed] | Unread | None:
        """One model's own of what the smallest group that is answered was told; None where that is itself alone."""
        while (group := self._groups.get(selector)) is not None and group.start <= start:
            if slot not in group.answers and not self._ask(group, slot):
                self._split(group)
                continue
            answer = group.answers[slot]
            return answer if isinstance(answer, Unread) else answer.get(selector)
        return None

    def _ask(self, group: _Group, slot: int) -> bool:
        """Whether that is an answer to go by."""
        asked = self._in_slot(group.selector, slot, group.start)
        if isinstance(asked, Unread) and not self._is_gone(asked):
            return False
        group.answers[slot] = asked if isinstance(asked, Unread) else self._dealt_out(group, asked)
        return True

    def _dealt_out(self, group: _Group, asked: Sampled) -> dict[str, list[_Packed]]:
        self._targets |= {
            (s.labels.get("job", ""), s.labels["instance"]) for s in asked.series if "instance" in s.labels
        }
        packed = [_Packed.of(series) for series in asked.series if series.samples]
        return _dealt_out(group.shares, packed)

    def _split(self, group: _Group) -> None:
        for share in group.shares:
            del self._groups[share.selector]
        for half in group.halves():
            self._groups |= {share.selector: half for share in half.shares}

    def _is_gone(self, unread: Unread) -> bool:
        """A server that still answers the smallest question is there: the other one was too much for it."""
        if unread.why is not Why.UNREACHABLE:
            return False
        smallest = self._metrics.answers("vector(1)", _EPOCH, _EPOCH, _SLOT)
        return isinstance(smallest, Unread) and smallest.why is Why.UNREACHABLE

    def _whether_up(
        self, asked: tuple[frozenset[str], frozenset[str]], start: datetime, end: datetime
    ) -> Sampled | Unread | None:
        """`up` of these targets, out of that of all targets that were seen so far."""
        jobs, instances = asked
        if start < self._earliest or not instances <= {instance for _, instance in self._targets}:
            return None
        found: list[_Packed] = []
        for slot in _slots(start, end):
            up = self._up.get(slot)
            if up is None or (isinstance(up.answer, Sampled) and not instances <= up.instances):
                answer = self._in_slot(targets_up(self._targets), slot, self._earliest)
                gone = isinstance(answer, Unread) and self._is_gone(answer)
                known = frozenset(instance for _, instance in self._targets)
                up = self._up[slot] = _Up(instances=known, answer=answer, gone=gone)
            if isinstance(up.answer, Unread):
                return up.answer if up.gone else None
            mine = (
                s for s in up.answer.series if s.labels.get("job", "") in jobs and s.labels["instance"] in instances
            )
            found += map(_Packed.of, mine)
        return Sampled(series=tuple(_joined(found, start, end)), start=start, end=end)

    def _in_slot(self, selector: str, slot: int, earliest: datetime) -> Sampled | Unread:
        begins = _EPOCH + slot * _SLOT
        ends = begins + _SLOT if not isinstance(self._now, datetime) else min(begins + _SLOT, self._now)
        return self._metrics.samples(selector, max(begins, earliest), ends)


def _grouped(wanted: Iterable[tuple[Question, Scope]]) -> Iterator[_Group]:
    """Alike in selector, labels and environment, fifty at a time; what is asked by one alone is in none."""
    alike: dict[tuple[Template, MetricLabels, str], dict[str, _Share]] = {}
    for question, scope in wanted:
        for share in _shares(question, scope):
            same = alike.setdefault((share.template, share.labels, scope.environment), {})
            other = same.get(share.selector)
            same[share.selector] = share if other is None or share.start <= other.start else other
    for shares in alike.values():
        ordered = list(shares.values())
        for first in range(0, len(ordered), _TOGETHER):
            some = ordered[first : first + _TOGETHER]
            if len(some) > 1:
                yield _Group.of(some)


def _shares(question: Question, scope: Scope) -> Iterator[_Share]:
    versions, start = versions_of(question), reaches_back_to(question)
    for template, labels in _asked(question, scope):
        own = conditions(labels, scope.place, versions)
        with suppress(ValueError):  # `measure` tells
            selector = template.text(shared_matchers([own], labels))
            yield _Share(selector=selector, template=template, labels=labels, conditions=own, start=start)


def _asked(question: Question, scope: Scope) -> Iterator[tuple[Template, MetricLabels]]:
    for objective in question.objectives:
        with suppress(ValueError):
            yield from ((template, scope.dialect(objective)) for template in templates(objective))
        if objective.mean is not None and objective.mean.squares is not None:
            yield Template(objective.mean.squares), scope.dialect(objective)
    if scope.ready is not None:
        yield Template(scope.ready), scope.labels


def _dealt_out(shares: Sequence[_Share], packed: Sequence[_Packed]) -> dict[str, list[_Packed]]:
    """To each share its own among the series of all, in their order."""
    by_value = {name: _by_value(name, packed) for name in {name for share in shares for name in share.conditions}}
    return {share.selector: list(_own(share.conditions, packed, by_value)) for share in shares}


def _by_value(name: str, packed: Sequence[_Packed]) -> dict[str, list[int]]:
    """Which of them show each value of a label."""
    found: dict[str, list[int]] = {}
    for row, each in enumerate(packed):
        found.setdefault(each.labels.get(name, ""), []).append(row)
    return found


def _own(
    conditions: Mapping[str, str], packed: Sequence[_Packed], by_value: Mapping[str, Mapping[str, Sequence[int]]]
) -> Iterator[_Packed]:
    """Values are few and looked at one by one; of the series only those with the values that fewest show."""
    met = {name: [v for v in by_value[name] if re.fullmatch(pattern, v)] for name, pattern in conditions.items()}
    rarest = min(met, key=lambda name: sum(len(by_value[name][value]) for value in met[name]))
    for row in sorted(row for value in met[rarest] for row in by_value[rarest][value]):
        if all(packed[row].labels.get(name, "") in values for name, values in met.items()):
            yield packed[row]


def _slots(start: datetime, end: datetime) -> range:
    """The slots that hold samples of (start, end]."""
    return range((start - _EPOCH) // _SLOT, -((_EPOCH - end) // _SLOT))


def _joined(pieces: Iterable[_Packed], start: datetime, end: datetime) -> Iterator[Series]:
    """Each series once, as far as it has samples in (start, end]."""
    joined: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    for piece in pieces:
        joined.setdefault(frozenset(piece.labels.items()), []).extend(piece.within(start, end))
    for labels, samples in joined.items():
        if samples:
            yield Series(labels=dict(labels), samples=tuple(samples))
