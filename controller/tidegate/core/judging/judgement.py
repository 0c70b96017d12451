"""`judge(question, counters) -> Verdict`: what the counters say of one version in one environment. Pure; looking more
often changes nothing, because every look rebuilds the whole grid from the stage's start (DESIGN.md section 6).

Cutting counters into cells is `counts`', the statistics are `comparison`'s; what to do about a verdict is `decision`'s.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate

from tidegate.core.judging.against_objective import AgainstObjective
from tidegate.core.judging.against_stable import AgainstStable
from tidegate.core.judging.counts import Arm, Grid, cut, instant
from tidegate.core.judging.dispersion import HISTORY
from tidegate.core.judging.held_back import BesidePrevious
from tidegate.core.judging.late_labels import late_labels
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.serving import EventService, ReadyService, Service, frame_of, last_change, staleness
from tidegate.core.judging.tracking import Follower, Tracked
from tidegate.core.judging.values import values
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    Verdict,
)
from tidegate.core.judging.workings import Workings
from tidegate.core.manifest import Effect, Objective


def judge(question: Question, counters: Counters) -> Verdict:
    """The verdict on one version, as of Prometheus' own time. Whatever is needed and missing stands in `unread`."""
    return Judged(question, counters).at(counters.now)


class Judged:
    """One question judged over the whole time that its counters cover; `at` reads off the verdict of any instant.

    It is the one that `judge` gave then: whatever came later is not in it.
    """

    def __init__(self, question: Question, counters: Counters) -> None:
        self._question = question
        versions = (question.subject,) if question.reference is None else (question.subject, question.reference)
        follower = Follower(counters, question.version_label, versions)
        self._objectives = [_judged(question, each, follower, counters.now) for each in question.objectives]
        self._values = values(question, counters.values)
        self._late = late_labels(question.together, counters.late, question.version_label)
        self._services: dict[tuple[str, ...], EventService] = {}
        ready = counters.ready
        self._ready = (
            ready if ready is None or isinstance(ready, Unread) else ReadyService(question, ready, counters.now)
        )

    def at(self, now: datetime) -> Verdict:
        """The verdict as of an instant, at the latest that of the counters."""
        looks = [each if isinstance(each, _Look) else each.at(now) for each in self._objectives]
        readable = [look for look in looks if look.arms]
        cells = min((look.cells for look in readable), default=0)
        service, unread = _service(self._question, self._by_events(readable, cells), self._readiness(now))
        figures = tuple(value.at(now) for value in self._values)
        needed = (
            *(look.verdict.unread for look in looks if look.verdict.effect is not Effect.INFORM),
            *(figure.unread for figure in figures if figure.objective.effect is not Effect.INFORM),
        )
        return Verdict(
            stage=self._question.stage,
            subject=self._question.subject,
            judged_until=_judged_until(self._question, readable, cells),
            objectives=tuple(look.verdict for look in looks),
            serving=service.serving,
            serving_since=service.since,
            baked=service.baked,
            events=_events(readable),
            absent_for=service.absent_for,
            first_bad_at=_first_bad_at(self._question, readable),
            unread=next((reason for reason in needed if reason is not None), unread),
            values=figures,
            late=tuple(labels.at(now) for labels in self._late),
        )

    def workings(self, now: datetime) -> dict[str, Workings]:
        """By objective, the cells behind its verdict as of an instant. What a mean weighs is not told cell by cell."""
        judged = [each for each in self._objectives if isinstance(each, _Objective)]
        return {each.objective.name: each.workings(now) for each in judged if each.objective.mean is None}

    def _by_events(self, readable: Sequence[_Look], cells: int) -> Service:
        """What the objectives that can be read show together: nearly always the same ones."""
        names = tuple(look.verdict.objective for look in readable)
        if names not in self._services:
            self._services[names] = EventService(self._question, [look.arms for look in readable])
        return self._services[names].after(cells)

    def _readiness(self, now: datetime) -> Service | Unread | None:
        return self._ready.at(now) if isinstance(self._ready, ReadyService) else self._ready


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One objective at one instant, with the arms it rests on (none when unread) and how many of their cells are
    judged. `events` are the subject's since the last weight change."""

    verdict: ObjectiveVerdict
    arms: Mapping[int, Arm] = field(default_factory=dict)
    cells: int = 0
    events: float = 0.0


