"""What is asked of Prometheus for a judgement, and that real answers lead to the right verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, canary_question
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Comparison, Question, Stage, WeightChange
from tidegate.core.manifest import Objective
from tidegate.steps.measure import measure, queries_of

SCOPE = Scope(model="churn", environment="production", ready="model_ready")


@dataclass
class Recorded:
    """A Metrics that keeps what it was asked and answers the same samples to everything."""

    time: datetime | Unread
    answer: Sampled | Unread
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def now(self) -> datetime | Unread:
        return self.time

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.asked.append((selector, start, end))
        return self.answer


def nothing(end: datetime) -> Sampled:
    return Sampled(series=(), start=SINCE, end=end)


def test_each_selector_is_asked_once_for_both_versions_and_all_objectives() -> None:
    now = SINCE + timedelta(hours=1)
    metrics = Recorded(now, nothing(now))
    twice = (AVAILABILITY, replace(AVAILABILITY, name="strict", target=0.999))
    measure(replace(canary_question(), objectives=twice), SCOPE, metrics)
    assert sorted(selector.partition("{")[0] for selector, _, _ in metrics.asked) == [
        "errors_total",
        "model_ready",
        "requests_total",
    ]
    assert all('version=~"11|12"' in selector for selector, _, _ in metrics.asked)


def test_the_queries_that_a_proposal_prints_are_those_that_are_asked() -> None:
    now = SINCE + timedelta(minutes=30)
    metrics = Recorded(now, nothing(now))
    scope = replace(SCOPE, ready=None)
    measure(canary_question(), scope, metrics)
    assert queries_of(canary_question(), scope) == tuple(selector for selector, _, _ in metrics.asked)


def test_long_windows_are_asked_in_adjoining_pieces() -> None:
    now = SINCE + timedelta(hours=20)
    metrics = Recorded(now, nothing(now))
    measure(canary_question(), replace(SCOPE, ready=None), metrics)
    pieces = [(start, end) for selector, start, end in metrics.asked if selector.startswith("errors_total")]
    assert len(pieces) == 4
    assert all(end - start <= timedelta(hours=6) for start, end in pieces)
    assert [end for _, end in pieces[:-1]] == [start for start, _ in pieces[1:]]
    assert pieces[0][0] < SINCE < pieces[0][1]
    assert pieces[-1][1] == now


def test_probation_reads_as_long_a_time_before_it() -> None:
    now = SINCE + timedelta(hours=2)
    metrics = Recorded(now, nothing(now))
    measure(replace(canary_question(), stage=Stage.PROBATION), SCOPE, metrics)
    assert metrics.asked[0][1] <= SINCE - timedelta(hours=2)


def test_readiness_is_read_over_twice_the_bake_however_long_a_version_waits() -> None:
    now = SINCE + timedelta(days=20)
    samples = tuple((now.timestamp() - 15 * back, 1.0) for back in range(400, -1, -1))
    gauge = Series(labels={"version": str(CANARY)}, samples=samples)
    metrics = Recorded(now, replace(nothing(now), series=(gauge,)))
    question = replace(canary_question(), stage=Stage.BAKE, objectives=())
    verdict = judge(question, measure(question, SCOPE, metrics))
    ((_, start, end),) = metrics.asked
    assert end - start < timedelta(hours=2)
    assert verdict.serving is True
    assert verdict.baked >= question.rollout.bake


@pytest.mark.parametrize(
    ("begins", "asked"),
    [
        pytest.param(timedelta(minutes=-5), False, id="not-for-series-that-were-there"),
        pytest.param(timedelta(minutes=5), True, id="for-a-series-that-began-inside"),
    ],
)
def test_up_is_only_asked_for_new_series(begins: timedelta, asked: bool) -> None:
    now = SINCE + timedelta(minutes=30)
    series = Series(
        labels={"version": "12", "job": "serving", "instance": "pod-1:80"},
        samples=(((SINCE + begins).timestamp(), 1.0),),
    )
    metrics = Recorded(now, replace(nothing(now), series=(series,)))
    found = measure(canary_question(), SCOPE, metrics)
    assert (found.up is not None) is asked
    assert any(selector.startswith("up{") and "pod" in selector for selector, _, _ in metrics.asked) is asked


def test_I3_a_server_without_the_time_leaves_everything_unread() -> None:
    reason = Unread(why=Why.UNREACHABLE, words="gone")
    metrics = Recorded(reason, reason)
    verdict = judge(canary_question(), measure(canary_question(), SCOPE, metrics))
    assert (verdict.unread, verdict.judged_until, metrics.asked) == (reason, SINCE, [])


def test_I3_a_selector_that_is_none_is_an_unread_objective() -> None:
    now = SINCE + timedelta(minutes=30)
    odd = Objective(name="odd", target=0.99, bad="rate(x[5m])", total="y")
    question = replace(canary_question(), objectives=(odd,))
    verdict = judge(question, measure(question, SCOPE, Recorded(now, nothing(now))))
    assert verdict.unread is not None
    assert "plain selector" in verdict.unread.words


@pytest.mark.contract
@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        pytest.param(4.0, Comparison.WORSE, id="a-bad-canary"),
        pytest.param(0.0, Comparison.CLEARED, id="a-good-canary"),
    ],
)
def test_a_real_prometheus_leads_to_the_verdict(
    prometheus: PrometheusServer, errors: float, expected: Comparison
) -> None:
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    since = now - timedelta(minutes=20)
    scope = Scope(model=f"model-{expected.value}", environment="production")
    question: Question = replace(canary_question(), since=since, weights=(WeightChange(at=since, weight=0.1),))
    prometheus.write(_traffic(scope, since - timedelta(minutes=10), 120, errors))
    verdict = judge(question, measure(question, scope, metrics))
    assert verdict.unread is None
    assert verdict.objectives[0].comparison is expected


def _traffic(scope: Scope, start: datetime, scrapes: int, errors: float) -> list[Written]:
    """Both versions behind one target; the canary's first error makes its series appear."""

    def series(name: str, version: int, per_scrape: float, first: int) -> Written:
        labels = {
            "__name__": name,
            "model": scope.model,
            "environment": scope.environment,
            "version": str(version),
            "job": "serving",
            "instance": scope.model,
        }
        times = range(first, scrapes)
        return labels, [(start.timestamp() + 15 * n, per_scrape * (n - first + 1)) for n in times]

    written = [series("requests_total", STABLE, 90, 0), series("requests_total", CANARY, 10, 41)]
    return [*written, series("errors_total", CANARY, errors, 60)] if errors else written
