"""Labels that change while counters go on, as a real Prometheus answers them: whole lives of counters are no burst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from support.counters import CANARY, STABLE, canary_question
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.budget import last_instant
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.verdict import Comparison, Tally, WeightChange
from tidegate.core.manifest import Environment, Judge, Objective
from tidegate.steps.budgets import budgets
from tidegate.steps.measure import measure

pytestmark = pytest.mark.contract

SCRAPE = timedelta(seconds=30)
OBJECTIVE = Objective(
    name="availability", target=0.95, window=timedelta(days=1), bad="errors_total", total="hits_total"
)
RATES = {"hits_total": 100.0, "errors_total": 1.0, "up": 0.0}
LIVED = {"hits_total": 1e8, "errors_total": 4e6, "up": 1.0}
"""What stable counted in its life, of which four in a hundred were bad; today it is one."""


def scraped(scope: Scope, version: int, begins: datetime, relabelled: datetime, ends: datetime) -> Iterator[Written]:
    """One target, whose labels are others from one instant on."""
    count = (ends - begins) // SCRAPE
    for name, by in RATES.items():
        started = LIVED[name] if version == STABLE or name == "up" else 0.0
        samples = [((begins + SCRAPE * n).timestamp(), started + by * n) for n in range(count + 1)]
        ours = {} if name == "up" else {"model": scope.model, "version": str(version)}
        place = {"environment": scope.environment, "job": "serving", "instance": f"{scope.model}-{version}:80"}
        labels: Mapping[str, str] = {"__name__": name, **place, **ours}
        yield dict(labels), [each for each in samples if each[0] < relabelled.timestamp()]
        yield {**labels, "zone": "a"}, [each for each in samples if each[0] >= relabelled.timestamp()]


def test_of_targets_beside_each_other(prometheus: PrometheusServer) -> None:
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    scope = Scope(model="moved", environment="production")
    since, relabelled = now - timedelta(hours=1), now - timedelta(minutes=20)
    for version, begins in ((STABLE, since - timedelta(hours=7)), (CANARY, since)):
        prometheus.write(list(scraped(scope, version, begins, relabelled, now)))
    question = replace(
        canary_question(), since=since, objectives=(OBJECTIVE,), weights=(WeightChange(at=since, weight=0.5),)
    )
    verdict = judge(question, measure(question, scope, metrics)).objectives[0]
    assert verdict.comparison is Comparison.CLEARED
    assert verdict.subject.total <= 100 * (timedelta(hours=1) // SCRAPE)
    assert verdict.reference.total <= 100 * (timedelta(hours=1) // SCRAPE)


def test_over_the_window_of_a_budget(prometheus: PrometheusServer) -> None:
    """Within a step, so that its end shows both. What is lost lies within two of them."""
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    until = last_instant(now)
    scope = Scope(model="moved-spender", environment="production")
    relabelled = until - timedelta(hours=5, minutes=3, seconds=1)
    prometheus.write(list(scraped(scope, STABLE, until - timedelta(days=1, hours=2), relabelled, until)))
    environment = Environment(name="production", judge=Judge.OBJECTIVES, objectives=(OBJECTIVE,))
    (found,) = budgets(environment, scope, metrics)
    day, step = timedelta(days=1) // SCRAPE, timedelta(minutes=10) // SCRAPE
    assert day - step <= found.tally.bad <= day
    assert found.tally == Tally(bad=found.tally.bad, total=100 * found.tally.bad)
    assert found.spent == pytest.approx(0.2)
