"""Other models on the same serving: who they are, over which time they are asked, and how many of them must breach."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.counters import SINCE, canary_question
from support.situations import model
from tidegate.core.grounds import Ground
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import ObjectiveVerdict, Stage, Standing, ValueVerdict, Verdict
from tidegate.core.manifest import Effect, Environment, Target, ValueObjective
from tidegate.core.outcome import Evidence
from tidegate.core.siblings import breaches, elsewhere, is_told, needed, of_sibling, siblings, siblings_since

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DRIFT = ValueObjective(name="drift", value="max by (version) (x)", maximum=0.2)
VALUES = replace(canary_question(), objectives=(), values=(DRIFT,))
JUDGED = Verdict(stage=Stage.BAKE, subject=1, judged_until=SINCE)


def stands(standing: Standing, effect: Effect = Effect.REVERT) -> Verdict:
    return replace(JUDGED, objectives=(ObjectiveVerdict(objective="latency", effect=effect, standing=standing),))


def fleet(breaching: int, fine: int, idle: int = 0) -> dict[str, Verdict]:
    standings = [Standing.BREACH] * breaching + [Standing.FINE] * fine + [Standing.TOO_FEW] * idle
    return {f"m{index}": stands(standing) for index, standing in enumerate(standings)}


def test_siblings_are_the_other_models_there_that_the_same_kind_of_target_serves() -> None:
    mine = model()
    other_kind = tuple(replace(e, target=Target(kind="kserve")) for e in mine.environments)
    models = [
        mine,
        replace(mine, name="letters"),
        replace(mine, name="elsewhere", environments=(Environment(name="staging"),)),
        replace(mine, name="apart", environments=other_kind),
    ]
    assert [each.name for each, there in siblings(models, mine, "production")] == ["letters"]
    assert [there.name for _, there in siblings(models, mine, "production")] == ["production"]


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        pytest.param({}, "", id="nobody-else-is-served-there"),
        pytest.param(fleet(0, 5), "", id="all-are-well"),
        pytest.param(fleet(1, 0), "m0: 1 of 1", id="the-only-other-one-breaches"),
        pytest.param(fleet(1, 4), "m0: 1 of 5", id="one-of-five"),
        pytest.param(fleet(1, 5), "", id="one-of-six-is-chance"),
        pytest.param(fleet(1, 4, idle=90), "m0: 1 of 5", id="of-whom-nobody-can-tell-does-not-count"),
        pytest.param(fleet(1, 999), "", id="one-of-a-large-fleet-breaches-at-any-time"),
        pytest.param(fleet(200, 800), "m0, m1, m2, …: 200 of 1000", id="serving-that-fails-shows-in-many"),
    ],
)
def test_the_cause_is_elsewhere_where_a_fifth_of_the_siblings_breach(verdicts: dict[str, Verdict], words: str) -> None:
    assert elsewhere(verdicts) == words


@given(st.integers(min_value=1, max_value=2000))
def test_a_fifth_is_needed_and_never_nobody(told: int) -> None:
    assert needed(told) >= 1
    assert 5 * needed(told) >= told > 5 * (needed(told) - 1)


@pytest.mark.parametrize(
    ("found_after", "asked_after", "since"),
    [
        pytest.param(30 * MINUTE, 31 * MINUTE, timedelta(0), id="at-once-over-all-the-time-it-took"),
        pytest.param(30 * MINUTE, 10 * HOUR, 10 * HOUR - 32 * MINUTE, id="later-over-the-last-of-it"),
    ],
)
def test_siblings_are_judged_over_as_long_a_time_as_the_breach_took(
    found_after: timedelta, asked_after: timedelta, since: timedelta
) -> None:
    ground = Ground(evidence=Evidence.ABSOLUTE, short="", sentence="", found_at=SINCE + found_after)
    assert siblings_since(VALUES, ground, SINCE + asked_after) == SINCE + since


def test_a_sibling_has_long_been_warm() -> None:
    there = model().environments[1]
    assert there.rollout.warm_up > timedelta(0)
    assert of_sibling(there, 1, VALUES).rollout == replace(there.rollout, warm_up=timedelta(0))


@pytest.mark.parametrize(
    ("effect", "expected"), [(Effect.REVERT, True), (Effect.BLOCK, False), (Effect.INFORM, False)], ids=str
)
def test_only_what_reverts_counts_as_a_breach_of_a_sibling(effect: Effect, expected: bool) -> None:
    value = ValueVerdict(objective=replace(DRIFT, effect=effect), standing=Standing.BREACH)
    for verdict in (stands(Standing.BREACH, effect), replace(JUDGED, values=(value,))):
        assert breaches(verdict) is expected
        assert is_told(verdict) is expected


def test_of_a_sibling_that_cannot_be_read_nobody_can_tell() -> None:
    unread = ObjectiveVerdict(
        objective="latency", effect=Effect.REVERT, unread=Unread(why=Why.UNREACHABLE, words="Prometheus is away")
    )
    assert not is_told(replace(JUDGED, objectives=(unread,)))
