"""Whether objectives say one thing, say it whole, and are judged by something."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import objectives

RULES = {rule.id for rule in objectives.RULES} | {"value"}
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
            objective("a: {preset: http-availabilty, target: 99%}"),
            [
                (
                    '5:17: error unknown-preset: there is no preset "http-availabilty"; fix: did you mean '
                    "http-availability?"
                ),
            ],
            id="a misspelt preset of ours",
        ),
        pytest.param(
            objective("a: {preset: zebra, target: 99%}"),
            [
                '5:17: error unknown-preset: there is no preset "zebra"; fix: there are: http-availability',
            ],
            id="a preset that is like no other",
        ),
        pytest.param(
            beside("presets: {checkout: {bad: f, total: t}}", objective("a: {preset: chekout, target: 99%}")),
            [
                '6:17: error unknown-preset: there is no preset "chekout"; fix: did you mean checkout?',
            ],
            id="a misspelt preset of the workspace",
        ),
        pytest.param(
            beside("presets: {slow: {histogram: s}}", objective("a: {preset: slow, under: 1s, target: 99%}")),
            [],
            id="a preset of the workspace",
        ),
        pytest.param(
            objective("a: {preset: http-availability, bad: b, total: t, target: 99%}"),
            [
                (
                    "5:17: warning preset-without-effect: bad, total are written beside it: nothing of the preset "
                    '"http-availability" is used; fix: take it out'
                ),
            ],
            id="a preset of which nothing is left",
        ),
        pytest.param(
            objective("a: {preset: http-availability, bad: b, target: 99%}"),
            [],
            id="a preset of which half is left",
        ),
        pytest.param(
            objective("a: {preset: http-availability}"),
            [
                "5:5: error incomplete-objective: a lacks target; fix: add what is missing",
            ],
            id="no target",
        ),
        pytest.param(
            beside("presets: {slow: {histogram: s}}", objective("a: {preset: slow, target: 99%}")),
            [
                "6:5: error incomplete-objective: a lacks under; fix: add what is missing",
            ],
            id="a histogram of the preset without a bound",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 110%}"),
            [],
            id="a target that does not fit the schema is there",
        ),
        pytest.param(
            objective("a: {bad: b, good: g, total: t, target: 99%}"),
            [
                (
                    "5:17: error mixed-objective: good has nothing to do with bad: a is of one kind or the other; "
                    "fix: keep the keys of one kind"
                ),
            ],
            id="bad and good",
        ),
        pytest.param(
            beside("presets: {slow: {histogram: s}}", objective("a: {preset: slow, bad: b, total: t, target: 99%}")),
            [
                (
                    "6:9: error mixed-objective: histogram (of its preset) has nothing to do with bad: a is of one "
                    "kind or the other; fix: keep the keys of one kind"
                ),
            ],
            id="bad beside a histogram of the preset",
        ),
        pytest.param(
            objective("a: {preset: http-availability, under: 1s, for: 1h, target: 99%}"),
            [
                (
                    "5:36: error mixed-objective: under has nothing to do with bad (of its preset): a is of one "
                    "kind or the other; fix: keep the keys of one kind"
                ),
                (
                    "5:47: error mixed-objective: for has nothing to do with bad (of its preset): a is of one kind "
                    "or the other; fix: keep the keys of one kind"
                ),
            ],
            id="keys of other kinds",
        ),
        pytest.param(
            objective("a: {value: x, target: 99%, maximum: 1}"),
            [
                (
                    "5:19: error mixed-objective: target has nothing to do with value: a is of one kind or the "
                    "other; fix: keep the keys of one kind"
                ),
            ],
            id="a value with a target",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 100%}"),
            [
                (
                    "5:35: error target-out-of-range: a target lies between 0% and 100%, both excluded: at 100% a "
                    "single bad event is a breach for ever; fix: write what users would still call good, such as "
                    "99.9%"
                ),
            ],
            id="a target of everything",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 0}"),
            [
                (
                    "5:35: error target-out-of-range: a target lies between 0% and 100%, both excluded: at 100% a "
                    "single bad event is a breach for ever; fix: write what users would still call good, such as "
                    "99.9%"
                ),
            ],
            id="a target of nothing",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: 99%, window: 10m}"),
            [
                '5:48: error value: an error budget\'s window lies between 1h and 366d, and "10m" does not',
            ],
            id="a window too short for an alert",
        ),
        pytest.param(
            objective("a: {histogram: h, under: 0s, target: 99%}"),
            [
                '5:30: error value: nothing is served within "0s": a latency that is still good is longer',
            ],
            id="a latency of nothing",
        ),
        pytest.param(
            objective("a: {value: x, maximum: .inf}"),
            [
                "5:28: error value: Infinity is no figure that anything can be compared with",
            ],
            id="a bound that is no number",
        ),
        pytest.param(
            objective(
                "a: {bad: b, total: t, target: 99%}",
                "\n"
                "  environments:\n"
                "    staging: {objectives: {a: {good: g}}}\n"
                "    production: {objectives: {a: {target: 100%}, b: {bad: x, total: y, target: 0%}, c: {target: 5%}}}",
            ),
            [
                (
                    "7:32: error mixed-objective: good has nothing to do with bad: a is of one kind or the other; "
                    "fix: keep the keys of one kind"
                ),
                (
                    "8:43: error target-out-of-range: a target lies between 0% and 100%, both excluded: at 100% a "
                    "single bad event is a breach for ever; fix: write what users would still call good, such as "
                    "99.9%"
                ),
                (
                    "8:80: error target-out-of-range: a target lies between 0% and 100%, both excluded: at 100% a "
                    "single bad event is a breach for ever; fix: write what users would still call good, such as "
                    "99.9%"
                ),
            ],
            id="each in its environment, and misspelt ones left to another rule",
        ),
        pytest.param(
            objective("drift: {value: max(x), maximum: 1}"),
            [
                (
                    "5:20: warning drift-reverts: drift is measured over both versions and would revert one of "
                    "them (the default effect); fix: write `effect: block`, or `effect: inform`"
                ),
            ],
            id="drift by the name of the objective",
        ),
        pytest.param(
            objective("a: {value: max(feature_drift), maximum: 1, effect: revert}"),
            [
                (
                    "5:56: warning drift-reverts: feature_drift is measured over both versions and would revert "
                    "one of them; fix: write `effect: block`, or `effect: inform`"
                ),
            ],
            id="drift by the name of the metric",
        ),
        pytest.param(
            objective("a: {value: max(ks_statistic), maximum: 1}"),
            [
                (
                    "5:16: warning drift-reverts: ks_statistic is measured over both versions and would revert one "
                    "of them (the default effect); fix: write `effect: block`, or `effect: inform`"
                ),
            ],
            id="drift by its usual measures",
        ),
        pytest.param(
            objective("a: {value: max by (version) (feature_drift), maximum: 1}"),
            [],
            id="drift that tells versions apart",
        ),
        pytest.param(
            objective("a: {value: max(psi_score), maximum: 1, effect: inform}"),
            [],
            id="drift that reverts nothing",
        ),
        pytest.param(
            objective("a: {value: max(epsilon + adrift_count), maximum: 1}"),
            [],
            id="words that only sound like it",
        ),
        pytest.param(
            "spec: {environments: {staging: {rollout: {steps: [50%]}}, production: {}}}",
            [
                (
                    "3:23: warning nothing-to-judge: versions enter staging as canaries, and no objective says "
                    "when they may go on; fix: add an objective, or `rollout: {steps: []}` where nothing is to be "
                    "compared"
                ),
                (
                    "3:59: warning nothing-to-judge: versions enter production as canaries, and no objective says "
                    "when they may go on; fix: add an objective, or `rollout: {steps: []}` where nothing is to be "
                    "compared"
                ),
            ],
            id="canaries that no objective lets go on",
        ),
        pytest.param(
            "spec: {environments: {production: {objectives: {a: {bad: b, total: t, target: 99%}}}}}",
            [],
            id="an objective of the environment",
        ),
        pytest.param(
            "spec: {objectives: 5, environments: {production: {}}}",
            [],
            id="objectives that do not fit the schema are there",
        ),
        pytest.param(
            "spec:\n  objectives: {a: {bad: b, total: t, target: 99%}}\n  rollout: {steps: []}" + TWO,
            [
                (
                    "4:3: warning judged-nowhere: nothing judges by objectives: no version is ever a canary, and "
                    "none bakes with `judge: objectives`; fix: give `steps` a weight, such as [50%]"
                ),
            ],
            id="objectives of which nothing is judged",
        ),
        pytest.param(
            "spec:\n"
            "  objectives: {a: {bad: b, total: t, target: 99%}}\n"
            "  rollout: {steps: []}\n"
            "  environments: {staging: {judge: objectives}, production: {}}",
            [],
            id="objectives that are judged while a version bakes",
        ),
    ],
)
def test_an_objective_says_one_thing_and_is_judged(text: str, expected: list[str]) -> None:
    assert found(text) == expected
