"""One version beside another in the same cells: canary against stable, in one process over all steps of a rollout.

The evidence is `comparison`'s; what follows from it is `rollout`'s.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tidegate.core.judging.against_objective import Stood, warm_from
from tidegate.core.judging.comparison import as_e_value, inside_evidence
from tidegate.core.judging.counts import Cell, Grid, instant
from tidegate.core.judging.dispersion import Dispersion
from tidegate.core.judging.evidence import ruled_out, worse
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Question, Tally
from tidegate.core.judging.workings import Workings, workings
from tidegate.core.manifest import Objective, Rollout

RULED_OUT = "ruled out"
INSIDE = "inside the objective"

_EFFECT_SHARE = 0.1
"""Where the policy names no `minimumEffect`, a difference below this share of the error budget is nobody's concern."""

_WAYS_TO_BE_CLEARED = 2
"""Each has an equal part of the false advance rate: both at the whole of it reached 6.3 % for 5 % in simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Subject and reference in one cell, which is counted from the first of the grid."""

    cell: int
    start: float
    subject: Tally
    reference: Tally


class AgainstStable:
    """The comparison after any number of the grid's cells. WORSE is absorbing, from the first cell in which it holds;
    better numbers later are kept out of it, because a promise on false reverts over all looks covers exactly that rule.
    """

    def __init__(self, question: Question, grid: Grid, dispersion: Dispersion) -> None:
        self._dispersion = dispersion
        rollout = replace(question.rollout, dispersion=dispersion.figure)
        objective = grid.tracked.objective
        self._question, self._objective = replace(question, rollout=rollout), objective
        self._pairs = _comparable(question, grid)
        self._cells = [pair.cell for pair in self._pairs]
        mine = [pair.subject for pair in self._pairs]
        theirs = [pair.reference for pair in self._pairs]
        both = list(zip(mine, theirs, strict=True))
        self._stood = [Stood(self._question, objective, self._cells, arm) for arm in (mine, theirs)]
        self._needed = question.sharing / rollout.false_revert_rate
        self._worse_from: int | None = None
        self._evidence = self._weighed(worse(objective, both, rollout))
        enough = math.log(_WAYS_TO_BE_CLEARED / rollout.false_advance_rate)
        much_worse = ruled_out(objective, both, rollout)
        inside = inside_evidence(mine, objective.budget, rollout.dispersion)
        self._ruled_out_from, self._inside_from = _first(much_worse, enough), _first(inside, enough)

    def after(self, cells: int) -> ObjectiveVerdict:
        """What so many cells of the grid say."""
        pairs = bisect_left(self._cells, cells)
        worse = self._worse_from if self._worse_from is not None and self._worse_from < pairs else None
        cleared_by = self._cleared_by(pairs)
        # The figures of a regression are those it was found at: every later look has the same, hence one transition.
        told = pairs if worse is None else worse + 1
        burned = self._stood[0].burned_by(told)
        subject, reference = (stood.sums.first(told) for stood in self._stood)
        return ObjectiveVerdict(
            objective=self._objective.name,
            effect=self._objective.effect,
            mean=self._objective.mean,
            comparison=_comparison(worse, cleared_by),
            subject=subject,
            reference=reference,
            evidence=as_e_value(self._evidence[told - 1] if told else 0.0),
            needed=self._needed,
            worse_at=None if worse is None else self._end(worse),
            cleared_by=cleared_by if worse is None else "",
            dispersion=self._dispersion.figure,
            dispersion_measured=self._dispersion.measured,
            standing=self._stood[0].after(pairs),
            burned=None if burned is None else self._stood[0].burned,
            burned_at=None if burned is None else self._end(burned),
            reference_standing=self._stood[1].after(pairs),
        )

    def beside(self, first: int) -> Iterator[tuple[int, Tally]]:
        """The reference in the cells that are compared, from one of the grid on, each with its place there."""
        return ((pair.cell, pair.reference) for pair in self._pairs if pair.cell >= first)

    def workings(self, cells: int) -> Workings:
        """The cells behind what so many cells of the grid say."""
        pairs = bisect_left(self._cells, cells)
        told = pairs if self._worse_from is None else min(self._worse_from + 1, pairs)
        weighed = ((pair.start, pair.subject, pair.reference) for pair in self._pairs[:told])
        burning = self._stood[0].burning.after(told)
        return workings(self._objective, weighed, burning, self._dispersion, compared=True)

    def _end(self, pair: int) -> datetime:
        return instant(self._pairs[pair].start) + self._question.rollout.resolution

    def _cleared_by(self, pairs: int) -> str:
        if self._ruled_out_from < pairs:
            return RULED_OUT
        return INSIDE if self._inside_from < pairs else ""

    def _weighed(self, evidence: Iterable[float]) -> list[float]:
        """To the first pair by which the evidence is enough and the difference of rates so far is of concern."""
        effect, needed = minimum_effect(self._question.rollout, self._objective), math.log(self._needed)
        weighed = []
        for pair, so_far in enumerate(evidence):
            weighed.append(so_far)
            if so_far >= needed and self._apart(pair + 1) > effect:
                self._worse_from = pair
                break
        return weighed

    def _apart(self, pairs: int) -> float:
        """The difference of the rates over so many pairs."""
        subject, reference = (stood.sums.first(pairs).rate or 0.0 for stood in self._stood)
        return subject - reference


def _first(evidence: Iterable[float], needed: float) -> float:
    """The first pair by which it is enough."""
    return next((index for index, so_far in enumerate(evidence) if so_far >= needed), math.inf)


def _comparable(question: Question, grid: Grid) -> list[_Pair]:
    """The cells that may be compared: both arms whole, no weight change in reach, warmed up, the subject serving."""
    mine = grid.arms[question.subject].cells
    theirs: Sequence[Cell | None] = [None] * len(mine)
    if question.reference is not None:
        theirs = grid.arms[question.reference].cells
    warm, changes = warm_from(question, mine), [change.at.timestamp() for change in question.weights]
    resolution = question.rollout.resolution.total_seconds()
    return [
        _Pair(cell=index, start=cell.start, subject=cell.tally, reference=other.tally if other else Tally())
        for index, (cell, other) in enumerate(zip(mine, theirs, strict=True))
        if cell.tally.total > 0
        and cell.start >= warm
        and not cell.gap
        and not (other and other.gap)
        # A cell's first increment reaches back by up to one scrape, which is at most half a cell.
        and not any(cell.start - resolution / 2 < at < cell.start + resolution for at in changes)
    ]


def _comparison(worse: int | None, cleared_by: str) -> Comparison:
    if worse is not None:
        return Comparison.WORSE
    return Comparison.CLEARED if cleared_by else Comparison.UNDECIDED


def minimum_effect(rollout: Rollout, objective: Objective) -> float:
    """A difference of rates below this is nobody's concern."""
    higher = objective.mean is not None and objective.mean.higher_is_better
    bound = objective.target if higher else objective.budget
    return _EFFECT_SHARE * bound if rollout.minimum_effect is None else rollout.minimum_effect
