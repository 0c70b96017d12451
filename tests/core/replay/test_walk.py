"""What a replay says of an episode, with verdicts made up for each instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.replays import DAY, DONE, ENTERED, GONE, GOOD, HALF, HOUR, MINUTE, MODEL, ROLLING, history, newest, past
from support.situations import NOW, WORKSPACE, chain, pin_of, verdict
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Question, Stage, Standing, Tally, Verdict
from tidegate.core.manifest import Effect, Environment, Labels, Objective
from tidegate.core.pin import Canary, Pin
from tidegate.core.replay.episodes import Ending, episodes
from tidegate.core.replay.passes import Rules, Stopped
from tidegate.core.replay.past import AS_IT_WAS, Past, Policy, scene
from tidegate.core.replay.report import Agreement, Replay, State
from tidegate.core.replay.spans import cause_of
from tidegate.core.replay.walk import replay
from tidegate.core.transition import Kind
from tidegate.core.workspace import Freeze


def says(at: datetime, *, baked: timedelta, worse: bool = False, **changes: object) -> Verdict:
    comparison = Comparison.WORSE if worse else Comparison.CLEARED
    objective = ObjectiveVerdict(
        objective="latency",
        effect=Effect.REVERT,
        comparison=comparison,
        worse_at=at if worse else None,
        cleared_by="ruled out",
    )
    return replace(verdict(Stage.CANARY, baked=baked, objectives=(objective,)), **changes)  # type: ignore[arg-type]


def baking(_: str, question: Question, at: datetime) -> Verdict:
    """Everything is well: a canary goes on when it has baked, counted from its last weight."""
    since = question.weights[-1].at if question.weights else question.since
    return says(at, baked=at - since)


def replayed(
    where: Past, ask: Callable[[str, Question, datetime], Verdict] = baking, policy: Policy = AS_IT_WAS
) -> Replay:
    return replay(newest(where), where, Rules(policy=policy, step=MINUTE, ask=ask))


def test_what_was_decided_then_is_decided_again() -> None:
    found = replayed(past(history((Kind.ADVANCE, HALF, 3 * HOUR - 30 * MINUTE))))
    entry, first, second = found.parts
    assert entry.agreement is Agreement.SAME
    assert entry.asked is not None
    assert (first.agreement, first.sooner) == (Agreement.SAME, timedelta(0))
    assert first.decided is not None
    assert (first.decided.at, first.decided.words) == (ENTERED + 30 * MINUTE, "advance 2 to 50%")
    assert second.agreement is Agreement.DIFFERENT, "it would have finished, and really never did"
    assert found.difference is second


def test_what_was_done_later_leaves_the_time_between_unknown() -> None:
    found = replayed(past(history((Kind.ADVANCE, HALF, HOUR))))
    part = found.parts[1]
    assert (part.agreement, part.sooner) == (Agreement.SAME, HOUR + 30 * MINUTE)
    (unknown,) = [span for span in found.spans if span.state is State.UNKNOWN and span.until == NOW - HOUR]
    assert (unknown.since, unknown.ticks) == (ENTERED + 30 * MINUTE, 90)


def test_another_decision_is_a_difference_and_the_next_real_one_starts_anew() -> None:
    def worse(_: str, question: Question, at: datetime) -> Verdict:
        return says(at, baked=at - question.since, worse=at >= ENTERED + 10 * MINUTE)

    found = replayed(past(history((Kind.ADVANCE, HALF, 2 * HOUR))), worse)
    _, first, second = found.parts
    assert first.agreement is Agreement.DIFFERENT
    assert first.differs_at == ENTERED + 10 * MINUTE
    assert first.decided is not None
    assert first.decided.words == "revert 2, back to 1"
    assert second.decided is not None
    assert second.decided.at == NOW - 2 * HOUR + MINUTE


def test_what_really_happened_while_the_replay_held_is_a_difference_then() -> None:
    found = replayed(past(history((Kind.ADVANCE, HALF, 3 * HOUR - 20 * MINUTE))))
    part = found.parts[1]
    assert (part.agreement, part.differs_at) == (Agreement.DIFFERENT, ENTERED + 20 * MINUTE)
    assert part.instead == "baking: 20m of 30m"


def test_what_a_person_did_is_no_difference() -> None:
    found = replayed(past(history((Kind.ROLLBACK, GONE, 3 * HOUR - 5 * MINUTE))))
    assert [part.agreement for part in found.parts] == [Agreement.SAME, Agreement.PERSON]
    assert found.difference is None


@pytest.mark.parametrize(
    ("kind", "pin"),
    [
        pytest.param(Kind.RESTART, ROLLING, id="by-a-verb"),
        pytest.param(Kind.PROMOTE, replace(ROLLING, canary=Canary(pin=pin_of(3), weight=0.1)), id="by-hand"),
    ],
)
def test_a_rollout_that_a_person_replaced_is_no_agreement(kind: Kind, pin: Pin) -> None:
    """What ended it belongs to the next episode, and happened to this one all the same."""
    made = history((kind, pin, 135 * MINUTE))
    where = past(made if kind is Kind.RESTART else (*made[:-1], replace(made[-1], pin=pin)))
    replaced = list(episodes(MODEL.environment("production"), where.histories, lambda _: DAY, NOW))[-2]
    assert replaced.ending is Ending.REPLACED
    found = replay(replaced, where, Rules(policy=AS_IT_WAS, step=MINUTE, ask=GOOD.ask))
    assert found.parts[-1].agreement is Agreement.PERSON
    assert found.parts[-1].happened is not None
    assert found.agreement is Agreement.PERSON


def test_late_labels_of_the_version_before_leave_what_bakes_judged() -> None:
    """Their verdict says nothing of the version that is to enter: it was once all that was asked."""
    quality = Objective(
        name="quality", target=0.9, bad="wrong", total="labels", labels=Labels(served="served", delay=7 * DAY)
    )
    production = replace(MODEL.environment("production"), late=(quality,))
    late = replace(MODEL, environments=(MODEL.environment("staging"), production))
    finished = Pin(stable=pin_of(1), previous=pin_of(3), policy="p" * 40)
    steps = (
        (Kind.PROMOTE, Pin(stable=pin_of(3)), 9 * DAY),
        (Kind.PROMOTE, Pin(stable=pin_of(3), canary=Canary(pin=pin_of(1), weight=0.5)), 3 * DAY),
        (Kind.FINISH, finished, 2 * DAY),
        (Kind.PROMOTE, replace(ROLLING, previous=pin_of(3)), 3 * HOUR),
    )
    whole = past(chain("production", *steps))
    eras = tuple(replace(era, model=late) for era in whole.eras)
    found = replayed(replace(whole, eras=eras, policies={("production", "p" * 40): production}))
    assert found.unread == ""
    assert (found.parts[0].agreement, found.parts[0].asked is not None) == (Agreement.SAME, True)


def test_missing_history_is_no_answer() -> None:
    lost = Unread(why=Why.HISTORY_LOST, words="version 1 is known only since noon")

    def unread(_: str, question: Question, at: datetime) -> Verdict:
        return says(at, baked=timedelta(0), unread=lost, objectives=())

    found = replayed(past(history((Kind.REVERT, GONE, 2 * HOUR))), unread)
    assert {part.agreement for part in found.parts} == {Agreement.UNREAD}
    assert "known only since noon" in found.unread
    assert found.difference is None


def test_what_needs_a_person_changes_nothing_until_one_acts() -> None:
    manual = replace(MODEL.environment("production"), automatic_revert=False)
    where = replace(past(history((Kind.REVERT, GONE, HOUR))), policies={("production", "p" * 40): manual})

    def worse(_: str, question: Question, at: datetime) -> Verdict:
        return says(at, baked=at - question.since, worse=True)

    found = replayed(where, worse)
    part = found.parts[1]
    assert part.agreement is Agreement.SAME
    assert part.asked is not None
    assert part.asked.at == ENTERED + MINUTE
    assert State.UNKNOWN not in {span.state for span in found.spans}


def cautious(environment: Environment) -> Policy:
    slower = replace(environment, rollout=replace(environment.rollout, bake=HOUR))
    return Policy(name="cautious", environments={"production": slower}, since={"production": NOW - DAY})


def test_another_policy_decides_at_another_time_and_is_named_when_it_is_younger() -> None:
    where = past(history((Kind.ADVANCE, HALF, HOUR)))
    policy = cautious(MODEL.environment("production"))
    found = replayed(where, policy=policy)
    assert found.parts[1].decided is not None
    assert found.parts[1].decided.at == ENTERED + HOUR
    assert found.tuned == ""
    younger = replace(policy, since={"production": NOW - HOUR})
    assert "may have been tuned on this rollout" in replayed(where, policy=younger).tuned


def test_a_freeze_window_of_then_holds_in_the_replay() -> None:
    freeze = Freeze(zone="UTC", reason="audit", start=NOW - 4 * HOUR, end=NOW - 2 * HOUR)
    whole = past(history((Kind.ADVANCE, HALF, HOUR)))
    frozen = replace(whole.eras[0], workspace=replace(WORKSPACE, freezes=(freeze,)))
    found = replayed(replace(whole, eras=(frozen,)))
    assert found.parts[1].decided is not None
    assert found.parts[1].decided.at == NOW - 2 * HOUR
    assert found.shares()["freeze window"] > 0.1


def test_what_main_wanted_then_counts_and_not_what_it_wants_now() -> None:
    whole = past(history((Kind.ADVANCE, HALF, HOUR)))
    held = replace(MODEL, hold=None)
    later = replace(whole.eras[0], at=NOW - 2 * HOUR, model=held, invalid="it had no valid text")
    found = replayed(replace(whole, eras=(whole.eras[0], later)))
    assert found.parts[1].decided is not None
    assert found.parts[1].decided.at == ENTERED + 30 * MINUTE
    assert found.parts[2].instead.startswith("main's manifest is invalid")


def test_an_environment_that_main_did_not_have_then_is_no_answer() -> None:
    whole = past(history((Kind.ADVANCE, HALF, HOUR)))
    without = replace(whole.eras[0], model=replace(MODEL, environments=MODEL.environments[:1]))
    found = replayed(replace(whole, eras=(without,)))
    assert {part.agreement for part in found.parts} == {Agreement.UNREAD}
    assert found.unread == "main wanted no such environment then"


def breaching(_: str, question: Question, at: datetime) -> Verdict:
    """On probation, a breach from its tenth minute on; as canary all is well."""
    if question.stage is not Stage.PROBATION:
        return baking(_, question, at)
    breach = at >= question.since + 10 * MINUTE
    objective = ObjectiveVerdict(
        objective="latency",
        effect=Effect.REVERT,
        standing=Standing.BREACH if breach else Standing.FINE,
        reference_standing=Standing.FINE if breach else Standing.UNKNOWN,
        worse_at=question.since + 10 * MINUTE if breach else None,
    )
    return replace(verdict(Stage.PROBATION), objectives=(objective,))


@pytest.mark.parametrize(
    ("sibling", "decided"),
    [
        pytest.param(None, "revert 2, back to 1", id="alone-it-goes-back"),
        pytest.param("ranking", None, id="with-a-sibling-that-breaches-too-it-is-held"),
    ],
)
def test_a_breach_on_probation_also_asks_the_siblings_of_then(sibling: str | None, decided: str | None) -> None:
    where = past(history((Kind.ADVANCE, HALF, 150 * MINUTE), (Kind.FINISH, DONE, 2 * HOUR)))
    rules = Rules(policy=AS_IT_WAS, step=MINUTE, ask=breaching, sibling=lambda *_: sibling)
    part = replay(newest(where), where, rules).parts[-1]
    assert (part.decided.words if part.decided else None) == decided
    if decided is None:
        assert part.instead == "others on the same serving breach too (ranking): the cause is likely elsewhere"


def test_a_spent_budget_of_then_holds_the_entry() -> None:
    objective = MODEL.environment("production").objectives[0]
    spent = Budget(objective=objective, until=NOW, tally=Tally(bad=50, total=1000), recovers_at=NOW + DAY)
    where = past(history((Kind.ADVANCE, HALF, HOUR)))
    rules = Rules(policy=AS_IT_WAS, step=MINUTE, ask=baking, budgets=lambda *_: (spent,))
    entry = replay(newest(where), where, rules).parts[0]
    assert entry.agreement is Agreement.DIFFERENT
    assert entry.instead.startswith("error budget spent: ")


def test_budgets_are_asked_as_live_when_it_is_proposed_and_when_it_is_merged() -> None:
    """While a proposal waits for a person nobody asks them: not for weeks, either."""
    asked: list[datetime] = []
    where = past(history((Kind.ADVANCE, HALF, HOUR)))

    def budgets(_: Environment, __: object, at: datetime) -> tuple[Budget, ...]:
        asked.append(at)
        return ()

    rules = Rules(policy=AS_IT_WAS, step=MINUTE, ask=baking, budgets=budgets)
    entry = replay(newest(where), where, rules).parts[0]
    assert entry.asked is not None
    assert asked == [entry.asked.at, ENTERED]


def test_budgets_are_asked_at_each_pass_while_they_hold_the_entry() -> None:
    objective = MODEL.environment("production").objectives[0]
    spent = Budget(objective=objective, until=NOW, tally=Tally(bad=50, total=1000), recovers_at=NOW + DAY)
    asked: list[datetime] = []
    where = past(history((Kind.ADVANCE, HALF, HOUR)))

    def budgets(_: Environment, __: object, at: datetime) -> tuple[Budget, ...]:
        asked.append(at)
        return (spent,) if at < ENTERED - 10 * MINUTE else ()

    rules = Rules(policy=AS_IT_WAS, step=MINUTE, ask=baking, budgets=budgets)
    entry = replay(newest(where), where, rules).parts[0]
    assert entry.asked is not None
    assert entry.asked.at == ENTERED - 10 * MINUTE
    assert asked[-3:] == [ENTERED - 11 * MINUTE, ENTERED - 10 * MINUTE, ENTERED]


def test_a_replay_stops_in_the_middle_when_it_is_enough() -> None:
    where = past(history((Kind.ADVANCE, HALF, HOUR)))
    reached: list[datetime] = []

    def enough(at: datetime) -> bool:
        reached.append(at)
        return at > ENTERED

    with pytest.raises(Stopped):
        replay(newest(where), where, Rules(policy=AS_IT_WAS, step=MINUTE / 60, ask=baking, enough=enough))
    every = [later - at for at, later in pairwise(reached)]
    assert max(every) <= timedelta(seconds=512), "it was asked in the middle of a stretch, and not at every instant"
    assert len(reached) < 20


@pytest.mark.parametrize(
    ("environments", "elsewhere"),
    [
        pytest.param(2, [], id="of-an-environment-as-its-own"),
        pytest.param(1, [2], id="of-one-that-main-did-not-have-then-as-what-was-rejected-elsewhere"),
    ],
)
def test_a_rejection_is_seen(environments: int, elsewhere: list[int]) -> None:
    whole = past(history((Kind.REVERT, GONE, HOUR)))
    era = replace(whole.eras[0], model=replace(MODEL, environments=MODEL.environments[:environments]))
    found = scene(replace(whole, eras=(era,)), AS_IT_WAS, NOW, ("staging", 2)).observed
    assert [entry.version for _, entry in found.rejected_elsewhere] == elsewhere
    assert ("production" in found.environments) is not bool(elsewhere)


@given(st.lists(st.integers(min_value=1, max_value=170), min_size=1, max_size=4, unique=True))
def test_spans_cover_every_tick_once_and_in_order(minutes: list[int]) -> None:
    weights = sorted(minutes, reverse=True)
    changes = [
        (Kind.ADVANCE, replace(ROLLING, canary=Canary(pin=pin_of(2), weight=0.1 + place / 10)), ago * MINUTE)
        for place, ago in enumerate(weights)
    ]
    found = replayed(past(history(*changes)))
    for before, after in zip(found.spans, found.spans[1:], strict=False):
        assert before.until <= after.since
    walked = sum((part.until - part.since) // MINUTE for part in found.parts)
    told = sum(span.ticks for span in found.spans)
    assert walked - 2 * len(found.parts) <= told <= walked
    assert abs(sum(found.shares().values()) - (1 if found.ticks else 0)) < 1e-9


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        pytest.param("baking: 1m30s of 30m", "baking", id="figures-behind-a-colon-go"),
        pytest.param("187 of 200 events at this step", "… of … events at this step", id="figures-inside-go"),
        pytest.param("cannot observe: stale: last at 3", "cannot observe: stale", id="why-it-is-unread-stays"),
        pytest.param("version 12 finishes first", "version … finishes first", id="versions-go"),
        pytest.param("on probation", "on probation", id="words-alone-stay"),
    ],
)  # fmt: skip
def test_reasons_are_counted_together(words: str, cause: str) -> None:
    assert cause_of(words) == cause
