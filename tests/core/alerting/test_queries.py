"""The PromQL of rules: what each kind of objective asks for, and that Prometheus reads back what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.alerting.queries import at, counters, number, over_period, span
from tidegate.core.judging.queries import Scope
from tidegate.core.manifest import Objective
from tidegate.core.workspace import MetricLabels

SCOPE = Scope(model="churn", environment="production")
EVENTS = Objective(name="o", target=0.99, bad='requests_total{code=~"5.."}', total="requests_total")
GOOD = Objective(name="o", target=0.99, good="quick_total", total="requests_total")
LATENCY = Objective(name="o", target=0.99, histogram="predict_seconds", under=timedelta(milliseconds=250))
HOUR = timedelta(hours=1)


def selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every vector selector below a node of the parsed expression."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.Call():
            yield from (found for argument in node.args for found in selectors(argument))
        case promql_parser.BinaryExpr():
            yield from (found for side in (node.lhs, node.rhs) for found in selectors(side))
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr():
            yield from selectors(node.expr)
        case _:  # a number
            return


def named(expression: str) -> set[str | None]:
    return {selector.name for selector in selectors(promql_parser.parse(expression))}


@pytest.mark.parametrize(
    ("objective", "asked"),
    [
        pytest.param(EVENTS, {"requests_total"}, id="bad-and-total"),
        pytest.param(GOOD, {"quick_total", "requests_total"}, id="good-and-total"),
        pytest.param(LATENCY, {"predict_seconds_bucket", "predict_seconds_count"}, id="a-histogram"),
    ],
)
def test_every_expression_of_every_kind_is_promql_over_its_counters(objective: Objective, asked: set[str]) -> None:
    found = counters(objective, SCOPE)
    for expression in (found.ratio(HOUR), found.bad_events(HOUR), found.events(HOUR), found.presence()):
        assert named(expression) <= asked
        for selector in selectors(promql_parser.parse(expression)):
            matched = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            assert (matched["model"], matched["environment"]) == ("churn", "production")
            assert "version" not in matched
    assert named(found.ratio(HOUR)) == asked


def test_a_latency_objective_counts_its_bucket_however_the_bound_is_printed() -> None:
    assert 'le=~"0[.]250*"' in counters(LATENCY, SCOPE).counted


@pytest.mark.parametrize(
    ("labels", "total", "by"),
    [
        pytest.param(MetricLabels(), 'requests_total{model="churn",environment="production"}', "version", id="default"),
        pytest.param(MetricLabels(model="app", version="v"), 'requests_total{app="churn",environment="production"}',
                     "v", id="the-workspace-s-names"),
        pytest.param(MetricLabels(environment=""), 'requests_total{model="churn"}', "version", id="no-environment"),
        pytest.param(MetricLabels(model="", environment="", version=""), "requests_total{}", "", id="none-at-all"),
    ],
)  # fmt: skip
def test_labels_have_the_workspace_s_names_and_may_be_missing(labels: MetricLabels, total: str, by: str) -> None:
    found = counters(EVENTS, Scope(model="churn", environment="production", labels=labels))
    assert found.total == total
    assert found.events(HOUR) == (f"sum by ({by}) (increase({total}[1h]))" if by else f"sum(increase({total}[1h]))")
    promql_parser.parse(found.bad_events(HOUR))


def test_versions_of_another_dialect_are_recorded_by_their_numbers() -> None:
    one_label = MetricLabels(model="", version="application", version_value="{model}-{version}")
    found = counters(replace(EVENTS, dialect=one_label), SCOPE)
    asked = 'requests_total{environment="production",application=~"churn-[0-9]+"}'
    assert found.total == asked
    assert found.events(HOUR) == (
        f"sum by (version) (label_replace(sum by (application) (increase({asked}[1h])), "
        '"version", "$1", "application", "churn-([0-9]+)"))'
    )
    promql_parser.parse(found.bad_events(HOUR))


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param(Objective(name="o", target=0.9, bad="rate(a[5m])", total="t"), id="a-function"),
        pytest.param(Objective(name="o", target=0.9, histogram='{le="1"}', under=HOUR), id="a-histogram-without-name"),
        pytest.param(Objective(name="o", target=0.9, bad="a"), id="no-total"),
    ],
)
def test_what_is_no_plain_selector_is_refused(objective: Objective) -> None:
    with pytest.raises(ValueError, match=r"plain selector|names no histogram|needs bad or good"):
        counters(objective, SCOPE)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(min_size=1, max_size=20), min_size=1))
def test_label_values_are_read_back_as_they_are(labels: dict[str, str]) -> None:
    (selector,) = selectors(promql_parser.parse(at("tidegate:events:increase5m", labels)))
    assert selector.name == "tidegate:events:increase5m"
    assert {matcher.name: matcher.value for matcher in selector.matchers.matchers} == labels


def test_the_period_is_a_sum_over_a_sum() -> None:
    text = over_period("bad{}", "all{}", timedelta(days=30))
    assert text == "sum(sum_over_time(bad{}[30d]))\n/\n(sum(sum_over_time(all{}[30d])) > 0)"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        pytest.param(timedelta(days=30), "30d", id="days-are-no-weeks"),
        pytest.param(timedelta(hours=36), "1d12h", id="two-units"),
        pytest.param(timedelta(days=1, hours=1, minutes=1, seconds=1.5), "1d1h1m1s500ms", id="all-units"),
    ],
)
def test_durations_as_promql_writes_them(length: timedelta, said: str) -> None:
    assert span(length) == said


@given(st.timedeltas(timedelta(hours=1), timedelta(days=366)))
def test_every_window_is_a_duration_of_promql(length: timedelta) -> None:
    parsed = promql_parser.parse(f"a[{span(length)}]")
    assert isinstance(parsed, promql_parser.MatrixSelector)
    assert timedelta(0) <= length - parsed.range < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("value", "said"), [(Fraction(144, 10), "14.4"), (Fraction(1), "1"), (99.9 / 100, "0.999"), (1e-5, "1e-05")]
)
def test_figures_have_no_noise(value: Fraction | float, said: str) -> None:
    assert number(value) == said
