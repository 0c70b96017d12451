"""How many good versions a fleet reverts by chance, and the level at which that is seldom enough."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.diagnosing import NOW
from tidegate.core.diagnosis.expectation import Rollout, examine
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
        what="the comparison reverts at most 0.042 good versions a month by chance "
        "(production: 4.2 rollouts a month, 0.042 of them)"
    )


def test_a_large_fleet_is_told_the_level_at_which_it_is_less_than_one_a_quarter() -> None:
    (complaint,) = examine([*began(900), *began(300, 0.05, "staging")], NOW)
    assert isinstance(complaint, Complaint)
    assert complaint.rule == "false-reverts"
    assert complaint.what == (
        "the comparison reverts at most 8 good versions a month by chance "
        "(production: 300 rollouts a month, 3 of them; staging: 100 rollouts a month, 5 of them)"
    )
    assert complaint.fix.startswith("falseRevertRate: 0.08% in")


@pytest.mark.parametrize("number", [110, 150, 999, 12_345])
def test_at_the_level_proposed_nothing_is_amiss(number: int) -> None:
    (complaint,) = examine(began(number), NOW)
    assert isinstance(complaint, Complaint)
    level = float(complaint.fix.partition(": ")[2].partition("%")[0]) / 100
    (found,) = examine(began(number, level), NOW)
    assert isinstance(found, Fine)


def test_three_days_of_history_are_no_month() -> None:
    (found,) = examine(began(20, days=3), NOW)
    assert isinstance(found, Fine)
    assert "20 rollouts a month" in found.what


@pytest.mark.parametrize("ago", [timedelta(days=91), -timedelta(days=1)])
def test_what_is_long_ago_or_still_to_come_does_not_count(ago: timedelta) -> None:
    (found,) = examine([Rollout(environment="production", at=NOW - ago, rate=1.0)], NOW)
    assert found == Fine(what="no rollout began in the last 90 days: no false reverts are to be expected")
