"""The repository's settings and the forge's clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import FORGE, NOT_TOLD, broken, not_seen
from tidegate.core.diagnosis.remark import Complaint
from tidegate.core.diagnosis.repository import TOLERANCE, ForgeFacts, examine


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        pytest.param(FORGE, [], id="as-it-should-be"),
        pytest.param(replace(FORGE, archived=True), ["archived"], id="archived"),
        pytest.param(replace(FORGE, default_branch="trunk"), ["default-branch"], id="another-main"),
        pytest.param(replace(FORGE, auto_merge=False), ["auto-merge-off"], id="auto-merge-is-off"),
        pytest.param(replace(FORGE, ahead=TOLERANCE), [], id="clocks-nearly-agree"),
        pytest.param(replace(FORGE, ahead=timedelta(minutes=2)), ["forge-clock"], id="its-clock-is-ahead"),
        pytest.param(replace(FORGE, ahead=timedelta(minutes=-2)), ["forge-clock"], id="its-clock-is-behind"),
    ],
)
def test_each_setting_has_its_complaint(facts: ForgeFacts, rules: list[str]) -> None:
    assert broken(examine(facts)) == rules


@pytest.mark.parametrize(("minutes", "side"), [(2, "ahead of"), (-2, "behind")])
def test_the_complaint_says_which_clock_is_ahead(minutes: int, side: str) -> None:
    said = [r.what for r in examine(replace(FORGE, ahead=timedelta(minutes=minutes))) if isinstance(r, Complaint)]
    assert said == [f"GitHub's clock is 2m {side} ours"]


def test_what_nobody_tells_is_unseen() -> None:
    found = list(examine(replace(FORGE, auto_merge=NOT_TOLD, ahead=NOT_TOLD)))
    assert (broken(found), not_seen(found)) == ([], ["whether auto-merge is allowed", "GitHub's clock"])
