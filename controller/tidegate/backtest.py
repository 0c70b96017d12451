"""What would have been decided: the rollouts of a model replayed through the judge, under one policy or two.

How the past is read is `steps.past`'s business, what it means that of `core.replay`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidegate.core.replay.past import AS_IT_WAS, Policy
from tidegate.core.replay.report import Backtest
from tidegate.core.replay.wording import instant
from tidegate.errors import WrongUse
from tidegate.ports import Metrics
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period, Progress, replayed
from tidegate.steps.silence import UntilSilent


def backtest(
    archive: Archive, metrics: Metrics, period: Period, policies: Sequence[Policy], progress: Progress
) -> Backtest:
    """Each rollout that entered in the period; without a policy, by the one that it froze. A Prometheus that stops
    answering in the middle of it is named. Raises WrongUse."""
    _require_time(period)
    if len({policy.name for policy in policies}) < len(policies):
        raise WrongUse(f"--policy and --compare both name {policies[0].name}; name two that may differ")
    for policy in policies:
        _fits(policy, archive)
    heard = UntilSilent(metrics)
    report = replayed(archive, heard, period, policies or (AS_IT_WAS,), progress)
    return replace(
        report,
        unreachable=report.unreachable or str(heard.silence or ""),
        commits={policy.name: policy.commit for policy in policies if policy.commit},
    )


def _require_time(period: Period) -> None:
    if period.since >= period.until:
        ends = f"--from is {instant(period.since)} and --to, now at the latest, {instant(period.until)}"
        raise WrongUse(f"there is no time between the two: {ends}; give an earlier --from")


def _fits(policy: Policy, archive: Archive) -> None:
    """A policy must speak of the model's environments: else it would silently be the old one there."""
    missing = [e.name for e in archive.model.environments if policy.environments and e.name not in policy.environments]
    if missing:
        raise WrongUse(f"{policy.name} has no environment {missing[0]}; name a manifest of {archive.model.name}")
