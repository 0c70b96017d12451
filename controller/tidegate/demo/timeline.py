"""What happened, read back from git, the forge and Prometheus: the rows that are printed and the report.

Nothing is kept while the demo runs: every row can be had again (I1), and judging again gives the same verdict (I9).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tidegate.core.history import rollout_changes, weight_changes
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.verdict import Question, Stage, Verdict
from tidegate.core.manifest import Environment, Model
from tidegate.core.observed import PinChange, Proposal
from tidegate.core.pin import Pin
from tidegate.core.transition import Kind, parse_branch
from tidegate.ports import Forge, Metrics, Repository
from tidegate.steps.desired import DesiredReader
from tidegate.steps.measure import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One merged transition. Versions and weights (0 to 1) are None where there are none."""

    kind: str
    model: str
    environment: str
    from_version: int | None
    to_version: int | None
    weight: float | None
    proposal: int
    decided_at: datetime
    merged_at: datetime
    reasons: tuple[str, ...]

    @property
    def step(self) -> tuple[str, str, int | None]:
        """What a story expects: kind, environment, and the version that moved (the one left, for a revert)."""
        return self.kind, self.environment, self.from_version if self.kind == "revert" else self.to_version

    def plain(self) -> dict[str, Any]:
        """As it stands in the report."""
        data = asdict(self)
        data["from"], data["to"] = data.pop("from_version"), data.pop("to_version")
        return data | {"decided_at": self.decided_at.isoformat(), "merged_at": self.merged_at.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The bad version's way: its first bad event, the end of the cell that was evidence enough, the merged revert."""

    first_bad_at: datetime
    enough_at: datetime
    merged_at: datetime

    def plain(self) -> dict[str, Any]:
        return {
            "first_bad_at": self.first_bad_at.isoformat(),
            "breach_to_revert_seconds": round((self.merged_at - self.first_bad_at).total_seconds(), 3),
            "evidence_to_revert_seconds": round((self.merged_at - self.enough_at).total_seconds(), 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where the past is read."""

    model: Model
    repository: Repository
    forge: Forge
    reader: DesiredReader
    metrics: Metrics

    def happened(self) -> list[Happened]:
        """Every merged transition of the model, in the order of merging."""
        rows = [row for proposal in self.forge.proposals() if (row := self._row(proposal)) is not None]
        return sorted(rows, key=lambda row: (row.merged_at, row.proposal))

    def _row(self, proposal: Proposal) -> Happened | None:
        branch = parse_branch(proposal.branch)
        if branch is None or proposal.merge_commit is None or proposal.merged_at is None:
            return None
        history = self._history(proposal.merge_commit, branch.environment)
        before = history[-2].pin if len(history) > 1 else None
        after = history[-1].pin or Pin()
        return Happened(
            kind=branch.kind.value,
            model=branch.model,
            environment=branch.environment,
            from_version=_from(branch.kind, before or Pin()),
            to_version=_version(after),
            weight=after.canary.weight if after.canary else 1.0,
            proposal=proposal.number,
            decided_at=proposal.created_at,
            merged_at=proposal.merged_at,
            reasons=_reasons(self.repository.commit_info(proposal.head).message),
        )

    def breach(self, revert: Happened) -> Breach | None:
        """Judge once more, from the same counters, what led to a revert."""
        proposal = self.forge.proposal(revert.proposal)
        history = self._history(proposal.merge_commit or "", revert.environment)[:-1]
        pin = history[-1].pin if history else None
        if pin is None or pin.canary is None or pin.policy is None:
            return None
        policy = self.reader.environment(pin.policy, self.model, revert.environment)
        verdict = self._judged_again(history, pin, policy) if policy else None
        enough = [o.worse_at for o in verdict.objectives if o.worse_at is not None] if verdict else []
        if verdict is None or verdict.first_bad_at is None or not enough:
            return None
        return Breach(first_bad_at=verdict.first_bad_at, enough_at=min(enough), merged_at=revert.merged_at)

    def _judged_again(self, history: tuple[PinChange, ...], pin: Pin, policy: Environment) -> Verdict:
        assert pin.canary is not None
        question = Question(
            stage=Stage.CANARY,
            subject=pin.canary.pin.version,
            reference=pin.stable.version if pin.stable else None,
            since=rollout_changes(history)[0].at,
            rollout=policy.rollout,
            objectives=policy.objectives,
            weights=weight_changes(history),
        )
        scope = Scope(model=self.model.name, environment=policy.name, ready=policy.target.ready)
        return judge(question, measure(question, scope, self.metrics))

    def _history(self, commit: str, environment: str) -> tuple[PinChange, ...]:
        path = self.model.pin_path(environment)
        versions = (v for v in self.repository.history(commit, path) if v.text is not None)
        return tuple(PinChange(commit=v.commit, at=v.at, pin=self.reader.pin(v.text or "", path)) for v in versions)


def _from(kind: Kind, before: Pin) -> int | None:
    return before.stable.version if kind is Kind.FINISH and before.stable else _version(before)


def _version(pin: Pin) -> int | None:
    if pin.canary is not None:
        return pin.canary.pin.version
    return pin.stable.version if pin.stable else None


def _reasons(message: str) -> tuple[str, ...]:
    return tuple(line.removeprefix("- ") for line in message.splitlines() if line.startswith("- "))
