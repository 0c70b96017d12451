"""Labels that come late: two versions compared by the truth about predictions that they made side by side.

Labels are counted when they come, in histograms of how old their predictions were by then. Only equal ages are
compared, and the labels that one version lacks are taken for what speaks for the canary: a difference of coverage can
then hide a regression, and never make one up. Formulas and assumptions: docs/late-labels.md.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.judging.against_stable import minimum_effect
from tidegate.core.judging.age_buckets import AgeBucket, Counted, Served, counted
from tidegate.core.judging.comparison import as_e_value, worse_bets
from tidegate.core.judging.counts import instant, written
from tidegate.core.judging.coverage import Seen, Step
from tidegate.core.judging.dispersion import HISTORY, Dispersion, divisor_of_labels, of_labels, stable_throughout
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    LateReadings,
    LateVerdict,
    ObjectiveVerdict,
    Tally,
    Together,
)
from tidegate.core.judging.workings import AgeCovered, LateMoved, LateWorkings
from tidegate.core.manifest import Labels, Objective, Rollout
from tidegate.core.quantity import show_duration, show_share

_LADDER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 360, 1440))
_FINE, _COARSE = 12, 2000
"""Steps that the planned time side by side should have at least, and that `delay` may have at most."""

_ROUNDING = 1e-9
"""Shares of buckets are added up; what is missing by this much is not missing."""


def step_of(labels: Labels, rollout: Rollout) -> timedelta:
    """How far apart counters of late labels are read: fine enough for the steps of the rollout, and no finer than a
    long delay allows. It follows from the policy alone."""
    planned = max(len(rollout.steps), 1) * rollout.bake
    wanted = max(min(planned / _FINE, labels.delay / _FINE), labels.delay / _COARSE)
    return max([rollout.resolution, *(step for step in _LADDER if step <= wanted)])


def measured_from(together: Together, labels: Labels) -> datetime:
    """Since when labels are read: how clustered bad ones are is told from those that came before the rollout."""
    return together.since - max(labels.delay, HISTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Everything as it stood after one step: the evidence as counted (`plain`) and with the gaps filled, and the
    difference of rates with the gaps filled."""

    step: int
    subject: Tally
    reference: Tally
    coverages: tuple[float, float]
    plain: float
    filled: float
    effect: float


