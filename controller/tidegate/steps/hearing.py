"""What the judges say of one version in one environment: its samples are read, judged, and kept for who asks why.

Which questions there are, and what follows from the answers, is `deciding`'s. That loads this room, and all of judging
and reading behind it, only where there is something to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core.explaining import Account
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Unread
from tidegate.core.judging.verdict import Question, Verdict
from tidegate.ports import Metrics
from tidegate.steps.clocks import Timed
from tidegate.steps.measure import asks_before, measure, nothing_read, queries_of

_CLOCKS_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Heard:
    """A verdict while what it was worked out from is still in memory, which is much."""

    account: Account
    judged: Judged
    now: datetime

    def told(self, siblings: Mapping[str, Verdict], *, fully: bool) -> Account:
        """How it came about; `fully` with the cells that it was worked out from."""
        account = replace(self.account, siblings=siblings)
        if not fully:
            return account
        return replace(account, workings=self.judged.workings(self.now), late=self.judged.late_workings(self.now))


def hear(question: Question, scope: Scope, metrics: Metrics, timed: Timed) -> Heard:
    """Without Prometheus' time, or with one that is not ours, nothing is asked and everything is unread."""
    now = timed.agreed(max(question.rollout.resolution, _CLOCKS_APART))
    unread = now if isinstance(now, Unread) else None
    counters = nothing_read(question, scope, unread) if unread else measure(question, scope, metrics)
    judged = Judged(question, counters)
    verdict, queries = judged.at(counters.now), queries_of(question, scope)
    if asks_before(question, verdict):
        counters = measure(question, scope, metrics, before=True)
        judged = Judged(question, counters)
        verdict = judged.at(counters.now)
    verdict = replace(verdict, unread=unread) if unread else verdict
    return Heard(Account(question=question, verdict=verdict, queries=queries), judged, counters.now)


def verdict_on(question: Question, scope: Scope, metrics: Metrics) -> Verdict:
    """The verdict alone."""
    return judge(question, measure(question, scope, metrics))
