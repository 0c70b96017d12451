"""The gates of a run or a version against the champion, as a report; `tidegate evaluate` prints it."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.core import gates
from tidegate.core.gates import Evaluation
from tidegate.core.manifest import Model
from tidegate.core.observed import ModelVersion
from tidegate.errors import WrongUse
from tidegate.ports import Runs


def evaluate(model: Model, candidate: ModelVersion | str, champion: ModelVersion | None, runs: Runs) -> Evaluation:
    """Judge a registered version, or a run by its id. Raises WrongUse when MLflow has no such run."""
    run_id = candidate if isinstance(candidate, str) else candidate.run_id
    run = runs.run(run_id)
    if run is None:
        raise WrongUse(f"MLflow has no run {run_id}; give the id of a run or the number of a version of {model.name}")
    best = _metrics(champion, runs)
    return Evaluation(
        model=model.name,
        run_id=run_id,
        champion=champion.number if champion else None,
        metrics=run.metrics,
        results=gates.evaluate(model.gates, run.metrics, best),
        champion_metrics=best or None,
    )


def _metrics(champion: ModelVersion | None, runs: Runs) -> Mapping[str, float] | None:
    """No figures at all when the champion's run is gone, so that it is not comparable."""
    if champion is None:
        return None
    run = runs.run(champion.run_id) if champion.run_id else None
    return run.metrics if run is not None else {}
