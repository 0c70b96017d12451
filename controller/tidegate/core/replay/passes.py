"""Passes of the loop as they would have been at instants of the past: what was true, what the judges say, what follows.

Pure: whoever calls hands in how readings are had (`Rules`). Which instants are looked at, and what that means beside
what really happened, is `walk`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tidegate.core.decision import decide_one
from tidegate.core.guards import Situation
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.questions import questions
from tidegate.core.judging.verdict import Question, Stage, Verdict
from tidegate.core.manifest import Environment
from tidegate.core.observed import Observed, PinChange
from tidegate.core.outcome import Decision, Hold, Nothing, WaitingOn
from tidegate.core.pin import Pin
from tidegate.core.replay.past import Past, Policy, Scene, scene
from tidegate.core.replay.report import Point
from tidegate.core.transition import Kind, Transition

Ask = Callable[[str, Question, datetime], Verdict]
"""The verdict on a question about an environment, from readings up to an instant."""

Budgets = Callable[[Environment, Sequence[PinChange], datetime], tuple[Budget, ...]]
"""The error budgets of an environment with this history, as they stood at an instant."""

Sibling = Callable[[str, Question, Verdict, datetime], str | None]
"""Which other model of an environment breached as well, where this verdict on a version on probation is a breach."""

Enough = Callable[[datetime], object]
"""Told which instant was reached; a true answer says that it is enough."""

_FIRST, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NO_ENVIRONMENT = Hold(reason="main wanted no such environment then", waiting_on=WaitingOn.OUTSIDE, unknown=True)
_IN_FLIGHT = (Stage.CANARY, Stage.PROBATION)
"""Late labels hold up no entry: what bakes elsewhere is judged meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an episode is replayed: by which policy, at which instants, and who says what was to be read."""

    policy: Policy
    step: timedelta
    ask: Ask
    budgets: Budgets = lambda _environment, _history, _at: ()
    sibling: Sibling = lambda _environment, _question, _verdict, _at: None
    enough: Enough = lambda _at: False


class Stopped(Exception):
    """It was enough in the middle of an episode."""


class Passes:
    """Passes of the loop as they would have been, at one instant after the other.

    `own` is the environment replayed and how many changes of its pin file stand meanwhile; every so many passes what
    the judges said is kept for the charts.
    """

    def __init__(self, own: tuple[str, int], past: Past, rules: Rules, every: int) -> None:
        self._own, self.past, self.rules = own, past, rules
        self.points: list[Point] = []
        self.budgets: dict[str, float] = {}
        self.last: Decision = Nothing()
        self._every, self._count = every, 0
        self._scene: Scene | None = None
        self._turns_at = _NEVER
        self._asked: Mapping[str, Question] = {}
        self._asked_until = _FIRST
        self._proposed: Pin | None = None  # by an entry that nothing stopped

    def at(self, at: datetime, *, merging: bool = False) -> Decision:
        """What was decided at an instant; `merging`: the one at which a proposal was merged, if one waited."""
        there, name = self._scene_at(at), self._own[0]
        if name not in there.observed.environments:
            self.last = _NO_ENVIRONMENT
            return self.last
        if at >= self._asked_until:
            self._ask(there, at)
        verdicts = {where: self.rules.ask(where, question, at) for where, question in self._asked.items()}
        self.last = self._decided(there, there.observed, verdicts, at)
        if isinstance(self.last, Transition) and (merging or not self._waits(self.last)):
            self.last = self._checked(self.last, there, verdicts, at)
        self._keep(at, verdicts.get(name), self.last)
        return self.last

    def _decided(self, there: Scene, observed: Observed, verdicts: Mapping[str, Verdict], at: datetime) -> Decision:
        name = self._own[0]
        situation = Situation(
            model=there.model,
            workspace=there.workspace,
            environment=there.model.environment(name),
            observed=observed,
            now=at,
            verdict=verdicts.get(name),
        )
        return decide_one(situation, verdicts)

    def _waits(self, transition: Transition) -> bool:
        """An entry that is proposed is looked at again once somebody approved it."""
        return transition.kind is Kind.PROMOTE and transition.needs_person and transition.after == self._proposed

    def _checked(self, transition: Transition, there: Scene, verdicts: Mapping[str, Verdict], at: datetime) -> Decision:
        if transition.kind not in (Kind.PROMOTE, Kind.REVERT):
            return transition
        observed = self._in_full(there, verdicts, at)
        decision = self._decided(there, observed, verdicts, at)
        self._proposed = decision.after if isinstance(decision, Transition) else self._proposed
        return decision

    def _in_full(self, there: Scene, verdicts: Mapping[str, Verdict], at: datetime) -> Observed:
        """With what only some guards ask for: error budgets before an entry, siblings before a revert by a breach."""
        name = self._own[0]
        history, own = there.observed.environments[name].history, self._asked.get(name)
        if own is not None and own.stage is Stage.PROBATION:
            sibling = self.rules.sibling(name, own, verdicts[name], at)
            return replace(there.observed, failing_siblings={name: sibling} if sibling else {})
        return replace(there.observed, budgets={name: self.rules.budgets(there.model.environment(name), history, at)})

    def _ask(self, there: Scene, at: datetime) -> None:
        """The questions of this instant, and how long they stay the same: what bakes is asked anew each time."""
        self._asked = questions(there.model, there.observed, at, there.workspace.labels.version)
        self._asked_until = at
        own = self._asked.get(self._own[0])
        if own is None or own.stage not in _IN_FLIGHT:
            return
        # What bakes elsewhere says nothing of a version that is in flight here.
        self._asked = {self._own[0]: own}
        self._asked_until = _NEVER
        if own.stage is Stage.PROBATION:
            self._asked_until = own.since + own.rollout.probation.duration
        self.budgets = self.budgets or {objective.name: objective.budget for objective in own.objectives}

    def _scene_at(self, at: datetime) -> Scene:
        if self._scene is None or self._turns_at < at:
            self._scene = scene(self.past, self.rules.policy, at, self._own)
            self._asked_until = _FIRST
            self._turns_at = self.past.turn(at) or _NEVER
        return self._scene

    def _keep(self, at: datetime, verdict: Verdict | None, decision: Decision) -> None:
        if verdict is not None and (self._count % self._every == 0 or isinstance(decision, Transition)):
            self.points.append(Point(at=at, stage=verdict.stage, objectives=verdict.objectives))
        self._count += 1
