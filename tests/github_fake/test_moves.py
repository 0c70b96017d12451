"""What a moved branch does to pull requests, whoever moved it."""

from __future__ import annotations

import pytest

from support.github.callers import Caller, commit
from support.github.server import FakeGitHub
from support.github.state import Repository


def test_a_push_to_the_head_is_followed(dana: Caller, repository: Repository, github: FakeGitHub) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    new = commit(repository, "b", {"a": "2"})
    assert dana.get("/pulls/1").json()["head"]["sha"] == new
    actions = [event.payload.get("action") for event in github.events if event.name == "pull_request"]
    assert actions == ["opened", "synchronize"]


def test_a_base_that_takes_the_head_by_push_has_merged_it(dana: Caller, repository: Repository) -> None:
    head = commit(repository, "b", {"a": "1"})
    dana.open("b")
    repository.git.move("refs/heads/main", head)
    pull = dana.get("/pulls/1").json()
    assert (pull["merged"], pull["merge_commit_sha"]) == (True, head)


@pytest.mark.parametrize("branch", ["b", "target"])
def test_a_deleted_head_or_base_closes(dana: Caller, repository: Repository, branch: str) -> None:
    repository.git.move("refs/heads/target", repository.git.branch("main"))
    commit(repository, "b", {"a": "1"})
    dana.post("/pulls", {"title": "T", "head": "b", "base": "target"})
    assert dana.delete(f"/git/refs/heads/{branch}").status_code == 204
    pull = dana.get("/pulls/1").json()
    assert (pull["state"], pull["merged"]) == ("closed", False)


def test_a_head_forced_back_onto_the_base_closes(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    dana.patch("/git/refs/heads/b", {"sha": repository.git.branch("main"), "force": True})
    pull = dana.get("/pulls/1").json()
    assert (pull["state"], pull["merged"]) == ("closed", False)


def test_a_base_that_is_deleted_after_its_merge_leaves_its_pull_requests_to_where_it_went(
    dana: Caller, repository: Repository
) -> None:
    commit(repository, "stack", {"a": "1"})
    commit(repository, "top", {"b": "1"}, onto="stack")
    dana.open("stack")
    dana.post("/pulls", {"title": "T", "head": "top", "base": "stack"})
    assert dana.put("/pulls/1/merge", {}).status_code == 200
    dana.delete("/git/refs/heads/stack")
    pull = dana.get("/pulls/2").json()
    assert (pull["state"], pull["base"]["ref"]) == ("open", "main")
    assert [event["event"] for event in dana.get("/issues/2/events").json()] == ["automatic_base_change_succeeded"]
