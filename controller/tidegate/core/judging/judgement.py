"""`judge(question, counters) -> Verdict`: what the counters say of one version in one environment. Pure; looking more
often changes nothing, because every look rebuilds the whole grid from the stage's start (DESIGN.md section 6).

Cutting counters into cells is `counts`', the statistics are `comparison`'s; what to do about a verdict is `decision`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from tidegate.core.judging.comparison import (
    as_e_value,
    inside_evidence,
    outside_evidence,
    ruled_out_evidence,
    worse_evidence,
)
from tidegate.core.judging.counts import Arm, Cell, Frame, count, instant
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.serving import Service, by_events, by_readiness, frame_of, last_change, staleness
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveReadings,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    Tally,
    Verdict,
)
from tidegate.core.manifest import Effect, Objective

RULED_OUT = "ruled out"
INSIDE = "inside the objective"

_EFFECT_SHARE = 0.1
"""Where the policy names no `minimumEffect`, a difference below this share of the error budget is nobody's concern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One objective's verdict with the arms that it rests on (none when unread)."""

    verdict: ObjectiveVerdict
    arms: Mapping[int, Arm]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Subject and reference in one cell."""

    start: float
    subject: Tally
    reference: Tally


def judge(question: Question, counters: Counters) -> Verdict:
    """The verdict on one version, as of Prometheus' own time. Whatever is needed and missing stands in `unread`."""
    judged = [_objective(question, objective, counters) for objective in question.objectives]
    readable = [each for each in judged if each.arms]
    events = by_events(question, [each.arms for each in readable])
    readiness = _readiness(question, counters)
    service, unread = _service(question, events, readiness)
    needed = (each.verdict.unread for each in judged if each.verdict.effect is not Effect.INFORM)
    return Verdict(
        stage=question.stage,
        subject=question.subject,
        judged_until=_judged_until(question, readable),
        objectives=tuple(each.verdict for each in judged),
        serving=service.serving,
        serving_since=service.since,
        baked=service.baked,
        events=_events(question, readable),
        absent_for=service.absent_for,
        first_bad_at=_first_bad_at(question, readable),
        unread=next((reason for reason in needed if reason is not None), unread),
    )


def _objective(question: Question, objective: Objective, counters: Counters) -> _Judged:
    readings = counters.objectives.get(objective.name, _NEVER_ASKED)
    frame = frame_of(question, counters.now)
    arms = count(objective, readings, counters.up, frame, _versions(question))
    if isinstance(arms, Unread):
        return _Judged(verdict=_unread(objective, arms), arms={})
    if lost := _history_lost(question, arms):
        return _Judged(verdict=_unread(objective, lost), arms={})
    match question.stage:
        case Stage.CANARY:
            verdict = _compared(question, objective, arms)
        case Stage.PROBATION:
            verdict = _absolute(question, objective, arms)
            cells = _until(arms[question.subject].cells, verdict.worse_at)
            before = _standing_before(question, objective, readings, counters, cells)
            verdict = replace(verdict, reference_standing=before)
        case Stage.BAKE:
            verdict = _absolute(question, objective, arms)
        case _:
            assert_never(question.stage)
    return _Judged(verdict=replace(verdict, unread=_stale(question, verdict, arms, counters.now)), arms=arms)


_NOT_ASKED = Unread(why=Why.NO_DATA, words="was not asked for")
_NEVER_ASKED = ObjectiveReadings(bad=_NOT_ASKED, total=_NOT_ASKED)


def _unread(objective: Objective, reason: Unread) -> ObjectiveVerdict:
    return ObjectiveVerdict(objective=objective.name, effect=objective.effect, unread=reason)


def _versions(question: Question) -> tuple[int, ...]:
    return (question.subject,) if question.reference is None else (question.subject, question.reference)


def _history_lost(question: Question, arms: Mapping[int, Arm]) -> Unread | None:
    """Stable served when its canary began: if it is known only from later on, retention has lost the start."""
    if question.stage is not Stage.CANARY or question.reference is None:
        return None
    began = arms[question.reference].began
    if began is None or began <= (question.since + question.rollout.resolution).timestamp():
        return None
    words = f"version {question.reference} is known only since {instant(began):%Y-%m-%d %H:%M:%S} UTC"
    return Unread(why=Why.HISTORY_LOST, words=words)


def _stale(question: Question, verdict: ObjectiveVerdict, arms: Mapping[int, Arm], now: datetime) -> Unread | None:
    """Unread when the counters stopped coming. What was proven before that stays proven."""
    breach = verdict.standing is Standing.BREACH and verdict.reference_standing is not Standing.BREACH
    if breach or verdict.comparison is Comparison.WORSE:
        return None
    asked = arms.values() if question.stage is Stage.CANARY else [arms[question.subject]]
    newest = max((arm.newest for arm in asked if arm.newest is not None), default=None)
    if newest is None:
        return Unread(why=Why.NO_DATA, words=f"no total events of version {question.subject}")
    return staleness(newest, now, 2 * question.rollout.resolution.total_seconds())


