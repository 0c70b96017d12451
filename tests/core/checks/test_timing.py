"""Times of a rollout against each other, as they hold in each environment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.inspecting import inspected, split
from support.situations import NOW, ROLLOUT, WORKSPACE, canary, model, observed, stable, verdict
from tidegate.core.checks import timing
from tidegate.core.decision import decide
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Stage
from tidegate.core.manifest import Effect
from tidegate.core.outcome import Decision, Hold
from tidegate.core.transition import Kind, Transition

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
                    "4:19: warning bake-beyond-maximum-duration: a bake of 30h is longer than its step has for a "
                    "verdict: 24h by default (maximumDuration); fix: make maximumDuration a few times the bake"
                ),
            ],
            id="a bake longer than the default",
        ),
        pytest.param(
            spec("rollout: {maximumDuration: 20m}"),
            [
                (
                    "4:30: warning bake-beyond-maximum-duration: a bake of 30m by default is longer than its step has "
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
                    "7:45: warning bake-beyond-maximum-duration: a bake of 5h is longer than its step has for a "
                    "verdict: 4h (maximumDuration); fix: make maximumDuration a few times the bake"
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
                    "4:19: warning bake-beyond-maximum-duration: a bake of 3h is longer than its step has for a "
                    "verdict: 2h in tidegate.yaml (maximumDuration); fix: make maximumDuration a few times the bake"
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
                    "tidegate.yaml:3:18: warning bake-beyond-maximum-duration: a bake of 3h is longer than its step "
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


HOUR = timedelta(hours=1)
CLEARED = ObjectiveVerdict(
    objective="latency", effect=Effect.REVERT, comparison=Comparison.CLEARED, cleared_by="inside"
)


def after(baked: timedelta, objective: ObjectiveVerdict) -> Decision:
    """What is decided of a canary whose bake of 30 hours is longer than its step of 24."""
    rollout = replace(ROLLOUT, bake=30 * HOUR, maximum_duration=24 * HOUR)
    environments = tuple(replace(each, rollout=rollout) for each in model().environments)
    verdicts = {
        "staging": verdict(Stage.BAKE),
        "production": verdict(Stage.CANARY, baked=baked, objectives=(objective,)),
    }
    what = observed(stable("staging", 2, ago=40 * HOUR), canary(ago=31 * HOUR))
    return decide(model(environments=environments), WORKSPACE, what, verdicts, NOW).environments["production"]


class TestABakeLongerThanItsStep:
    """It is no error: a version that is cleared goes on."""

    def test_it_bakes_to_its_end(self) -> None:
        made = after(25 * HOUR, CLEARED)
        assert isinstance(made, Hold)
        assert made.reason == "baking: 25h of 30h"

    def test_what_is_cleared_by_then_goes_on_by_itself(self) -> None:
        made = after(30 * HOUR, CLEARED)
        assert isinstance(made, Transition)
        assert (made.kind, made.needs_person) == (Kind.ADVANCE, False)

    def test_what_is_not_gets_no_more_time(self) -> None:
        made = after(30 * HOUR, replace(CLEARED, comparison=Comparison.UNDECIDED, cleared_by=""))
        assert isinstance(made, Transition)
        assert (made.kind, made.needs_person) == (Kind.ADVANCE, True)
        assert "no conclusion within 24h" in made.reasons
