"""What the workflows need of the repository's settings: the App's name, environments that fit, placeholders filled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import ACTIONS, APP_ACCESS, APPROVES, FILES, NOT_TOLD, PERSON, broken, not_seen
from tidegate.core.diagnosis.access import Access, TokenKind
from tidegate.core.diagnosis.actions import ActionsFacts, Protection, examine, fill_in, unfilled
from tidegate.core.diagnosis.remark import Complaint, Fine, Unknown

RECONCILE = replace(
    APPROVES,
    path=".github/workflows/reconcile.yml",
    triggers=frozenset({"schedule", "workflow_run"}),
    environments=frozenset({"tidegate"}),
    variables=frozenset({"TIDEGATE_APP_ID"}),
)
PULLS = replace(APPROVES, environments=frozenset({"pulls"}))
WORKFLOWS = replace(FILES, workflows=(RECONCILE, PULLS))
MAIN_ALONE = Protection(branches=frozenset({"main"}))
A_WORKFLOW = replace(APP_ACCESS, kind=TokenKind.ACTIONS)


def complaints(environment: str, protection: Protection | Unknown | None) -> list[str]:
    facts = replace(ACTIONS, environments={environment: protection})
    return broken(examine(facts, APP_ACCESS, WORKFLOWS))


def test_settings_that_fit_are_fine() -> None:
    facts = replace(ACTIONS, environments={"tidegate": MAIN_ALONE, "pulls": Protection()})
    assert [type(remark) for remark in examine(facts, APP_ACCESS, WORKFLOWS)] == [Fine] * 3


@pytest.mark.parametrize(
    ("protection", "found"),
    [
        pytest.param(MAIN_ALONE, [], id="main-alone"),
        pytest.param(None, ["environment-missing"], id="none"),
        pytest.param(Protection(), ["environment-open"], id="every-branch"),
        pytest.param(
            Protection(protected_only=True), ["environment-open"], id="protected-branches-let-all-in-without-any"
        ),
        pytest.param(Protection(branches=frozenset({"main", "dev"})), ["environment-open"], id="another-branch-too"),
        pytest.param(Protection(branches=frozenset({"m*"})), ["environment-open"], id="a-pattern-that-main-fits"),
        pytest.param(Protection(branches=frozenset({"release/*"})), ["environment-refuses"], id="not-main"),
        pytest.param(Protection(branches=frozenset()), ["environment-refuses"], id="no-branch"),
        pytest.param(replace(MAIN_ALONE, reviewers=1), ["environment-waits"], id="a-reviewer"),
        pytest.param(replace(MAIN_ALONE, wait=timedelta(minutes=5)), ["environment-waits"], id="a-timer"),
    ],
)
def test_the_environment_of_mains_workflows_is_for_main_alone(protection: Protection | None, found: list[str]) -> None:
    assert complaints("tidegate", protection) == found


@pytest.mark.parametrize(
    ("protection", "found"),
    [
        pytest.param(Protection(), [], id="every-branch"),
        pytest.param(Protection(protected_only=True), [], id="protected-branches-may-let-all-in"),
        pytest.param(Protection(branches=frozenset({"refs/pull/*/merge"})), [], id="pull-requests"),
        pytest.param(MAIN_ALONE, ["environment-refuses"], id="main-alone"),
        pytest.param(None, ["environment-missing"], id="none"),
        pytest.param(Protection(reviewers=2), ["environment-waits"], id="reviewers"),
    ],
)
def test_the_environment_of_pull_requests_takes_them(protection: Protection | None, found: list[str]) -> None:
    assert complaints("pulls", protection) == found


def test_a_missing_environment_is_to_be_limited_where_it_is_mains() -> None:
    facts = replace(ACTIONS, environments={"tidegate": None, "pulls": None})
    fixes = [each.fix for each in examine(facts, APP_ACCESS, WORKFLOWS) if isinstance(each, Complaint)]
    assert fixes == [
        "the repository's settings, Environments: make `tidegate` with its secrets, and limit it to the branch `main`",
        "the repository's settings, Environments: make `pulls` with its secrets",
    ]


def test_what_may_not_be_read_is_not_seen() -> None:
    facts = ActionsFacts(knows_app=NOT_TOLD, environments={"tidegate": NOT_TOLD})
    remarks = list(examine(facts, APP_ACCESS, WORKFLOWS))
    assert (broken(remarks), not_seen(remarks)) == ([], ["the variable TIDEGATE_APP_ID", "the environment `tidegate`"])


@pytest.mark.parametrize(
    ("access", "variables", "found"),
    [
        pytest.param(APP_ACCESS, {"TIDEGATE_APP_ID"}, ["app-not-named"], id="an-app-that-nobody-names"),
        pytest.param(PERSON, {"TIDEGATE_APP_ID"}, ["app-not-named"], id="a-person-looks"),
        pytest.param(APP_ACCESS, {"MLFLOW_TRACKING_URI"}, [], id="no-workflow-reads-it"),
        pytest.param(A_WORKFLOW, {"TIDEGATE_APP_ID"}, [], id="a-workflows-token-is-complained-about-elsewhere"),
    ],
)
def test_the_app_is_to_be_named(access: Access, variables: set[str], found: list[str]) -> None:
    files = replace(FILES, workflows=(replace(RECONCILE, variables=frozenset(variables)),))
    facts = ActionsFacts(knows_app=False, environments={})
    assert broken(examine(facts, access, files)) == found


@pytest.mark.parametrize(
    ("access", "knows_app", "found"),
    [
        pytest.param(PERSON, True, ["other-logins"], id="a-person-without"),
        pytest.param(replace(PERSON, also=("tidegate[bot]",)), True, [], id="a-person-who-named-the-app"),
        pytest.param(PERSON, NOT_TOLD, ["other-logins"], id="a-person-who-may-not-see-whether-there-is-one"),
        pytest.param(APP_ACCESS, True, [], id="the-app-itself"),
    ],
)
def test_a_personal_token_is_told_of_the_apps_login(
    access: Access, knows_app: bool | Unknown, found: list[str]
) -> None:
    assert broken(examine(ActionsFacts(knows_app=knows_app, environments={}), access, WORKFLOWS)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a\n- uses: OWNER/tidegate/actions/plan@v1\n", "f:2 says OWNER/tidegate", id="the-owner"),
        pytest.param(f"- uses: acme/tidegate@{'0' * 40} # v0\n", f"f:1 says @{'0' * 40}", id="the-commit"),
        pytest.param("/models/ @you\n/x @you @dana\n", "f:1 says @you, and 1 more", id="the-handle-twice"),
        pytest.param('from: ["@you"]\n', "f:1 says @you", id="the-handle-in-a-list"),
        pytest.param("# like @you\n", None, id="a-comment"),
        pytest.param("@you/team @your @you-too dana@you.example\n", None, id="other-names"),
        pytest.param(f"uses: a/b@{'0' * 39}1\n", None, id="a-commit"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_placeholders_are_found_where_they_stand(text: str, found: str | None) -> None:
    assert unfilled("f", text) == found


def test_each_placeholder_has_its_own_fix() -> None:
    said = replace(FILES, unfilled=("a:1 says OWNER/tidegate, and 3 more", "b:2 says @you"))
    actions, people = [remark.fix for remark in fill_in(said) if isinstance(remark, Complaint)]
    assert "sed -i.bak" in actions
    assert people == "for `@you` write your own people and teams"


def test_each_file_with_a_placeholder_is_complained_about() -> None:
    assert broken(fill_in(replace(FILES, unfilled=("a:1 says @you", "b:2 says @you")))) == ["placeholder"] * 2
