"""Error budgets and late labels of models that are asked together: what each would get alone, in as many queries as for
two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from support.counters import CANARY, STABLE, canary_question
from support.labels import QUALITY, TOGETHER
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.judging.verdict import LateReadings, Question
from tidegate.core.manifest import Environment, Judge, Objective
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics
from tidegate.steps import fixed_instants
from tidegate.steps.budgets import budgets
from tidegate.steps.shared_readings import SharedReadings

pytestmark = pytest.mark.contract

HOUR = timedelta(hours=1)
ONE_LABEL = MetricLabels(model="", version="application", version_value="{model}-{version}")
DAY = Objective(name="day", target=0.99, window=timedelta(days=1), bad="errors_total", total="requests_total")
OBJECTIVES = (
    DAY,
    replace(DAY, name="weeks", window=timedelta(days=28)),
    replace(DAY, name="named", good="answers_total{code!~'5..'}", bad=None, total="answers_total", dialect=ONE_LABEL),
    Objective(
        name="latency",
        target=0.9,
        window=timedelta(days=2),
        histogram="predict_seconds",
        under=timedelta(milliseconds=250),
    ),
)
PRODUCTION = Environment(name="production", judge=Judge.OBJECTIVES, objectives=OBJECTIVES)
Entry = tuple[Environment, Scope]


@dataclass
class Counted:
    """A Metrics whose time stands still. It keeps what it is asked, and does not answer what matches `refused`."""

    metrics: Metrics
    time: datetime
    refused: str = "^nothing"
    why: Why = Why.ERROR
    asked: list[str] = field(default_factory=list)

    def now(self) -> datetime | Unread:
        return self.time

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        raise AssertionError(f"no raw samples are needed: {selector} from {start} to {end}")

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append(expression)
        if re.search(self.refused, expression):
            return Unread(why=self.why, words=expression)
        return self.metrics.answers(expression, start, end, step)


def counted(server: PrometheusServer) -> Counted:
    metrics = Prometheus(server.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    return Counted(metrics, now)


def entering(server: PrometheusServer, now: datetime, prefix: str, size: int) -> list[Entry]:
    """So many models that are about to enter production, where others of theirs have served: some badly."""
    scopes = [Scope(model=f"{prefix}-{number}", environment="production") for number in range(size)]
    server.write([written for number, scope in enumerate(scopes) for written in _served(scope, now, number)])
    return [(PRODUCTION, scope) for scope in scopes]


def _served(scope: Scope, now: datetime, number: int) -> Iterator[Written]:
    """Four hours apart, and each hour of the last two days."""
    ends = now.replace(minute=0, second=0, microsecond=0)
    hours = [*range(29 * 24, 49, -4), *range(49, 0, -1)]

    def series(name: str, of: int, by: float, **labels: str) -> Written:
        target = {"job": "serving", "instance": f"{scope.model}-{of}:80", "environment": scope.environment}
        samples = [((ends - hour * HOUR).timestamp(), by * (29 * 24 - hour)) for hour in hours]
        return {"__name__": name, **target, **labels}, samples

    for version in (STABLE, CANARY):
        ours = {"model": scope.model, "version": str(version)}
        yield series("requests_total", version, 100.0 + number, **ours)
        yield series("errors_total", version, number % 4, **ours)
        yield series("answers_total", version, 90.0, application=f"{scope.model}-{version}", code="200")
        yield series("answers_total", version, number % 3, application=f"{scope.model}-{version}", code="500")
        yield series("predict_seconds_bucket", version, 90.0 - number % 7, **ours, le="0.25")
        yield series("predict_seconds_count", version, 90.0, **ours)


def read(entries: Sequence[Entry], metrics: Metrics) -> list[tuple[Budget, ...]]:
    return [budgets(environment, scope, metrics) for environment, scope in entries]


def test_the_budgets_of_fifty_models_take_as_many_queries_as_those_of_two(prometheus: PrometheusServer) -> None:
    """Two for each preset and window: those of four weeks in four pieces at most, the shorter ones in two."""
    entries = entering(prometheus, counted(prometheus).time, "entering", 50)
    asked = []
    for some in (entries[:2], entries):
        metrics = counted(prometheus)
        read(some, SharedReadings(metrics, (), some))
        asked.append(metrics.asked)
    assert len(asked[0]) == len(asked[1]) <= 2 * 4 + 4 * 2


@pytest.mark.parametrize("size", [2, 7])
def test_I9_each_budget_is_what_it_would_have_been_alone(prometheus: PrometheusServer, size: int) -> None:
    metrics = counted(prometheus)
    entries = entering(prometheus, metrics.time, f"budgets-{size}", size)
    together = read(entries, SharedReadings(metrics, (), entries))
    assert together == read(entries, metrics)
    assert not [budget for each in together for budget in each if budget.unread]
    assert len({str(each) for each in together}) == size


@pytest.mark.parametrize("why", [Why.ERROR, Why.PARTIAL, Why.UNREACHABLE])
def test_I3_what_is_too_much_of_one_model_holds_nobody_else(prometheus: PrometheusServer, why: Why) -> None:
    metrics = counted(prometheus)
    entries = entering(prometheus, metrics.time, f"refused-{why.name}", 8)
    one = entries[5][1].model
    refusing = replace(metrics, refused=f'errors_total.*{one}["|]', why=why, asked=[])
    together = read(entries, SharedReadings(refusing, (), entries))
    assert together == read(entries, replace(refusing, asked=[]))
    unread = [entries[number][1].model for number, each in enumerate(together) for budget in each if budget.unread]
    assert unread == [one, one]


def test_I3_budgets_that_nobody_answers_are_asked_for_once() -> None:
    gone = Counted(Prometheus("http://127.0.0.1:1"), TOGETHER.since)
    entries = [(replace(PRODUCTION, objectives=(DAY,)), Scope(model=f"m{n}", environment="production")) for n in "123"]
    found = read(entries, SharedReadings(gone, (), entries))
    assert {budget.unread.why for each in found for budget in each if budget.unread} == {Why.UNREACHABLE}
    assert len(gone.asked) <= 2 * (2 + 1)


def test_a_persons_expression_is_asked_as_it_is(prometheus: PrometheusServer) -> None:
    """Also where it is the text of a counter that is shared, and asks for other instants."""
    metrics = counted(prometheus)
    entries = entering(prometheus, metrics.time, "person", 2)
    shared = SharedReadings(metrics, (), entries)
    text = budgets(*entries[0], metrics)[0].asked[1]
    span = (metrics.time.replace(second=0, microsecond=0) - HOUR, metrics.time, timedelta(minutes=1))
    assert shared.answers(text, *span) == metrics.answers(text, *span)
    assert metrics.asked[-2:] == [text, text]


def labelled(server: PrometheusServer, now: datetime, prefix: str, size: int) -> list[tuple[Question, Scope]]:
    """Rollouts that began at different hours, some of them done, with labels that come late."""
    wanted = []
    for number in range(size):
        scope = Scope(model=f"{prefix}-{number}", environment="production")
        since = now - (10 - number % 6) * HOUR
        together = replace(TOGETHER, since=since, until=since + HOUR if number % 2 else None, objectives=(QUALITY,))
        wanted.append((replace(canary_question(), since=since, together=together), scope))
        server.write(list(_labels(scope, now, number)))
    return wanted


def _labels(scope: Scope, now: datetime, number: int) -> Iterator[Written]:
    ours = {"model": scope.model, "environment": scope.environment, "job": "labels", "instance": scope.model}
    for version, by in ((STABLE, 90.0), (CANARY, 10.0 + number)):
        for name, extra in (
            ("label_age_seconds_bucket", {"correct": "false", "le": "21600"}),
            ("label_age_seconds_bucket", {"correct": "true", "le": "21600"}),
            ("predictions_total", {}),
        ):
            samples = [((now - timedelta(minutes=20 * n)).timestamp(), by * (120 - n)) for n in range(120, 0, -1)]
            yield {"__name__": name, **ours, **extra, "version": str(version)}, samples


def late(wanted: Sequence[tuple[Question, Scope]], metrics: Metrics, now: datetime) -> list[dict[str, LateReadings]]:
    return [fixed_instants.late(question, scope, metrics, now) for question, scope in wanted]


def test_late_labels_of_fifty_models_take_as_many_queries_as_those_of_two(prometheus: PrometheusServer) -> None:
    wanted = labelled(prometheus, counted(prometheus).time, "labels", 50)
    asked = []
    for some in (wanted[:2], wanted):
        metrics = counted(prometheus)
        late(some, SharedReadings(metrics, some), metrics.time)
        asked.append(len(metrics.asked))
    assert asked[0] == asked[1] <= 3 * 2


def test_I9_late_labels_are_told_as_they_would_have_been_alone(prometheus: PrometheusServer) -> None:
    metrics = counted(prometheus)
    wanted = labelled(prometheus, metrics.time, "truth", 7)
    together = late(wanted, SharedReadings(metrics, wanted), metrics.time)
    assert together == late(wanted, metrics, metrics.time)
    assert all(isinstance(each["quality"].total, Sampled) and each["quality"].total.series for each in together)
