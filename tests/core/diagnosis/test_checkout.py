"""The clone that we stand in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosing import CHECKOUT, NOT_TOLD, broken, not_seen
from tidegate.core.diagnosis.checkout import CheckoutFacts, examine


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        pytest.param(CHECKOUT, [], id="as-it-should-be"),
        pytest.param(replace(CHECKOUT, git="2.37.9"), ["git-version"], id="git-is-too-old"),
        pytest.param(replace(CHECKOUT, git="2.38"), [], id="the-oldest-git-that-will-do"),
        pytest.param(replace(CHECKOUT, git="3.0.1"), [], id="a-git-to-come"),
        pytest.param(replace(CHECKOUT, origin=None), ["no-origin"], id="no-origin"),
        pytest.param(replace(CHECKOUT, shallow=True), ["shallow-clone"], id="shallow"),
        pytest.param(replace(CHECKOUT, fetched=False), ["records-not-fetched"], id="without-launch-records"),
        pytest.param(replace(CHECKOUT, author="Bot@acme.example"), ["identity-of-a-person"], id="one-address-for-two"),
        pytest.param(replace(CHECKOUT, author=None), [], id="nobody-commits-here"),
    ],
)
def test_each_fault_of_a_clone_has_its_complaint(facts: CheckoutFacts, rules: list[str]) -> None:
    assert broken(examine(facts)) == rules


def test_files_that_cannot_be_read_are_unseen() -> None:
    assert not_seen(examine(CHECKOUT, ["models/churn/model.yaml"])) == ["models/churn/model.yaml"]


def test_a_git_that_does_not_tell_its_version_is_unseen() -> None:
    assert not_seen(examine(replace(CHECKOUT, git=NOT_TOLD))) == ["git's version"]
