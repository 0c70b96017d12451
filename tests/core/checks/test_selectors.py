"""Selectors against the labels that are added to them, and against each other."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import selectors

RULES = {rule.id for rule in selectors.RULES}
MANIFEST = "models/churn/model.yaml:"


def objective(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  objectives:\n    {text}{environments}"


def beside(workspace: str, model: str) -> str:
    return f"# tidegate.yaml\n{workspace}\n# models/churn/model.yaml\nmetadata: {{name: churn}}\n{model}"


TWO = "\n  environments: {staging: {}, production: {}}\n"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            beside("", objective("a: {bad: 'f{model=\"fraud\"}', total: t, target: 99%}")),
            [
                (
                    '6:14: error contradicting-matcher: model="fraud" selects nothing: the model is churn; fix: '
                    "leave it out"
                ),
            ],
            id="another model",
        ),
        pytest.param(
            beside("", objective("a: {bad: 'f{model=\"churn\"}', total: t, target: 99%}")),
            [],
            id="the same model",
        ),
        pytest.param(
            objective("a: {bad: 'f{environment=\"staging\"}', total: t, target: 99%}", TWO),
            [
                (
                    '5:14: error contradicting-matcher: environment="staging" selects nothing: it is asked for '
                    "in production too; fix: leave it out"
                ),
            ],
            id="one of two environments",
        ),
        pytest.param(
            objective(
                "a: {bad: b, total: t, target: 99%}",
                "\n"
                "  environments:\n"
                "    staging: {objectives: {a: {bad: 'f{environment=\"staging\"}'}}}\n"
                "    production: {}",
            ),
            [],
            id="an environment in its own place",
        ),
        pytest.param(
            objective("a: {bad: 'f{version=\"11\"}', total: 't{version!=\"\"}', target: 99%}"),
            [
                (
                    '5:14: error contradicting-matcher: version="11" selects nothing: each version is asked for '
                    "by itself; fix: leave it out"
                ),
            ],
            id="one version",
        ),
        pytest.param(
            objective("a: {bad: 'f{environment=~\"prod.*\"}', total: t, target: 99%}"),
            [],
            id="a pattern may hold",
        ),
        pytest.param(
            beside(
                "metrics: {labels: {environment: env}}",
                objective('a: {bad: \'f{env="x",environment="y"}\', total: t, target: 99%}'),
            ),
            [
                (
                    '6:14: error contradicting-matcher: env="x" selects nothing: it is asked for in production; '
                    "fix: leave it out"
                ),
            ],
            id="labels as the workspace names them",
        ),
        pytest.param(
            objective("a: {histogram: 'h{le=\"0.5\"}', under: 1s, target: 99%}"),
            [
                (
                    '5:20: error contradicting-matcher: le="0.5" selects nothing: le is added from `under`; fix: '
                    "leave it out"
                ),
            ],
            id="a bound of its own",
        ),
        pytest.param(
            beside("presets: {p: {bad: 'f{model=\"fraud\"}', total: t}}", objective("a: {preset: p, target: 99%}")),
            [
                (
                    '6:17: error contradicting-matcher: model="fraud" selects nothing: the model is churn; fix: '
                    "leave it out"
                ),
            ],
            id="a preset of another model",
        ),
        pytest.param(
            "spec:\n"
            "  serving: {target: {ready: 'r{environment=\"production\"}'}}\n"
            "  environments: {staging: {target: {ready: 'r{environment=\"staging\"}'}}, production: {}}",
            [],
            id="gauges where they hold",
        ),
        pytest.param(
            "spec:\n  serving: {target: {ready: 'r{environment=\"production\"}'}}" + TWO,
            [
                (
                    '4:29: error contradicting-matcher: environment="production" selects nothing: it is asked '
                    "for in staging too; fix: leave it out"
                ),
            ],
            id="a gauge where it does not",
        ),
        pytest.param(
            objective("a: {bad: t, total: ' t', target: 99%}"),
            [
                (
                    "5:14: error same-series: bad and total select the same series: every event is bad; fix: "
                    "narrow `bad`"
                ),
            ],
            id="all events are bad",
        ),
        pytest.param(
            objective('a: {good: \'t{a="b",c="d"}\', total: \'t{c="d", a="b"}\', target: 99%}'),
            [
                (
                    "5:15: error same-series: good and total select the same series: no event is ever bad; fix: "
                    "narrow `good`"
                ),
            ],
            id="no event is bad",
        ),
        pytest.param(
            objective("a: {bad: 't{a=\"b\"}', total: t, target: 99%}"),
            [],
            id="a part of the events",
        ),
        pytest.param(
            objective("a: {histogram: h_count, under: 1s, target: 99%}"),
            [
                (
                    "5:20: error histogram-part: h_count is a part of a histogram, and `_bucket` and `_count` are "
                    "added to it; fix: write h"
                ),
            ],
            id="a part of a histogram",
        ),
        pytest.param(
            objective("a: {histogram: 'h_sum{a=\"b\"}', under: 1s, target: 99%}"),
            [
                (
                    "5:20: error histogram-part: h_sum is a part of a histogram, and `_bucket` and `_count` are "
                    "added to it; fix: write h"
                ),
            ],
            id="a part with matchers",
        ),
        pytest.param(
            objective("a: {histogram: '{a=\"b\"}', under: 1s, target: 99%}"),
            [
                (
                    '5:20: error histogram-without-name: "{a=\\"b\\"}" has no name to which _bucket and _count '
                    "could be added; fix: write the histogram's name before the braces"
                ),
            ],
            id="a histogram without a name",
        ),
        pytest.param(
            beside("presets: {p: {histogram: h_bucket}}", objective("a: {preset: p, under: 1s, target: 99%}")),
            [
                (
                    "tidegate.yaml:3:26: error histogram-part: h_bucket is a part of a histogram, and `_bucket` "
                    "and `_count` are added to it; fix: write h"
                ),
            ],
            id="a part in a preset, told once",
        ),
    ],
)
def test_selectors_select_something(text: str, expected: list[str]) -> None:
    assert found(text) == expected
