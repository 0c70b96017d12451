"""What Prometheus is asked for an objective."""

from __future__ import annotations

import re
from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.queries import Scope, bucket_pattern, indicator, readiness, targets_of, targets_up
from tidegate.core.manifest import Objective, Unit
from tidegate.core.workspace import MetricLabels

SCOPE = Scope(model="churn", environment="production")
OURS = 'model="churn",environment="production",version=~"11|12"'


def asked(selector: str, scope: Scope = SCOPE) -> str:
    objective = Objective(name="o", target=0.99, bad="b", total=selector)
    return indicator(objective, scope, [12, 11]).total


def matchers(selector: str) -> dict[str, str]:
    """Label values as Prometheus' own grammar reads them."""
    parsed = promql_parser.parse(selector)
    assert isinstance(parsed, promql_parser.VectorSelector)
    return {matcher.name: matcher.value for matcher in parsed.matchers.matchers}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param("errors_total", f"errors_total{{{OURS}}}", id="a-bare-name-gets-braces"),
        pytest.param("errors_total{}", f"errors_total{{{OURS}}}", id="empty-braces-are-filled"),
        pytest.param('errors_total{code=~"5.."}', f'errors_total{{code=~"5..",{OURS}}}', id="ours-follow-theirs"),
        pytest.param('e{code="500", }', f'e{{code="500",{OURS}}}', id="a-trailing-comma-is-no-second-one"),
        pytest.param('e{path="/a}{b",x=`}`}', f'e{{path="/a}}{{b",x=`}}`,{OURS}}}', id="braces-in-strings-are-text"),
        pytest.param(r'e{p="a\"}"}', rf'e{{p="a\"}}",{OURS}}}', id="an-escaped-quote-does-not-end-a-string"),
        pytest.param('{__name__="e"}', f'{{__name__="e",{OURS}}}', id="the-name-may-be-a-matcher"),
        pytest.param("  job:e:sum\n", f"job:e:sum{{{OURS}}}", id="a-block-scalar-keeps-its-line-break-out"),
    ],
)
def test_labels_are_spliced_into_a_selector(selector: str, expected: str) -> None:
    assert asked(selector) == expected
    promql_parser.parse(asked(selector))


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param("rate(errors_total[5m])", id="a-function"),
        pytest.param("errors_total[5m]", id="a-range"),
        pytest.param("a + b", id="arithmetic"),
        pytest.param("a{b='c'", id="an-open-brace"),
        pytest.param("", id="nothing"),
        pytest.param("{}", id="everything"),
        pytest.param("a > 5", id="a-comparison"),
    ],
)
def test_anything_but_a_plain_selector_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="not a plain selector"):
        asked(selector)


@given(st.text(max_size=20), st.text(max_size=20))
def test_label_values_never_leave_their_quotes(model: str, environment: str) -> None:
    text = asked("e", Scope(model=model, environment=environment))
    assert matchers(text) == {
        "model": model,
        "environment": environment,
        "version": "11|12",
    }


def test_labels_have_the_workspace_s_names_and_may_be_missing() -> None:
    scope = Scope(
        model="churn", environment="production", labels=MetricLabels(model="app", environment="", version="v")
    )
    assert asked("e", scope) == 'e{app="churn",v=~"11|12"}'


def test_a_latency_objective_asks_for_its_bucket_and_the_count() -> None:
    objective = Objective(
        name="latency",
        target=0.99,
        histogram='predict_seconds{route="/p"}',
        under=timedelta(milliseconds=250),
    )
    found = indicator(objective, SCOPE, [11, 12])
    assert found.bad == f'predict_seconds_bucket{{route="/p",{OURS},le=~"0[.]250*"}}'
    assert found.total == f'predict_seconds_count{{route="/p",{OURS}}}'


@pytest.mark.parametrize(
    ("bound", "printed", "others"),
    [
        pytest.param("100ms", ["0.1", "0.10", "0.100"], ["0.01", "0.11", "1", "001", "0x1"], id="a-tenth"),
        pytest.param("1s", ["1", "1.0", "1.00"], ["10", "0.1", "1.5", "100"], id="one-second"),
        pytest.param("10s", ["10", "10.0"], ["1", "100", "1.0"], id="whole-tens-keep-their-zero"),
        pytest.param("250ms", ["0.25", "0.250"], ["0.5", "0.025", "0.2500001"], id="a-quarter"),
        pytest.param("50us", ["5e-05", "0.00005", "5.0E-5"], ["5e-04", "0.0005"], id="tiny-with-exponent"),
        pytest.param("1000000s", ["1e+06", "1000000", "1.0E6", "1000000.0"], ["1e+07", "100000"], id="huge"),
    ],
)
def test_a_bucket_is_found_however_its_bound_is_printed(bound: str, printed: list[str], others: list[str]) -> None:
    amount, unit = re.fullmatch(r"(\d+)(us|ms|s)", bound).groups()  # type: ignore[union-attr]
    scale = {"us": timedelta(microseconds=1), "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}
    pattern = bucket_pattern(int(amount) * scale[unit])
    assert [text for text in printed + others if re.fullmatch(pattern, text)] == printed


@pytest.mark.parametrize(
    ("bound", "printed", "others"),
    [
        pytest.param(timedelta(milliseconds=250), ["250", "250.0"], ["0.25", "2500", "25"], id="a-quarter-of-a-second"),
        pytest.param(timedelta(seconds=2), ["2000", "2000.0"], ["2", "20000"], id="seconds"),
        pytest.param(timedelta(microseconds=500), ["0.5", "0.50"], ["500", "5"], id="half-a-millisecond"),
        pytest.param(timedelta(minutes=30), ["1.8e+06", "1800000"], ["1800", "1.8e+07"], id="half-an-hour"),
    ],
)
def test_a_bucket_in_milliseconds_is_found_by_the_same_bound(
    bound: timedelta, printed: list[str], others: list[str]
) -> None:
    pattern = bucket_pattern(bound, Unit.MILLISECONDS)
    assert [text for text in printed + others if re.fullmatch(pattern, text)] == printed


def test_an_objective_of_another_dialect_is_asked_for_by_its_labels() -> None:
    dialect = MetricLabels(model="", version="application", version_value="{model}-{version}")
    objective = Objective(name="o", target=0.99, bad="b", total="t", dialect=dialect)
    assert indicator(objective, SCOPE, [11]).total == 't{environment="production",application=~"churn-11"}'


def test_the_readiness_gauge_is_asked_for_by_version() -> None:
    scope = Scope(model="churn", environment="staging", ready="model_ready")
    assert readiness(scope, [7]) == 'model_ready{model="churn",environment="staging",version=~"7"}'
    assert readiness(SCOPE, [7]) is None


def test_targets_are_asked_for_literally() -> None:
    text = targets_up({("a.b", "10.0.0.1:80"), ('q"', "[::1]:80")})
    values = matchers(text)
    assert re.fullmatch(values["instance"], "10.0.0.1:80")
    assert re.fullmatch(values["instance"], "[::1]:80")
    assert not re.fullmatch(values["instance"], "10x0.0.1:80")
    assert re.fullmatch(values["job"], 'q"')


NAMES = st.text(st.characters(exclude_characters="|\\\n"), min_size=1, max_size=8)


@given(st.sets(st.tuples(NAMES, NAMES), min_size=1, max_size=4))
def test_targets_are_read_back(targets: set[tuple[str, str]]) -> None:
    jobs, instances = frozenset(job for job, _ in targets), frozenset(instance for _, instance in targets)
    assert targets_of(targets_up(targets)) == (jobs, instances)
    assert targets_of('up{job="serving"}') is None
