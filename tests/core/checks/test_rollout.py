"""Steps, rates and cells of a rollout, and settings of it that nothing reads."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import rollout

RULES = {rule.id for rule in rollout.RULES} | {"value"}
MANIFEST = "models/churn/model.yaml:"


def spec(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  {text}{environments}"


TWO = "\n  environments: {staging: {}, production: {}}\n"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            spec("rollout: {steps: [0.5%, 10%, 99.9%]}"),
            [],
            id="rising steps",
        ),
        pytest.param(
            spec("rollout: {steps: [10%, 50%, 50%]}"),
            [
                (
                    "4:31: error steps-do-not-rise: 50% follows 50%: steps must rise, each between 0% and 100%; "
                    "fix: write rising weights, such as [10%, 50%]"
                ),
            ],
            id="a step like the one before",
        ),
        pytest.param(
            spec("rollout: {steps: [0%, 50%]}"),
            [
                (
                    "4:21: error steps-do-not-rise: 0% is the first step: steps must rise, each between 0% and "
                    "100%; fix: write rising weights, such as [10%, 50%]"
                ),
            ],
            id="a first step of nothing",
        ),
        pytest.param(
            spec("rollout: {steps: [50%, 100%]}"),
            [
                (
                    "4:26: error steps-do-not-rise: 100% follows 50%: steps must rise, each between 0% and 100%; "
                    "fix: write rising weights, such as [10%, 50%]"
                ),
            ],
            id="a last step of everything",
        ),
        pytest.param(
            spec(
                "rollout: {bake: 1h}",
                "\n  environments:\n    staging: {rollout: {steps: [50%, 10%]}}\n    production: {}",
            ),
            [
                (
                    "6:38: error steps-do-not-rise: 10% follows 50%: steps must rise, each between 0% and 100%; "
                    "fix: write rising weights, such as [10%, 50%]"
                ),
            ],
            id="falling steps of one environment",
        ),
        pytest.param(
            spec("rollout: {steps: [10%, .nan]}"),
            [
                "4:26: error value: NaN is no weight; fix: write a percentage, such as 10%",
            ],
            id="a step that is no number",
        ),
        pytest.param(
            spec("rollout: {steps: []}"),
            [
                (
                    "4:20: note no-steps: without steps each version takes all the traffic at once, and nothing "
                    "reverts it by itself; fix: give it a step, such as [50%], if it should be compared first"
                ),
            ],
            id="no steps at all",
        ),
        pytest.param(
            spec("rollout: {falseAdvanceRate: 50%, falseRevertRate: 0, analysis: {resolution: 50ms}}"),
            [
                (
                    '4:31: error error-rate-out-of-range: "50%" is no chance to be wrong: it lies between 0% and '
                    "50%, both excluded; fix: write 5%"
                ),
                (
                    "4:53: error error-rate-out-of-range: 0 is no chance to be wrong: it lies between 0% and 50%, "
                    "both excluded; fix: write 1%"
                ),
                (
                    '4:79: error cell-too-short: "50ms" is too short for a cell, which holds at least two '
                    "scrapes; fix: write two scrape intervals or more, such as 1m"
                ),
            ],
            id="rates that prove nothing, and a cell in which nothing is scraped",
        ),
        pytest.param(
            spec("rollout: {falseAdvanceRate: 49%, falseRevertRate: 0.0001%, analysis: {resolution: 100ms}}"),
            [],
            id="rates and cells just inside",
        ),
        pytest.param(
            spec("rollout: {bake: 99999w, worseThan: .nan, probation: {holdback: .nan}, analysis: {dispersion: .inf}}"),
            [
                "4:19: error value: '99999w' is longer than a century",
                "4:38: error value: NaN is no figure that anything can be compared with",
                "4:66: error value: nan is not between 0% and 100%",
                "4:96: error value: Infinity is no figure that anything can be compared with",
            ],
            id="all that cannot be read, at once",
        ),
        pytest.param(
            "# tidegate.yaml\n"
            "defaults: {steps: [50%, 20%], falseRevertRate: 60%}\n"
            "# models/churn/model.yaml\n" + spec("serving: {}"),
            [
                (
                    "tidegate.yaml:3:25: error steps-do-not-rise: 20% follows 50%: steps must rise, each between "
                    "0% and 100%; fix: write rising weights, such as [10%, 50%]"
                ),
                (
                    'tidegate.yaml:3:48: error error-rate-out-of-range: "60%" is no chance to be wrong: it lies '
                    "between 0% and 50%, both excluded; fix: write 1%"
                ),
            ],
            id="the defaults of the workspace, told once",
        ),
        pytest.param(
            spec(
                "rollout: {onAbsent: ask}",
                "\n"
                "  environments:\n"
                "    staging: {rollout: {bake: 1h, onAbsent: ask, probation: {duration: 1h}}}\n"
                "    production: {rollout: {onAbsent: ask}}",
            ),
            [
                (
                    "6:35: warning rollout-without-canary: onAbsent does nothing in staging, where versions enter "
                    "at 100%; fix: take it out, or add `steps: [50%]` beside it"
                ),
                (
                    "6:50: warning rollout-without-canary: probation does nothing in staging, where versions enter "
                    "at 100%; fix: take it out, or add `steps: [50%]` beside it"
                ),
            ],
            id="settings of a canary where there is none",
        ),
        pytest.param(
            spec(
                "rollout: {}",
                "\n  environments:\n    staging: {rollout: {steps: [50%], onAbsent: ask}}\n    production: {}",
            ),
            [],
            id="nothing unheard where steps make a canary",
        ),
        pytest.param(
            spec(
                "rollout: {}",
                "\n  environments:\n    staging: {rollout: {steps: [ten], onAbsent: ask}}\n    production: {}",
            ),
            [],
            id="nothing said of steps that do not fit the schema",
        ),
        pytest.param(
            spec(
                "rollout: {}",
                "\n  environments:\n    staging: {rollout: {steps: [], onAbsent: ask}}\n    production: {}",
            ),
            [
                (
                    "6:32: note no-steps: without steps each version takes all the traffic at once, and nothing "
                    "reverts it by itself; fix: give it a step, such as [50%], if it should be compared first"
                ),
                (
                    "6:36: warning rollout-without-canary: onAbsent does nothing in staging, where versions enter "
                    "at 100%; fix: take it out, or give `steps` a weight"
                ),
            ],
            id="no steps in an environment that would not canary anyway",
        ),
    ],
)
def test_a_rollout_can_be_honoured(text: str, expected: list[str]) -> None:
    assert found(text) == expected
