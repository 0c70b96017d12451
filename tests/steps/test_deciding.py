"""The two clocks of a pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from support.counters import CANARY, SINCE, STABLE, canary_question
from tidegate.core.grounds import of_canary
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Question, Stage, Together, Verdict
from tidegate.core.manifest import ValueObjective
from tidegate.steps.clocks import Timed
from tidegate.steps.deciding import Judges
from tidegate.steps.hearing import hear

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SCOPE = Scope(model="churn", environment="production")
DRIFT = ValueObjective(name="drift", value="max by (version) (x)", maximum=0.2)
VALUES = replace(canary_question(), objectives=(), values=(DRIFT,))
LABELS = Question(
    stage=Stage.LABELS,
    subject=CANARY,
    reference=STABLE,
    since=SINCE,
    rollout=VALUES.rollout,
    objectives=(),
    together=Together(
        subject=CANARY,
        reference=STABLE,
        since=SINCE,
        until=SINCE + 2 * HOUR,
        objectives=(),
        rollout=VALUES.rollout,
    ),
)


@dataclass
class Answering:
    """A Prometheus with a time of its own, in which the canary's value is bad and stable's is good."""

    time: datetime | Unread
    asked: int = 0

    def now(self) -> datetime | Unread:
        self.asked += 1
        return self.time

    def samples(self, _: str, start: datetime, end: datetime) -> Sampled | Unread:
        return Sampled(series=(), start=start, end=end)

    def answers(self, _: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        instants = [(start + number * step).timestamp() for number in range((end - start) // step + 1)]
        series = (
            Series(labels={"version": str(version)}, samples=tuple((at, figure) for at in instants))
            for version, figure in ((CANARY, 0.9), (STABLE, 0.1))
        )
        return Sampled(series=tuple(series), start=start, end=end)


@dataclass
class Ticking:
    """A clock that shows each of these instants once."""

    instants: list[datetime]

    def now(self) -> datetime:
        return self.instants.pop(0)


def heard(question: Question, metrics: Answering, ours: datetime) -> Verdict:
    sitting = Judges(metrics=metrics).sit(ours)
    return hear(question, SCOPE, sitting.metrics, sitting.timed).account.verdict


def test_a_breach_is_found_where_the_clocks_agree() -> None:
    ground = of_canary(heard(VALUES, Answering(SINCE + HOUR), SINCE + HOUR))
    assert ground is not None
    assert ground.objective == "drift"


@pytest.mark.parametrize("question", [VALUES, LABELS], ids=["canary", "labels"])
def test_nothing_is_told_where_the_clocks_are_apart(question: Question) -> None:
    verdict = heard(question, Answering(SINCE + 2 * HOUR), SINCE + 5 * HOUR)
    assert str(verdict.unread) == "error: its clock and ours are 3h apart"
    assert of_canary(verdict) is None


@pytest.mark.parametrize("question", [VALUES, LABELS], ids=["canary", "labels"])
def test_a_prometheus_that_is_away_has_no_wrong_clock(question: Question) -> None:
    away = Unread(why=Why.UNREACHABLE, words="Prometheus does not answer")
    assert heard(question, Answering(away), SINCE + timedelta(days=12)).unread == away


def test_a_pass_that_takes_long_compares_what_was_read_together() -> None:
    """It began an hour before it asked Prometheus, and judges an hour later."""
    metrics = Answering(SINCE + HOUR)
    timed = Timed(metrics, Ticking([SINCE + HOUR]))
    found = [timed.agreed(MINUTE), timed.now(), timed.agreed(MINUTE)]
    assert found == [SINCE + HOUR] * 3
    assert metrics.asked == 1
    slow = Judges(metrics=metrics, clock=Ticking([SINCE + HOUR])).sit(SINCE)
    assert of_canary(hear(VALUES, SCOPE, slow.metrics, slow.timed).account.verdict) is not None
