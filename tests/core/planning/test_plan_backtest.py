"""What a plan tells of past rollouts when a policy changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.replays import DONE, GOOD, HALF, MINUTE, backtest_of, history, impatient, past, report_of
from tidegate.core.planning.backtest import backtested, lines, policy_of, touches_policy
from tidegate.core.planning.plan import Acts, Backtested, Edit, Fate, ModelPlan
from tidegate.core.replay.past import AS_IT_WAS
from tidegate.core.transition import Kind
from tidegate.reporters.plan_text import plain

WENT = past(history((Kind.ADVANCE, HALF, 150 * MINUTE), (Kind.FINISH, DONE, 120 * MINUTE)))


def plan_with(setting: str, *environments: str) -> ModelPlan:
    edit = Edit(setting=setting, before="1", after="2", acts=Acts.NEXT_ROLLOUT, environments=environments)
    return ModelPlan(name="digits", path="models/digits/model.yaml", fate=Fate.CHANGED, edits=(edit,))


@pytest.mark.parametrize(
    ("setting", "environments", "touches"),
    [
        pytest.param("objectives.latency.target", ("production",), True, id="an-objective"),
        pytest.param("rollout.bake", ("production",), True, id="the-rollout"),
        pytest.param("revert", ("production",), True, id="who-reverts"),
        pytest.param("approval", ("production",), False, id="an-approval-judges-nothing"),
        pytest.param("owners", (), False, id="a-setting-of-the-model"),
    ],
)
def test_only_what_rollouts_are_judged_by_is_replayed(
    setting: str, environments: tuple[str, ...], touches: bool
) -> None:
    assert touches_policy(plan_with(setting, *environments)) is touches


def told(found: Backtested) -> list[str]:
    return [plain(line) for line in lines(replace(plan_with("rollout.bake", "production"), backtest=found))]


def test_the_first_thing_that_differs_is_told_of_each_rollout() -> None:
    found = backtested(backtest_of(report_of(WENT, GOOD.ask, AS_IT_WAS, impatient())))
    (one,) = found.differing
    assert (one.environment, one.version, one.before) == ("production", 2, "the same")
    assert one.after == "the same, 15m sooner; unknown until then"
    first, second, *_ = told(found)
    assert first == "The last rollout would have been decided otherwise than by main's policy."
    assert second.startswith(
        "production, version 2, entered 2026-03-02 09:00:00: main's: the same; this change: the same"
    )


def test_a_change_that_decides_the_same_says_so() -> None:
    found = backtested(backtest_of(report_of(WENT, GOOD.ask, AS_IT_WAS, AS_IT_WAS)))
    assert found.differing == ()
    assert told(found)[0] == "The last rollout would have been decided as by main's policy."
    assert (
        told(replace(found, rollouts=5))[0] == "Of the last 5 rollouts 5 would have been decided as by main's policy."
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(Backtested(rollouts=0), "Not replayed: no rollout entered within 90 days.", id="no-rollout"),
        pytest.param(
            Backtested(rollouts=0, unread="unreachable: refused"), "Not replayed: unreachable: refused.", id="no-answer"
        ),
    ],
)
def test_why_nothing_was_replayed(found: Backtested, said: str) -> None:
    assert told(found) == [said]


def test_history_that_is_partly_gone_is_named() -> None:
    assert told(Backtested(rollouts=2, unread="stale"))[0] == "Not all could be read: stale."


def test_a_plan_replays_by_every_environment_of_the_model() -> None:
    policy = policy_of(past(history()).eras[0].model, "main")
    assert (policy.name, list(policy.environments)) == ("main", ["staging", "production"])
