"""The last rollouts by two policies: main's, and the one that a pull request would put in its place. For `plan`.

How an episode is replayed is `replaying`; what is said of two policies is `core.planning.backtest`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.manifest import Model
from tidegate.core.planning.backtest import backtested, policy_of
from tidegate.core.planning.plan import Backtested
from tidegate.core.quantity import show_duration
from tidegate.ports import Clock, Metrics
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period, replayed, usual_step
from tidegate.steps.silence import UntilSilent

_BACK, _MOST = timedelta(days=90), 5
"""So many rollouts of a model, of so many days, are replayed."""

_TIME = timedelta(seconds=15)
_LATE = f"no time was left: past rollouts get {show_duration(_TIME)} of a plan"


class PastPolicies:
    """Replays for one plan, of any number of models: all of them in one limit of time, from a Prometheus that is asked
    no more once it is silent. A plan must not wait."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._clock, self._began = clock, clock.now()
        self._metrics = _InTime(UntilSilent(metrics), self._late)

    def by_two(self, archive: Archive, changed: Model) -> Backtested:
        """The last rollouts by main's policy and by a changed one, the newest first, as far as there is time for."""
        if self._late():
            return Backtested(rollouts=0, unread=_LATE)
        if isinstance(there := self._metrics.now(), Unread):
            return Backtested(rollouts=0, unread=str(there))
        policies = (policy_of(archive.model, "main"), policy_of(changed, "this change"))
        step = usual_step(archive.model, policies)
        period = Period(since=self._began - _BACK, until=self._began, step=step, most=_MOST)
        report = replayed(archive, self._metrics, period, policies, lambda _words, _share: self._late())
        found = backtested(report)
        return replace(found, hurried=self._late() and found.rollouts < _MOST and found.older > 0)

    def _late(self) -> bool:
        return self._clock.now() - self._began > _TIME


class _InTime:
    """Prometheus, asked nothing more when it is late: a single rollout may ask it many things."""

    def __init__(self, metrics: Metrics, late: Callable[[], bool]) -> None:
        self._metrics, self._late = metrics, late

    def now(self) -> datetime | Unread:
        return self._refused() or self._metrics.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self._refused() or self._metrics.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self._refused() or self._metrics.answers(expression, start, end, step)

    def _refused(self) -> Unread | None:
        return Unread(why=Why.ERROR, words=_LATE) if self._late() else None
