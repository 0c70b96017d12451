"""Argo Rollouts' phase of one metric after each measurement, written from its published rules for comparison.

Source: argoproj/argo-rollouts 9f8d111d, analysis; golden/test_argo_analysis.py holds it to sequences of measurements.
When a measurement is due, and runs of several metrics, are not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RUNNING, FAILED = "Running", "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is tolerated; below 0 it is not limited. So many measurements (`count`) end a run; without an `interval`
    one does."""

    failure: int = 0
    inconclusive: int = 0
    consecutive_error: int = 4
    consecutive_success: int = 0
    count: int = 0
    interval: bool = True

    @property
    def enough(self) -> int:
        return self.count or (0 if self.interval else 1)


def phases(limits: Limits, measurements: Iterable[str]) -> Iterator[str]:
    """By S(uccessful), F(ailed), I(nconclusive) and E(rror), up to the first phase that ends the run.

    An error is tried again and is no measurement; whatever else came forgets the errors before it.
    """
    met: Counter[str] = Counter()
    in_a_row, last = 0, ""
    for each in measurements:
        met[each] += 1
        in_a_row, last = in_a_row + 1 if each == last else 1, each
        phase = _phase(limits, met, (last, in_a_row))
        yield phase
        if phase != RUNNING:
            return


def _phase(limits: Limits, met: Counter[str], row: tuple[str, int]) -> str:
    """The first rule that holds. `row` is the last measurement, and how often it came in a row."""
    last, in_a_row = row
    rules = (
        ("Error", last == "E" and in_a_row > limits.consecutive_error >= 0),
        ("Inconclusive", met["I"] > limits.inconclusive >= 0),
        (FAILED, met["F"] > limits.failure >= 0),
        ("Successful", last == "S" and in_a_row >= limits.consecutive_success > 0),
        (_when_over(limits), 0 < limits.enough <= met["S"] + met["F"] + met["I"]),
    )
    return next((phase for phase, holds in rules if holds), RUNNING)


def _when_over(limits: Limits) -> str:
    """After the last measurement: a success that was asked for has not come."""
    if not limits.consecutive_success:
        return "Successful"
    return FAILED if limits.failure < 0 else "Inconclusive"
