"""What error budgets ask of Prometheus, and that a real one answers what was counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.budget import STEP, last_instant
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.judging.verdict import Tally
from tidegate.core.manifest import Effect, Environment, Judge, Mean, Objective
from tidegate.steps.budgets import budgets

DAY = Objective(name="availability", target=0.99, window=timedelta(days=1), bad="errors_total", total="requests_total")
PRODUCTION = Environment(name="production", judge=Judge.OBJECTIVES, objectives=(DAY,))
SCOPE = Scope(model="spender", environment="production")


class Asked:
    """A Metrics that knows the time, and no series."""

    def __init__(self, now: datetime | Unread) -> None:
        self._now = now
        self.expressions: list[str] = []

    def now(self) -> datetime | Unread:
        return self._now

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        raise AssertionError(f"no raw samples are needed: {selector} from {start} to {end}")

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.expressions.append(f"{expression} {start:%d %H:%M} to {end:%d %H:%M} by {step}")
        return Sampled(series=(), start=start, end=end)


def test_one_question_for_each_counter_at_fixed_instants() -> None:
    metrics = Asked(datetime(2026, 3, 3, 12, 7, 30, tzinfo=UTC))
    (found,) = budgets(PRODUCTION, SCOPE, metrics)
    labels = 'model="spender",environment="production"'
    assert metrics.expressions == [
        f"last_over_time(errors_total{{{labels}}}[600s]) 02 11:00 to 03 12:00 by 0:10:00",
        f"last_over_time(requests_total{{{labels}}}[600s]) 02 11:00 to 03 12:00 by 0:10:00",
    ]
    assert found.unread is not None
    assert found.unread.why is Why.NO_DATA


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(Environment(name="staging", objectives=(DAY,)), id="where objectives do not judge"),
        pytest.param(
            Environment(
                name="production",
                judge=Judge.OBJECTIVES,
                objectives=(
                    Objective(name="told", target=0.99, bad="x", total="y", effect=Effect.INFORM),
                    Objective(
                        name="mean",
                        target=0.5,
                        total="y",
                        mean=Mean(sum="x", low=0, high=1, higher_is_better=True),
                    ),
                ),
            ),
            id="of what only informs, and of means",
        ),
    ],
)
def test_nothing_is_asked(environment: Environment) -> None:
    metrics = Asked(datetime(2026, 3, 3, tzinfo=UTC))
    assert budgets(environment, SCOPE, metrics) == ()
    assert not metrics.expressions


def test_I3_without_the_time_every_budget_is_unread() -> None:
    gone = Unread(why=Why.UNREACHABLE, words="gone")
    (found,) = budgets(PRODUCTION, SCOPE, Asked(gone))
    assert (found.unread, found.exhausted) == (gone, False)


def test_I3_a_selector_that_is_none_is_an_unread_budget() -> None:
    odd = Environment(
        name="production",
        judge=Judge.OBJECTIVES,
        objectives=(Objective(name="odd", target=0.9, bad="rate(x[5m])", total="y"),),
    )
    (found,) = budgets(odd, SCOPE, Asked(datetime(2026, 3, 3, tzinfo=UTC)))
    assert found.unread is not None
    assert "plain selector" in found.unread.words


@pytest.mark.contract
def test_a_real_prometheus_answers_what_was_counted(prometheus: PrometheusServer) -> None:
    """Three versions one after the other, the last one failing; its counter of errors appears with the first one."""
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    until = last_instant(now)
    begins = until - timedelta(days=1, hours=2)

    def counter(name: str, version: int, begins: datetime, per_minute: float, lasts: timedelta) -> Written:
        labels = {"__name__": name, "model": "spender", "environment": "production", "version": str(version)}
        minutes = range(lasts // timedelta(minutes=1) + 1)
        samples = [(begins.timestamp() + 60 * minute, per_minute * minute) for minute in minutes]
        return {**labels, "job": "serving", "instance": f"pod-{version}"}, samples

    third = until - timedelta(hours=6)
    prometheus.write(
        [
            counter("requests_total", 1, begins, 10, timedelta(hours=14)),
            counter("requests_total", 2, begins + timedelta(hours=14), 10, timedelta(hours=6)),
            counter("requests_total", 3, third, 10, timedelta(hours=6)),
            counter("errors_total", 3, third + timedelta(hours=1), 2, timedelta(minutes=80)),
        ]
    )
    (found,) = budgets(PRODUCTION, SCOPE, metrics)
    assert found.tally == Tally(bad=160, total=10 * 24 * 60)
    assert found.exhausted
    assert found.recovers_at is not None
    spent_by = third + timedelta(hours=1)
    assert spent_by + DAY.window < found.recovers_at < spent_by + DAY.window + timedelta(hours=1) + STEP


@pytest.mark.contract
def test_what_processes_counted_in_their_lives_is_no_burst_where_their_instance_changes(
    prometheus: PrometheusServer,
) -> None:
    """Two of them, by another address from one scrape to the next; a third one is started anew just then."""
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    until = last_instant(now)
    moved = until - timedelta(hours=5, minutes=3)

    def counter(name: str, instance: str, values: range, begins: datetime) -> Written:
        labels = {"__name__": name, "model": "mover", "environment": "production", "version": "1", "job": "serving"}
        samples = [(begins.timestamp() + 60 * minute, float(value)) for minute, value in enumerate(values)]
        return {**labels, "instance": instance}, samples

    begins, minutes = until - timedelta(hours=26), (moved - until + timedelta(hours=26)) // timedelta(minutes=1)
    lasts = (until - moved) // timedelta(minutes=1)
    for pod, counted in (("a", 500_000), ("b", 9_000)):
        for name, each, start in (("requests_total", 10, counted), ("errors_total", 1, counted // 100)):
            values = range(start, start + each * (minutes + lasts + 1), each)
            written = counter(name, f"10.0.0.1:{pod}", values[:minutes], begins)
            prometheus.write([written, counter(name, f"pod-{pod}", values[minutes:], moved)])
    prometheus.write(
        [
            counter("requests_total", "10.0.0.3:c", range(0, 10 * minutes, 10), begins),
            counter("requests_total", "pod-c", range(0, 10 * (lasts + 1), 10), moved),
        ]
    )
    (found,) = budgets(PRODUCTION, Scope(model="mover", environment="production"), metrics)
    day = 24 * 60
    assert found.tally == Tally(bad=2 * day, total=3 * 10 * day - 10)
