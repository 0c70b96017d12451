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
                (
                    '5:17: error unknown-preset: there is no preset "zebra"; fix: there are: bentoml-availability, '
                    "bentoml-latency, envoy-availability, envoy-latency, http-availability, http-latency, "
                    "istio-availability, istio-grpc-availability, istio-latency, knative-availability, and 18 more"
                ),
            ],
            id="a preset that is like no other",
        ),
        pytest.param(
            objective("a: {preset: kserve-availability, target: 99%}"),
            [
                (
                    "5:17: error cannot-judge: cannot judge: KServe's model servers count no errors; fix: scrape the "
                    "gateway (istio-availability, envoy-availability), or Knative's queue-proxy (knative-availability, "
                    "knative-otel-availability-relabelled)"
                ),
            ],
            id="a source that counts no errors",
        ),
        pytest.param(
            beside(
                "metrics: {labels: {version: v}}",
                objective("a: {preset: vllm-latency, under: 5s, target: 99%}"),
            ),
            [
                (
                    "6:17: error cannot-judge: cannot judge: its series name no version of the model; fix: scrape the "
                    "gateway (istio-*, envoy-*), or use vllm-latency-relabelled and relabel: relabel_configs: "
                    "[{source_labels: [__meta_kubernetes_pod_label_app], target_label: model}, {source_labels: "
                    "[__meta_kubernetes_namespace], target_label: environment}, {source_labels: "
                    "[__meta_kubernetes_pod_label_version], target_label: v}]"
                ),
            ],
            id="a source that names no version",
        ),
        pytest.param(
            beside(
                "presets: {vllm-latency: {labels: {version: v}}}",
                objective("a: {preset: vllm-latency, under: 5s, target: 99%}"),
            ),
            [],
            id="the same source with a label of its own",
        ),
        pytest.param(
            objective("a: {preset: istio-latency, under: 250ms, unit: s, target: 99%}"),
            [],
            id="another unit than the preset's",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, unit: ms, target: 99%}"),
            [
                (
                    "5:27: error mixed-objective: unit has nothing to do with bad: a is of one kind or the other; "
                    "fix: keep the keys of one kind"
                ),
            ],
            id="a unit without buckets",
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
        pytest.param(objective("a: {sum: s, total: t, range: [0, 50], minimum: 1.2}"), [], id="a mean in its range"),
        pytest.param(
            objective("a: {sum: s, total: t, range: [50, 0], minimum: 1.2}"),
            ["5:34: error value: [50, 0] is no range: it has a lower end, 0 or more, and a higher one"],
            id="a range from top to bottom",
        ),
        pytest.param(
            objective("a: {bad: b, total: t, target: [99%]}"), [], id="a list for a target, which is the form's to say"
        ),
    ],
)
def test_an_objective_says_one_thing_and_is_judged(text: str, expected: list[str]) -> None:
    assert found(text) == expected
