"""How many good versions a fleet reverts by chance, and the level at which that is seldom enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import NOW
from tidegate.core.diagnosis.expectation import DEFAULTS, Rollout, examine, written_in
from tidegate.core.diagnosis.remark import Complaint, Fine


def began(number: int, rate: float = 0.01, environment: str = "production", days: int = 90) -> list[Rollout]:
    """So many rollouts, spread over the last so many days."""
    return [
        Rollout(environment=environment, at=NOW - timedelta(days=days) * (index + 0.5) / number, rate=rate)
        for index in range(number)
    ]


def test_a_few_models_have_nothing_to_fear() -> None:
    (fine,) = examine(began(12), NOW)
    assert fine == Fine(
        what="comparisons revert at most 0.042 good versions a month by chance "
        "(production: 4.2 rollouts a month, 0.042 of them)"
    )


def test_a_holdback_is_a_second_comparison_with_a_rate_of_its_own() -> None:
    (fine,) = examine([replace(rollout, comparisons=2) for rollout in began(12)], NOW)
    assert fine == Fine(
        what="comparisons revert at most 0.083 good versions a month by chance "
        "(production: 4.2 rollouts a month, 0.083 of them)"
    )
    (complaint,) = examine([replace(rollout, comparisons=2) for rollout in began(900)], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.fix.startswith("falseRevertRate: 0.05% in")


def test_a_large_fleet_is_told_the_level_at_which_it_is_less_than_one_a_quarter() -> None:
    (complaint,) = examine([*began(900), *began(300, 0.05, "staging")], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.rule == "false-reverts"
    assert complaint.what == (
        "comparisons revert at most 8 good versions a month by chance "
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


@pytest.mark.parametrize("comparisons", [1, 2])
@pytest.mark.parametrize("number", [110, 150, 999, 12_345])
def test_at_the_level_proposed_nothing_is_amiss(number: int, comparisons: int) -> None:
    rollouts = [replace(rollout, comparisons=comparisons) for rollout in began(number)]
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