class LateLabels:
    """One late objective judged over the whole time; `at` reads off its verdict at any instant."""

    def __init__(self, together: Together, objective: Objective, readings: LateReadings, version_label: str) -> None:
        assert objective.labels is not None, "an objective on late labels"
        self._together, self._objective, self._labels = together, objective, objective.labels
        self._step = step_of(objective.labels, together.rollout).total_seconds()
        self._measured_from = math.floor(measured_from(together, self._labels).timestamp() / self._step)
        self._needed = together.sharing / together.rollout.false_revert_rate
        self._effect = minimum_effect(together.rollout, objective)
        versions = (together.subject, together.reference)
        found = counted(objective, readings, version_label, versions, self._step)
        self._counted = found if isinstance(found, Unread) else self._lost(found) or found
        self._dispersion = self._divisor()
        self._left_out = "" if isinstance(self._counted, Unread) else self._too_wide(self._counted)
        self._seen: list[Seen] = []
        self.rows = [] if isinstance(self._counted, Unread) else self._walk(self._counted)
        self._worse = next((row for row in self.rows if self._is_worse(row)), None)

    @property
    def objective(self) -> Objective:
        return self._objective

    def at(self, now: datetime) -> LateVerdict:
        """As of an instant. A step is judged once as long a time has passed since its end as it lasted."""
        if isinstance(self._counted, Unread):
            return self._unread(self._counted)
        row = self._told(now)
        if row is None:
            return self._unread(Unread(why=Why.UNLABELLED, words=self._too_early(self._counted)))
        return self._verdict(row, None if row is self._worse else self._why_not(row))

    def workings(self, now: datetime) -> LateWorkings:
        """The labels behind what `at` tells."""
        row, ages, cells = self._told(now), [], []
        for age, seen in enumerate(self._seen, start=1):
            steps = [step for step in seen.steps if row is not None and step.number <= row.step]
            ages += [self._covered(age, seen, steps)] if steps else []
            cells += [self._moved(age, step) for step in steps if step.subject.total and step.reference.total]
        cells.sort(key=lambda cell: (cell.start, cell.age))
        return LateWorkings(ages=tuple(ages), cells=tuple(cells), dispersion=self._dispersion)

    def _moved(self, age: int, step: Step) -> LateMoved:
        start = instant((step.number - 1) * self._step)
        return LateMoved(start=start, age=age, subject=step.subject, reference=step.reference)

    def _covered(self, age: int, seen: Seen, steps: Sequence[Step]) -> AgeCovered:
        return AgeCovered(
            age=age,
            oldest=seen.bucket.high * timedelta(seconds=self._step),
            subject=_sum(step.subject for step in steps),
            reference=_sum(step.reference for step in steps),
            served=sum(step.served[0] for step in steps),
            reference_served=sum(step.served[1] for step in steps),
        )

    def _told(self, now: datetime) -> Row | None:
        """The row that is told at an instant: the one by which it was found worse, else the last that is judged."""
        last = math.floor(now.timestamp() / self._step) - 1
        if self._worse is not None and self._worse.step <= last:
            return self._worse
        known = bisect_right(self.rows, last, key=lambda row: row.step)
        return self.rows[known - 1] if known else None

    def _divisor(self) -> Dispersion:
        """What the evidence is divided by."""
        policy = self._together.rollout.dispersion
        if isinstance(self._counted, Unread):
            return Dispersion(figure=policy, by_policy=f"nothing can be measured: {self._counted}")
        steps = range(self._measured_from + 1, math.floor(self._together.since.timestamp() / self._step) + 1)
        found = of_labels(self._counted.buckets, self._together.reference, steps, self._step)
        return divisor_of_labels(found, policy)

    def _lost(self, counted: Counted) -> Unread | None:
        """The other version served when this one began, and where git tells so in all of the time that dispersion is
        measured on: if it is known only from later on, retention lost the start."""
        together, measured = self._together, measured_from(self._together, self._labels)
        known = counted.served[together.reference].known_since
        words = f"version {together.reference} is known only since {written(known * self._step)}"
        if known > math.ceil(together.since.timestamp() / self._step) + 1:
            return Unread(why=Why.HISTORY_LOST, words=words)
        stable = stable_throughout(together.reference_since, measured, together.rollout)
        if stable and known > self._measured_from:
            words = f"{words}, and dispersion is measured since {written(measured.timestamp())}"
            return Unread(why=Why.HISTORY_LOST, words=words)
        return None

    def _walk(self, counted: Counted) -> list[Row]:
        """After each step in which a label may have come that can be compared."""
        since = self._since(counted)
        if since is None:
            return []
        self._seen = seen = [Seen(b, worse_bets(self._together.rollout.worse_than)) for b in counted.buckets]
        rows: list[Row] = []
        for step in range(since + 1, counted.last + 1):
            inside = [each for each in seen if self._side_by_side(each.bucket, step, since)]
            for each in inside:
                self._add(each, step, counted.served)
            if inside:
                rows.append(self._row(step, seen))
        return rows

    def _since(self, counted: Counted) -> int | None:
        """The step by which both served and were warm; None while one never did."""
        rollout, began = self._together.rollout, math.floor(self._together.since.timestamp() / self._step)
        firsts = [served.first(began) for served in counted.served.values()]
        known = [first for first in firsts if first is not None]
        if len(known) < len(firsts):
            return None
        both = max(self._together.since.timestamp(), (max(known) - 1) * self._step)
        return math.ceil((both + rollout.warm_up.total_seconds()) / self._step)

    def _side_by_side(self, bucket: AgeBucket, step: int, since: int) -> bool:
        """Whether both served for the whole time in which the predictions of these labels were made."""
        until = self._together.until
        ends = math.inf if until is None else math.floor(until.timestamp() / self._step)
        return step - 1 - bucket.high >= since and step - bucket.low <= ends

    def _add(self, seen: Seen, step: int, served: Mapping[int, Served]) -> None:
        together, bucket = self._together, seen.bucket
        # Over so many steps predictions were made whose labels come at this age in this one; each has an equal part.
        span = bucket.high - bucket.low + 1
        before = (step - 1 - bucket.high, step - bucket.low)
        labels = [bucket.labels[version].get(step, Tally()) for version in (together.subject, together.reference)]
        made = [served[version].between(*before) / span for version in (together.subject, together.reference)]
        found = Step(number=step, subject=labels[0], reference=labels[1], served=(made[0], made[1]))
        seen.add(found, together.rollout.worse_than)

    def _row(self, step: int, seen: Sequence[Seen]) -> Row:
        tallies = [each.filled_tallies() for each in seen]
        mine, theirs = (_sum(arm) for arm in zip(*tallies, strict=True))
        coverages = [each.coverages for each in seen]
        return Row(
            step=step,
            subject=_sum(each.subject for each in seen),
            reference=_sum(each.reference for each in seen),
            coverages=(sum(mine for mine, _ in coverages), sum(theirs for _, theirs in coverages)),
            plain=self._evidence([each.plain() for each in seen]),
            filled=self._evidence([each.filled() for each in seen]),
            effect=(mine.rate or 0.0) - (theirs.rate or 0.0),
        )

    def _evidence(self, by_bucket: Sequence[Sequence[float]]) -> float:
        divisor = self._dispersion.figure
        sums = [math.fsum(bucket[bet] for bucket in by_bucket) / divisor for bet in range(len(by_bucket[0]))]
        top = max(sums)
        return top + math.log(math.fsum(math.exp(each - top) for each in sums) / len(sums))

    def _is_worse(self, row: Row) -> bool:
        return self._is_covered(row) and row.filled >= math.log(self._needed) and row.effect > self._effect

    def _is_covered(self, row: Row) -> bool:
        return min(row.coverages) >= self._labels.minimum_coverage - _ROUNDING

    def _verdict(self, row: Row, unread: Unread | None) -> LateVerdict:
        worse = row is self._worse
        return LateVerdict(
            verdict=ObjectiveVerdict(
                objective=self._objective.name,
                effect=self._objective.effect,
                unread=unread,
                comparison=Comparison.WORSE if worse else Comparison.UNDECIDED,
                subject=row.subject,
                reference=row.reference,
                evidence=as_e_value(row.filled),
                needed=self._needed,
                worse_at=instant(row.step * self._step) if worse else None,
                dispersion=self._dispersion.figure,
                dispersion_measured=self._dispersion.measured,
            ),
            coverage=row.coverages[0],
            reference_coverage=row.coverages[1],
        )

    def _unread(self, reason: Unread) -> LateVerdict:
        verdict = ObjectiveVerdict(objective=self._objective.name, effect=self._objective.effect, unread=reason)
        return LateVerdict(verdict=verdict)

    def _why_not(self, row: Row) -> Unread | None:
        mine, theirs = (show_share(round(share, 3)) for share in row.coverages)
        covered = f"{mine} of its predictions have a label, and {theirs} of version {self._together.reference}'s"
        if not self._is_covered(row):
            needed = f"{show_share(self._labels.minimum_coverage)} are needed{self._left_out}"
            return Unread(why=Why.UNLABELLED, words=f"{covered}: {needed}")
        if row.filled < math.log(self._needed) <= row.plain:
            return Unread(why=Why.SELECTIVE, words=f"{covered}: that alone may be why it looks worse")
        return None

    def _too_wide(self, counted: Counted) -> str:
        """Which labels never count, because both did not serve for as long as their age bucket is wide."""
        since, until = self._since(counted), self._together.until
        if since is None or until is None:
            return ""
        steps = math.floor(until.timestamp() / self._step) - since
        if all(bucket.high - bucket.low < steps for bucket in counted.buckets):
            return ""
        return f", and age buckets wider than {show_duration(timedelta(seconds=steps * self._step))} do not count"

    def _too_early(self, counted: Counted) -> str:
        """Why no label can be compared yet, or ever."""
        narrowest = min((bucket.high - bucket.low + 1 for bucket in counted.buckets), default=0)
        since, until = self._since(counted), self._together.until
        if since is None:
            return "not both versions have made predictions yet"
        if until is None or until.timestamp() >= (since + narrowest) * self._step:
            return "no label yet of predictions that both versions made side by side"
        apart = show_duration(timedelta(seconds=narrowest * self._step))
        return f"both served side by side for less than {apart}, which an age bucket takes: bake longer, or hold back"


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total += tally
    return total


def late_labels(
    together: Together | None, readings: Mapping[str, LateReadings], version_label: str
) -> list[LateLabels]:
    """Every late objective of two versions that served side by side."""
    if together is None:
        return []
    return [
        LateLabels(together, each, readings.get(each.name, _NEVER_ASKED), version_label) for each in together.objectives
    ]


_NOT_ASKED = Unread(why=Why.NO_DATA, words="was not asked for")
_NEVER_ASKED = LateReadings(bad=_NOT_ASKED, total=_NOT_ASKED, served=_NOT_ASKED)
