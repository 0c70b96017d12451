"""Pairs of windows that work for an objective, and what is left without the others."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import alerts

RULES = {rule.id for rule in alerts.RULES}
MANIFEST = "models/churn/model.yaml:"


def objective(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  objectives:\n    {text}{environments}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            objective("a: {bad: b, total: t, target: 93.1%}"),
            [],
            id="all pairs",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 90%}"),
            [
                (
                    "5:35: note alerts-left-out: a: no page over 1h and 5m: 14.4 × the 10% that may be bad is 1.44 "
                    "× all events, which can never be. Left: page over 6h and 30m, ticket over 1d and 2h, ticket "
                    "over 3d and 6h; fix: from 93.1% on, all pairs work"
                ),
            ],
            id="no fast page",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 80%}"),
            [
                (
                    "5:35: note alerts-left-out: a: no page over 1h and 5m: 14.4 × the 20% that may be bad is 2.88 "
                    "× all events, which can never be; no page over 6h and 30m: 6 × the 20% that may be bad is 1.2 "
                    "× all events, which can never be. Left: ticket over 1d and 2h, ticket over 3d and 6h; fix: "
                    "from 93.1% on, all pairs work"
                ),
            ],
            id="no page at all",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 99%, window: 7d}"),
            [
                (
                    "5:48: note alerts-left-out: a: no ticket over 1d and 2h: at 0.7 × the 1% that may be bad it "
                    "would fire inside the objective; no ticket over 3d and 6h: at 0.233 × the 1% that may be bad "
                    "it would fire inside the objective; a bad share between 1% and 1.4% overspends the budget and "
                    "alerts nobody. Left: page over 1h and 5m, page over 6h and 30m; fix: with `window: 30d` more "
                    "pairs work"
                ),
            ],
            id="a week without tickets",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 99%, window: 3h}"),
            [
                (
                    "5:48: warning never-alerts: a: no page over 1h and 5m: at 0.06 × the 1% that may be bad it "
                    "would fire inside the objective; no page over 6h and 30m: at 0.025 × the 1% that may be bad "
                    "it would fire inside the objective; no ticket over 1d and 2h: at 0.0125 × the 1% that may be "
                    "bad it would fire inside the objective; no ticket over 3d and 6h: at 0.00417 × the 1% that "
                    "may be bad it would fire inside the objective; no pair is left: nothing alerts on its burn "
                    "rate; fix: write `window: 30d`, or another target"
                ),
            ],
            id="nothing is left",
        ),
        pytest.param(
            objective(
                "a: {bad: b, total: t, target: 99%}",
                "\n  environments: {staging: {objectives: {a: {target: 92%}}}, production: {}}",
            ),
            [
                (
                    "6:53: note alerts-left-out: a: no page over 1h and 5m: 14.4 × the 8% that may be bad is 1.15 "
                    "× all events, which can never be. Left: page over 6h and 30m, ticket over 1d and 2h, ticket "
                    "over 3d and 6h; fix: from 93.1% on, all pairs work"
                ),
            ],
            id="in one environment",
        ),
        pytest.param(
            objective("a: {value: x, maximum: 1}"),
            [],
            id="a value has no budget",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 0%}"),
            [],
            id="a target of nothing is told elsewhere",
        ),
    ],
)
def test_alerts_can_fire(text: str, expected: list[str]) -> None:
    assert found(text) == expected
