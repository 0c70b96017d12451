"""What the evidence of one objective was worked out from: the cells that moved it, so that a person can redo it.

A cell without a bad event moves a comparison not at all, and of a single arm only its number of events counts: runs of
them are summed up. The evidence of these cells is that of all cells, look by look (`comparison`). A mean is moved by
every cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.judging.comparison import (
    Arms,
    as_e_value,
    inside_evidence,
    outside_evidence,
)
from tidegate.core.judging.counts import instant
from tidegate.core.judging.dispersion import Dispersion
from tidegate.core.judging.evidence import ruled_out, worse
from tidegate.core.judging.verdict import BurnRate, ObjectiveVerdict, Tally
from tidegate.core.manifest import Objective, Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A cell with a bad event in one of its arms, or any cell of a mean; `clean` are the subject's events in the cells
    since the last such."""

    start: datetime
    clean: float
    subject: Tally
    reference: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """The cells of one objective, oldest first, up to what the verdict tells. `clean` came after the last of them.
    `compared`: beside a reference, in the same cells. `burn_rates` are those of the windows that end there. `beside` is
    the comparison that runs along, with what it says so far."""

    cells: tuple[Moved, ...]
    clean: float
    compared: bool
    dispersion: Dispersion
    burn_rates: tuple[BurnRate, ...]
    beside: tuple[ObjectiveVerdict, Workings] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMoved:
    """One step's labels in one age bucket (counted from 1, the youngest), where both versions have some."""

    start: datetime
    age: int
    subject: Tally
    reference: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeCovered:
    """The labels in one age bucket, and the predictions that they can belong to: what is missing is filled in by these.
    `oldest` is rounded up to steps."""

    age: int
    oldest: timedelta
    subject: Tally
    reference: Tally
    served: float
    reference_served: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWorkings:
    """The labels of one late objective, oldest first, up to what the verdict tells."""

    ages: tuple[AgeCovered, ...]
    cells: tuple[LateMoved, ...]
    dispersion: Dispersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The largest e-value ever seen of each question; None where it was not asked."""

    worse: float | None
    ruled_out: float | None
    inside: float | None
    outside: float


def workings(
    objective: Objective,
    cells: Iterable[tuple[float, Tally, Tally]],
    burn_rates: tuple[BurnRate, ...],
    dispersion: Dispersion,
    *,
    compared: bool,
) -> Workings:
    """From the start, subject and reference of every cell that was weighed."""
    moved: list[Moved] = []
    clean = 0.0
    for start, subject, reference in cells:
        if subject.bad or reference.bad or objective.mean is not None:
            moved.append(Moved(start=instant(start), clean=clean, subject=subject, reference=reference))
            clean = 0.0
        else:
            clean += subject.total
    return Workings(cells=tuple(moved), clean=clean, compared=compared, dispersion=dispersion, burn_rates=burn_rates)


def evidence(found: Workings, objective: Objective, rollout: Rollout) -> Evidence:
    """The e-values that these cells lead to; `rollout.dispersion` is the one that they were divided by."""
    both: list[Arms] = [(cell.subject, cell.reference) for cell in found.cells]
    alone = list(_alone(found))
    outside = _largest(outside_evidence(alone, objective.budget, rollout.dispersion))
    if not found.compared:
        return Evidence(worse=None, ruled_out=None, inside=None, outside=outside)
    return Evidence(
        worse=_largest(worse(objective, both, rollout)),
        ruled_out=_largest(ruled_out(objective, both, rollout)),
        inside=_largest(inside_evidence(alone, objective.budget, rollout.dispersion)),
        outside=outside,
    )


def _alone(found: Workings) -> Iterator[Tally]:
    for cell in found.cells:
        yield Tally(total=cell.clean)
        yield cell.subject
    yield Tally(total=found.clean)


def _largest(so_far: Iterable[float]) -> float:
    return as_e_value(max(so_far, default=0.0))
