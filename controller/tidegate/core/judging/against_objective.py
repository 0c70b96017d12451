"""One arm against the objective itself (absolute): on probation, and while baking with `judge: objectives`.

An arm against another one is `against_stable`'s.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from tidegate.core.judging.burning import Burning, paging
from tidegate.core.judging.comparison import as_e_value, outside_evidence
from tidegate.core.judging.counts import Cell, Frame, Grid, cut, instant
from tidegate.core.judging.dispersion import Dispersion
from tidegate.core.judging.verdict import ObjectiveVerdict, Question, Stage, Standing, Tally
from tidegate.core.judging.workings import Workings, workings
from tidegate.core.manifest import Objective, Rollout


class Stood:
    """How an arm stood after any number of its cells, which are counted from the first of their grid.

    It breaches by an always-valid lower bound of its bad rate since the first of them, or by a pair of windows that
    burns; each way has an equal part of what the objective has of the false revert rate. A breach is absorbing: nothing
    is weighed after it.
    """

    def __init__(
        self, question: Question, objective: Objective, cells: Sequence[int], tallies: Sequence[Tally]
    ) -> None:
        rollout = question.rollout
        self._enough, self._budget = max(rollout.minimum_events, 1), objective.budget
        self.needed = (2 if paging(objective) else 1) * question.sharing / rollout.false_revert_rate
        self.evidence: list[float] = []
        self.burning = Burning(question, objective, cells, tallies)
        self.sums = self.burning.sums
        bound, burned = self._weigh(rollout, objective, tallies), self.burning.tripped
        self.breach = min((found for found in (bound, burned) if found is not None), default=None)
        self.burned = self.burning.by if burned is not None and burned == self.breach else None

    def _weigh(self, rollout: Rollout, objective: Objective, tallies: Sequence[Tally]) -> int | None:
        """The first cell by which, after enough events, the lower bound is above the budget."""
        needed = math.log(self.needed)
        for index, evidence in enumerate(outside_evidence(tallies, objective.budget, rollout.dispersion)):
            self.evidence.append(evidence)
            if evidence >= needed and self.sums.total[index + 1] >= self._enough:
                return index
        return None

    def burned_by(self, cells: int) -> int | None:
        """The cell in which a pair of windows burned before anything else was found, if that is known by then."""
        return self.breach if self.burned is not None and self.after(cells) is Standing.BREACH else None

    def began(self, breach: int) -> int:
        """The first cell of the trouble that it breached by: before it, it had spent least beyond its budget."""
        spent = [bad - self._budget * total for bad, total in zip(self.sums.bad, self.sums.total, strict=True)]
        return min(range(breach, -1, -1), key=spent.__getitem__)

    def after(self, cells: int) -> Standing:
        if self.breach is not None and self.breach < cells:
            return Standing.BREACH
        return Standing.FINE if self.sums.total[cells] >= self._enough else Standing.TOO_FEW


class Breach(NamedTuple):
    """The first cell of the trouble, the one by which it was enough, and the bad rate from the one to the other."""

    began: int
    found: int
    rate: float


class AgainstObjective:
    """The subject against the objective, since the stage began and warm-up was over."""

    def __init__(self, question: Question, grid: Grid, dispersion: Dispersion) -> None:
        self._dispersion = dispersion
        question = replace(question, rollout=replace(question.rollout, dispersion=dispersion.figure))
        self._question, self._objective, self._frame = question, grid.tracked.objective, grid.frame
        cells = grid.arms[question.subject].cells
        self._cold = bisect_left(cells, warm_from(question, cells), key=lambda cell: cell.start)
        self._warm = cells[self._cold :]
        tallies = [cell.tally for cell in self._warm]
        self._stood = Stood(question, self._objective, range(self._cold, len(cells)), tallies)
        self._before = self._standing_before(grid)

    @property
    def breach(self) -> Breach | None:
        """What was found, with its cells counted in the grid."""
        found = self._stood.breach
        if found is None:
            return None
        began = self._stood.began(found)
        rate = self._stood.sums.between(began, found + 1).rate or 0.0
        return Breach(began=self._cold + began, found=self._cold + found, rate=rate)

    def end(self, cell: int) -> datetime:
        """The end of a cell of the grid."""
        return instant((self._frame.first + cell + 1) * self._frame.resolution)

    def after(self, cells: int) -> ObjectiveVerdict:
        """What so many cells of the grid say."""
        warm = max(cells - self._cold, 0)
        standing = self._stood.after(warm)
        breach = self._stood.breach if standing is Standing.BREACH else None
        worse_at = None if breach is None else self.end(self._cold + breach)
        burned = None if breach is None else self._stood.burned
        # The figures of a breach are those it was found at: the same at every later look, hence the same transition.
        told = warm if breach is None else breach + 1
        return ObjectiveVerdict(
            objective=self._objective.name,
            effect=self._objective.effect,
            mean=self._objective.mean,
            subject=self._stood.sums.first(told),
            evidence=as_e_value(self._stood.evidence[told - 1] if told else 0.0),
            needed=self._stood.needed,
            worse_at=worse_at,
            burned=burned,
            burned_at=None if burned is None else worse_at,
            dispersion=self._dispersion.figure,
            dispersion_measured=self._dispersion.measured,
            standing=standing,
            reference_standing=Standing.UNKNOWN if breach is None else self._before,
        )

    def workings(self, cells: int) -> Workings:
        """The cells behind what so many cells of the grid say."""
        warm = max(cells - self._cold, 0)
        told = warm if self._stood.breach is None else min(self._stood.breach + 1, warm)
        weighed = ((cell.start, cell.tally, Tally()) for cell in self._warm[:told])
        burning = self._stood.burning.after(told)
        return workings(self._objective, weighed, burning, self._dispersion, compared=False)

    def _standing_before(self, grid: Grid) -> Standing:
        """How the previous version stood over as many cells before probation as the breach took. Only a breach asks."""
        question, frame, breach = self._question, grid.frame, self._stood.breach
        if question.stage is not Stage.PROBATION or question.reference is None or breach is None:
            return Standing.UNKNOWN
        began = frame.first * frame.resolution
        before = Frame(
            start=frame.start - (self._cold + breach + 1) * frame.resolution, now=began, resolution=frame.resolution
        )
        theirs = cut(grid.tracked.only(question.reference), before)
        tallies = [cell.tally for cell in theirs.arms[question.reference].cells]
        unread = theirs.unread(began) or theirs.out_of_range(len(tallies))
        if unread is not None or not any(tally.total > 0 for tally in tallies):
            return Standing.UNKNOWN
        return Stood(question, self._objective, range(len(tallies)), tallies).after(len(tallies))


def warm_from(question: Question, cells: Sequence[Cell]) -> float:
    """When warm-up is over: it begins with the first events, however long loading took."""
    served = next((cell.start for cell in cells if cell.tally.total > 0), math.inf)
    return served + question.rollout.warm_up.total_seconds()
