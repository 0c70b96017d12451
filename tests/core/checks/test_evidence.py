"""How much worse a version must be, and how much difference it takes."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import evidence

RULES = {rule.id for rule in evidence.RULES}
MANIFEST = "models/churn/model.yaml:"


def spec(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  {text}{environments}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            spec("rollout: {worseThan: 3}"),
            [
                (
                    "4:24: warning rule-out-below-worse-than: a version 2 to 3 times as bad as stable is neither "
                    "reverted (worseThan 3) nor let go on (ruleOut 2 by default); fix: make ruleOut larger than "
                    "worseThan"
                ),
            ],
            id="worse than what is ruled out by default",
        ),
        pytest.param(
            spec("rollout: {ruleOut: 1.05}"),
            [
                (
                    "4:22: warning rule-out-below-worse-than: a version 1.05 to 1.1 times as bad as stable is "
                    "neither reverted (worseThan 1.1 by default) nor let go on (ruleOut 1.05); fix: make ruleOut "
                    "larger than worseThan"
                ),
            ],
            id="ruled out below what is worse by default",
        ),
        pytest.param(
            spec("rollout: {worseThan: 2, ruleOut: 2}"),
            [],
            id="the same for both",
        ),
        pytest.param(
            spec("rollout: {worseThan: 3}", "\n  environments:\n    production: {rollout: {ruleOut: 2.5}}"),
            [
                (
                    "6:37: warning rule-out-below-worse-than: a version 2.5 to 3 times as bad as stable is neither "
                    "reverted (worseThan 3) nor let go on (ruleOut 2.5); fix: make ruleOut larger than worseThan"
                ),
            ],
            id="the model against its environment",
        ),
        pytest.param(
            spec("rollout: {}", "\n  environments:\n    staging: {rollout: {worseThan: 3}}\n    production: {}"),
            [],
            id="where nothing is a canary",
        ),
        pytest.param(
            "# tidegate.yaml\n"
            "defaults: {worseThan: 2, ruleOut: 1.2}\n"
            "# models/churn/model.yaml\n" + spec("serving: {}"),
            [
                (
                    "tidegate.yaml:3:23: warning rule-out-below-worse-than: a version 1.2 to 2 times as bad as "
                    "stable is neither reverted (worseThan 2) nor let go on (ruleOut 1.2); fix: make ruleOut "
                    "larger than worseThan"
                ),
            ],
            id="the defaults of the workspace, told once",
        ),
        pytest.param(
            spec(
                "rollout: {minimumEffect: 1%}\n"
                "  objectives:\n"
                "    errors: {preset: http-availability, target: 99%}\n"
                "    slow: {histogram: s, under: 1s, target: 95%}\n"
                "    shown: {preset: http-availability, target: 99.9%, effect: inform}"
            ),
            [
                (
                    "4:28: warning effect-beyond-budget: a difference of 1% is the whole error budget of errors "
                    "(1%) or more: the comparison lets a version spend it and stay; fix: write 0.1%, or leave it "
                    "out"
                ),
            ],
            id="as much as the budget of one objective",
        ),
        pytest.param(
            spec(
                "rollout: {minimumEffect: 0.5%}\n  objectives: {errors: {preset: http-availability, target: 99.9%}}",
                "\n  environments:\n    production: {objectives: {errors: {target: 99%}}}",
            ),
            [],
            id="the target of the environment counts",
        ),
    ],
)
def test_evidence_can_decide(text: str, expected: list[str]) -> None:
    assert found(text) == expected
