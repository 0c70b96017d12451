"""Deployments, and what their defaults ask for."""

from __future__ import annotations

import pytest

from support.github.callers import Caller, commit
from support.github.state import Json, Repository

PLAIN: Json = {"ref": "main", "environment": "production", "auto_merge": False, "required_contexts": []}


def test_success_makes_the_one_before_inactive(robot: Caller) -> None:
    first, second = (robot.post("/deployments", {**PLAIN, "task": task}).json() for task in ("v1", "v2"))
    for each in (first, second):
        robot.post(f"/deployments/{each['id']}/statuses", {"state": "success", "description": "serves"})
    states = [s["state"] for s in robot.get(f"/deployments/{first['id']}/statuses").json()]
    assert states == ["inactive", "success"]
    assert [d["task"] for d in robot.get("/deployments?environment=production").json()] == ["v2", "v1"]
    assert [d["task"] for d in robot.get("/deployments?task=v1").json()] == ["v1"]
    assert robot.get("/deployments?environment=staging").json() == []


def test_every_check_must_be_green_unless_none_is_asked_for(
    robot: Caller, dana: Caller, repository: Repository
) -> None:
    dana.post(f"/statuses/{repository.git.branch('main')}", {"state": "failure", "context": "ci"})
    asked = {key: value for key, value in PLAIN.items() if key != "required_contexts"}
    assert robot.post("/deployments", asked).status_code == 409
    assert robot.post("/deployments", PLAIN).status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"auto_merge": True}, 409, id="a-branch-behind-main-would-be-merged-into"),
        pytest.param({}, 201, id="not-where-auto-merge-is-off"),
        pytest.param({"ref": "nowhere"}, 422, id="a-ref-that-is-not-there"),
    ],
)
def test_what_a_deployment_of_an_old_branch_runs_into(
    robot: Caller, repository: Repository, change: Json, status: int
) -> None:
    commit(repository, "old", {"a": "1"})
    commit(repository, "main", {"b": "1"})
    assert robot.post("/deployments", {**PLAIN, "ref": "old", **change}).status_code == status
