"""Gates and bounds that nothing passes, or everything."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import gates

RULES = {rule.id for rule in gates.RULES} | {"value"}
MANIFEST = "models/churn/model.yaml:"


def objective(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  objectives:\n    {text}{environments}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "spec: {gates: {a: {minimum: 2, maximum: 1}}}",
            [
                (
                    "3:29: error contradicting-bounds: nothing is at least 2 and at most 1; fix: swap them, or "
                    "leave one out"
                ),
            ],
            id="bounds that contradict",
        ),
        pytest.param(
            "spec: {gates: {a: {minimum: 0.5, maximum: 0.5}}}",
            [
                (
                    "3:29: warning one-value-passes: only 0.5 to the last digit passes; fix: leave one of the two "
                    "out, or let them lie apart"
                ),
            ],
            id="one value with a fraction",
        ),
        pytest.param(
            "spec: {gates: {leaks: {minimum: 0, maximum: 0}}}",
            [],
            id="one whole value",
        ),
        pytest.param(
            "spec: {gates: {a: {minimum: .nan}, b: {maxDrop: .inf}}}",
            [
                (
                    "3:29: error value: minimum: nan is no figure that anything can be compared with; fix: write a "
                    "number, or leave it out"
                ),
                (
                    "3:49: error value: maxDrop: inf is no figure that anything can be compared with; fix: write a "
                    "number, or leave it out"
                ),
            ],
            id="no figures",
        ),
        pytest.param(
            "spec: {gates: {roc_auc: {minimum: 80}, f1_score: {maxDrop: 1}, precision@5: {maximum: -1}}}",
            [
                (
                    "3:35: warning gate-beyond-metric: roc_auc lies between 0 and 1, and never reaches 80; fix: "
                    "write 0.9 for 90%, if the program logs it so"
                ),
                (
                    "3:60: warning gate-beyond-metric: f1_score lies between 0 and 1, and never drops by 1; fix: "
                    "write 0.01 for a percentage point"
                ),
                (
                    "3:87: warning gate-beyond-metric: precision@5 lies between 0 and 1, and is never below -1; "
                    "fix: write a bound between 0 and 1"
                ),
            ],
            id="beyond what the metric can be",
        ),
        pytest.param(
            "spec: {gates: {roc_auc: {minimum: 1}, recall: {maximum: 0, maxDrop: 0.99}}}",
            [],
            id="at the edge of what it can be",
        ),
        pytest.param(
            "spec: {gates: {recalls_per_day: {minimum: 3}, rmse: {maxDrop: 5}}}",
            [],
            id="metrics that only sound alike",
        ),
        pytest.param(
            "spec: {gates: {recall: {minimum: 0.6, slice: new}, recall/new: {minimum: 0.7}}}",
            [
                (
                    '3:52: error gate-twice: the gate "recall" reads "recall/new" too; fix: write one gate '
                    "with both bounds"
                ),
            ],
            id="two gates on one metric",
        ),
        pytest.param(
            "spec: {gates: {recall: {minimum: 0.6, slice: new}, recall/old: {minimum: 0.7}}}",
            [],
            id="a metric and its slice",
        ),
        pytest.param(
            objective("a: {value: x, minimum: 3, maximum: 1}"),
            [
                (
                    "5:28: error contradicting-bounds: nothing is at least 3 and at most 1; fix: swap them, or "
                    "leave one out"
                ),
            ],
            id="a value that nothing meets",
        ),
        pytest.param(
            objective("a: {value: x, minimum: 0.3, maximum: 0.3}"),
            [
                (
                    "5:28: warning one-value-passes: only 0.3 to the last digit passes; fix: leave one of the two "
                    "out, or let them lie apart"
                ),
            ],
            id="a value that meets them to the last digit",
        ),
    ],
)
def test_gates_can_be_passed(text: str, expected: list[str]) -> None:
    assert found(text) == expected
