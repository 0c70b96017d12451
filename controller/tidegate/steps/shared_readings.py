"""One question for many models: samples that several judgements need are asked for once, and each gets its own.

Objectives that read the same selector by the same labels differ between models in the labels' values alone. Asked
together, queries grow with presets and windows and not with models. What each model gets is what it would have got by
itself, sample by sample; which samples are needed is for `measure`, `fixed_instants` and `budgets` to say, and how
questions are put together for `sharing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tidegate.core.judging.queries import Scope, Template, targets_of, targets_up, templates
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.retention import read_since
from tidegate.core.judging.verdict import Question
from tidegate.core.manifest import Environment
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics
from tidegate.steps import fixed_instants
from tidegate.steps.budgets import budgets
from tidegate.steps.measure import versions_of
from tidegate.steps.sharing import EPOCH, SLOT, Dialect, Group, Key, Packed, Share, dealt_out, grouped, joined, slots


@dataclass(frozen=True, slots=True)
class _Targets:
    """As `targets_up` asks for them: each of the jobs with each of the instances."""

    jobs: frozenset[str]
    instances: frozenset[str]

    @classmethod
    def of(cls, targets: Collection[tuple[str, str]]) -> _Targets:
        return cls(frozenset(job for job, _ in targets), frozenset(instance for _, instance in targets))

    def __le__(self, others: _Targets) -> bool:
        return self.jobs <= others.jobs and self.instances <= others.instances

    def __contains__(self, series: Series) -> bool:
        return series.labels.get("job", "") in self.jobs and series.labels.get("instance", "") in self.instances


@dataclass(frozen=True, slots=True, kw_only=True)
class _Up:
    """`up` of these targets; `gone`: there is no server to ask."""

    of: _Targets
    answer: Sampled | Unread
    gone: bool


class SharedReadings:
    """`ports.Metrics` for a pass that has these questions to ask, and the budgets of these environments. Its time is
    that of its first question.

    A shared question that has no whole answer is asked again in halves: it may have been too much at once, or one model
    alone may be the reason, and nobody else is to be held for that. Only a server that is gone is asked no more.
    """

    def __init__(
        self,
        metrics: Metrics,
        wanted: Sequence[tuple[Question, Scope]],
        entered: Sequence[tuple[Environment, Scope]] = (),
    ) -> None:
        self._metrics = metrics
        self._now: datetime | Unread | None = None
        groups = list(grouped(self._shares(wanted, entered)))
        self._groups = {share.key: group for group in groups for share in group.shares}
        self._awaited = {share.key: share.times for group in groups for share in group.shares}
        self._earliest = min((group.start for group in groups if group.step is None), default=EPOCH)
        self._targets: set[tuple[str, str]] = set()
        self._up: dict[int, _Up] = {}

    def now(self) -> datetime | Unread:
        if self._now is None:
            self._now = self._metrics.now()
        return self._now

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        found: Sampled | Unread | None = None
        if (key := (selector, None)) in self._groups:
            found = self._of_group(key, start, end)
        elif (asked := targets_of(selector)) is not None:
            found = self._whether_up(_Targets(*asked), start, end)
        return self._metrics.samples(selector, start, end) if found is None else found

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        """Of a person's expression there is no telling what in it could be shared."""
        key = (expression, step)
        found = self._of_group(key, start - step, end) if key in self._groups else None
        return self._metrics.answers(expression, start, end, step) if found is None else found

    def _shares(
        self, wanted: Sequence[tuple[Question, Scope]], entered: Sequence[tuple[Environment, Scope]]
    ) -> Iterator[Share]:
        now = self.now() if wanted or entered else None
        if isinstance(now, datetime):
            for question, scope in wanted:
                yield from _raw(question, scope, now)
                yield from _late(question, scope, now)
            for environment, scope in entered:
                yield from _budgets(environment, scope, now)

    def _of_group(self, key: Key, start: datetime, end: datetime) -> Sampled | Unread | None:
        """The samples of (start, end]; None where it has to be asked by itself."""
        pieces: list[Packed] = []
        for slot in slots(start, end, self._groups[key].slot):
            answer = self._of_slot(key, slot, start, end)
            if answer is None or isinstance(answer, Unread):
                return answer
            pieces += answer
        self._handed_out(key, end)
        return Sampled(series=tuple(joined(pieces, start, end)), start=start, end=end)

    def _of_slot(self, key: Key, slot: int, start: datetime, end: datetime) -> list[Packed] | Unread | None:
        """One model's own of what the smallest group that is answered was told; None where that is itself alone."""
        while (group := self._groups.get(key)) is not None and group.start <= start and end <= group.end:
            if slot not in group.answers and not self._ask(group, slot):
                self._split(group)
                continue
            answer = group.answers[slot]
            return answer if isinstance(answer, Unread) else answer.get(key[0])
        return None

    def _handed_out(self, key: Key, end: datetime) -> None:
        """What was told to the end as often as it is needed is forgotten."""
        group = self._groups[key]
        self._awaited[key] -= end == group.ends(key[0])
        if self._awaited[key] <= 0:
            group.release(key[0])

    def _ask(self, group: Group, slot: int) -> bool:
        """Whether that is an answer to go by: not where it holds native histograms, and does not say whose."""
        asked = group.ask(slot, self._metrics)
        if asked.native if isinstance(asked, Sampled) else not self._is_gone(asked):
            return False
        group.answers[slot] = asked if isinstance(asked, Unread) else self._dealt_out(group, asked)
        return True

    def _dealt_out(self, group: Group, asked: Sampled) -> dict[str, list[Packed]]:
        if group.step is None:
            self._targets |= {
                (s.labels.get("job", ""), s.labels["instance"]) for s in asked.series if "instance" in s.labels
            }
        return dealt_out(group.shares, [Packed.of(series) for series in asked.series if series.samples])

    def _split(self, group: Group) -> None:
        for share in group.shares:
            del self._groups[share.key]
        for half in group.halves():
            self._groups |= {share.key: half for share in half.shares}

    def _is_gone(self, unread: Unread) -> bool:
        """A server that still answers the smallest question is there: the other one was too much for it."""
        if unread.why is not Why.UNREACHABLE:
            return False
        smallest = self._metrics.answers("vector(1)", EPOCH, EPOCH, SLOT)
        return isinstance(smallest, Unread) and smallest.why is Why.UNREACHABLE

    def _whether_up(self, asked: _Targets, start: datetime, end: datetime) -> Sampled | Unread | None:
        """`up` of these targets, out of that of all targets that were seen so far."""
        seen = _Targets.of(self._targets)
        if start < self._earliest or not asked <= seen:
            return None
        found: list[Packed] = []
        for slot in slots(start, end):
            up = self._up.get(slot)
            if up is None or (isinstance(up.answer, Sampled) and not asked <= up.of):
                answer = self._up_in(slot)
                gone = isinstance(answer, Unread) and self._is_gone(answer)
                up = self._up[slot] = _Up(of=seen, answer=answer, gone=gone)
            if isinstance(up.answer, Unread):
                return up.answer if up.gone else None
            found += [Packed.of(series) for series in up.answer.series if series in asked and series.samples]
        return Sampled(series=tuple(joined(found, start, end)), start=start, end=end)

    def _up_in(self, slot: int) -> Sampled | Unread:
        """Of all targets; a slot that is not over yet, as far as this pass goes."""
        begins = EPOCH + slot * SLOT
        ends = begins + SLOT if not isinstance(self._now, datetime) else min(begins + SLOT, self._now)
        return self._metrics.samples(targets_up(self._targets), max(begins, self._earliest), ends)


