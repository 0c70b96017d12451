"""Which pull request a workflow's event is about, from payloads as GitHub sends them (cut to what is read)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.adapters.workflow_event import Asked, asked_by
from tidegate.errors import WrongUse

QUEUE = "refs/heads/gh-readonly-queue/main/pr-104-9d2a2d5bf5a8b0e8a4a9c5f3a6c4c5d9e0f1a2b3"


def event(folder: Path, name: str, payload: Any) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}


@pytest.mark.parametrize(
    ("name", "payload", "asked"),
    [
        pytest.param("pull_request", {"pull_request": {"number": 7}}, Asked(number=7), id="a pull request"),
        pytest.param(
            "pull_request_review", {"review": {}, "pull_request": {"number": 7}}, Asked(number=7), id="a review"
        ),
        pytest.param(
            "issue_comment",
            {"issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": {"body": "x"}},
            Asked(number=7),
            id="a comment on a pull request",
        ),
        pytest.param("issue_comment", {"issue": {"number": 7}, "comment": {}}, None, id="a comment on an issue"),
        pytest.param(
            "merge_group",
            {"action": "checks_requested", "merge_group": {"head_ref": QUEUE, "head_sha": "5" * 40}},
            Asked(number=104, queued="5" * 40),
            id="a merge queue",
        ),
        pytest.param(
            "workflow_run",
            {"workflow_run": {"event": "pull_request", "head_branch": "x", "pull_requests": [{"number": 7}]}},
            Asked(number=7),
            id="a workflow that ran for a pull request",
        ),
        pytest.param(
            "workflow_run",
            {"workflow_run": {"event": "pull_request", "pull_requests": [], "display_title": "Pull request #7"}},
            Asked(number=7),
            id="a workflow that ran for a fork's pull request",
        ),
        pytest.param(
            "workflow_run",
            {"workflow_run": {"event": "merge_group", "head_branch": QUEUE[11:], "head_sha": "5" * 40}},
            Asked(number=104, queued="5" * 40),
            id="a workflow that ran for a merge queue",
        ),
        pytest.param(
            "workflow_run",
            {"workflow_run": {"event": "push", "head_branch": QUEUE[11:], "head_sha": "5" * 40, "pull_requests": []}},
            None,
            id="a workflow that ran for a branch called like a merge queue",
        ),
        pytest.param(
            "workflow_run",
            {"workflow_run": {"event": "push", "pull_requests": [], "display_title": "Try #7"}},
            None,
            id="a workflow that ran for no pull request",
        ),
    ],
)
def test_the_event_names_a_pull_request(name: str, payload: Any, asked: Asked | None, tmp_path: Path) -> None:
    assert asked_by(event(tmp_path, name, payload)) == asked


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        pytest.param("push", {"ref": "refs/heads/main"}, id="a push"),
        pytest.param("schedule", {}, id="a schedule"),
        pytest.param("merge_group", {"merge_group": {"head_ref": "refs/heads/main", "head_sha": "5"}}, id="no queue"),
        pytest.param("pull_request", {"pull_request": {"number": "7"}}, id="a number that is none"),
        pytest.param("pull_request", [], id="no mapping"),
        pytest.param("pull_request", "{", id="no json"),
        pytest.param("", {"pull_request": {"number": 7}}, id="no event"),
    ],
)
def test_any_other_event_is_wrong_use(name: str, payload: Any, tmp_path: Path) -> None:
    with pytest.raises(WrongUse):
        asked_by(event(tmp_path, name, payload))


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="no workflow"),
        pytest.param({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "/nowhere.json"}, id="no file"),
    ],
)
def test_outside_of_a_workflow_there_is_no_event(environment: dict[str, str]) -> None:
    with pytest.raises(WrongUse):
        asked_by(environment)
