"""How many good versions a fleet reverts by chance, and the level at which that is seldom enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import NOW
from tidegate.core.diagnosis.expectation import DEFAULTS, Rollout, by_objectives_alone, examine, written_in
from tidegate.core.diagnosis.remark import Complaint, Fine
from tidegate.core.manifest import Effect, Environment, Labels, Objective, Probation
from tidegate.core.manifest import Rollout as Policy


def began(number: int, rate: float = 0.01, environment: str = "production", days: int = 90) -> list[Rollout]:
    """So many rollouts, spread over the last so many days."""
    return [
        Rollout(environment=environment, at=NOW - timedelta(days=days) * (index + 0.5) / number, rate=rate)
        for index in range(number)
    ]


def test_a_few_models_have_nothing_to_fear() -> None:
    (fine,) = examine(began(12), NOW)
    assert fine == Fine(
        what="chance reverts at most 0.042 good versions a month by comparisons "
        "(production: 4.2 rollouts a month, 0.042 of them)"
    )


def test_a_holdback_is_a_second_comparison_with_a_rate_of_its_own() -> None:
    (fine,) = examine([replace(rollout, comparisons=2) for rollout in began(12)], NOW)
    assert fine == Fine(
        what="chance reverts at most 0.083 good versions a month by comparisons "
        "(production: 4.2 rollouts a month, 0.083 of them)"
    )
    (complaint,) = examine([replace(rollout, comparisons=2) for rollout in began(900)], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.fix.startswith("falseRevertRate: 0.05% in")


def test_probation_and_burn_rates_have_rates_of_their_own() -> None:
    """With half a rate for a canary's burn rates and one for probation, two and a half at most."""
    (fine,) = examine([replace(rollout, alone=1.5) for rollout in began(12)], NOW)
    assert fine == Fine(
        what="chance reverts at most 0.1 good versions a month: 0.042 by comparisons, and 0.063 on probation and by "
        "burn rates if all are barely inside objectives (production: 4.2 rollouts a month, 0.1 of them)"
    )
    (complaint,) = examine([replace(rollout, alone=1.5) for rollout in began(100)], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.fix.startswith("falseRevertRate: 0.3% in")


@pytest.mark.parametrize(
    ("target", "effect", "probation", "rates"),
    [
        pytest.param(0.999, Effect.REVERT, timedelta(days=1), 1.5, id="burn-rates-and-probation"),
        pytest.param(0.8, Effect.REVERT, timedelta(days=1), 1.0, id="no-pair-can-burn"),
        pytest.param(0.999, Effect.REVERT, timedelta(0), 0.5, id="no-probation"),
        pytest.param(0.999, Effect.BLOCK, timedelta(days=1), 0.0, id="nothing-reverts"),
    ],
)
def test_what_a_rollout_is_held_to_by_objectives_alone(
    target: float, effect: Effect, probation: timedelta, rates: float
) -> None:
    objective = Objective(name="availability", target=target, effect=effect, bad="errors", total="requests")
    policy = Policy(probation=Probation(duration=probation))
    assert by_objectives_alone(Environment(name="production", objectives=(objective,), rollout=policy)) == rates


def test_one_is_one() -> None:
    (fine,) = examine(began(1, days=30), NOW)
    assert isinstance(fine, Fine)
    assert "(production: 1 rollout a month, " in fine.what
    (complaint,) = examine(began(1, rate=1.0, days=30), NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.what.startswith("chance reverts at most 1 good version a month")


def test_a_large_fleet_is_told_the_level_at_which_it_is_less_than_one_a_quarter() -> None:
    (complaint,) = examine([*began(900), *began(300, 0.05, "staging")], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.rule == "false-reverts"
    assert complaint.what == (
        "chance reverts at most 8 good versions a month by comparisons "
        "(production: 300 rollouts a month, 3 of them; staging: 100 rollouts a month, 5 of them)"
    )
    assert complaint.fix.startswith("falseRevertRate: 0.08% in")


def test_the_places_that_write_a_higher_rate_are_named() -> None:
    """A manifest's own goes before the defaults: a change there would do nothing for it."""
    own = [replace(rollout, where="models/churn/model.yaml (spec.rollout)") for rollout in began(300, 0.2)]
    (complaint,) = examine(own, NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.fix == ("falseRevertRate: 0.3% in models/churn/model.yaml (spec.rollout): below one a quarter")
    low = [replace(rollout, where="models/fraud/model.yaml (spec.rollout)") for rollout in began(10, 0.0001)]
    (complaint,) = examine([*own, *low, *began(10)], NOW)
    assert isinstance(complaint, Complaint)
    assert "in models/churn/model.yaml (spec.rollout) and the defaults of tidegate.yaml:" in complaint.fix


def test_of_many_places_the_first_ones_are_named() -> None:
    many = [replace(rollout, where=f"models/m{number}/model.yaml") for number in range(9) for rollout in began(99)]
    (complaint,) = examine(many, NOW)
    assert isinstance(complaint, Complaint)
    assert "in models/m0/model.yaml, models/m1/model.yaml, models/m2/model.yaml and 6 more places:" in complaint.fix


RATE = {"falseRevertRate": "20%"}


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        pytest.param({}, DEFAULTS, id="nobody"),
        pytest.param({"rollout": RATE}, "m.yaml (spec.rollout)", id="the-model"),
        pytest.param(
            {"rollout": RATE, "environments": {"production": {"rollout": RATE}}},
            "m.yaml (spec.environments.production.rollout)",
            id="the-environment-before-the-model",
        ),
        pytest.param({"environments": {"staging": {"rollout": RATE}}}, DEFAULTS, id="another-environment"),
        pytest.param({"rollout": 7, "environments": ["production"]}, DEFAULTS, id="what-means-nothing"),
    ],
)
def test_the_nearest_place_that_writes_the_rate_counts(spec: object, where: str) -> None:
    assert written_in({"spec": spec}, "m.yaml", "production") == where


@pytest.mark.parametrize(("comparisons", "alone"), [(1, 0.0), (2, 0.0), (1, 1.5), (2, 1.0)])
@pytest.mark.parametrize("number", [110, 150, 999, 12_345])
def test_at_the_level_proposed_nothing_is_amiss(number: int, comparisons: int, alone: float) -> None:
    rollouts = [replace(rollout, comparisons=comparisons, alone=alone) for rollout in began(number)]
    (complaint,) = examine(rollouts, NOW)
    assert isinstance(complaint, Complaint)
    level = float(complaint.fix.partition(": ")[2].partition("%")[0]) / 100
    (found,) = examine([replace(rollout, rate=level) for rollout in rollouts], NOW)
    assert isinstance(found, Fine)


def test_three_days_of_history_are_no_month() -> None:
    (found,) = examine(began(20, days=3), NOW)
    assert isinstance(found, Fine)
    assert "20 rollouts a month" in found.what


@pytest.mark.parametrize("ago", [timedelta(days=91), -timedelta(days=1)])
def test_what_is_long_ago_or_still_to_come_does_not_count(ago: timedelta) -> None:
    (found,) = examine([Rollout(environment="production", at=NOW - ago, rate=1.0)], NOW)
    assert found == Fine(what="no rollout began in the last 90 days: no false reverts are to be expected")


QUALITY = Objective(
    name="quality",
    target=0.9,
    bad="wrong",
    total="labels",
    labels=Labels(served="served_total", delay=timedelta(days=7)),
)


def outrun(*rollouts: Rollout) -> list[str]:
    found = [remark for remark in examine(rollouts, NOW) if isinstance(remark, Complaint)]
    return [remark.what for remark in found if remark.rule == "labels-outrun"]


def labelled(number: int, objective: Objective = QUALITY, model: str = "churn") -> list[Rollout]:
    return [replace(rollout, model=model, late=(objective,)) for rollout in began(number)]


def test_versions_that_enter_faster_than_labels_come_are_named() -> None:
    (said,) = outrun(*labelled(90))
    assert said == (
        "quality of churn in production: labels come up to 7d after predictions, and the next rollout begins 24h after "
        "one (median of 89)"
    )


@pytest.mark.parametrize(
    "rollouts",
    [
        pytest.param(labelled(12), id="one-a-week"),
        pytest.param([*labelled(8), *labelled(8, model="fraud")], id="two-models-in-turn-each-once-in-eleven-days"),
        pytest.param(labelled(90, replace(QUALITY, effect=Effect.INFORM)), id="labels-that-revert-nothing"),
        pytest.param(began(90), id="no-late-labels"),
        pytest.param(labelled(90)[-3:], id="too-few-to-tell"),
        pytest.param([replace(each, at=each.at - timedelta(days=90)) for each in labelled(90)], id="long-ago"),
    ],
)
def test_labels_that_have_the_time_they_need_are_no_news(rollouts: list[Rollout]) -> None:
    assert outrun(*rollouts) == []


def test_a_hurried_week_does_not_make_a_habit() -> None:
    """The median says how often a new version usually enters."""
    hurried = [replace(each, at=NOW - timedelta(days=1, hours=hour)) for hour, each in enumerate(labelled(3))]
    assert outrun(*labelled(9), *hurried) == []
