"""The evidence on one objective, by what it counts: events (`comparison`) or a mean (`means`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.core.judging import comparison, means
from tidegate.core.judging.comparison import Arms
from tidegate.core.manifest import Objective, Rollout


def worse(objective: Objective, cells: Iterable[Arms], rollout: Rollout) -> Iterator[float]:
    """Against "the subject is at most `worseThan` times as bad as the reference"."""
    if objective.mean is not None:
        return means.worse_evidence(objective.mean, cells, rollout)
    return comparison.worse_evidence(cells, rollout.worse_than, rollout.dispersion)


def ruled_out(objective: Objective, cells: Iterable[Arms], rollout: Rollout) -> Iterator[float]:
    """Against "the subject is at least `ruleOut` times as bad as the reference"."""
    if objective.mean is not None:
        return means.ruled_out_evidence(objective.mean, cells, rollout)
    return comparison.ruled_out_evidence(cells, rollout.rule_out, rollout.dispersion)
