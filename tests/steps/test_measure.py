"""What is asked of Prometheus for a judgement, and that real answers lead to the right verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate

import pytest

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, canary_question, counter, moment
from support.prometheus_server import PrometheusServer, Written
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.dispersion import HISTORY
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    Verdict,
    WeightChange,
)
from tidegate.core.manifest import Effect, Objective
from tidegate.steps.deciding import Judges
from tidegate.steps.hearing import hear
from tidegate.steps.measure import asks_before, measure, queries_of

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
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

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        assert (start.timestamp() / step.total_seconds()).is_integer()
        self.asked.append((expression, start, end))
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
    assert len(pieces) == 3
    assert all(end - start <= timedelta(hours=12) for start, end in pieces)
    assert [end for _, end in pieces[:-1]] == [start for start, _ in pieces[1:]]
    assert pieces[0][0] < SINCE - HISTORY
    assert pieces[-1][1] == now


@pytest.mark.parametrize(
    ("asked", "least"),
    [
        pytest.param({}, HISTORY, id="what-dispersion-is-measured-on"),
        pytest.param({"before": True}, 8 * HOUR, id="and-as-long-a-time-before-it"),
        pytest.param({"throughout": True}, HISTORY, id="no-more-for-any-instant-of-it"),
    ],
)
def test_probation_reads(asked: dict[str, bool], least: timedelta) -> None:
    now = SINCE + 8 * HOUR
    metrics = Recorded(now, nothing(now))
    measure(replace(canary_question(), stage=Stage.PROBATION, weights=()), SCOPE, metrics, **asked)
    assert metrics.asked[0][1] == SINCE - least - 5 * MINUTE


@dataclass
class Kept:
    """A Metrics that has these series, each under its own name."""

    time: datetime
    series: dict[str, Sequence[Series]]

    def now(self) -> datetime | Unread:
        return self.time

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        first, last = start.timestamp(), end.timestamp()
        seen = (
            replace(each, samples=tuple(sample for sample in each.samples if first < sample[0] <= last))
            for each in self.series.get(selector.partition("{")[0], ())
        )
        return Sampled(series=tuple(each for each in seen if each.samples), start=start, end=end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        raise AssertionError(expression)


@pytest.mark.parametrize(
    ("now", "before"), [(5.0, 0.0), (5.0, 5.0), (0.0, 5.0), (0.5, 0.0)], ids=lambda bad: f"{bad:g}-bad-a-scrape"
)
def test_I9_the_time_before_is_read_when_it_matters_and_changes_nothing_else(now: float, before: float) -> None:
    """At every look the verdict is the one that all samples lead to."""
    question = replace(canary_question(), stage=Stage.PROBATION, weights=())
    totals = [counter(STABLE, [100.0] * 300, first=-300), counter(CANARY, [100.0] * 200, first=-4)]
    bad = [counter(STABLE, [before] * 300, first=-300), counter(CANARY, [now] * 200, first=-4)]
    standings = set()
    for scrape in (8, 20, 40, 120, 190):
        metrics = Kept(moment(scrape), {"requests_total": totals, "errors_total": bad})
        everything = judge(question, measure(question, SCOPE, metrics, before=True))
        first = judge(question, measure(question, SCOPE, metrics))
        standings.add(everything.objectives[0].standing)
        assert asks_before(question, first) is asks_before(question, everything)
        assert asks_before(question, first) or first == everything
    assert (Standing.BREACH in standings) is (now > 1)


@pytest.mark.parametrize(
    ("before", "standing"),
    [pytest.param(0.0, Standing.FINE, id="it-was-fine"), pytest.param(5.0, Standing.BREACH, id="it-breached-too")],
)
def test_a_pass_holds_a_breach_against_how_the_version_before_stood(before: float, standing: Standing) -> None:
    question = replace(canary_question(), stage=Stage.PROBATION, weights=())
    totals = [counter(STABLE, [100.0] * 300, first=-300), counter(CANARY, [100.0] * 200, first=-4)]
    # Found after some twenty-five minutes; in the last fifteen before probation nothing was bad.
    stable, canary = [before] * 240 + [0.0] * 60, [0.0] * 100 + [5.0] * 100
    bad = [counter(STABLE, stable, first=-300), counter(CANARY, canary, first=-4)]
    metrics = Kept(moment(190), {"requests_total": totals, "errors_total": bad})
    judges = Judges(metrics=metrics).sit(moment(190))
    (heard,) = hear(question, replace(SCOPE, ready=None), judges.metrics, judges.timed).account.verdict.objectives
    assert (heard.standing, heard.reference_standing) == (Standing.BREACH, standing)


def test_without_a_version_before_nobody_asks_how_it_stood() -> None:
    breach = ObjectiveVerdict(objective="availability", effect=Effect.REVERT, standing=Standing.BREACH)
    verdict = Verdict(stage=Stage.PROBATION, subject=CANARY, judged_until=SINCE, objectives=(breach,))
    question = replace(canary_question(), stage=Stage.PROBATION)
    asked = [asks_before(each, verdict) for each in (question, replace(question, reference=None))]
    assert asked == [True, False]


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
    ("stage", "begins", "asked"),
    [
        pytest.param(Stage.BAKE, timedelta(minutes=12), True, id="of-a-version-that-is-known-late"),
        pytest.param(Stage.BAKE, timedelta(minutes=10), False, id="not-where-it-was-deployed-in-time"),
        pytest.param(Stage.PROBATION, timedelta(minutes=12), False, id="not-on-probation-where-it-served-before"),
    ],
)
def test_what_was_kept_of_the_time_before_a_bake_is_asked(stage: Stage, begins: timedelta, asked: bool) -> None:
    now = SINCE + timedelta(hours=2)
    first = (SINCE + begins).timestamp()
    series = Series(labels={"version": "12"}, samples=((first, 1.0), (first + 15, 2.0)))
    metrics = Recorded(now, Sampled(series=(series,), start=SINCE, end=now))
    question = replace(canary_question(), stage=stage, reference=None, weights=())
    found = measure(question, replace(SCOPE, ready=None), metrics)
    of_any_version = 'requests_total{model="churn",environment="production"}'
    expected = (f"count(last_over_time(up[1h])) or count(last_over_time({of_any_version}[1h]))", SINCE, SINCE)
    assert (expected in metrics.asked) is asked
    assert (found.kept is not None) is asked


KNOWN, LATE = -HISTORY - 3 * MINUTE, -5 * HOUR


@pytest.mark.parametrize(
    ("samples", "asked"),
    [
        pytest.param({KNOWN: 1.0, LATE: 2.0}, False, id="not-where-it-is-known"),
        pytest.param({LATE: 2.0}, True, id="where-it-is-known-late"),
        pytest.param({KNOWN: math.nan, LATE: 2.0}, True, id="where-it-has-a-number-late"),
        pytest.param({-7 * HOUR: 1.0, LATE: 2.0}, True, id="where-only-a-pass-that-reads-more-knows-it-earlier"),
    ],
)
def test_I9_what_was_kept_is_asked_as_the_judgement_needs_it(samples: dict[timedelta, float], asked: bool) -> None:
    """Else a version that was not there would be one whose history is lost."""
    now = SINCE + 2 * HOUR
    known = tuple(((SINCE + after).timestamp(), value) for after, value in samples.items())
    answer = Sampled(series=(Series(labels={"version": str(STABLE)}, samples=known),), start=SINCE, end=now)
    question = replace(canary_question(), stage=Stage.PROBATION, weights=(), reference_since=SINCE - 9 * HOUR)
    counters = measure(question, replace(SCOPE, ready=None), Recorded(now, answer), before=True)
    assert (counters.kept is not None) is asked
    unread = judge(question, counters).unread
    assert unread is None or unread.why is not Why.HISTORY_LOST


@pytest.mark.parametrize(
    ("begins", "asked"),
    [
        pytest.param(-HISTORY - timedelta(minutes=5), False, id="not-for-series-that-were-there"),
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
    since = now - timedelta(minutes=25)
    scope = Scope(model=f"model-{expected.value}", environment="production")
    question: Question = replace(canary_question(), since=since, weights=(WeightChange(at=since, weight=0.1),))
    prometheus.write(_traffic(scope, since - timedelta(minutes=10), 140, errors))
    verdict = judge(question, measure(question, scope, metrics))
    assert verdict.unread is None
    assert verdict.objectives[0].comparison is expected


@pytest.mark.contract
def test_dispersion_is_measured_on_a_real_prometheus_before_the_rollout(prometheus: PrometheusServer) -> None:
    """Two targets of stable whose errors come in dozens, now on the one and now on the other."""
    metrics = Prometheus(prometheus.url)
    now = metrics.now()
    assert isinstance(now, datetime)
    since = now - timedelta(minutes=30)
    scope = Scope(model="clustered", environment="production")
    weights = (WeightChange(at=since, weight=0.1),)
    question: Question = replace(canary_question(), since=since, weights=weights, reference_since=since - 2 * HISTORY)
    start, scrapes = since - HISTORY - timedelta(minutes=10), 4 * (6 * 60 + 40)

    def series(name: str, instance: str, gains: list[float]) -> Written:
        labels = {"__name__": name, "model": "clustered", "environment": "production", "version": str(STABLE)}
        counted = enumerate(accumulate(gains))
        times = [(start.timestamp() + 15 * index, value) for index, value in counted]
        return {**labels, "job": "serving", "instance": instance}, times

    for instance, apart in (("pod-1", 23), ("pod-2", 31)):
        dozens = [12.0 * (index % apart == 0) for index in range(scrapes)]
        written = [series("requests_total", instance, [50.0] * scrapes), series("errors_total", instance, dozens)]
        prometheus.write(written)
    first = judge(question, measure(question, scope, metrics)).objectives[0]
    assert first.dispersion_measured
    assert first.dispersion > 2
    again = judge(question, measure(question, scope, metrics)).objectives[0]
    assert again.dispersion == first.dispersion


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
