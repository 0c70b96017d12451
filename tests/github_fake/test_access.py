"""Tokens, Apps, permissions, rate limits and conditional requests."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from github_fake.conftest import Clock
from support.github.callers import Caller, app_jwt, commit
from support.github.server import FakeGitHub
from support.github.state import Repository


def test_a_token_nobody_knows(github: FakeGitHub) -> None:
    answer = Caller(github, "ghp_wrong").get()
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_an_app_gets_a_token_for_an_hour(github: FakeGitHub, clock: Clock) -> None:
    app = github.app("tidegate")
    itself = Caller(github, app_jwt(github, app))
    assert itself.get("//app").json()["slug"] == "tidegate"
    installation = itself.get("/installation").json()
    answer = itself.post(f"//app/installations/{installation['id']}/access_tokens")
    robot = Caller(github, answer.json()["token"])
    assert answer.json()["expires_at"] == "2026-03-02T13:00:00Z"
    assert robot.get().status_code == 200
    assert robot.get("//user").status_code == 403
    clock.forward(timedelta(hours=1))
    assert robot.get().status_code == 401


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        pytest.param({"exp": 3600}, "too far in the future", id="longer-than-ten-minutes"),
        pytest.param({"exp": -10}, "must be a numeric value", id="run-out"),
        pytest.param({"iat": 300}, "in the past", id="issued-in-the-future"),
        pytest.param({"iss": "1"}, "Integration not found", id="an-app-that-is-not-there"),
    ],
)
def test_an_app_token_that_github_does_not_take(
    github: FakeGitHub, clock: Clock, claims: dict[str, int | str], words: str
) -> None:
    app, now = github.app("tidegate"), int(clock.at.timestamp())
    times = {name: now + value for name, value in {"iat": -30, "exp": 500, **claims}.items() if isinstance(value, int)}
    token = jwt.encode({"iss": str(app.id), **claims, **times}, app.private_key, "RS256")
    assert words in Caller(github, token).get("//app").json()["message"]


def test_another_apps_key_does_not_sign(github: FakeGitHub) -> None:
    app = github.app("tidegate")
    forged = app_jwt(github, github.app("other"))
    payload = jwt.decode(forged, options={"verify_signature": False})
    token = jwt.encode({**payload, "iss": str(app.id)}, github.app("other").private_key, "RS256")
    assert Caller(github, token).get("//app").status_code == 401


def test_an_app_does_what_it_was_granted_and_no_more(github: FakeGitHub, repository: Repository) -> None:
    head = commit(repository, "b", {"a": "1"})
    weak = Caller(github, github.installation_token(github.app("tidegate"), {"contents": "read"}).token)
    assert weak.get("/git/ref/heads/b").status_code == 200
    for answer in (
        weak.post("/git/refs", {"ref": "refs/heads/c", "sha": head}),
        weak.post("/pulls", {"title": "T", "head": "b", "base": "main"}),
        weak.post("/check-runs", {"name": "tidegate", "head_sha": head}),
        weak.get("/branches/main/protection"),
    ):
        assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


def test_an_app_may_ask_for_less_and_never_for_more(github: FakeGitHub) -> None:
    app = github.app("tidegate")
    itself = Caller(github, app_jwt(github, app))
    path = f"//app/installations/{app.installation_id}/access_tokens"
    assert itself.post(path, {"permissions": {"contents": "read"}}).json()["permissions"]["contents"] == "read"
    assert itself.post(path, {"permissions": {"administration": "write"}}).status_code == 422


def test_a_reader_reads_a_stranger_sees_nothing(github: FakeGitHub, repository: Repository) -> None:
    reader = Caller(github, github.token("rita", role="read"))
    assert reader.get().json()["permissions"]["push"] is False
    assert reader.post("/statuses/" + (repository.git.branch("main") or ""), {"state": "success"}).status_code == 403
    assert Caller(github, github.token("stan", role="none")).get().status_code == 404


def test_a_fine_grained_token_is_bounded_by_its_permissions(github: FakeGitHub) -> None:
    fine = Caller(github, github.token("fay", permissions={"metadata": "read"}))
    assert fine.get().status_code == 200
    assert fine.get("/pulls").json()["message"] == "Resource not accessible by personal access token"


def test_teams_are_read_with_the_members_permission(github: FakeGitHub, robot: Caller) -> None:
    github.team("acme/ml-leads", "dana", "lee")
    assert [m["login"] for m in robot.get("//orgs/acme/teams/ml-leads/members").json()] == ["dana", "lee"]
    assert robot.get("//orgs/acme/teams/nobody/members").status_code == 404
    weak = Caller(github, github.installation_token(github.app("tidegate"), {"contents": "read"}).token)
    assert weak.get("//orgs/acme/teams/ml-leads/members").status_code == 403


def test_what_has_not_changed_costs_nothing(dana: Caller, repository: Repository) -> None:
    first = dana.get("/pulls")
    assert first.headers["X-RateLimit-Remaining"] == "4999"
    again = dana.get("/pulls", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content, again.headers["X-RateLimit-Remaining"]) == (304, b"", "4999")
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    assert dana.get("/pulls", If_None_Match=first.headers["ETag"]).status_code == 200


def test_a_tag_holds_for_the_token_it_was_given_to(github: FakeGitHub) -> None:
    old, new = (Caller(github, github.installation_token(github.app("tidegate")).token) for _ in range(2))
    tag = old.get("/pulls").headers["ETag"]
    assert old.get("/pulls", If_None_Match=tag).status_code == 304
    assert new.get("/pulls", If_None_Match=tag).status_code == 200


def test_the_limit_ends_and_comes_back_after_an_hour(github: FakeGitHub, dana: Caller, clock: Clock) -> None:
    github.limits.per_hour["core"] = 2
    assert [dana.get().status_code for _ in range(3)] == [200, 200, 403]
    assert "API rate limit exceeded" in dana.get().json()["message"]
    assert dana.get("//rate_limit").json()["resources"]["core"]["remaining"] == 0
    clock.forward(timedelta(hours=1))
    assert dana.get().status_code == 200


def test_a_fresh_token_may_not_be_known_everywhere_yet(github: FakeGitHub) -> None:
    github.fresh_token_refusals = [404, 401]
    robot = Caller(github, github.installation_token(github.app("tidegate")).token)
    assert [robot.get().status_code for _ in range(3)] == [404, 401, 200]