@dataclass(frozen=True, slots=True)
class _Overheard:
    """`ports.Metrics` that knows the time and no series. It keeps what it is asked at fixed instants."""

    time: datetime
    asked: list[tuple[str, datetime, datetime, timedelta]] = field(default_factory=list)

    def now(self) -> datetime | Unread:
        return self.time

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return Unread(why=Why.NO_DATA, words=f"{selector} from {start} to {end}")

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append((expression, start, end, step))
        return Sampled(series=(), start=start, end=end)

    def shares(self, dialect: Dialect, kind: object) -> Iterator[Share]:
        for asked, start, end, step in self.asked:
            yield Share(asked=asked, dialect=dialect, kind=kind, start=start - step, end=end, step=step)


def _raw(question: Question, scope: Scope, now: datetime) -> Iterator[Share]:
    """The raw samples that `measure` asks for, each selector once."""
    versions, start = versions_of(question), read_since(question)
    found: dict[str, Share] = {}
    for template, labels in _asked(question, scope):
        dialect = Dialect.of(labels, scope.place, versions)
        with suppress(ValueError):  # `measure` tells
            text = template.text([dialect.matchers()])
            found[text] = Share(asked=text, dialect=dialect, kind=scope.environment, start=start, end=now)
    yield from found.values()


def _asked(question: Question, scope: Scope) -> Iterator[tuple[Template, MetricLabels]]:
    for objective in question.objectives:
        with suppress(ValueError):
            yield from ((template, scope.dialect(objective)) for template in templates(objective))
        if objective.mean is not None and objective.mean.squares is not None:
            yield Template(objective.mean.squares), scope.dialect(objective)
    if scope.ready is not None:
        yield Template(scope.ready), scope.labels


def _late(question: Question, scope: Scope, now: datetime) -> Iterator[Share]:
    """The counters of late labels."""
    if (together := question.together) is None:
        return
    for objective in together.objectives:
        alone = replace(question, together=replace(together, objectives=(objective,)))
        dialect = Dialect.of(scope.dialect(objective), scope.place, (together.subject, together.reference))
        overheard = _Overheard(now)
        fixed_instants.late(alone, scope, overheard, now)
        yield from overheard.shares(dialect, scope.environment)


def _budgets(environment: Environment, scope: Scope, now: datetime) -> Iterator[Share]:
    """The counters of error budgets. Short windows do not share with long ones: they would be read as long."""
    for objective in environment.objectives:
        dialect = Dialect.of(scope.dialect(objective), scope.place, None)
        overheard = _Overheard(now)
        budgets(replace(environment, objectives=(objective,)), scope, overheard)
        yield from overheard.shares(dialect, (scope.environment, objective.window))
