"""`judge(question, counters) -> Verdict`: what the counters say of one version in one environment. Pure; looking more
often changes nothing, because every look rebuilds the whole grid from the stage's start (DESIGN.md section 6).

Cutting counters into cells is `counts`', the statistics are `comparison`'s; what to do about a verdict is `decision`'s.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate

from tidegate.core.judging.against_objective import AgainstObjective
from tidegate.core.judging.against_stable import AgainstStable
from tidegate.core.judging.counts import Arm, Grid, cut, instant, written
from tidegate.core.judging.dispersion import Dispersion, divisor
from tidegate.core.judging.held_back import BesidePrevious
from tidegate.core.judging.late_labels import late_labels
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.retention import expected, read_by_every_pass
from tidegate.core.judging.serving import EventService, ReadyService, Service, frame_of, last_change, staleness
from tidegate.core.judging.tracking import Follower, Tracked, known_since
from tidegate.core.judging.values import values
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    ValueVerdict,
    Verdict,
)
from tidegate.core.judging.workings import LateWorkings, Workings
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
        everybodys = read_by_every_pass(question, counters)
        before = follower if everybodys == counters else Follower(everybodys, question.version_label, versions)
        self._objectives = [_judged(question, each, (follower, before), counters) for each in question.objectives]
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
            unread=_named(_missing(looks, figures)) or unread,
            values=figures,
            late=tuple(labels.at(now) for labels in self._late),
        )

    def workings(self, now: datetime) -> dict[str, Workings]:
        """By objective, the cells behind its verdict as of an instant."""
        judged = [each for each in self._objectives if isinstance(each, _Objective)]
        return {each.objective.name: each.workings(now) for each in judged}

    def late_workings(self, now: datetime) -> dict[str, LateWorkings]:
        """By late objective, the labels behind its verdict as of an instant."""
        return {labels.objective.name: labels.workings(now) for labels in self._late}

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
    """One objective judged over the whole time. What was `before` is measured on what every pass reads of it."""

    def __init__(self, question: Question, series: Tracked, before: Tracked, counters: Counters) -> None:
        self._question, self._objective, self._kept = question, series.objective, counters.kept
        now = counters.now
        self._grid = cut(series, frame_of(question, now))
        canary = question.stage is Stage.CANARY
        self._against = _against(question, self._grid, divisor(before, question, self._grid.frame))
        cells = self._grid.arms[question.subject].cells
        self._changed = bisect_left(cells, last_change(question).timestamp(), key=lambda cell: cell.start)
        since = (cell.tally.total for cell in cells[self._changed :])
        self._events = list(accumulate(since, initial=0.0))

        self._bad_since = _bad_since(series)
        self._newest = self._grid.newest(self._grid.arms if canary else [question.subject])
        self._settled = max([self._grid.settled, *(arm.began.settled for arm in self._grid.arms.values())])
        self._known_at_last = self._known(now.timestamp())
        self._divisor_lost = self._hours_lost(before)

    def at(self, now: datetime) -> _Look:
        asked = now.timestamp()
        reason, lost = self._known_at_last if asked > self._settled else self._known(asked)
        if reason is not None:
            return _unread(self._objective, reason)
        cells = self._grid.judged(asked)
        verdict = self._verdict(now, cells, lost)
        if asked < self._bad_since:
            verdict = replace(verdict, never_bad=True)
        if verdict.unread is not None and verdict.unread.why is Why.OUT_OF_RANGE:
            return _Look(verdict=verdict)
        return _Look(
            verdict=verdict,
            arms=self._grid.arms,
            cells=cells,
            events=self._events[max(cells - self._changed, 0)],
        )

    @property
    def objective(self) -> Objective:
        return self._objective

    def workings(self, now: datetime) -> Workings:
        return self._against.workings(self._grid.in_range(self._grid.judged(now.timestamp())))

    def _verdict(self, now: datetime, cells: int, lost: Unread | None) -> ObjectiveVerdict:
        """What so many cells say: nothing by a divisor that may not be the one measured before. What is proven stands,
        whatever else is in doubt: counters stopped coming, or retention lost what came before."""
        if self._divisor_lost is not None and self._divisor_lost[0] <= now.timestamp():
            return _nothing_said(self._objective, self._divisor_lost[1])
        verdict = self._against.after(self._grid.in_range(cells))
        if _proven(self._question, verdict):
            return verdict
        if reason := self._grid.out_of_range(cells):
            return _nothing_said(self._objective, reason)
        reason = self._stale(now) or lost
        return replace(verdict, unread=reason) if reason else verdict

    def _known(self, now: float) -> tuple[Unread | None, Unread | None]:
        """Why nothing can be said, and why nothing goes on by what is said, for what is known of the start."""
        return self._grid.unread(now) or self._history_lost(now), self._subject_lost(now)

    def _history_lost(self, now: float) -> Unread | None:
        """Stable served when its canary began: if it is known only from later on, retention has lost the start."""
        question = self._question
        if question.stage is not Stage.CANARY or question.reference is None:
            return None
        return self._known_late(question.reference, question.since, now)

    def _hours_lost(self, before: Tracked) -> tuple[float, Unread] | None:
        """The other version is known only from later on than the hours that dispersion is measured on: they may have
        been measured while they were kept. With the instant by which that shows."""
        wanted = expected(self._question)
        if wanted is None or wanted.version != self._question.reference:
            return None
        known = known_since(before.totals[wanted.version])
        if not wanted.by.timestamp() < known < math.inf:
            return None
        lost = _lost(wanted.version, known)
        start = wanted.by + self._question.rollout.resolution
        words = f"{lost.words}, and dispersion is measured since {written(start.timestamp())}"
        reason = self._unless_kept(replace(lost, words=words))
        return None if reason is None else (known, reason)

    def _known_late(self, version: int, since: datetime, now: float) -> Unread | None:
        """Unread when a version is known only from later on than the first cell."""
        began = self._grid.arms[version].began.by(now)
        if began is None or began <= (since + self._question.rollout.resolution).timestamp():
            return None
        return _lost(version, began)

    def _subject_lost(self, now: float) -> Unread | None:
        """A version that has the environment is known only from later on than taking it over may have lasted."""
        question = self._question
        if question.stage not in (Stage.PROBATION, Stage.BAKE):
            return None
        deployed = question.since + question.rollout.progress_deadline
        lost = self._known_late(question.subject, deployed, now)
        return lost if question.stage is not Stage.BAKE else lost and self._unless_kept(lost)

    def _unless_kept(self, lost: Unread) -> Unread | None:
        """A version may be known late because deploying it, or scraping it, took long: so it was if Prometheus still
        has something of the time before."""
        if isinstance(self._kept, Unread):
            return self._kept
        return None if self._kept is not None and self._kept.series else lost

    def _stale(self, now: datetime) -> Unread | None:
        newest = self._newest.by(now.timestamp())
        if newest is None:
            return Unread(why=Why.NO_DATA, words=f"no total events of version {self._question.subject}")
        return staleness(newest, now, 2 * self._grid.frame.resolution)


def _bad_since(series: Tracked) -> float:
    """When the first series that matches `bad` had a sample. Where good events are counted, none can be missing."""
    if series.objective.bad is None:
        return -math.inf
    return min(known_since(tracks) for tracks in series.counted.values())


def _proven(question: Question, verdict: ObjectiveVerdict) -> bool:
    """Whether something was found that sends the subject back. Of a canary, a bound that it is outside of does not."""
    if verdict.effect is not Effect.REVERT:
        return False
    outside = verdict.burned is not None if question.stage is Stage.CANARY else verdict.standing is Standing.BREACH
    breach = outside and verdict.reference_standing is not Standing.BREACH
    return breach or verdict.comparison is Comparison.WORSE


def _missing(looks: Sequence[_Look], figures: Sequence[ValueVerdict]) -> list[tuple[str, Unread]]:
    """What cannot be read of all that does more than inform, and why."""
    read = [(each.objective, each.effect, each.unread) for each in (look.verdict for look in looks) if each.unread]
    read += [(each.objective.name, each.objective.effect, each.unread) for each in figures if each.unread]
    return [(name, reason) for name, effect, reason in read if effect is not Effect.INFORM]


def _named(found: Sequence[tuple[str, Unread]]) -> Unread | None:
    """The first reason, with whose it is and how many more have one. A server that does not answer is the reason of
    them all."""
    if not found:
        return None
    name, first = found[0]
    if first.why is Why.UNREACHABLE:
        return first
    others = len(found) - 1
    more = f" (and {others} more {'objective' if others == 1 else 'objectives'} cannot be read)" if others else ""
    return replace(first, words=f"{name}: {first.words}{more}" if first.words else f"{name}{more}")


def _against(question: Question, grid: Grid, found: Dispersion) -> AgainstStable | AgainstObjective | BesidePrevious:
    if question.stage is Stage.CANARY:
        return AgainstStable(question, grid, found)
    return BesidePrevious(question, grid, found) if question.held_back else AgainstObjective(question, grid, found)


def _judged(
    question: Question, objective: Objective, followers: tuple[Follower, Follower], counters: Counters
) -> _Objective | _Look:
    series, before = (follower.follow(objective) for follower in followers)
    if isinstance(series, Unread):
        return _unread(objective, series)
    assert not isinstance(before, Unread), "less was read, and nothing else"
    return _Objective(question, series, before, counters)


def _unread(objective: Objective, reason: Unread) -> _Look:
    return _Look(verdict=_nothing_said(objective, reason))


def _nothing_said(objective: Objective, reason: Unread) -> ObjectiveVerdict:
    return ObjectiveVerdict(objective=objective.name, effect=objective.effect, unread=reason)


def _lost(version: int, began: float) -> Unread:
    words = f"version {version} is known only since {written(began)}"
    return Unread(why=Why.HISTORY_LOST, words=words)


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
    longer = events.absent_for > ready.absent_for
    return replace(ready, absent_for=events.absent_for) if longer else ready, None


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
