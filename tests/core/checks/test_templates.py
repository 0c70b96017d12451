"""Variables of commands and of PromQL."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import templates

RULES = {rule.id for rule in templates.RULES}
MANIFEST = "models/churn/model.yaml:"


def objective(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  objectives:\n    {text}{environments}"


def command(words: str, parameters: str = "") -> str:
    return f"spec: {{training: {{source: t, lease: 1h, {parameters}command: [{words}]}}}}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            command("python, '{{ parameters.depth }}-{{parameters.a.b}}'", "parameters: {depth: 6, a.b: 1}, "),
            [],
            id="a parameter",
        ),
        pytest.param(
            command("python, '{{ parameters.dept }}'", "parameters: {depth: 6}, "),
            [
                '3:83: error unknown-variable: there is no parameter "dept"; fix: did you mean depth?',
            ],
            id="a misspelt parameter",
        ),
        pytest.param(
            command("python, '{{ parameters.depth }}'"),
            [
                ('3:59: error unknown-variable: there is no parameter "depth"; fix: add `depth:` to `parameters`'),
            ],
            id="a parameter that is not there",
        ),
        pytest.param(
            command("python, '{{ data.x }}', '{{ seed }}', '${{ github.sha }}'"),
            [
                (
                    "3:59: error unknown-variable: nothing fills in {{ data.x }}; fix: the program finds data in "
                    "TIDEGATE_DATA_<NAME>"
                ),
                (
                    "3:75: error unknown-variable: nothing fills in {{ seed }}; fix: `{{ parameters.NAME }}` is "
                    "the only form there is"
                ),
                (
                    "3:89: error unknown-variable: nothing fills in ${{ github.sha }}; fix: GitHub fills in `${{ … "
                    "}}` in workflows only: pass it as a parameter, or in the environment"
                ),
            ],
            id="other variables",
        ),
        pytest.param(
            command("python, --format, '{{.Name}}', '{{', '}}'"),
            [],
            id="templates of the program",
        ),
        pytest.param(
            command("python, $HOME/x, '${OUT}', $(date)"),
            [
                (
                    '3:59: warning shell-variable: "$HOME/x" reaches the program as it stands: no shell reads '
                    "the command; fix: let the program read its environment, or write `[sh, -c, '…']`"
                ),
                (
                    '3:68: warning shell-variable: "${OUT}" reaches the program as it stands: no shell reads the '
                    "command; fix: let the program read its environment, or write `[sh, -c, '…']`"
                ),
                (
                    '3:78: warning shell-variable: "$(date)" reaches the program as it stands: no shell reads '
                    "the command; fix: let the program read its environment, or write `[sh, -c, '…']`"
                ),
            ],
            id="variables of a shell",
        ),
        pytest.param(
            command("/bin/bash, -c, echo $HOME"),
            [],
            id="a shell",
        ),
        pytest.param(
            command("python, a$, $1, 5$"),
            [],
            id="other dollars",
        ),
        pytest.param(
            objective("a: {bad: 'f{a=\"{{ model }}\"}', total: 't{a=\"$model\"}', target: 99%}"),
            [
                (
                    "5:14: error unknown-variable: nothing fills in {{ model }}: it goes to Prometheus as it "
                    "stands; fix: take it out: the labels of model, environment and version are added"
                ),
                (
                    "5:43: error unknown-variable: nothing fills in $model: it goes to Prometheus as it stands; "
                    "fix: take it out: the labels of model, environment and version are added"
                ),
            ],
            id="a variable of a dashboard in a selector",
        ),
        pytest.param(
            objective("a: {value: 'rate(x[$__rate_interval])', maximum: 1}"),
            [
                (
                    "5:16: error unknown-variable: nothing fills in $__rate_interval: it goes to Prometheus as it "
                    "stands; fix: write a duration, such as 5m"
                ),
            ],
            id="a variable of a dashboard in a value",
        ),
        pytest.param(
            objective("a: {value: 'x{m=\"[[model]]\"}', maximum: 1}"),
            [
                (
                    "5:16: error unknown-variable: nothing fills in [[model]]: it goes to Prometheus as it stands; "
                    "fix: write what is meant"
                ),
            ],
            id="a variable of another dashboard",
        ),
        pytest.param(
            objective('a: {value: \'label_replace(x{m=~"a$|b$"}, "a", "$1", "b", "(.*)")\', maximum: 1}'),
            [],
            id="dollars of patterns",
        ),
    ],
)
def test_variables_are_filled_in(text: str, expected: list[str]) -> None:
    assert found(text) == expected
