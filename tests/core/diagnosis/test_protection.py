"""What stands between a proposal and main: which rules stop ours, and which let others through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.diagnosing import (
    APP,
    APP_ACCESS,
    APPROVES,
    FILES,
    GATEWAY,
    NOT_TOLD,
    PERSON,
    RULES,
    broken,
    not_seen,
)
from tidegate.core.diagnosis.access import Access
from tidegate.core.diagnosis.protection import Files, Gateway, examine

OWNED = replace(FILES, code_owners="models/ @acme/ml-leads\n")
CI = replace(
    APPROVES,
    path=".github/workflows/ci.yml",
    triggers=frozenset({"pull_request"}),
    jobs=frozenset({"integration"}),
    runs_tidegate=False,
)


def asking(**changed: Any) -> Gateway:
    """One ruleset that asks for this."""
    return replace(GATEWAY, rules=(replace(RULES, **changed),))


def test_nothing_is_said_against_a_repository_as_it_should_be() -> None:
    found = list(examine(GATEWAY, APP_ACCESS, FILES))
    assert (broken(found), not_seen(found)) == ([], [])


@pytest.mark.parametrize(
    ("gateway", "rules"),
    [
        pytest.param(asking(checks={}), ["check-not-required"], id="no-required-check"),
        pytest.param(replace(GATEWAY, rules=()), ["check-not-required"], id="no-rules-at-all"),
        pytest.param(asking(checks={"tidegate": 99}), ["check-of-another-app"], id="the-check-of-another-app"),
        pytest.param(asking(checks={"tidegate": None}), ["check-from-anybody"], id="the-check-from-any-source"),
        pytest.param(asking(approvals=1), ["reviews-of-proposals"], id="a-review-of-everything"),
        pytest.param(asking(last_push=True), ["reviews-of-proposals"], id="an-approval-of-the-last-push"),
        pytest.param(asking(approvals=2, bypassed=True), [], id="reviews-that-we-bypass"),
        pytest.param(asking(pushers=frozenset({"dana"})), ["may-not-merge"], id="others-may-push"),
        pytest.param(asking(pushers=frozenset()), ["may-not-merge"], id="nobody-may-push"),
        pytest.param(asking(pushers=frozenset({"tidegate"})), [], id="we-may-push"),
        pytest.param(asking(pushers=frozenset(), bypassed=True), [], id="nobody-may-push-but-who-bypasses"),
        pytest.param(asking(strict=True), ["strict-without-queue"], id="up-to-date-without-a-queue"),
        pytest.param(asking(strict=True, queue=True), [], id="up-to-date-with-a-queue"),
        pytest.param(replace(GATEWAY, queue=True), [], id="a-queue-of-classic-protection"),
        pytest.param(
            asking(checks={"tidegate": APP, "integration": None}), ["other-required-check"], id="another-check"
        ),
        pytest.param(
            replace(GATEWAY, rules=(RULES, replace(RULES, checks={"ci": None}, strict=True, bypassed=True))),
            [],
            id="another-check-that-we-bypass",
        ),
        pytest.param(asking(linear=True), [], id="linear-history"),
        pytest.param(asking(signed=True), [], id="signed-commits-by-an-app"),
        pytest.param(asking(linear=True, methods=frozenset({"merge"})), ["no-merge-method"], id="no-way-is-left"),
        pytest.param(replace(GATEWAY, methods=frozenset()), ["no-merge-method"], id="a-repository-without-a-way"),
    ],
)
def test_each_rule_of_main_has_its_complaint(gateway: Gateway, rules: list[str]) -> None:
    assert broken(examine(gateway, APP_ACCESS, FILES)) == rules


@pytest.mark.parametrize(
    ("gateway", "rules"),
    [
        pytest.param(asking(checks={"tidegate": None}), [], id="a-status-stands-in"),
        pytest.param(GATEWAY, ["check-of-another-app"], id="a-status-is-not-an-apps-check"),
        pytest.param(
            asking(checks={"tidegate": None}, signed=True), ["unsigned-commits"], id="signatures-that-git-does-not-make"
        ),
    ],
)
def test_a_personal_token_has_complaints_of_its_own(gateway: Gateway, rules: list[str]) -> None:
    assert broken(examine(gateway, PERSON, FILES)) == rules


@pytest.mark.parametrize(
    ("files", "access", "rules"),
    [
        pytest.param(OWNED, APP_ACCESS, ["code-owners-of-pins"], id="owned-pins"),
        pytest.param(FILES, APP_ACCESS, [], id="a-last-line-without-owners-frees-them"),
        pytest.param(replace(FILES, code_owners=None), APP_ACCESS, [], id="no-codeowners"),
    ],
)
def test_code_owners_of_pin_files_stop_proposals(files: Files, access: Access, rules: list[str]) -> None:
    assert broken(examine(asking(code_owners=True), access, files)) == rules


def test_code_owners_whose_review_nobody_requires_stop_nothing() -> None:
    assert broken(examine(GATEWAY, APP_ACCESS, OWNED)) == []


@pytest.mark.parametrize(
    "workflow",
    [
        pytest.param(replace(APPROVES, triggers=frozenset({"pull_request"})), id="without-merge-group"),
        pytest.param(replace(APPROVES, runs_tidegate=False), id="of-something-else"),
    ],
)
def test_a_queue_needs_a_workflow_that_checks_its_commits(workflow: Any) -> None:
    files = replace(FILES, workflows=(workflow,))
    assert broken(examine(asking(queue=True), APP_ACCESS, files)) == ["queue-without-check"]


def test_another_required_check_is_named_with_its_workflow_and_what_is_wrong_with_it() -> None:
    files = replace(FILES, workflows=(APPROVES, replace(CI, filtered=frozenset({"pull_request"}))))
    gateway = asking(checks={"tidegate": APP, "integration": None}, queue=True)
    found = list(examine(gateway, APP_ACCESS, files))
    assert broken(found) == ["other-required-check", "required-check-by-path", "queue-without-check"]
    assert "the ruleset 'main' also requires `integration` (.github/workflows/ci.yml)" in [
        getattr(r, "what", "") for r in found
    ]


def test_a_workflow_on_pull_request_target_is_named() -> None:
    risky = replace(CI, triggers=frozenset({"pull_request_target"}))
    found = examine(GATEWAY, APP_ACCESS, replace(FILES, workflows=(risky,)))
    assert broken(found) == ["fork-code-with-secrets"]


def test_rules_that_could_not_be_read_are_unseen_and_no_check_is_missed_for_them() -> None:
    gateway = replace(GATEWAY, rules=(), unread={"the rulesets of main": NOT_TOLD}, queue=NOT_TOLD, methods=NOT_TOLD)
    found = list(examine(gateway, APP_ACCESS, FILES))
    assert broken(found) == []
    assert not_seen(found) == [
        "the rulesets of main",
        "whether main has a merge queue",
        "the merge methods that the repository allows",
    ]


def test_a_bypass_that_nobody_tells_is_unseen_only_where_it_matters() -> None:
    assert not_seen(examine(asking(bypassed=NOT_TOLD), APP_ACCESS, FILES)) == []
    other = asking(bypassed=NOT_TOLD, checks={"tidegate": APP, "ci": None})
    assert not_seen(examine(other, APP_ACCESS, FILES)) == [
        "whether we may bypass the check `ci` that the ruleset 'main' requires"
    ]
    assert not_seen(examine(asking(bypassed=NOT_TOLD, approvals=1), APP_ACCESS, FILES)) == [
        "whether we may bypass the reviews that the ruleset 'main' asks for"
    ]
