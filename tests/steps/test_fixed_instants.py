"""What is asked at the ends of cells and steps, and what a real Prometheus answers: values, late labels, means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from support.counters import CANARY, SINCE, STABLE, canary_question
from support.labels import QUALITY, TOGETHER
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Comparison, Question, Stage, Standing, ValueVerdict, WeightChange
from tidegate.core.manifest import Mean, Objective, ValueObjective
from tidegate.steps import fixed_instants
from tidegate.steps.measure import measure, queries_of

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SCOPE = Scope(model="churn", environment="production")
BY_VERSION = 'max(drift{model="{{ model }}", environment="{{environment}}", version="{{ version }}"})'
DRIFT = ValueObjective(name="drift", value=BY_VERSION, maximum=0.2)


@dataclass
class Recorded:
    """A Metrics that keeps what it was asked, and answers one series to everything."""

    asked: list[tuple[str, datetime, datetime, timedelta]] = field(default_factory=list)
    answer: Unread | None = None

    def now(self) -> datetime:
        return SINCE

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled:
        raise AssertionError("nothing is read raw here")

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append((expression, start, end, step))
        if self.answer is not None:
            return self.answer
        return Sampled(series=(Series(labels={}, samples=((start.timestamp(), 1.0),)),), start=start, end=end)


def asking(**changes: object) -> Question:
    question: Question = replace(canary_question(), **{"values": (DRIFT,), **changes})  # type: ignore[arg-type]
    return question


def test_each_version_is_asked_for_with_what_is_filled_in() -> None:
    metrics = Recorded()
    found = fixed_instants.values(asking(), SCOPE, metrics, SINCE + HOUR)["drift"]
    labels = 'model="churn", environment="production"'
    assert [expression for expression, *_ in metrics.asked] == [
        f'max(drift{{{labels}, version="12"}})',
        f'max(drift{{{labels}, version="11"}})',
    ]
    assert isinstance(found, Sampled)
    assert [series.labels for series in found.series] == [{"version": "12"}, {"version": "11"}]
    assert queries_of(asking(), SCOPE)[-2:] == tuple(expression for expression, *_ in metrics.asked)


def test_an_expression_without_a_version_is_asked_once() -> None:
    metrics = Recorded()
    question = asking(values=(replace(DRIFT, value="max by (version) (drift)"),))
    fixed_instants.values(question, SCOPE, metrics, SINCE + HOUR)
    assert [expression for expression, *_ in metrics.asked] == ["max by (version) (drift)"]


@pytest.mark.parametrize("second", [0, 17, 59])
def test_I9_the_instants_are_the_ends_of_cells_whenever_a_pass_asks(second: int) -> None:
    metrics = Recorded()
    now = SINCE + HOUR + timedelta(seconds=second)
    fixed_instants.values(asking(since=SINCE + timedelta(seconds=20)), SCOPE, metrics, now)
    assert metrics.asked[0][1:] == (SINCE + MINUTE, SINCE + 59 * MINUTE, MINUTE)


def test_long_stages_are_asked_in_pieces_that_share_no_instant() -> None:
    metrics = Recorded()
    question = asking(values=(replace(DRIFT, value="drift"),))
    found = fixed_instants.values(question, SCOPE, metrics, SINCE + 25_000 * MINUTE)["drift"]
    ends = [(start, end) for _, start, end, _ in metrics.asked]
    assert [(end - start) // MINUTE + 1 for start, end in ends] == [10_000, 10_000, 5_000]
    assert [start for start, _ in ends[1:]] == [end + MINUTE for _, end in ends[:-1]]
    assert isinstance(found, Sampled)
    assert [len(series.samples) for series in found.series] == [3]


def test_probation_asks_as_long_a_time_before_it() -> None:
    metrics = Recorded()
    fixed_instants.values(asking(stage=Stage.PROBATION), SCOPE, metrics, SINCE + HOUR)
    assert metrics.asked[0][1] == SINCE - HOUR


def test_I3_a_failure_is_the_reading_of_the_whole_objective() -> None:
    gone = Unread(why=Why.UNREACHABLE)
    assert fixed_instants.values(asking(), SCOPE, Recorded(answer=gone), SINCE + HOUR) == {"drift": gone}


def test_late_labels_are_asked_by_step_up_to_when_the_last_may_come() -> None:
    """From a `delay` before, for how clustered bad labels are, and one step more, which shows what was there."""
    metrics = Recorded()
    question = replace(canary_question(), together=TOGETHER)
    fixed_instants.late(question, SCOPE, metrics, SINCE + 200 * HOUR)
    matchers = 'model="churn",environment="production",version=~"11|12"'
    assert [expression for expression, *_ in metrics.asked] == [
        f'last_over_time(label_age_seconds_bucket{{correct="false",{matchers}}}[3600000ms])',
        f"last_over_time(label_age_seconds_bucket{{{matchers}}}[3600000ms])",
        f"last_over_time(predictions_total{{{matchers}}}[3600000ms])",
    ]
    assert {asked[1:] for asked in metrics.asked} == {(SINCE - 25 * HOUR, SINCE + 50 * HOUR, HOUR)}


def test_I3_labels_whose_selector_is_none_are_unread() -> None:
    odd = replace(TOGETHER, objectives=(replace(QUALITY, total="rate(x[5m])"),))
    found = fixed_instants.late(replace(canary_question(), together=odd), SCOPE, Recorded(), SINCE + HOUR)["quality"]
    assert isinstance(found.total, Unread)
    assert "plain selector" in found.total.words


@pytest.fixture(scope="module")
def since(prometheus: PrometheusServer) -> datetime:
    """Half an hour ago: a gauge by version, once with a good canary and once with a bad one."""
    now = Prometheus(prometheus.url).now()
    assert isinstance(now, datetime)
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=30)
    for name, drift in (("values_good", 0.1), ("values_bad", 0.3)):
        prometheus.write([_gauge(name, version, since, figure) for version, figure in ((11, 0.1), (12, drift))])
    prometheus.write([_gauge("values_stopped", 12, since, 0.1, scrapes=40)])
    prometheus.write([_gauge("values_twice", 12, since, 0.1, pod=pod) for pod in ("a", "b")])
    return since


@pytest.mark.contract
class TestRealPrometheus:
    def verdict(self, server: PrometheusServer, since: datetime, value: str) -> ValueVerdict:
        objective = replace(DRIFT, value=value, held=5 * MINUTE)
        question = asking(since=since, weights=(WeightChange(at=since, weight=0.1),), values=(objective,))
        return judge(question, measure(question, SCOPE, Prometheus(server.url))).values[0]

    @pytest.mark.parametrize(
        ("value", "standing", "figure"),
        [
            pytest.param('values_good{version="{{ version }}"}', Standing.FINE, 0.1, id="good"),
            pytest.param('values_bad{version="{{ version }}"}', Standing.BREACH, 0.3, id="bad"),
            pytest.param("max by (version) (values_bad)", Standing.BREACH, 0.3, id="a-series-for-each-version"),
            pytest.param("scalar(sum(values_good)) / 2", Standing.FINE, 0.1, id="a-scalar-over-both"),
        ],
    )
    def test_figures(
        self, prometheus: PrometheusServer, since: datetime, value: str, standing: Standing, figure: float
    ) -> None:
        verdict = self.verdict(prometheus, since, value)
        assert (verdict.standing, verdict.unread) == (standing, None)
        assert verdict.figure == pytest.approx(figure)

    @pytest.mark.parametrize(
        ("value", "why", "words"),
        [
            pytest.param("values_nobody_has", Why.NO_DATA, "the value has no answer", id="no-series"),
            pytest.param('values_twice{version="{{ version }}"}', Why.SEVERAL, "answers 2 series", id="two-series"),
            pytest.param("sum(values_good) * 0 / 0", Why.NAN, "answers nan", id="not-a-number"),
            pytest.param("sum(values_good) / 0", Why.NAN, "answers inf", id="infinity"),
            pytest.param('values_stopped{version="{{ version }}"}', Why.STALE, "last answer at", id="stopped"),
            pytest.param("sum(", Why.ERROR, "it was asked sum(", id="no-promql"),
        ],
    )
    def test_I3_readings_that_are_none(
        self, prometheus: PrometheusServer, since: datetime, value: str, why: Why, words: str
    ) -> None:
        verdict = self.verdict(prometheus, since, value)
        assert verdict.unread is not None
        assert (verdict.unread.why, verdict.standing) == (why, Standing.UNKNOWN)
        assert words in verdict.unread.words

    def test_more_instants_than_prometheus_answers_are_an_error(self, prometheus: PrometheusServer) -> None:
        found = Prometheus(prometheus.url).answers("vector(1)", SINCE, SINCE + 11_001 * MINUTE, MINUTE)
        assert isinstance(found, Unread)
        assert (found.why, "11,000 points" in found.words) == (Why.ERROR, True)

    def test_every_instant_comes_once(self, prometheus: PrometheusServer) -> None:
        found = Prometheus(prometheus.url).answers("vector(1)", SINCE, SINCE + 3 * MINUTE, MINUTE)
        assert isinstance(found, Sampled)
        assert [at for at, _ in found.series[0].samples] == [(SINCE + n * MINUTE).timestamp() for n in range(4)]

    @pytest.mark.parametrize(
        ("mean", "expected"),
        [pytest.param(4.0, Comparison.CLEARED, id="alike"), pytest.param(3.0, Comparison.WORSE, id="lower")],
    )
    def test_means(self, prometheus: PrometheusServer, since: datetime, mean: float, expected: Comparison) -> None:
        scope = Scope(model=f"means-{expected.value}", environment="production")
        figures = Mean(sum="rating_sum", squares="rating_squares", low=1, high=5, higher_is_better=True)
        objective = Objective(name="rating", target=0.5, total="rating_count", mean=figures)
        question = replace(
            canary_question(), since=since, weights=(WeightChange(at=since, weight=0.1),), objectives=(objective,)
        )
        prometheus.write(
            [
                written
                for v, n, m in ((STABLE, 90, 4.0), (CANARY, 10, mean))
                for written in _ratings(scope, v, since, n, m)
            ]
        )
        found = judge(question, measure(question, scope, Prometheus(prometheus.url)))
        assert (found.unread, found.objectives[0].comparison) == (None, expected)


def _gauge(
    name: str, version: int, since: datetime, figure: float, scrapes: int = 124, **more: str
) -> tuple[Mapping[str, str], list[tuple[float, float]]]:
    labels = {"__name__": name, "version": str(version), "job": "serving", "instance": "pod:80", **more}
    return labels, [(since.timestamp() + 15 * scrape, figure) for scrape in range(-1, scrapes)]


def _ratings(scope: Scope, version: int, since: datetime, events: float, mean: float) -> list[Written]:
    """Counters that grow by so many ratings a scrape, half a point around their mean."""
    first = -60 if version == STABLE else 0
    grown = {"rating_count": events, "rating_sum": events * mean, "rating_squares": events * (mean**2 + 0.25)}
    labels = {"model": scope.model, "environment": scope.environment, "version": str(version), "job": "serving"}
    return [
        (
            {**labels, "__name__": name, "instance": f"{scope.model}-{version}"},
            [(since.timestamp() + 15 * scrape, by * (scrape - first)) for scrape in range(first, 120)],
        )
        for name, by in grown.items()
    ]
