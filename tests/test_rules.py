"""Rules of plain models: what Prometheus would refuse is a finding, and costs only the model that it stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tidegate.core.manifest import Environment, Model, Objective
from tidegate.core.workspace import MetricLabels
from tidegate.rules import Ruled, changes, rules

FINE = Objective(name="fine", target=0.99, bad="errors_total", total="requests_total")


def model(name: str, *objectives: Objective) -> Model:
    environments = (Environment(name="production", objectives=objectives),)
    return Model(name=name, folder=f"models/{name}", owners=(), environments=environments)


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        pytest.param("rate(errors_total[5m])", "not a plain selector", id="no-selector"),
        pytest.param('errors_total{code=~"("}', "illegal regex", id="a-broken-pattern"),
        pytest.param('errors_total{__name__="x"}', "set twice", id="two-names"),
        pytest.param('errors_total{code="\\x"}', "invalid syntax", id="an-escape-that-is-none"),
        pytest.param("errors_total{a-b='c'}", "unexpected character", id="a-label-that-is-none"),
    ],
)
def test_a_selector_that_prometheus_would_refuse_is_a_finding_on_its_model(selector: str, said: str) -> None:
    broken = Objective(name="broken", target=0.99, bad=selector, total="requests_total")
    (found, other) = rules(MetricLabels(), [model("churn", FINE, broken), model("digits", FINE)])
    (finding,) = found.findings
    assert finding.path == "models/churn/model.yaml"
    assert "objective 'broken' in production" in finding.message
    assert said in finding.message
    assert found.groups == ()
    assert len(other.groups) == 1


def test_label_names_that_are_none_are_findings_too() -> None:
    (found,) = rules(MetricLabels(model="my-model"), [model("churn", FINE)])
    assert "metrics.labels" in found.findings[0].hint


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(MetricLabels(model="objective"), id="one-that-tells-objectives-apart"),
        pytest.param(MetricLabels(environment="severity"), id="one-that-routes-alerts"),
        pytest.param(MetricLabels(version="le"), id="one-of-histograms"),
        pytest.param(MetricLabels(model="app", version="app"), id="the-same-twice"),
    ],
)
def test_a_label_name_that_means_something_else_already_is_a_finding(names: MetricLabels) -> None:
    (found,) = rules(names, [model("churn", FINE)])
    assert found.groups == ()
    assert "metrics.labels" in found.findings[0].message


def test_models_of_one_name_have_no_rules_because_prometheus_refuses_a_group_twice(tmp_path: Path) -> None:
    again = replace(model("churn", FINE), folder="models/again")
    ruled = rules(MetricLabels(), [model("churn", FINE), again, model("digits", FINE)])
    assert [[finding.path for finding in one.findings] for one in ruled] == [
        ["models/churn/model.yaml"], ["models/again/model.yaml"], [],
    ]  # fmt: skip
    assert [change.path.name for change in changes(ruled, tmp_path, whole=True)] == ["digits.rules.yaml"]


def test_a_model_with_findings_keeps_its_file(tmp_path: Path) -> None:
    (fine,) = rules(MetricLabels(), [model("churn", FINE)])
    assert [change.path.name for change in changes([fine], tmp_path, whole=True)] == ["churn.rules.yaml"]
    (broken,) = rules(MetricLabels(model="my-model"), [model("churn", FINE)])
    text = changes([fine], tmp_path, whole=True)[0].text or ""
    (tmp_path / "churn.rules.yaml").write_text(text, encoding="utf-8")
    assert changes([broken], tmp_path, whole=True) == ()
    assert changes([Ruled(model="churn")], tmp_path, whole=True)[0].text is None
