"""What a plan tells of past rollouts when a policy changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.replays import (
    DONE,
    ENTERED,
    GONE,
    GOOD,
    HALF,
    MINUTE,
    Course,
    backtest_of,
    history,
    impatient,
    past,
    report_of,
)
from support.situations import NOW
from tidegate.core.planning.backtest import backtested, lines, policy_of, touches_policy
from tidegate.core.planning.plan import Acts, Backtested, Edit, Fate, ModelPlan, PastRollout
from tidegate.core.replay.past import AS_IT_WAS, Past
from tidegate.core.replay.report import Agreement
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


def test_what_acts_nowhere_is_not_replayed() -> None:
    plan = plan_with("rollout.worseThan", "staging")
    edits = tuple(replace(edit, acts=Acts.NEVER) for edit in plan.edits)
    assert not touches_policy(replace(plan, edits=edits))


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


def test_the_reasons_of_a_decision_are_told_to_their_end() -> None:
    """Every objective has its clause, and what became of the decision stands behind all of them."""
    reasons = "; ".join(f"objective-number-{number}: inside the objective" for number in range(8))
    after = f"advance 2 to 50% at 09:30:00 ({reasons}); a person would have been asked"
    one = PastRollout(environment="production", version=2, entered=NOW, before="the same", after=after)
    assert any(line.endswith(f"this change: {after}.") for line in told(Backtested(rollouts=1, differing=(one,))))


def test_a_change_that_decides_the_same_says_so() -> None:
    found = backtested(backtest_of(report_of(WENT, GOOD.ask, AS_IT_WAS, AS_IT_WAS)))
    assert found.differing == ()
    assert told(found)[0] == "The last rollout would have been decided as by main's policy."
    assert (
        told(replace(found, rollouts=5))[0] == "Of the last 5 rollouts 5 would have been decided as by main's policy."
    )


LOST = Course(lost_at=ENTERED + 20 * MINUTE)
ROLLED_BACK = past(history((Kind.ROLLBACK, GONE, 135 * MINUTE)))


@pytest.mark.parametrize(
    ("where", "course", "incomparable"),
    [
        pytest.param(WENT, GOOD, 0, id="all-of-it-was-read"),
        pytest.param(WENT, LOST, 1, id="unread-under-both"),
        pytest.param(ROLLED_BACK, GOOD, 0, id="a-person-ended-it"),
        pytest.param(ROLLED_BACK, LOST, 1, id="a-person-ended-what-was-unread"),
    ],
)
def test_what_is_unread_is_not_counted_as_decided_the_same(where: Past, course: Course, incomparable: int) -> None:
    found = backtested(backtest_of(report_of(where, course.ask, AS_IT_WAS, AS_IT_WAS)))
    assert (found.rollouts, found.differing, found.incomparable) == (1, (), incomparable)


def test_unread_under_one_policy_alone_is_no_difference() -> None:
    """Nobody knows what the other one would have been told."""
    one, other = (report_of(WENT, course.ask, AS_IT_WAS, AS_IT_WAS) for course in (GOOD, LOST))
    both = replace(one, replays=(one.replays[0], other.replays[1]))
    found = backtested(backtest_of(both))
    assert (found.differing, found.incomparable) == ((), 1)


def test_holding_for_other_figures_is_no_difference() -> None:
    """`baking: 3m of 10m` and `baking: 3m of 20m` both hold."""
    one = report_of(ROLLED_BACK, GOOD.ask, AS_IT_WAS, AS_IT_WAS)
    first, second = one.replays
    held = [replace(first.parts[-1], agreement=Agreement.SAME, happened=None, instead=words) for words in ("3m", "9m")]
    both = (replace(first, parts=(held[0],)), replace(second, parts=(held[1],)))
    assert backtested(backtest_of(replace(one, replays=both))).differing == ()


def test_a_difference_that_was_read_counts_beside_what_is_unread() -> None:
    """The quick policy advances sooner; what comes behind is unread."""
    late = Course(lost_at=ENTERED + 40 * MINUTE)
    found = backtested(backtest_of(report_of(WENT, late.ask, AS_IT_WAS, impatient())))
    assert (len(found.differing), found.incomparable) == (1, 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            Backtested(rollouts=1, incomparable=1),
            "The last rollout cannot be compared: history is missing.",
            id="the-only-one",
        ),
        pytest.param(
            Backtested(rollouts=5, incomparable=2),
            "Of the last 5 rollouts 3 would have been decided as by main's policy; 2 cannot be compared: "
            "history is missing.",
            id="two-of-five",
        ),
        pytest.param(
            Backtested(rollouts=2, incomparable=2),
            "Of the last 2 rollouts none can be compared: history is missing.",
            id="none",
        ),
    ],
)
def test_how_many_cannot_be_compared_is_said(found: Backtested, said: str) -> None:
    assert told(found)[0] == said


def test_time_that_ran_out_is_named() -> None:
    assert "No time was left for 3 older ones." in told(Backtested(rollouts=2, older=3, hurried=True))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(Backtested(rollouts=0), "Not replayed: no rollout entered within 90 days.", id="no-rollout"),
        pytest.param(
            Backtested(rollouts=0, older=3, hurried=True), "Not replayed: no time was left for any of 3.", id="no-time"
        ),
        pytest.param(
            Backtested(rollouts=0, unread="unreachable: refused"), "Not replayed: unreachable: refused.", id="no-answer"
        ),
    ],
)
def test_why_nothing_was_replayed(found: Backtested, said: str) -> None:
    assert told(found) == [said]


@pytest.mark.parametrize(
    ("found", "policies"),
    [
        pytest.param(Backtested(rollouts=1), "--policy models/digits/model.yaml --compare main", id="the-work-tree"),
        pytest.param(
            Backtested(rollouts=1, head="HEAD~1", base="release 1"),
            "--policy 'HEAD~1' --compare 'release 1'",
            id="commits-by-name",
        ),
    ],
)
def test_the_command_for_all_of_it_can_be_typed_as_it_is(found: Backtested, policies: str) -> None:
    assert told(found)[-1] == f"In full: `tidegate backtest digits --from 90d {policies}`."


def test_history_that_is_partly_gone_is_named() -> None:
    assert told(Backtested(rollouts=2, unread="stale"))[0] == "Not all could be read: stale."


def test_a_plan_replays_by_every_environment_of_the_model() -> None:
    policy = policy_of(past(history()).eras[0].model, "main")
    assert (policy.name, list(policy.environments)) == ("main", ["staging", "production"])