def _compared(question: Question, objective: Objective, arms: Mapping[int, Arm]) -> ObjectiveVerdict:
    """Canary against stable. WORSE is absorbing, from the first cell in which it holds; better numbers later are kept
    out of it, because a promise on false reverts over all looks covers exactly that rule."""
    rollout, pairs = question.rollout, _comparable(question, arms)
    needed = _reverting(question) / rollout.false_revert_rate
    both = [(pair.subject, pair.reference) for pair in pairs]
    worse = list(worse_evidence(both, rollout.worse_than, rollout.dispersion))
    worse_at = _worse_at(pairs, worse, math.log(needed), _minimum_effect(question, objective))
    # The figures of a regression are those it was found at: the same at every later look, hence the same transition.
    told = pairs if worse_at is None else [pair for pair in pairs if pair.start <= worse_at]
    cleared_by = _cleared_by(question, objective, both)
    comparison = Comparison.CLEARED if cleared_by else Comparison.UNDECIDED
    return ObjectiveVerdict(
        objective=objective.name,
        effect=objective.effect,
        comparison=comparison if worse_at is None else Comparison.WORSE,
        subject=_sum(pair.subject for pair in told),
        reference=_sum(pair.reference for pair in told),
        evidence=as_e_value(worse[len(told) - 1] if told else 0.0),
        needed=needed,
        worse_at=None if worse_at is None else instant(worse_at) + rollout.resolution,
        cleared_by=cleared_by if worse_at is None else "",
        standing=_standing(question, objective, [pair.subject for pair in pairs]),
        reference_standing=_standing(question, objective, [pair.reference for pair in pairs]),
    )


def _comparable(question: Question, arms: Mapping[int, Arm]) -> list[_Pair]:
    """The cells that may be compared: both arms whole, no weight change in reach, warmed up, the subject serving."""
    mine = arms[question.subject].cells
    theirs: Sequence[Cell | None] = [None] * len(mine)
    if question.reference is not None:
        theirs = arms[question.reference].cells
    warm, changes = _warm_from(question, mine), [change.at.timestamp() for change in question.weights]
    resolution = question.rollout.resolution.total_seconds()
    return [
        _Pair(start=cell.start, subject=cell.tally, reference=other.tally if other else Tally())
        for cell, other in zip(mine, theirs, strict=True)
        if cell.tally.total > 0
        and cell.start >= warm
        and not cell.gap
        and not (other and other.gap)
        # A cell's first increment reaches back by up to one scrape, which is at most half a cell.
        and not any(cell.start - resolution / 2 < at < cell.start + resolution for at in changes)
    ]


def _warm_from(question: Question, cells: Sequence[Cell]) -> float:
    """When warm-up is over: it begins with the first events, however long loading took."""
    served = next((cell.start for cell in cells if cell.tally.total > 0), math.inf)
    return served + question.rollout.warm_up.total_seconds()


def _reverting(question: Question) -> int:
    """Over how many objectives the false revert rate is shared (equal weights, union bound)."""
    return max(sum(objective.effect is Effect.REVERT for objective in question.objectives), 1)


def _minimum_effect(question: Question, objective: Objective) -> float:
    asked = question.rollout.minimum_effect
    return _EFFECT_SHARE * objective.budget if asked is None else asked


def _worse_at(pairs: Sequence[_Pair], evidence: Sequence[float], needed: float, effect: float) -> float | None:
    """The start of the first cell in which the evidence is enough and the difference of rates so far is of concern."""
    subject = reference = Tally()
    for pair, so_far in zip(pairs, evidence, strict=True):
        subject, reference = subject + pair.subject, reference + pair.reference
        if so_far >= needed and (subject.rate or 0.0) - (reference.rate or 0.0) > effect:
            return pair.start
    return None


def _cleared_by(question: Question, objective: Objective, both: Sequence[tuple[Tally, Tally]]) -> str:
    rollout = question.rollout
    needed = -math.log(rollout.false_advance_rate)
    ruled_out = ruled_out_evidence(both, rollout.rule_out, rollout.dispersion)
    if max(ruled_out, default=0.0) >= needed:
        return RULED_OUT
    inside = inside_evidence((subject for subject, _ in both), objective.budget, rollout.dispersion)
    return INSIDE if max(inside, default=0.0) >= needed else ""


