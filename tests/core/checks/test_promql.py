"""Expressions that Prometheus cannot read, that answer no figure, or compare by themselves."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import promql

RULES = {rule.id for rule in promql.RULES}
MANIFEST = "models/churn/model.yaml:"


def objective(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  objectives:\n    {text}{environments}"


def beside(workspace: str, model: str) -> str:
    return f"# tidegate.yaml\n{workspace}\n# models/churn/model.yaml\nmetadata: {{name: churn}}\n{model}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            objective("a: {bad: 'sum(rate(f{code=\"5\"}[5m]))', total: t, target: 99%}"),
            [
                (
                    '5:14: error not-a-selector: bad: "sum(rate(f{code=\\"5\\"}[5m]))" is more than a selector '
                    'of series; fix: write f{code="5"}: the query is written for you'
                ),
            ],
            id="an expression for a selector",
        ),
        pytest.param(
            objective("a: {bad: f offset 5m, total: t, target: 99%}"),
            [
                (
                    '5:14: error not-a-selector: bad: "f offset 5m" is more than a selector of series; fix: '
                    "write f: the query is written for you"
                ),
            ],
            id="an offset",
        ),
        pytest.param(
            objective("a: {bad: f / t, total: t, target: 99%}"),
            [
                (
                    '5:14: error not-a-selector: bad: "f / t" is more than a selector of series; fix: write a '
                    "metric's name and matchers alone: the query is written for you"
                ),
            ],
            id="two selectors",
        ),
        pytest.param(
            objective("a: {bad: 'f{code=\"5\"', total: t, target: 99%}"),
            [
                (
                    "5:14: error not-a-selector: bad: this is no selector: unexpected end of input inside braces; "
                    "fix: write a metric's name, with matchers in braces if need be; in YAML, put it in single "
                    "quotes"
                ),
            ],
            id="a brace that is not closed",
        ),
        pytest.param(
            "spec: {serving: {target: {ready: min(ready)}}, environments: {production: {}}}",
            [
                (
                    '3:34: error not-a-selector: ready: "min(ready)" is more than a selector of series; fix: '
                    "write ready: the query is written for you"
                ),
            ],
            id="a gauge that is computed",
        ),
        pytest.param(
            beside("presets: {p: {bad: 'rate(f[1m])', total: t}}", objective("a: {preset: p, target: 99%}")),
            [
                (
                    'tidegate.yaml:3:20: error not-a-selector: bad: "rate(f[1m])" is more than a selector of '
                    "series; fix: write f: the query is written for you"
                ),
            ],
            id="an expression in a preset",
        ),
        pytest.param(
            objective("a: {bad: 'f{code=~\"(?=5)\"}', total: t, target: 99%}"),
            [
                (
                    "5:14: error promql-syntax: bad: illegal regex for (?=5); fix: patterns are RE2's: no "
                    "look-ahead, and every bracket is closed"
                ),
            ],
            id="a pattern that looks ahead",
        ),
        pytest.param(
            beside(
                "presets: {p: {bad: 'f{a=~\"[\"}', total: t}}",
                "spec: {environments: {production: {target: {ready: 'r{b=~\"*\"}'}}}}",
            ),
            [
                (
                    "tidegate.yaml:3:20: error promql-syntax: bad: illegal regex for [; fix: patterns are RE2's: "
                    "no look-ahead, and every bracket is closed"
                ),
                (
                    "4:52: error promql-syntax: ready: illegal regex for *; fix: patterns are RE2's: no "
                    "look-ahead, and every bracket is closed"
                ),
            ],
            id="a pattern in an environment, and one in a preset",
        ),
        pytest.param(
            objective("a: {bad: 'f{code=~\"\\d\"}', total: t, target: 99%}"),
            [
                (
                    "5:14: error promql-syntax: bad: unknown escape sequence 'd'; fix: between double quotes a "
                    "backslash counts twice: write `\\\\d`, or use single backquotes"
                ),
            ],
            id="a single backslash",
        ),
        pytest.param(
            objective("a: {bad: 'f{code=~`\\d`}', total: t, target: 99%}"),
            [],
            id="a backslash between backquotes",
        ),
        pytest.param(
            objective("a: {bad: '{code=\"\"}', total: t, target: 99%}"),
            [],
            id="an empty matcher, beside which others are added",
        ),
        pytest.param(
            objective('a: {bad: \'f{a="b" or c="d"}\', total: t, target: 99%}'),
            [
                (
                    "5:14: error promql-syntax: bad: `or` stands between matchers; fix: try it in Prometheus' own "
                    "page first; put it in single quotes, or behind `|`"
                ),
            ],
            id="matchers with or",
        ),
        pytest.param(
            objective("a: {value: sun(x), maximum: 1}"),
            [
                "5:16: error promql-syntax: value: unknown function with name 'sun'; fix: did you mean sum?",
            ],
            id="a misspelt function",
        ),
        pytest.param(
            objective("a: {value: zebra(x), maximum: 1}"),
            [
                (
                    "5:16: error promql-syntax: value: unknown function with name 'zebra'; fix: look for its name "
                    "in Prometheus' list of functions"
                ),
            ],
            id="a function like no other",
        ),
        pytest.param(
            objective("a: {value: 'holt_winters(x[5m], 0.5, 0.5)', maximum: 1}"),
            [
                ("5:16: note promql-not-checked: value was not looked at: unknown function with name 'holt_winters'"),
            ],
            id="a function of Prometheus 2",
        ),
        pytest.param(
            objective("a: {value: sum(x, maximum: 1}"),
            [
                (
                    "5:16: error promql-syntax: value: unclosed left parenthesis; fix: try it in Prometheus' own "
                    "page first; put it in single quotes, or behind `|`"
                ),
            ],
            id="a bracket that is not closed",
        ),
        pytest.param(
            objective('a:\n      value: sum(x{a="b" # c\n      maximum: 1'),
            [
                (
                    "6:14: error promql-syntax: value: unexpected end of input inside braces; fix: YAML took what "
                    "follows ` #` for a comment: put the whole expression in single quotes, or behind `|`"
                ),
            ],
            id="cut short by a comment",
        ),
        pytest.param(
            objective("a: {value: 'x[5m]', maximum: 1}"),
            [
                (
                    "5:16: error value-of-wrong-type: value answers a range vector, and a bound needs a figure; "
                    "fix: wrap it in a function such as avg_over_time(…)"
                ),
            ],
            id="a range",
        ),
        pytest.param(
            objective("a: {value: '\"x\"', maximum: 1}"),
            [
                (
                    "5:16: error value-of-wrong-type: value answers a string, and a bound needs a figure; fix: "
                    "write an expression"
                ),
            ],
            id="a text",
        ),
        pytest.param(
            objective("a: {value: time() - scalar(x), maximum: 1}"),
            [],
            id="a scalar",
        ),
        pytest.param(
            objective("a: {value: x > 1, maximum: 1}"),
            [
                (
                    "5:16: error value-compares: value compares by itself (>): it has no answer while all is well; "
                    "fix: write the expression alone, and the bound as `maximum`"
                ),
            ],
            id="a comparison",
        ),
        pytest.param(
            objective("a: {value: x < bool 1, minimum: 1}"),
            [
                (
                    "5:16: error value-compares: value compares by itself (< bool): it answers 0 or 1; fix: write "
                    "the expression alone, and the bound as `minimum`"
                ),
            ],
            id="a comparison with 0 or 1 for an answer",
        ),
        pytest.param(
            objective("a: {value: (x > 1) and y, maximum: 1}"),
            [
                (
                    "5:16: error value-compares: value compares by itself (>): it has no answer while all is well; "
                    "fix: write the expression alone, and the bound as `maximum`"
                ),
            ],
            id="a comparison behind brackets and another condition",
        ),
        pytest.param(
            objective("a: {value: x / (y > 0), maximum: 1}"),
            [],
            id="a comparison that keeps zero out of a quotient",
        ),
        pytest.param(
            objective("a: {value: x > 0 or vector(0), maximum: 1}"),
            [],
            id="a comparison with something else in its place",
        ),
        pytest.param(
            objective("a: {value: count(x > 1), maximum: 1}"),
            [],
            id="a comparison inside of a sum",
        ),
        pytest.param(
            objective(f"a: {{value: '{200 * '('}x{200 * ')'}', maximum: 1}}"),
            [
                ("5:16: note promql-not-checked: value was not looked at: it is too long or too deep to be looked at"),
            ],
            id="far too deep",
        ),
    ],
)
def test_expressions_can_be_read(text: str, expected: list[str]) -> None:
    assert found(text) == expected
