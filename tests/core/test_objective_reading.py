"""What objectives in a manifest mean: values, means and late labels."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tidegate import bundled
from tidegate.core.manifest import Effect, Environment, Labels, Mean, Model, Objective, ValueObjective
from tidegate.core.read import read_model
from tidegate.core.workspace import MetricLabels, Workspace
from tidegate.errors import InvalidManifest
from tidegate.rules import rules

MANIFEST = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {{name: churn}}
spec:
  objectives:
    it: {{{}}}
  environments: {{production: {{}}}}
"""


def model_of(objective: str) -> Model:
    return read_model(MANIFEST.format(objective), "models/churn/model.yaml", bundled.schemas(), Workspace())


def read(objective: str) -> Environment:
    return model_of(objective).environments[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "value: max(x), maximum: 0.2, for: 1h, effect: block",
            ValueObjective(name="it", value="max(x)", maximum=0.2, held=timedelta(hours=1), effect=Effect.BLOCK),
            id="a-value",
        ),
        pytest.param(
            "value: max(x), minimum: 0, maximum: 1",
            ValueObjective(name="it", value="max(x)", minimum=0, maximum=1),
            id="a-value-between-two-bounds",
        ),
    ],
)
def test_values(text: str, expected: ValueObjective) -> None:
    found = read(text)
    assert (found.values, found.objectives, found.late) == ((expected,), (), ())


@pytest.mark.parametrize(
    ("text", "target", "mean"),
    [
        pytest.param(
            "sum: s, total: t, range: [0, 50], minimum: 10",
            0.2,
            Mean(sum="s", low=0, high=50, higher_is_better=True),
            id="better-when-higher",
        ),
        pytest.param(
            "sum: s, squares: q, total: t, range: [1, 5], maximum: 2",
            0.75,
            Mean(sum="s", squares="q", low=1, high=5, higher_is_better=False),
            id="better-when-lower",
        ),
    ],
)
def test_means_are_events_that_are_bad_by_a_share(text: str, target: float, mean: Mean) -> None:
    assert read(text).objectives == (Objective(name="it", target=target, total="t", mean=mean),)


def test_late_labels_are_judged_by_themselves() -> None:
    found = read("bad: b, total: t, target: 90%, labels: {served: p, delay: 7d, minimumCoverage: 60%}")
    labels = Labels(served="p", delay=timedelta(days=7), minimum_coverage=0.6)
    expected = Objective(name="it", target=0.9, bad="b", total="t", labels=labels)
    assert (found.late, found.objectives) == ((expected,), ())
    assert found.last_labels == timedelta(days=8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("value: x", "minimum", id="a-value-without-a-bound"),
        pytest.param("value: x, minimum: 2, maximum: 1", "at least 2 and at most 1", id="bounds-that-exclude"),
        pytest.param("value: x, maximum: 1, labels: {served: p, delay: 1d}", "nothing to do with", id="a-late-value"),
        pytest.param("sum: s, total: t, minimum: 1", "range", id="a-mean-without-a-range"),
        pytest.param("sum: s, total: t, range: [0, 2], minimum: 1, maximum: 2", "write one bound", id="two-bounds"),
        pytest.param("sum: s, total: t, range: [0, 2], minimum: 3", "inside the range", id="a-bound-outside"),
        pytest.param("sum: s, total: t, range: [2, 1], minimum: 1", "is no range", id="a-range-upside-down"),
        pytest.param("sum: s, total: t, range: [-1, 1], minimum: 0", "is no range", id="figures-below-nothing"),
        pytest.param("sum: s, total: t, range: [0, 1, 2], minimum: 1", "is no range", id="a-range-of-three"),
        pytest.param(
            "bad: b, total: t, target: 90%, labels: {served: p, delay: 0s}", "leave `labels` out", id="no-delay"
        ),
        pytest.param(
            "bad: b, total: t, target: 90%, labels: {served: p, delay: 1d, minimumCoverage: 0%}",
            "judges by nothing",
            id="no-coverage",
        ),
    ],
)
def test_what_means_nothing_is_a_finding(text: str, message: str) -> None:
    with pytest.raises(InvalidManifest) as invalid:
        read(text)
    assert message in str(invalid.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("value: x, maximum: 1", id="a-value"),
        pytest.param("sum: s, total: t, range: [0, 2], minimum: 1", id="a-mean"),
        pytest.param("bad: b, total: t, target: 90%, labels: {served: p, delay: 1d}", id="late-labels"),
    ],
)
def test_no_rules_are_made_of_what_has_no_budget(text: str) -> None:
    (ruled,) = rules(MetricLabels(), [model_of(text)])
    assert (ruled.groups, ruled.findings) == ((), ())
