"""Models asked together get what each would get alone, in a number of queries that does not grow with them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, canary_question
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Question, Stage, Verdict, WeightChange
from tidegate.core.manifest import Objective
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics
from tidegate.steps.measure import measure
from tidegate.steps.shared_readings import SharedReadings, _raw
from tidegate.steps.sharing import Dialect, Packed, dealt_out

pytestmark = pytest.mark.contract

SCRAPE = timedelta(seconds=15)
ONE_LABEL = MetricLabels(model="", version="application", version_value="{model}-{version}")
LATENCY = Objective(name="latency", target=0.9, histogram="predict_seconds", under=timedelta(milliseconds=250))
NONE = array("d")
Want = tuple[Question, Scope]


@dataclass
class Counted:
    """A Metrics that keeps what it is asked."""

    metrics: Metrics
    asked: list[str] = field(default_factory=list)

    def now(self) -> datetime | Unread:
        self.asked.append("time()")
        return self.metrics.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.asked.append(selector)
        return self.metrics.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self.metrics.answers(expression, start, end, step)


def fleet(server: PrometheusServer, prefix: str, size: int) -> list[Want]:
    """So many models in flight since different instants: canaries, and every third one on probation; all measured."""
    now = Prometheus(server.url).now()
    assert isinstance(now, datetime)
    wanted: list[Want] = []
    for number in range(size):
        scope = Scope(model=f"{prefix}-{number}", environment="production", ready="model_ready")
        since = now - timedelta(minutes=20 + number % 7)
        objectives = (
            AVAILABILITY,
            replace(AVAILABILITY, name="other", total="answers_total", dialect=ONE_LABEL),
            LATENCY,
        )
        question = replace(
            canary_question(), since=since, weights=(WeightChange(at=since, weight=0.1),), objectives=objectives
        )
        if number % 3 == 0:
            question = replace(question, stage=Stage.PROBATION, weights=())
        server.write(_traffic(scope, now - timedelta(minutes=40), number))
        wanted.append((question, scope))
    return wanted


def _traffic(scope: Scope, start: datetime, number: int, job: str = "serving") -> list[Written]:
    """Some canaries are bad, and each has a target and a job of its own that come up with it."""

    def series(name: str, of: int, by: float, **labels: str) -> Written:
        first = 50 if of == CANARY else 0
        target = {"job": f"{job}-{of}", "instance": f"{scope.model}-{of}:80", "environment": scope.environment}
        samples = [((start + SCRAPE * n).timestamp(), by * (n - first + 1)) for n in range(first, 160)]
        return {"__name__": name, **target, **labels}, samples

    written: list[Written] = []
    for version, by in ((STABLE, 90.0), (CANARY, 10.0)):
        ours = {"model": scope.model, "version": str(version)}
        _, gauge = series("up", version, 0.0)
        written += [
            series("requests_total", version, by, **ours),
            series("answers_total", version, by, application=f"{scope.model}-{version}"),
            series("errors_total", version, by / 10 * (number % 4), **ours),
            series("errors_total", version, by / 10 * (number % 3), application=f"{scope.model}-{version}"),
            series("predict_seconds_count", version, by, **ours),
            series("predict_seconds_bucket", version, by, **ours, le="0.25"),
        ]
        for name, labels in (("model_ready", ours), ("up", {})):
            written.append((series(name, version, 0.0, **labels)[0], [(at, 1.0) for at, _ in gauge]))
    return written


def queries(server: PrometheusServer) -> float:
    """How many queries Prometheus says that it answered."""
    text = requests.get(f"{server.url}/metrics", timeout=5).text
    lines = (line for line in text.splitlines() if line.startswith("prometheus_http_requests_total{"))
    return sum(float(line.split()[-1]) for line in lines if 'handler="/api/v1/query"' in line)


def verdicts(wanted: Sequence[Want], metrics: Metrics) -> list[Verdict]:
    return [judge(question, measure(question, scope, metrics)) for question, scope in wanted]


def test_fifty_models_take_as_many_queries_as_two(prometheus: PrometheusServer) -> None:
    """One for the time; for each of seven selectors, and for `up`, one in each slot of twelve hours, of which there
    are two at most."""
    wanted = fleet(prometheus, "fifty", 50)
    asked = []
    for models in (wanted[:2], wanted):
        before = queries(prometheus)
        verdicts(models, SharedReadings(Prometheus(prometheus.url), models))
        asked.append(queries(prometheus) - before)
    assert asked[0] == asked[1] <= 1 + 2 * 8


@pytest.mark.parametrize("size", [2, 7])
def test_I9_each_is_told_what_it_would_have_been_told_alone(prometheus: PrometheusServer, size: int) -> None:
    wanted = fleet(prometheus, f"alike-{size}", size)
    shared = SharedReadings(Prometheus(prometheus.url), wanted)
    together = verdicts(wanted, shared)
    now = shared.now()
    assert isinstance(now, datetime)
    assert together == verdicts(wanted, At(Prometheus(prometheus.url), now))
    assert len({str(verdict) for verdict in together}) == size


@dataclass(frozen=True)
class At:
    """A Metrics whose time stands still."""

    metrics: Metrics
    time: datetime

    def now(self) -> datetime | Unread:
        return self.time

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self.metrics.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self.metrics.answers(expression, start, end, step)


@pytest.mark.parametrize(
    "gateways",
    [
        pytest.param(1, id="a-job-of-a-model-that-shares-with-nobody"),
        pytest.param(2, id="a-job-seen-after-the-first-was-asked-for"),
    ],
)
def test_I9_jobs_that_scrape_one_address_are_told_apart(prometheus: PrometheusServer, gateways: int) -> None:
    served = fleet(prometheus, f"jobs-{gateways}", 2)
    behind = [(question, replace(scope, environment="staging")) for question, scope in served[:gateways]]
    for number, (question, scope) in enumerate(behind):
        prometheus.write(_traffic(scope, question.since - timedelta(minutes=20), number, job="gateway"))
    wanted = [*served, *behind]
    shared = SharedReadings(Prometheus(prometheus.url), wanted)
    together = [measure(question, scope, shared).up for question, scope in wanted]
    now = shared.now()
    assert isinstance(now, datetime)
    alone = At(Prometheus(prometheus.url), now)
    assert together == [measure(question, scope, alone).up for question, scope in wanted]
    assert [len(up.series) for up in together if isinstance(up, Sampled)] == [2] * len(wanted)


def test_a_model_alone_asks_its_own_queries(prometheus: PrometheusServer) -> None:
    wanted = fleet(prometheus, "alone", 1)
    metrics = Counted(Prometheus(prometheus.url))
    verdicts(wanted, SharedReadings(metrics, wanted))
    assert any('model="alone-0"' in selector for selector in metrics.asked)


def test_I9_native_histograms_are_seen_by_those_who_have_them(tmp_path: Path) -> None:
    """Each model counts the histogram as if it were a counter, besides; the last one has no native histogram."""
    counted = Objective(name="counted", target=0.9, bad="errors_total", total="predict_seconds")
    server = PrometheusServer(tmp_path, "--enable-feature=native-histograms")
    server.start()
    try:
        wanted = [
            (replace(question, objectives=(counted, LATENCY)), replace(scope, model=f"native-{scope.model}"))
            for question, scope in fleet(server, "seen", 3)
        ]
        for question, scope in wanted[:2]:
            times = [question.since + SCRAPE * n for n in range(60)]
            labels = {"model": scope.model, "environment": scope.environment, "version": str(CANARY)}
            native = [(at.timestamp(), n) for n, at in enumerate(times)]
            server.write_native({"__name__": "predict_seconds", **labels}, native)
        found = verdicts(wanted, SharedReadings(Prometheus(server.url), wanted))
    finally:
        server.stop()
    unread = [next(each.unread for each in verdict.objectives if each.objective == "latency") for verdict in found]
    assert [reason is not None and reason.why is Why.NATIVE for reason in unread] == [True, True, False]


def test_what_is_refused_together_is_asked_one_by_one(prometheus: PrometheusServer) -> None:
    """A pattern that Prometheus refuses: each model's reading has its own query in it, and the others' go on."""
    wanted = fleet(prometheus, "wrong", 3)
    wrong = replace(AVAILABILITY, bad='errors_total{code=~"5["}')
    some = [(replace(question, objectives=(wrong, LATENCY)), scope) for question, scope in wanted]
    metrics = SharedReadings(Prometheus(prometheus.url), some)
    for question, scope in some:
        verdict = judge(question, measure(question, scope, metrics))
        unread = {each.objective: each.unread for each in verdict.objectives}
        assert unread["latency"] is None
        reason = unread["availability"]
        assert reason is not None
        assert (reason.why, f'model="{scope.model}"' in reason.words) == (Why.ERROR, True)


ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Limited:
    """A Prometheus of healthy models that cannot answer questions like these, and small ones until it is gone."""

    why: Why
    questions: str
    begin: datetime = ALWAYS
    there: bool = True
    asked: list[str] = field(default_factory=list)

    def now(self) -> datetime | Unread:
        return NOW

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.asked.append(selector)
        answer = Sampled(series=tuple(self._series(selector, start, end)), start=start, end=end)
        return Unread(why=self.why, words=selector) if re.search(self.questions, selector) else answer

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        assert expression == "vector(1)"
        gone = Unread(why=Why.UNREACHABLE, words="gone")
        return Sampled(series=(), start=start, end=end) if self.there else gone

    def _series(self, selector: str, start: datetime, end: datetime) -> Iterator[Series]:
        """Of everyone who is asked for."""
        name, _, labels = selector.partition("{")
        models = re.findall(r"m\d+", labels.partition("environment=")[0])
        by = {"requests_total": 10.0, "errors_total": 0.0}.get(name)
        first, last = (int(edge.timestamp()) // 15 for edge in (max(start, self.begin), end))
        for model, version in ((m, v) for m in models for v in (CANARY, STABLE) if by is not None):
            labels_of = {"model": model, "environment": "production", "version": str(version)}
            target = {"__name__": name, "job": "serving", "instance": f"{model}-{version}:80"}
            samples = tuple((15.0 * n, (by or 0.0) * n) for n in range(first + 1, last + 1))
            yield Series(labels={**labels_of, **target}, samples=samples)


NOW = SINCE + timedelta(hours=2)
M17 = 'model=~?"([^"]*[|])?m17[|"]'


def of_models(number: int) -> list[Want]:
    return [(canary_question(), Scope(model=f"m{n}", environment="production")) for n in range(number)]


@pytest.mark.parametrize(
    "why",
    [
        pytest.param(Why.UNREACHABLE, id="a-time-out"),
        pytest.param(Why.PARTIAL, id="an-answer-that-is-not-whole"),
        pytest.param(Why.ERROR, id="a-refusal"),
    ],
)
def test_I3_what_one_model_asks_too_much_of_holds_nobody_else(why: Why) -> None:
    wanted, metrics = of_models(50), Limited(why, M17)
    found = verdicts(wanted, SharedReadings(metrics, wanted))
    alone = verdicts(wanted, Limited(why, M17))
    unread = {scope.model: each.unread for (_, scope), each in zip(wanted, found, strict=True)}
    assert found == alone
    assert {model for model, reason in unread.items() if reason is not None} == {"m17"}
    assert {reason.why for reason in unread.values() if reason is not None} == {why}


@pytest.mark.parametrize("why", [Why.UNREACHABLE, Why.PARTIAL, Why.ERROR])
def test_I3_whether_targets_were_up_is_asked_of_each_when_all_are_too_many(why: Why) -> None:
    """They began after the rollout, so `up` says that they count from 0."""
    wanted, metrics = of_models(3), Limited(why, "^up.*m0.*m1", begin=SINCE + timedelta(minutes=5))
    found = verdicts(wanted, SharedReadings(metrics, wanted))
    assert any(re.search(metrics.questions, selector) for selector in metrics.asked)
    assert found == verdicts(wanted, replace(metrics, questions="^nothing", asked=[]))


def test_halving_finds_it_in_few_questions() -> None:
    """Asked one by one it would be two hundred: two selectors in two slots each."""
    wanted, metrics = of_models(50), Limited(Why.UNREACHABLE, M17)
    verdicts(wanted, SharedReadings(metrics, wanted))
    assert len(metrics.asked) < 50


def test_I3_a_server_that_goes_amid_a_pass_is_not_asked_for_everyone() -> None:
    wanted, metrics = of_models(50), Limited(Why.UNREACHABLE, M17, there=False)
    # As in a pass, with the time asked once, and siblings asked among themselves.
    shared = SharedReadings(SharedReadings(metrics, wanted), wanted)
    assert {each.unread.why for each in verdicts(wanted, shared) if each.unread} == {Why.UNREACHABLE}
    assert len(metrics.asked) == 2


def test_I9_who_asks_further_back_than_the_others_together_gets_all_of_it() -> None:
    """A sibling is judged over another time than it was in flight, by the same selectors."""
    wanted, metrics = of_models(2), Limited(Why.ERROR, "nobody")
    question, scope = wanted[0]
    earlier = replace(question, since=question.since - timedelta(days=1))
    assert measure(earlier, scope, SharedReadings(metrics, wanted)) == measure(earlier, scope, metrics)


def test_I3_a_server_that_is_gone_is_asked_once() -> None:
    metrics = Counted(Prometheus("http://127.0.0.1:1"))
    wanted = [(canary_question(), Scope(model=name, environment="production")) for name in ("a", "b", "c")]
    found = verdicts(wanted, SharedReadings(metrics, wanted))
    assert metrics.asked == ["time()"]
    assert len(found) == 3


class Watched(dict[str, str]):
    """Labels that count how often they are looked at."""

    looks = 0

    def get(self, name: str, otherwise: str = "") -> str:  # type: ignore[override]
        Watched.looks += 1
        return super().get(name, otherwise)


def test_dealing_out_takes_as_long_for_each_series_however_many_models_share() -> None:
    def looks(models: int) -> float:
        shares = [share for question, scope in of_models(models) for share in _raw(question, scope, NOW)][::2]
        packed = [
            Packed(Watched(model=f"m{model}", environment="production", version="12", code=str(code)), NONE, NONE)
            for model in range(models)
            for code in range(20)
        ]
        Watched.looks = 0
        found = dealt_out(shares, packed)
        assert [len(each) for each in found.values()] == [20] * models
        return Watched.looks / len(packed)

    assert looks(50) == looks(5)


patterns = st.sampled_from(["m1", "m[12]", "", "m1|m12", "x"])
labelled = st.dictionaries(st.sampled_from(["model", "version"]), st.sampled_from(["m1", "m2", "m12", "x", ""]))


@given(st.lists(labelled, max_size=9), st.lists(st.tuples(patterns, patterns), max_size=4))
def test_each_gets_the_series_that_meet_its_conditions(
    series: list[dict[str, str]], wanted: list[tuple[str, str]]
) -> None:
    packed = [Packed(labels, NONE, NONE) for labels in series]
    one = next(_raw(*of_models(1)[0], NOW))
    shares = [
        replace(
            one, asked=str(n), dialect=Dialect(labels=MetricLabels(), conditions={"model": model, "version": version})
        )
        for n, (model, version) in enumerate(wanted)
    ]
    for share in shares:
        expected = [
            each
            for each in packed
            if all(
                re.fullmatch(pattern, each.labels.get(name, "")) for name, pattern in share.dialect.conditions.items()
            )
        ]
        assert dealt_out(shares, packed)[share.asked] == expected
