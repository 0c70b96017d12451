"""What doctor sees of GitHub, against the fake: kinds of tokens, settings, protection and rulesets of main."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from support.diagnosing import APP_ACCESS
from support.github.server import FakeGitHub
from support.github.state import Environment
from tidegate.adapters.github import Address, AppKey, Token, survey
from tidegate.adapters.github.survey import GitHubSurvey
from tidegate.core.diagnosis.access import TokenKind
from tidegate.core.diagnosis.actions import Protection
from tidegate.core.diagnosis.protection import BranchRules
from tidegate.core.diagnosis.remark import Unknown
from tidegate.core.diagnosis.repository import ForgeFacts, TurnedAway

NAME = "acme/models"
PROTECTION = {
    "required_status_checks": None,
    "enforce_admins": False,
    "required_pull_request_reviews": None,
    "restrictions": None,
}


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        github.repository(NAME)
        yield github


def look(github: FakeGitHub, credential: Token | AppKey, name: str = NAME) -> ForgeFacts | TurnedAway | Unknown:
    owner, _, short = name.partition("/")
    address = Address(owner=owner, name=short, api=github.api_url, server=github.url, logins=("tidegate-old[bot]",))
    return GitHubSurvey(address, credential, ["tidegate", "pull requests"]).survey(Clock())


def facts(github: FakeGitHub, credential: Token | AppKey) -> ForgeFacts:
    found = look(github, credential)
    assert isinstance(found, ForgeFacts), found
    return found


def app(github: FakeGitHub, **permissions: str) -> AppKey:
    made = github.app("tidegate", permissions=permissions or {"administration": "write"})
    return AppKey(app_id=str(made.id), private_key=made.private_key)


def administer(github: FakeGitHub, method: str, path: str, body: Any) -> None:
    token = github.token("root", role="admin")
    address = f"{github.api_url}/repos/{NAME}/{path}"
    answer = requests.request(method, address, json=body, headers={"Authorization": f"token {token}"}, timeout=10)
    answer.raise_for_status()


def ruleset(github: FakeGitHub, rules: list[Any], bypass: list[Any] | None = None) -> None:
    made = {"name": "guard main", "target": "branch", "enforcement": "active", "rules": rules,
            "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
            "bypass_actors": bypass or []}  # fmt: skip
    administer(github, "POST", "rulesets", made)


def only(found: ForgeFacts) -> BranchRules:
    (rules,) = found.gateway.rules
    return rules


def test_an_app_knows_itself_and_its_permissions(github: FakeGitHub) -> None:
    key = app(github)
    access = facts(github, key).access
    assert (access.kind, access.login, str(access.app_id)) == (TokenKind.APP, "tidegate[bot]", key.app_id)
    assert isinstance(access.permissions, dict)
    assert access.permissions["checks"] == "write"


@pytest.mark.parametrize(
    ("make", "kind", "login"),
    [
        pytest.param(lambda g: g.token("dana"), TokenKind.CLASSIC, "dana", id="classic"),
        pytest.param(
            lambda g: g.token("dana", permissions={"contents": "write", "metadata": "read", "administration": "read"}),
            TokenKind.FINE_GRAINED,
            "dana",
            id="fine-grained",
        ),
        pytest.param(
            lambda g: g.installation_token(g.app("tidegate")).token, TokenKind.INSTALLATION, "tidegate[bot]", id="app"
        ),
        pytest.param(
            lambda g: g.installation_token(g.app("github-actions")).token,
            TokenKind.ACTIONS,
            "github-actions[bot]",
            id="of-a-workflow",
        ),
    ],
)
def test_the_kind_of_a_token_is_told(
    github: FakeGitHub, make: Callable[[FakeGitHub], str], kind: TokenKind, login: str
) -> None:
    access = facts(github, Token(value=make(github))).access
    assert (access.kind, access.login) == (kind, login)
    assert isinstance(access.permissions, Unknown)


def test_who_may_only_read_may_not_push(github: FakeGitHub) -> None:
    found = facts(github, Token(value=github.token("eve", role="read")))
    assert found.access.may_push is False
    assert all(isinstance(fact, Unknown) for fact in (found.auto_merge, found.gateway.methods))


def test_settings_are_read_as_they_are(github: FakeGitHub) -> None:
    settings = github.repository(NAME).settings
    settings.allow_auto_merge, settings.allow_rebase_merge = True, False
    settings.can_approve_pull_request_reviews = True
    found = facts(github, app(github))
    assert (found.name, found.private, found.archived, found.default_branch) == (NAME, True, False, "main")
    assert (found.auto_merge, found.actions_may_propose) == (True, True)
    assert found.gateway.methods == frozenset({"merge", "squash"})
    assert isinstance(found.ahead, timedelta)
    assert abs(found.ahead) < timedelta(seconds=10)


def test_a_repository_without_rules_has_none(github: FakeGitHub) -> None:
    gateway = facts(github, app(github)).gateway
    assert (gateway.rules, dict(gateway.unread), gateway.has_queue) == ((), {}, False)


def test_classic_protection_is_read(github: FakeGitHub) -> None:
    administer(github, "PUT", "branches/main/protection", {
        **PROTECTION,
        "required_status_checks": {
            "strict": True, "contexts": ["ci"], "checks": [{"context": "tidegate", "app_id": 7}]},
        "required_pull_request_reviews": {"required_approving_review_count": 2, "require_code_owner_reviews": True},
        "required_linear_history": True,
    })  # fmt: skip
    rules = only(facts(github, app(github)))
    assert rules.source == "branch protection"
    assert rules.checks == {"tidegate": 7, "ci": None}
    assert (rules.strict, rules.approvals, rules.code_owners, rules.linear) == (True, 2, True, True)


def test_protection_that_may_not_be_read_is_unknown(github: FakeGitHub) -> None:
    administer(github, "PUT", "branches/main/protection", PROTECTION)
    gateway = facts(github, app(github, checks="write")).gateway
    assert gateway.rules == ()
    assert list(gateway.unread) == ["the classic protection of main"]


def test_a_ruleset_is_read_with_what_it_asks(github: FakeGitHub) -> None:
    ruleset(github, [
        {"type": "required_status_checks", "parameters": {
            "strict_required_status_checks_policy": True,
            "required_status_checks": [{"context": "tidegate", "integration_id": 7}, {"context": "ci"}]}},
        {"type": "pull_request", "parameters": {
            "required_approving_review_count": 1, "require_code_owner_review": False,
            "require_last_push_approval": True, "dismiss_stale_reviews_on_push": False,
            "required_review_thread_resolution": False, "allowed_merge_methods": ["squash"]}},
        {"type": "required_linear_history"},
        {"type": "required_signatures"},
        {"type": "update"},
    ])  # fmt: skip
    rules = only(facts(github, app(github)))
    assert rules.source == "the ruleset 'guard main'"
    assert rules.checks == {"tidegate": 7, "ci": None}
    assert (rules.strict, rules.approvals, rules.code_owners, rules.last_push) == (True, 1, False, True)
    assert (rules.linear, rules.signed, rules.methods) == (True, True, frozenset({"squash"}))
    assert (rules.pushers, rules.bypassed) == (frozenset(), False)


def test_an_app_on_the_bypass_list_bypasses(github: FakeGitHub) -> None:
    key = app(github)
    actor = {"actor_type": "Integration", "actor_id": int(key.app_id), "bypass_mode": "always"}
    ruleset(github, [{"type": "required_linear_history"}], [actor])
    assert only(facts(github, key)).bypassed is True


def test_a_bypass_list_that_is_not_shown_is_unknown(github: FakeGitHub) -> None:
    ruleset(github, [{"type": "required_linear_history"}])
    assert isinstance(only(facts(github, app(github, administration="read"))).bypassed, Unknown)


@pytest.mark.parametrize(
    ("told", "bypassed"), [("always", True), ("pull_requests_only", True), ("exempt", True), ("never", False)]
)
def test_what_github_tells_of_our_bypass_goes_before_the_list(told: str, bypassed: bool) -> None:
    """The fake is an Enterprise Server that does not tell it."""
    access = replace(APP_ACCESS, app_id=None)
    assert survey._bypassed({"current_user_can_bypass": told, "bypass_actors": []}, access) is bypassed


def test_scopes_are_read_from_the_header() -> None:
    assert survey._words("repo, read:org") == {"repo", "read:org"}
    assert survey._words("") == frozenset()


def test_a_merge_queue_is_seen(github: FakeGitHub) -> None:
    queue = {"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
             "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
             "min_entries_to_merge_wait_minutes": 5}  # fmt: skip
    ruleset(github, [{"type": "merge_queue", "parameters": queue}])
    gateway = facts(github, app(github)).gateway
    assert (gateway.queue, only(facts(github, app(github))).queue) == (True, True)


@pytest.mark.parametrize(
    ("own", "shared", "known"),
    [
        pytest.param({}, {}, False, id="nowhere"),
        pytest.param({"TIDEGATE_APP_ID": "7"}, {}, True, id="of-the-repository"),
        pytest.param({"TIDEGATE_APP_ID": ""}, {"TIDEGATE_APP_ID": "7"}, False, id="the-repositorys-goes-first"),
        pytest.param({}, {**{f"A{n}": "x" for n in range(30)}, "TIDEGATE_APP_ID": "7"}, True, id="of-the-organization"),
    ],
)
def test_whether_the_workflows_know_the_app(
    github: FakeGitHub, own: dict[str, str], shared: dict[str, str], known: bool
) -> None:
    repository = github.repository(NAME)
    repository.variables, repository.shared_variables = own, shared
    assert facts(github, app(github, actions_variables="read")).actions.knows_app is known


def test_environments_are_read_with_what_they_ask_of_a_job(github: FakeGitHub) -> None:
    github.repository(NAME).environments = [
        Environment(id=5, name="tidegate", branches=("main", "release/*"), wait_minutes=30, reviewers=2),
        Environment(id=9, name="Pull requests", protected_only=True),
    ]
    assert facts(github, app(github)).actions.environments == {
        "tidegate": Protection(branches=frozenset({"main", "release/*"}), wait=timedelta(minutes=30), reviewers=2),
        "pull requests": Protection(protected_only=True),
    }


def test_an_environment_that_is_not_there_is_none(github: FakeGitHub) -> None:
    github.repository(NAME).environments = [Environment(id=5, name="tidegate")]
    assert facts(github, app(github)).actions.environments == {"tidegate": Protection(), "pull requests": None}


def test_what_the_app_may_not_read_of_actions_is_unknown(github: FakeGitHub) -> None:
    token = github.installation_token(github.app("tidegate"), {"contents": "write"}).token
    actions = facts(github, Token(value=token)).actions
    assert isinstance(actions.knows_app, Unknown)
    assert actions.knows_app.why.endswith("reading it takes variables: read")
    hidden = [each.why for each in actions.environments.values() if isinstance(each, Unknown)]
    assert [why.rpartition("; ")[2] for why in hidden] == ["reading it takes actions: read"] * 2


def test_other_logins_of_ours_are_known(github: FakeGitHub) -> None:
    assert facts(github, Token(value=github.token("dana"))).access.also == ("tidegate-old[bot]",)


@pytest.mark.parametrize(
    ("token", "name", "words"),
    [
        pytest.param("ghp_nobody", NAME, "does not take the token", id="an-unknown-token"),
        pytest.param(None, "acme/elsewhere", "it is not there", id="an-unknown-repository"),
    ],
)
def test_being_turned_away_is_said_without_the_token(
    github: FakeGitHub, token: str | None, name: str, words: str
) -> None:
    secret = token or github.token("dana")
    found = look(github, Token(value=secret), name)
    assert isinstance(found, TurnedAway)
    assert words in found.words
    assert secret not in found.words


def test_I11_a_github_that_is_not_there_is_silent(tmp_path: Path) -> None:
    address = Address(owner="acme", name="models", api="http://127.0.0.1:9", server="http://127.0.0.1:9")
    found = GitHubSurvey(address, Token(value="ghp_hunter2")).survey(Clock())
    assert isinstance(found, Unknown)
    assert found.silent
    assert "hunter2" not in found.why


def test_nothing_is_written_and_a_survey_is_cheap(github: FakeGitHub) -> None:
    ruleset(github, [{"type": "required_linear_history"}])
    key = app(github)
    github.forget_calls()
    facts(github, key)
    reads = [call for call in github.calls if call.method == "GET"]
    writes = [call.path for call in github.calls if call.method != "GET"]
    assert all(path.endswith(("/access_tokens", "graphql")) for path in writes)
    assert len(reads) <= 14
