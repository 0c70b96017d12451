"""Check runs and commit statuses."""

from __future__ import annotations

import pytest

from support.github.callers import Caller
from support.github.server import FakeGitHub
from support.github.state import Repository


@pytest.fixture
def head(repository: Repository) -> str:
    return repository.git.branch("main") or ""


def test_only_apps_write_check_runs(dana: Caller, head: str) -> None:
    refused = dana.post("/check-runs", {"name": "tidegate", "head_sha": head})
    assert (refused.status_code, refused.json()["message"]) == (403, "You must authenticate via a GitHub App.")


def test_a_check_run_is_made_changed_and_found_by_name(robot: Caller, head: str) -> None:
    made = robot.post("/check-runs", {"name": "tidegate", "head_sha": head, "status": "in_progress"}).json()
    robot.patch(f"/check-runs/{made['id']}", {"conclusion": "success", "output": {"title": "T", "summary": "S"}})
    robot.post("/check-runs", {"name": "other", "head_sha": head})
    found = robot.get(f"/commits/{head}/check-runs?check_name=tidegate").json()
    assert found["total_count"] == 1
    run = found["check_runs"][0]
    assert (run["status"], run["conclusion"], run["output"]["title"]) == ("completed", "success", "T")
    assert robot.get(f"/commits/{head}/check-suites").json()["total_count"] == 1


def test_the_latest_of_a_name_counts_and_all_are_kept(robot: Caller, head: str) -> None:
    for conclusion in ("failure", "success"):
        robot.post(
            "/check-runs", {"name": "tidegate", "head_sha": head, "status": "completed", "conclusion": conclusion}
        )
    latest = robot.get(f"/commits/{head}/check-runs").json()["check_runs"]
    assert [run["conclusion"] for run in latest] == ["success"]
    assert robot.get(f"/commits/{head}/check-runs?filter=all").json()["total_count"] == 2


def test_another_apps_run_is_not_ours_to_change(robot: Caller, github: FakeGitHub, head: str) -> None:
    made = robot.post("/check-runs", {"name": "tidegate", "head_sha": head}).json()
    other = Caller(github, github.installation_token(github.app("other")).token)
    refused = other.patch(f"/check-runs/{made['id']}", {"name": "mine"})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": "x" * 256}, id="a-name-too-long"),
        pytest.param({"head_sha": "0" * 40}, id="a-commit-that-is-not-there"),
    ],
)
def test_a_check_run_that_github_refuses(robot: Caller, head: str, body: dict[str, object]) -> None:
    assert robot.post("/check-runs", {"name": "tidegate", "head_sha": head, **body}).status_code == 422


def test_the_combined_status_is_the_worst_of_the_latest(dana: Caller, head: str) -> None:
    assert dana.get("/commits/main/status").json()["state"] == "pending"
    for context, state in (("a", "failure"), ("a", "success"), ("b", "success")):
        dana.post(f"/statuses/{head}", {"state": state, "context": context})
    combined = dana.get("/commits/main/status").json()
    assert (combined["state"], combined["total_count"]) == ("success", 2)
    dana.post(f"/statuses/{head}", {"state": "pending", "context": "b"})
    assert dana.get("/commits/main/status").json()["state"] == "pending"
    assert len(dana.get("/commits/main/statuses").json()) == 4