class _Objective:
    """One objective judged over the whole time."""

    def __init__(self, question: Question, series: Tracked, now: datetime) -> None:
        self._question, self._objective = question, series.objective
        self._grid = cut(series, frame_of(question, now))
        canary = question.stage is Stage.CANARY
        self._against = _against(question, self._grid)
        cells = self._grid.arms[question.subject].cells
        self._changed = bisect_left(cells, last_change(question).timestamp(), key=lambda cell: cell.start)
        since = (cell.tally.total for cell in cells[self._changed :])
        self._events = list(accumulate(since, initial=0.0))

        self._newest = self._grid.newest(self._grid.arms if canary else [question.subject])
        self._settled = max([self._grid.settled, *(arm.began.settled for arm in self._grid.arms.values())])
        self._at_last = self._why_unread(now.timestamp())

    def at(self, now: datetime) -> _Look:
        asked = now.timestamp()
        if reason := self._at_last if asked > self._settled else self._why_unread(asked):
            return _unread(self._objective, reason)
        cells = self._grid.judged(asked)
        verdict = self._against.after(cells)
        return _Look(
            verdict=verdict if _proven(self._question, verdict) else _with_unread(verdict, self._in_doubt(now)),
            arms=self._grid.arms,
            cells=cells,
            events=self._events[max(cells - self._changed, 0)],
        )

    @property
    def objective(self) -> Objective:
        return self._objective

    def workings(self, now: datetime) -> Workings:
        return self._against.workings(self._grid.judged(now.timestamp()))

    def _why_unread(self, now: float) -> Unread | None:
        return self._grid.unread(now) or self._history_lost(now)

    def _history_lost(self, now: float) -> Unread | None:
        """Stable served when its canary began: if it is known only from later on, retention has lost the start."""
        question = self._question
        if question.stage is not Stage.CANARY or question.reference is None:
            return None
        return self._known_late(question.reference, question.since, now)

    def _known_late(self, version: int, since: datetime, now: float) -> Unread | None:
        """Unread when a version is known only from later on than the first cell."""
        began = self._grid.arms[version].began.by(now)
        if began is None or began <= (since + self._question.rollout.resolution).timestamp():
            return None
        words = f"version {version} is known only since {instant(began):%Y-%m-%d %H:%M:%S} UTC"
        return Unread(why=Why.HISTORY_LOST, words=words)

    def _in_doubt(self, now: datetime) -> Unread | None:
        """Why nothing goes on by what the cells say: counters stopped coming, or retention lost what came before. What
        is found nevertheless stands."""
        if stale := self._stale(now):
            return stale
        needed = _served_by(self._question)
        return self._known_late(*needed, now.timestamp()) if needed else None

    def _stale(self, now: datetime) -> Unread | None:
        newest = self._newest.by(now.timestamp())
        if newest is None:
            return Unread(why=Why.NO_DATA, words=f"no total events of version {self._question.subject}")
        return staleness(newest, now, 2 * self._question.rollout.resolution.total_seconds())


def _proven(question: Question, verdict: ObjectiveVerdict) -> bool:
    """Whether something was found that sends the subject back. Of a canary, a bound that it is outside of does not."""
    if verdict.effect is not Effect.REVERT:
        return False
    outside = verdict.burned is not None if question.stage is Stage.CANARY else verdict.standing is Standing.BREACH
    breach = outside and verdict.reference_standing is not Standing.BREACH
    return breach or verdict.comparison is Comparison.WORSE


def _served_by(question: Question) -> tuple[int, datetime] | None:
    """Which version served by when, as git tells: stable in the hours that dispersion is measured on, if it was stable
    in all of them, and on probation the subject. Taking it over may have lasted until `progressDeadline`."""
    deploys = question.rollout.progress_deadline
    if question.stage is Stage.PROBATION:
        return question.subject, question.since + deploys
    measured_from = question.since - HISTORY
    entered = question.reference_since
    if question.stage is not Stage.CANARY or question.reference is None or entered is None:
        return None
    return (question.reference, measured_from) if entered + deploys <= measured_from else None


def _against(question: Question, grid: Grid) -> AgainstStable | AgainstObjective | BesidePrevious:
    if question.stage is Stage.CANARY:
        return AgainstStable(question, grid)
    return BesidePrevious(question, grid) if question.held_back else AgainstObjective(question, grid)


def _judged(question: Question, objective: Objective, follower: Follower, now: datetime) -> _Objective | _Look:
    series = follower.follow(objective)
    return _unread(objective, series) if isinstance(series, Unread) else _Objective(question, series, now)


def _unread(objective: Objective, reason: Unread) -> _Look:
    return _Look(verdict=ObjectiveVerdict(objective=objective.name, effect=objective.effect, unread=reason))


def _with_unread(verdict: ObjectiveVerdict, reason: Unread | None) -> ObjectiveVerdict:
    return verdict if reason is None else replace(verdict, unread=reason)


def _service(question: Question, events: Service, ready: Service | Unread | None) -> tuple[Service, Unread | None]:
    """Both sources together, and what is missing to tell.

    A canary serves when it answers; the gauge only speaks where traffic is too thin to. Otherwise the gauge leads, and
    demand that it does not answer still counts as absence.
    """
    if ready is None:
        silent = not question.objectives and question.stage is not Stage.LABELS
        words = "no objective is judged and no `ready` selector of the target is set: nothing says whether it serves"
        return events, Unread(why=Why.NO_DATA, words=words) if silent else None
    if question.stage is Stage.CANARY:
        if events.serving is not None or isinstance(ready, Unread):
            return events, None
        return replace(ready, baked=events.baked), None
    if isinstance(ready, Unread):
        return events, ready
    if events.serving is False:
        return replace(ready, serving=False, since=None, absent_for=events.absent_for), None
    return replace(ready, absent_for=max(ready.absent_for, events.absent_for)), None


def _judged_until(question: Question, readable: Sequence[_Look], cells: int) -> datetime:
    """The end of the last cell that every readable objective has judged."""
    if not cells:
        return question.since
    return instant(readable[0].arms[question.subject].cells[cells - 1].start) + question.rollout.resolution


def _events(readable: Sequence[_Look]) -> float:
    """The subject's events since the last weight change, of the objective that has fewest (`inform` does not count)."""
    counted = [look for look in readable if look.verdict.effect is not Effect.INFORM] or readable
    return min((look.events for look in counted), default=0.0)


def _first_bad_at(question: Question, readable: Sequence[_Look]) -> datetime | None:
    """When the first bad event was seen of an objective that is worse or in breach."""
    seen = (
        (look.cells, look.arms[question.subject].first_bad)
        for look in readable
        if look.verdict.comparison is Comparison.WORSE or look.verdict.standing is Standing.BREACH
    )
    first = min((bad[1] for cells, bad in seen if bad is not None and bad[0] < cells), default=None)
    return None if first is None else instant(first)
