"""Labels of model, environment and version: asked for, and read back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import promql_parser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.core.dialects import Place, describe, fault, matchers, read_back, version_pattern, with_labels
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.workspace import MetricLabels

HERE = Place(model="churn", environment="production")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE_LABEL = MetricLabels(model="", version="application", version_value="{model}-{version}")
GENERATIONS = replace(ONE_LABEL, version="model_internal", version_value="{model}-{version}_{number}")
PLAIN = MetricLabels()


def read(*values: str, labels: MetricLabels = ONE_LABEL, name: str = "version") -> list[str]:
    """The versions of series whose version's label has these values."""
    series = tuple(Series(labels={labels.version: value, "job": "serving"}, samples=((0.0, 1.0),)) for value in values)
    found = read_back(Sampled(series=series, start=NOW, end=NOW), labels, HERE, name)
    return [each.labels[name] for each in found.series]


@pytest.mark.parametrize(
    ("labels", "versions", "expected"),
    [
        pytest.param(PLAIN, [12, 11], ['model="churn"', 'environment="production"', 'version=~"11|12"'], id="plain"),
        pytest.param(PLAIN, None, ['model="churn"', 'environment="production"'], id="plain, all versions"),
        pytest.param(
            ONE_LABEL, [11, 12], ['environment="production"', 'application=~"churn-11|churn-12"'], id="one label"
        ),
        pytest.param(
            ONE_LABEL,
            None,
            ['environment="production"', 'application=~"churn-[0-9]+"'],
            id="all versions of one label, which names the model as well",
        ),
        pytest.param(
            GENERATIONS,
            [11],
            ['environment="production"', 'model_internal=~"churn-11_[0-9]+"'],
            id="a number that means nothing",
        ),
        pytest.param(
            replace(
                PLAIN, model_value="{model}-predictor", environment="namespace", environment_value="ml-{environment}"
            ),
            None,
            ['model="churn-predictor"', 'namespace="ml-production"'],
            id="values with more around them",
        ),
    ],
)
def test_matchers_find_these_versions_and_nobody_else(
    labels: MetricLabels, versions: list[int] | None, expected: list[str]
) -> None:
    assert matchers(labels, HERE, versions) == expected


@given(
    st.text(), st.text(), st.sets(st.integers(1, 999), min_size=1, max_size=3), st.sampled_from([PLAIN, GENERATIONS])
)
def test_whatever_a_model_is_called_its_versions_are_asked_for_and_read_back(
    model: str, environment: str, versions: set[int], labels: MetricLabels
) -> None:
    place = Place(model=model, environment=environment)
    parsed = promql_parser.parse("x{" + ",".join(matchers(labels, place, versions)) + "}")
    assert isinstance(parsed, promql_parser.VectorSelector)
    (asked,) = [each.value for each in parsed.matchers.matchers if each.name == labels.version]
    values = {str(version) if labels is PLAIN else f"{model}-{version}_7" for version in versions}
    assert all(re.fullmatch(asked, value) for value in values)
    back = [re.fullmatch(version_pattern(labels, place), value) for value in values]
    assert {found[1] for found in back if found} == {str(version) for version in versions}


NAMES = st.text("a1-", min_size=1, max_size=4)


@given(NAMES, NAMES, st.integers(1, 99), st.integers(1, 99), st.text("v0-", max_size=2))
@example(one="a1", other="a", mine=2, number=7, apart="")
def test_no_series_of_one_model_is_taken_for_another_s(
    one: str, other: str, mine: int, number: int, apart: str
) -> None:
    """Wherever the labels have no fault: whatever stands between, and however names end."""
    labels = replace(GENERATIONS, version_value=f"{{model}}{apart}{{version}}_{{number}}")
    pattern = version_pattern(labels, Place(model=other, environment="production"))
    if fault(labels) is None and one != other:
        assert not re.fullmatch(pattern, f"{one}{apart}{mine}_{number}")


@pytest.mark.parametrize(
    ("values", "versions"),
    [
        pytest.param(["churn-11", "churn-12"], ["11", "12"], id="ours"),
        pytest.param(["churn-eu-11", "fraud-11", "xchurn-11"], [], id="other models, also those with longer names"),
        pytest.param(["churn-v11", "churn-", "churn-11-blue", ""], [], id="no numbers"),
    ],
)
def test_versions_are_read_back(values: list[str], versions: list[str]) -> None:
    assert read(*values) == versions


def test_the_number_replaces_what_the_label_said_before() -> None:
    labels = replace(PLAIN, version_value="v{version}")
    assert read("v11", "12", labels=labels) == ["11"]


def test_the_plain_dialect_leaves_samples_as_they_are() -> None:
    sampled = Sampled(series=(Series(labels={"version": "words"}, samples=((0.0, 1.0),)),), start=NOW, end=NOW)
    assert read_back(sampled, PLAIN, HERE, "version") is sampled


def test_labels_are_written_as_names_or_with_values() -> None:
    written = {"model": "", "version": {"label": "application", "value": "{model}-{version}"}}
    assert with_labels(replace(PLAIN, environment="env", version_value="v{version}"), written) == replace(
        ONE_LABEL, environment="env"
    )
    assert with_labels(replace(PLAIN, version_value="v{version}"), {"version": "v"}) == replace(PLAIN, version="v")


@pytest.mark.parametrize(
    ("labels", "lacking"),
    [
        pytest.param(PLAIN, None, id="three labels"),
        pytest.param(ONE_LABEL, None, id="one for model and version"),
        pytest.param(replace(PLAIN, environment=""), None, id="a Prometheus for each environment"),
        pytest.param(replace(PLAIN, version=""), "no label tells its versions apart", id="no version"),
        pytest.param(replace(PLAIN, model=""), "no label tells its models apart", id="no model"),
        pytest.param(
            replace(ONE_LABEL, version_value="{model}{version}"),
            "`{model}{version}` lacks a character between model and version that is neither letter nor digit",
            id="a name and a number run together",
        ),
        pytest.param(
            replace(ONE_LABEL, version_value="{model}-{version}0{number}"),
            "`{model}-{version}0{number}` lacks a character between version and number that is neither letter nor "
            "digit",
            id="two numbers run together",
        ),
        pytest.param(
            replace(PLAIN, environment_value="{model}{environment}"),
            "`{model}{environment}` lacks a character between model and environment that is neither letter nor digit",
            id="two names run together",
        ),
        pytest.param(GENERATIONS, None, id="a number that means nothing"),
        pytest.param(
            replace(PLAIN, model="", environment_value="{model}-{environment}"), None, id="model and environment in one"
        ),
    ],
)
def test_labels_that_tell_nothing_apart_say_so(labels: MetricLabels, lacking: str | None) -> None:
    assert fault(labels) == lacking


def test_people_are_told_which_labels_are_read() -> None:
    assert describe(GENERATIONS) == "environment, model_internal={model}-{version}_{number}"
