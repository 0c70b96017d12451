"""Who we are to GitHub: which kinds of tokens lack what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosing import APP_ACCESS, NOT_TOLD, PERSON, broken, not_seen
from tidegate.core.diagnosis.access import NEEDED, USEFUL, Access, TokenKind, examine
from tidegate.core.diagnosis.remark import Complaint

WORKFLOW = replace(PERSON, kind=TokenKind.ACTIONS, login="github-actions[bot]", may_push=NOT_TOLD)
CLASSIC = replace(PERSON, kind=TokenKind.CLASSIC)


def without(name: str) -> Access:
    assert isinstance(APP_ACCESS.permissions, dict)
    return replace(APP_ACCESS, permissions={k: v for k, v in APP_ACCESS.permissions.items() if k != name})


@pytest.mark.parametrize(
    ("access", "rules"),
    [
        pytest.param(APP_ACCESS, [], id="an-app-with-all-permissions"),
        pytest.param(PERSON, ["personal-token"], id="a-fine-grained-token"),
        pytest.param(
            replace(CLASSIC, scopes=frozenset({"repo"})), ["personal-token", "classic-token"], id="a-classic-token"
        ),
        pytest.param(
            replace(CLASSIC, scopes=frozenset({"gist"})),
            ["personal-token", "classic-token", "missing-scope"],
            id="a-classic-token-that-only-reads",
        ),
        pytest.param(
            replace(PERSON, may_push=False), ["personal-token", "may-not-push"], id="a-person-who-may-only-read"
        ),
        pytest.param(WORKFLOW, ["workflow-token"], id="F1-the-token-of-a-workflow"),
        pytest.param(replace(PERSON, kind=TokenKind.OTHER), ["personal-token"], id="a-token-of-an-unknown-kind"),
        pytest.param(
            replace(APP_ACCESS, kind=TokenKind.INSTALLATION, permissions=NOT_TOLD), [], id="an-installation-token"
        ),
    ],
)
def test_each_kind_of_token_has_its_complaints(access: Access, rules: list[str]) -> None:
    assert broken(examine(access, private=True, actions_may_propose=True)) == rules


@pytest.mark.parametrize("name", NEEDED)
def test_a_needed_permission_that_is_missing_is_an_error(name: str) -> None:
    assert broken(examine(without(name), private=True, actions_may_propose=True)) == ["missing-permission"]


@pytest.mark.parametrize("name", USEFUL)
def test_a_useful_permission_that_is_missing_is_a_warning(name: str) -> None:
    found = examine(without(name), private=True, actions_may_propose=True, teams=["@acme/sre"])
    assert broken(found) == ["limited-permission"]


def test_members_need_not_be_read_where_no_rule_names_a_team() -> None:
    assert broken(examine(without("members"), private=True, actions_may_propose=True)) == []


def test_reading_is_not_enough_to_write() -> None:
    reads = replace(APP_ACCESS, permissions={**dict.fromkeys(NEEDED | USEFUL, "write"), "checks": "read"})
    found = list(examine(reads, private=True, actions_may_propose=True))
    assert broken(found) == ["missing-permission"]
    complaint = next(remark for remark in found if isinstance(remark, Complaint))
    assert complaint.what == "tidegate[bot] lacks Checks: write, for the one required check `tidegate`"


def test_a_public_repository_takes_the_smaller_scope() -> None:
    access = replace(CLASSIC, scopes=frozenset({"public_repo"}))
    assert "missing-scope" not in broken(examine(access, private=False, actions_may_propose=True))
    assert "missing-scope" in broken(examine(access, private=True, actions_may_propose=True))


def test_workflows_that_may_not_propose_are_an_error_only_where_their_token_proposes() -> None:
    assert "actions-may-not-propose" in broken(examine(WORKFLOW, private=True, actions_may_propose=False))
    assert broken(examine(APP_ACCESS, private=True, actions_may_propose=False)) == []


@pytest.mark.parametrize(
    ("access", "unseen"),
    [
        pytest.param(WORKFLOW, ["whether workflows may create pull requests", "the permissions of the GITHUB_TOKEN"],
                     id="workflow"),
        pytest.param(PERSON, ["the permissions of the token"], id="fine-grained"),
        pytest.param(replace(CLASSIC, may_push=NOT_TOLD), ["the scopes of the token", "whether dana may push"],
                     id="classic"),
        pytest.param(replace(APP_ACCESS, permissions=NOT_TOLD), ["the permissions of the App"], id="app"),
    ],
)  # fmt: skip
def test_what_nobody_tells_is_said_to_be_unseen(access: Access, unseen: list[str]) -> None:
    assert not_seen(examine(access, private=True, actions_may_propose=NOT_TOLD)) == unseen
