"""What would have been decided: the rollouts of a model replayed through the judge, under one policy or two.

How the past is read is `steps.past`'s business, what it means that of `core.replay`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.core.replay.past import AS_IT_WAS, Policy
from tidegate.core.replay.report import Backtest
from tidegate.errors import WrongUse
from tidegate.ports import Metrics
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period, Progress, replayed


def backtest(
    archive: Archive, metrics: Metrics, period: Period, policies: Sequence[Policy], progress: Progress
) -> Backtest:
    """Each rollout that entered in the period; without a policy, by the one that it froze. Raises WrongUse."""
    if period.since >= period.until:
        raise WrongUse("there is no time between --from and --to; --from comes first")
    for policy in policies:
        _fits(policy, archive)
    return replayed(archive, metrics, period, policies or (AS_IT_WAS,), progress)


def _fits(policy: Policy, archive: Archive) -> None:
    """A policy must speak of the model's environments: else it would silently be the old one there."""
    missing = [e.name for e in archive.model.environments if policy.environments and e.name not in policy.environments]
    if missing:
        raise WrongUse(f"{policy.name} has no environment {missing[0]}; name a manifest of {archive.model.name}")