def _absolute(question: Question, objective: Objective, arms: Mapping[int, Arm]) -> ObjectiveVerdict:
    """The subject against the objective itself, since the stage began and warm-up was over."""
    cells = _warmed_up(question, arms)
    tallies = [cell.tally for cell in cells]
    breach = _breach_in(question, objective, tallies)
    told = tallies if breach is None else tallies[: breach + 1]
    evidence = max(outside_evidence(told, objective.budget, question.rollout.dispersion), default=0.0)
    return ObjectiveVerdict(
        objective=objective.name,
        effect=objective.effect,
        subject=_sum(told),
        evidence=as_e_value(evidence),
        needed=1 / question.rollout.false_revert_rate,
        worse_at=None if breach is None else instant(cells[breach].start) + question.rollout.resolution,
        standing=_standing(question, objective, tallies),
    )


def _warmed_up(question: Question, arms: Mapping[int, Arm]) -> list[Cell]:
    cells = arms[question.subject].cells
    warm = _warm_from(question, cells)
    return [cell for cell in cells if cell.start >= warm]


def _standing(question: Question, objective: Objective, tallies: Sequence[Tally]) -> Standing:
    if _breach_in(question, objective, tallies) is not None:
        return Standing.BREACH
    enough = _sum(tallies).total >= max(question.rollout.minimum_events, 1)
    return Standing.FINE if enough else Standing.TOO_FEW


def _breach_in(question: Question, objective: Objective, tallies: Sequence[Tally]) -> int | None:
    """The first cell by which, after enough events, an always-valid lower bound of the bad rate is above the budget."""
    rollout = question.rollout
    needed, events = -math.log(rollout.false_revert_rate), 0.0
    reached = False
    for index, so_far in enumerate(outside_evidence(tallies, objective.budget, rollout.dispersion)):
        events += tallies[index].total
        reached = reached or so_far >= needed
        if reached and events >= max(rollout.minimum_events, 1):
            return index
    return None


def _standing_before(
    question: Question,
    objective: Objective,
    readings: ObjectiveReadings,
    counters: Counters,
    cells: int,
) -> Standing:
    """How the previous version stood over as many cells before probation. Counted up to a breach, so that a later look
    says the same of it (I9)."""
    if question.reference is None:
        return Standing.UNKNOWN
    frame = frame_of(question, counters.now)
    before = Frame(
        start=frame.start - cells * frame.resolution,
        now=frame.now,
        resolution=frame.resolution,
        version_label=frame.version_label,
    )
    reading = count(objective, readings, counters.up, before, (question.reference,))
    if isinstance(reading, Unread):
        return Standing.UNKNOWN
    theirs = [c for c in reading[question.reference].cells if c.start + frame.resolution <= frame.start]
    return _standing(question, objective, [c.tally for c in theirs]) if _any_events(theirs) else Standing.UNKNOWN


def _until(cells: Sequence[Cell], breached: datetime | None) -> int:
    """How many cells there are, up to a breach."""
    return sum(1 for cell in cells if breached is None or instant(cell.start) < breached)


def _any_events(cells: Iterable[Cell]) -> bool:
    return any(cell.tally.total > 0 for cell in cells)


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total += tally
    return total


def _readiness(question: Question, counters: Counters) -> Service | Unread | None:
    if counters.ready is None or isinstance(counters.ready, Unread):
        return counters.ready
    return by_readiness(question, counters.ready, counters.now)


def _service(question: Question, events: Service, ready: Service | Unread | None) -> tuple[Service, Unread | None]:
    """Both sources together, and what is missing to tell.

    A canary serves when it answers; the gauge only speaks where traffic is too thin to. Otherwise the gauge leads, and
    demand that it does not answer still counts as absence.
    """
    if ready is None:
        silent = not question.objectives
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


def _judged_until(question: Question, readable: Sequence[_Judged]) -> datetime:
    """The end of the last cell that every readable objective has judged."""
    ends = [cells[-1].start if (cells := each.arms[question.subject].cells) else None for each in readable]
    known = [end for end in ends if end is not None]
    if not known or len(known) < len(ends):
        return question.since
    return instant(min(known)) + question.rollout.resolution


def _events(question: Question, readable: Sequence[_Judged]) -> float:
    """The subject's events since the last weight change, of the objective that has fewest (`inform` does not count)."""
    changed = last_change(question).timestamp()
    counted = [each for each in readable if each.verdict.effect is not Effect.INFORM] or readable
    sums = (
        _sum(cell.tally for cell in each.arms[question.subject].cells if cell.start >= changed).total
        for each in counted
    )
    return min(sums, default=0.0)


def _first_bad_at(question: Question, readable: Sequence[_Judged]) -> datetime | None:
    """When the first bad event was seen of an objective that is worse or in breach."""
    seen = (
        each.arms[question.subject].first_bad
        for each in readable
        if each.verdict.comparison is Comparison.WORSE or each.verdict.standing is Standing.BREACH
    )
    first = min((at for at in seen if at is not None), default=None)
    return None if first is None else instant(first)
