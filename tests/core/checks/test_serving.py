"""Environments in which nothing shows whether a version serves."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import serving

RULES = {rule.id for rule in serving.RULES}
MANIFEST = "models/churn/model.yaml:"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "spec: {environments: {staging: {}, production: {}}}",
            [
                (
                    "3:23: error nothing-shows-ready: versions bake in staging, and neither a gauge nor an "
                    "objective shows whether they serve there; fix: add `serving: {target: {ready: model_ready}}` "
                    "with your gauge's name, or `judge: none` here"
                ),
            ],
            id="neither gauge nor objective",
        ),
        pytest.param(
            "spec: {environments: {staging: {judge: none}, production: {}}}",
            [],
            id="judged by nothing",
        ),
        pytest.param(
            "spec: {serving: {target: {ready: r}}, environments: {staging: {}, production: {}}}",
            [],
            id="a gauge of the model",
        ),
        pytest.param(
            "spec: {environments: {staging: {target: {ready: r}}, production: {}}}",
            [],
            id="a gauge of the environment",
        ),
        pytest.param(
            "spec: {serving: {target: {ready: 5}}, environments: {staging: {}, production: {}}}",
            [],
            id="a gauge that does not fit the schema is there",
        ),
        pytest.param(
            "spec: {objectives: {a: {bad: b, total: t, target: 99%}}, environments: {staging: {}, production: {}}}",
            [],
            id="objectives",
        ),
        pytest.param(
            "spec: {environments: {staging: {}, production: {objectives: {a: {bad: b, total: t, target: 99%}}}}}",
            [
                (
                    "3:23: error nothing-shows-ready: versions bake in staging, and neither a gauge nor an "
                    "objective shows whether they serve there; fix: add `serving: {target: {ready: model_ready}}` "
                    "with your gauge's name, or `judge: none` here"
                ),
            ],
            id="an objective of the other environment",
        ),
        pytest.param(
            "spec: {objectives: {a: {value: x, maximum: 1}}, environments: {staging: {}, production: {}}}",
            [
                (
                    "3:64: error nothing-shows-ready: versions bake in staging, and neither a gauge nor an "
                    "objective shows whether they serve there; fix: add `serving: {target: {ready: model_ready}}` "
                    "with your gauge's name, or `judge: none` here"
                ),
            ],
            id="a value counts no events",
        ),
        pytest.param(
            "spec: {environments: {staging: {judge: none}, shadow: {after: []}, production: {after: staging}}}",
            [],
            id="nobody waits for it",
        ),
        pytest.param(
            "spec: {environments: {production: {}}}",
            [],
            id="a single environment",
        ),
    ],
)
def test_readiness_can_be_seen(text: str, expected: list[str]) -> None:
    assert found(text) == expected
