"""On probation with a holdback: the previous version still serves a few percent, and is the measure as stable was.

The cause of what is bad for both at once lies elsewhere, and the comparison does not see it: a version that is worse
than the previous one beside it goes back without more ado, whatever stands against the objective itself.
"""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.judging.against_objective import AgainstObjective
from tidegate.core.judging.against_stable import AgainstStable
from tidegate.core.judging.counts import Grid
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Question, Standing
from tidegate.core.judging.workings import Workings


class BesidePrevious:
    """Against the objective, and against the previous version in the same cells, after any number of them."""

    def __init__(self, question: Question, grid: Grid) -> None:
        self._absolute, self._compared = AgainstObjective(question, grid), AgainstStable(question, grid)

    def after(self, cells: int) -> ObjectiveVerdict:
        """What was found first, unless it is a breach of the objective that does not revert."""
        absolute, compared = self._absolute.after(cells), self._compared.after(cells)
        if compared.comparison is not Comparison.WORSE or _reverts_before(absolute, compared):
            return absolute
        return replace(compared, standing=absolute.standing, reference_standing=absolute.reference_standing)

    def workings(self, cells: int) -> Workings:
        """Of the one that `after` tells. While that is the objective, of the comparison as well."""
        compared, workings = self._compared.after(cells), self._compared.workings(cells)
        if self.after(cells).comparison is Comparison.WORSE:
            return workings
        return replace(self._absolute.workings(cells), beside=(compared, workings))


def _reverts_before(absolute: ObjectiveVerdict, compared: ObjectiveVerdict) -> bool:
    if absolute.worse_at is None or compared.worse_at is None or absolute.worse_at > compared.worse_at:
        return False
    return absolute.reference_standing not in (Standing.UNKNOWN, Standing.BREACH)
