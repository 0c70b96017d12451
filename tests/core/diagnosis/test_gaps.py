"""Which condition no series of a metric meets."""

from __future__ import annotations

import pytest

from support.diagnosing import sampled
from tidegate.core.diagnosis.gaps import NoLabel, NoValue, gap, metric

OURS = {"model": "churn", "environment": "production"}
HERE = {**OURS, "code": "200"}


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("requests_total{}", "requests_total"),
        ('requests_total{code=~"5..",model="churn"}', "requests_total"),
        ('{__name__=~"requests_.*"}', None),
        ("no selector(", None),
    ],
)
def test_the_metric_is_the_selectors_name(selector: str, name: str | None) -> None:
    assert metric(selector) == name


@pytest.mark.parametrize(
    ("selector", "series", "found"),
    [
        pytest.param(
            "x{}",
            [{"job": "web"}],
            NoLabel(label="model", ours=True, carried="job"),
            id="ours-before-theirs",
        ),
        pytest.param(
            'x{cod="200"}',
            [{**HERE, "model": "spam"}],
            NoLabel(label="cod", ours=False, carried="code, environment, model"),
            id="a-label-before-a-value",
        ),
        pytest.param(
            "x{}",
            [{**HERE, "environment": "staging"}, {**HERE, "model": "spam"}],
            NoValue(wanted='environment="production"', there="staging", ours=True),
            id="of-the-model-alone",
        ),
        pytest.param(
            'x{code=~"5..",zone="a"}',
            [{**HERE, "zone": "a"}, {**HERE, "zone": "b", "model": "spam"}],
            NoValue(wanted='code=~"5..",zone="a"', there="code 200; zone a"),
            id="theirs-together-among-ours",
        ),
    ],
)
def test_the_first_condition_that_is_not_met_is_told(
    selector: str, series: list[dict[str, str]], found: NoLabel | NoValue
) -> None:
    assert gap(selector, OURS, sampled(*series).series) == found


def test_a_label_that_ends_in_the_version_is_told_as_a_pattern() -> None:
    found = gap("x{}", {"pod": r"churn\.v-[0-9]+"}, sampled({"pod": "spam"}).series)
    assert found == NoValue(wanted=r'pod=~"churn\.v-[0-9]+"', there="spam", ours=True)
    found = gap("x{}", {"app": r"churn\.v"}, sampled({"app": "spam"}).series)
    assert found == NoValue(wanted='app="churn.v"', there="spam", ours=True)


def test_of_many_values_the_first_are_told() -> None:
    found = gap("x{}", {"model": "churn"}, sampled(*({"model": f"m{number:02}"} for number in range(12))).series)
    assert isinstance(found, NoValue)
    assert found.there == "m00, m01, m02, m03, m04, m05, m06, m07 and 4 more"
