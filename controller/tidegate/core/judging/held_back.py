"""On probation with a holdback: the previous version still serves a few percent, and is the measure as stable was.

The cause of what is bad for both at once lies elsewhere. The comparison does not see it: a version that is worse than
the previous one beside it goes back without more ado. A breach of the objective sends it back only where the version
held back is seen not to share it.
"""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.judging.against_objective import AgainstObjective
from tidegate.core.judging.against_stable import AgainstStable
from tidegate.core.judging.counts import Grid
from tidegate.core.judging.dispersion import Dispersion
from tidegate.core.judging.verdict import NO_EVENTS, Comparison, ObjectiveVerdict, Question, Standing
from tidegate.core.judging.workings import Workings

_CERTAIN = 1.645**2
"""So many variances apart, one of two rates is taken for the other in 5 % of cases (normal approximation)."""


class BesidePrevious:
    """Against the objective, and against the previous version in the same cells, after any number of them."""

    def __init__(self, question: Question, grid: Grid, dispersion: Dispersion) -> None:
        self._absolute = AgainstObjective(question, grid, dispersion)
        self._compared = AgainstStable(question, grid, dispersion)
        self._looked = self._look(question, grid, dispersion)

    def after(self, cells: int) -> ObjectiveVerdict:
        """What was found first, unless it is a breach of the objective that does not revert."""
        absolute, compared = self._as_both_stand(cells), self._compared.after(cells)
        if compared.comparison is not Comparison.WORSE or _reverts_before(absolute, compared):
            return absolute
        return replace(compared, standing=absolute.standing, reference_standing=absolute.reference_standing)

    def _as_both_stand(self, cells: int) -> ObjectiveVerdict:
        """A breach is found once it can be told how the version held back stands: then, and never again."""
        absolute = self._absolute.after(cells)
        if absolute.worse_at is None:
            return absolute
        if self._looked is None or self._looked[0] >= cells:
            return replace(absolute, reference_standing=Standing.NOT_YET)
        cell, standing = self._looked
        standing = absolute.reference_standing if standing is None else standing
        return replace(absolute, reference_standing=standing, worse_at=self._absolute.end(cell))

    def _look(self, question: Question, grid: Grid, dispersion: Dispersion) -> tuple[int, Standing | None] | None:
        """The cell by whose end the version held back is told to share the breach or not, in the cells compared since
        it began. None for what it says where it served too little for that within `progressDeadline`."""
        breach, budget = self._absolute.breach, grid.tracked.objective.budget
        if breach is None:
            return None
        patience = breach.found + question.rollout.progress_deadline // question.rollout.resolution
        theirs, variance = NO_EVENTS, dispersion.figure * breach.rate
        for cell, tally in self._compared.beside(breach.began):
            theirs = theirs + tally
            told = theirs.total * (breach.rate - budget) ** 2 >= _CERTAIN * variance
            if breach.found <= cell <= patience and told:
                return cell, Standing.BREACH if theirs.bad > theirs.total * budget else Standing.FINE
        return patience, None

    def workings(self, cells: int) -> Workings:
        """Of the one that `after` tells. While that is the objective, of the comparison as well."""
        compared, workings = self._compared.after(cells), self._compared.workings(cells)
        if self.after(cells).comparison is Comparison.WORSE:
            return workings
        return replace(self._absolute.workings(cells), beside=(compared, workings))


def _reverts_before(absolute: ObjectiveVerdict, compared: ObjectiveVerdict) -> bool:
    if absolute.worse_at is None or compared.worse_at is None or absolute.worse_at > compared.worse_at:
        return False
    return absolute.reference_standing in (Standing.FINE, Standing.TOO_FEW)
