"""Settings that this version cannot honour, all of them at once."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import later

RULES = {rule.id for rule in later.RULES}
MANIFEST = "models/churn/model.yaml:"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "spec:\n"
            "  training:\n"
            "    lease: {deadline: 1h, maxCost: 5}\n"
            "    launcher: ray\n"
            "    adopt: true\n"
            "    resources: {cpu: 2}\n"
            "    retrain: {when: [a]}\n"
            "    data: {x: {uri: u, follow: latest, contract: c.yaml}}",
            [
                "5:27: error not-available: maxCost is not available in this version; fix: leave it out",
                "6:5: error not-available: launcher 'ray' is not available in this version; fix: use local",
                "7:5: error not-available: adopt is not available in this version; fix: leave it out",
                "8:5: error not-available: resources is not available in this version; fix: leave it out",
                "9:5: error not-available: retrain is not available in this version; fix: leave it out",
                "10:24: error not-available: follow is not available in this version; fix: leave it out",
                "10:40: error not-available: contract is not available in this version; fix: leave it out",
            ],
            id="everything of a training",
        ),
        pytest.param(
            "spec: {training: {data: [{name: x, uri: u}, {name: y, uri: u, follow: latest}]}}",
            [
                "3:63: error not-available: follow is not available in this version; fix: leave it out",
            ],
            id="data in a list",
        ),
        pytest.param(
            "spec:\n"
            "  formerName: x\n"
            "  deletionPolicy: keep\n"
            "  serving: {mode: batch, target: {kind: kserve, options: {}}}",
            [
                "4:3: error not-available: formerName is not available in this version; fix: leave it out",
                "5:3: error not-available: deletionPolicy is not available in this version; fix: leave it out",
                "6:13: error not-available: mode 'batch' is not available in this version; fix: use online",
                "6:35: error not-available: kind 'kserve' is not available in this version; fix: use file",
                "6:49: error not-available: options is not available in this version; fix: leave it out",
            ],
            id="everything else of a model",
        ),
        pytest.param(
            "spec:\n"
            "  environments:\n"
            "    staging:\n"
            "      judge: smoke\n"
            "      smoke: {requests: x}\n"
            "      target: {kind: kserve, options: {}}\n"
            "    production:",
            [
                (
                    "6:7: error not-available: judge: smoke is not available in this version; fix: use ready or "
                    "objectives"
                ),
                "7:7: error not-available: smoke is not available in this version; fix: leave it out",
                "8:16: error not-available: kind 'kserve' is not available in this version; fix: use file",
                "8:30: error not-available: options is not available in this version; fix: leave it out",
            ],
            id="everything of an environment",
        ),
        pytest.param(
            "spec:\n"
            "  training: {launcher: local, lease: 1h, data: {x: {uri: u}}}\n"
            "  serving: {mode: online, target: {kind: file}}\n"
            "  environments: {production: {judge: ready}}",
            [],
            id="what is available",
        ),
    ],
)
def test_what_is_not_available_is_listed(text: str, expected: list[str]) -> None:
    assert found(text) == expected
