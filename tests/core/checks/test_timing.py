"""Times of a rollout against each other, as they hold in each environment."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import timing

RULES = {rule.id for rule in timing.RULES}
MANIFEST = "models/churn/model.yaml:"


def spec(text: str, environments: str = "\n  environments: {production: {}}\n") -> str:
    return f"spec:\n  {text}{environments}"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            spec("rollout: {bake: 30h}"),
            [
                (
                    "4:19: error bake-beyond-maximum-duration: a bake of 30h is longer than its step has for a "
                    "verdict: 24h by default (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="a bake longer than the default",
        ),
        pytest.param(
            spec("rollout: {maximumDuration: 20m}"),
            [
                (
                    "4:30: error bake-beyond-maximum-duration: a bake of 30m by default is longer than its step has "
                    "for a verdict: 20m (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="a maximum shorter than the default bake",
        ),
        pytest.param(
            spec("rollout: {bake: 24h}"),
            [],
            id="a bake as long as its step may take",
        ),
        pytest.param(
            spec(
                "rollout: {bake: 48h}",
                "\n  environments:\n    staging: {}\n    production: {rollout: {maximumDuration: 4d}}",
            ),
            [],
            id="an environment may take longer",
        ),
        pytest.param(
            spec(
                "rollout: {bake: 5h}",
                "\n  environments:\n    staging: {}\n    production: {rollout: {maximumDuration: 4h}}",
            ),
            [
                (
                    "7:45: error bake-beyond-maximum-duration: a bake of 5h is longer than its step has for a verdict: "
                    "4h (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="placed on the nearer of the two",
        ),
        pytest.param(
            spec("rollout: {}", "\n  environments:\n    staging: {rollout: {bake: 3d}}\n    production: {}"),
            [],
            id="a bake that no canary has",
        ),
        pytest.param(
            "# tidegate.yaml\n"
            "defaults: {maximumDuration: 2h}\n"
            "# models/churn/model.yaml\n" + spec("rollout: {bake: 3h}"),
            [
                (
                    "4:19: error bake-beyond-maximum-duration: a bake of 3h is longer than its step has for a verdict: "
                    "2h in tidegate.yaml (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="against the workspace",
        ),
        pytest.param(
            "# tidegate.yaml\n"
            "defaults: {bake: 3h, maximumDuration: 2h}\n"
            "# models/churn/model.yaml\n" + spec("serving: {}"),
            [
                (
                    "tidegate.yaml:3:18: error bake-beyond-maximum-duration: a bake of 3h is longer than its step "
                    "has for a verdict: 2h (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="the fault of the workspace alone",
        ),
        pytest.param(
            spec("rollout: {bake: 90s}"),
            [
                (
                    "4:19: warning warm-up-covers-bake: a warm-up of 2m by default leaves nothing of the bake of "
                    "1m30s; fix: make the bake longer, or the warm-up shorter"
                ),
            ],
            id="a bake shorter than the default warm-up",
        ),
        pytest.param(
            spec("rollout: {bake: 30s, warmUp: 0s}"),
            [
                (
                    "4:19: warning cell-longer-than-bake: a cell of 1m by default is longer than the bake of 30s; "
                    "fix: make the bake longer, or write `analysis: {resolution: 30s}`"
                ),
            ],
            id="a bake shorter than a cell",
        ),
        pytest.param(
            spec("rollout: {}", "\n  environments:\n    staging: {rollout: {bake: 10s}}\n    production: {}"),
            [
                (
                    "6:31: warning cell-longer-than-bake: a cell of 1m by default is longer than the bake of 10s; "
                    "fix: make the bake longer, or write `analysis: {resolution: 10s}`"
                ),
            ],
            id="also where nothing is a canary",
        ),
        pytest.param(
            spec("rollout: {bake: 0s}"),
            [],
            id="no bake at all",
        ),
        pytest.param(
            spec("rollout: {probation: {holdback: 60%}}"),
            [
                (
                    "4:35: warning holdback-above-half: 60% stays on the previous version, and 40% goes to the new "
                    "one; fix: write a few percent, such as 5%"
                ),
            ],
            id="most of the traffic held back",
        ),
        pytest.param(
            spec("rollout: {probation: {holdback: 50%}}"),
            [],
            id="half of it",
        ),
        pytest.param(
            spec("rollout: {bake: 99999w, maximumDuration: 99999w, warmUp: 99999w}"),
            [],
            id="spans of time that mean nothing",
        ),
    ],
)
def test_times_fit_each_other(text: str, expected: list[str]) -> None:
    assert found(text) == expected
