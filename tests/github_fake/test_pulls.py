"""Making, listing, reading and changing pull requests, as GitHub does it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from github_fake.conftest import Clock
from support.github.callers import Caller, commit
from support.github.server import FakeGitHub
from support.github.state import Json, Repository


def _errors(answer: Json) -> list[Json]:
    found: list[Json] = answer["errors"]
    return found


def test_a_second_pull_request_for_a_branch_is_refused_by_name(dana: Caller, repository: Repository) -> None:
    commit(repository, "tidegate/churn", {"a": "1"})
    dana.open("tidegate/churn")
    again = dana.post("/pulls", {"title": "Again", "head": "tidegate/churn", "base": "main"})
    assert again.status_code == 422
    assert _errors(again.json())[0]["message"] == "A pull request already exists for acme:tidegate/churn."


@pytest.mark.parametrize(
    ("head", "base", "wrong"),
    [
        pytest.param("nowhere", "main", {"field": "head", "code": "invalid"}, id="a-head-that-is-not-there"),
        pytest.param("somebody:same", "main", {"field": "head", "code": "invalid"}, id="a-head-in-no-fork"),
        pytest.param("ahead", "nowhere", {"field": "base", "code": "invalid"}, id="a-base-that-is-not-there"),
        pytest.param(
            "same", "main", {"code": "custom", "message": "No commits between main and same"}, id="nothing-to-merge"
        ),
    ],
)
def test_a_pull_request_that_cannot_be(dana: Caller, repository: Repository, head: str, base: str, wrong: Json) -> None:
    commit(repository, "ahead", {"a": "1"})
    repository.git.move("refs/heads/same", repository.git.branch("main"))
    refused = dana.post("/pulls", {"title": "T", "head": head, "base": base})
    assert refused.status_code == 422
    assert _errors(refused.json()) == [{"resource": "PullRequest", **wrong}]


@pytest.mark.parametrize(
    ("name", "length", "status"),
    [
        pytest.param("title", 256, 201, id="the-longest-title"),
        pytest.param("title", 257, 422, id="a-title-too-long"),
        pytest.param("body", 65536, 201, id="the-longest-body"),
        pytest.param("body", 65537, 422, id="a-body-too-long"),
    ],
)
def test_lengths(dana: Caller, repository: Repository, name: str, length: int, status: int) -> None:
    commit(repository, "b", {"a": "1"})
    made = dana.post("/pulls", {"title": "T", "body": "", "head": "b", "base": "main", name: "x" * length})
    assert made.status_code == status


def test_the_head_filter_needs_an_owner_or_is_ignored(dana: Caller, repository: Repository) -> None:
    for name in ("one", "two"):
        commit(repository, name, {name: "1"})
        dana.open(name)
    assert [p["head"]["ref"] for p in dana.get("/pulls?head=acme:one").json()] == ["one"]
    assert len(dana.get("/pulls?head=one").json()) == 2
    assert dana.get("/pulls?head=other:one").json() == []


def test_lists_are_sorted_filtered_and_paged(dana: Caller, repository: Repository, github: FakeGitHub) -> None:
    for number in range(5):
        commit(repository, f"b{number}", {f"f{number}": "1"})
        dana.open(f"b{number}")
    dana.patch("/pulls/2", {"state": "closed"})
    assert [p["number"] for p in dana.get("/pulls").json()] == [5, 4, 3, 1]
    assert [p["number"] for p in dana.get("/pulls?state=closed").json()] == [2]
    assert [p["number"] for p in dana.get("/pulls?state=all&direction=asc&per_page=2").json()] == [1, 2]
    second = dana.get("/pulls?state=all&direction=asc&per_page=2&page=2")
    assert [p["number"] for p in second.json()] == [3, 4]
    assert set(second.links) == {"prev", "next", "first", "last"}
    assert second.links["next"]["url"].startswith(github.api_url)


def test_recently_updated_comes_first(dana: Caller, repository: Repository, clock: Clock) -> None:
    for name in ("one", "two"):
        commit(repository, name, {name: "1"})
        dana.open(name)
    clock.forward(timedelta(minutes=1))
    dana.patch("/pulls/1", {"title": "Newer"})
    assert [p["number"] for p in dana.get("/pulls?sort=updated&direction=desc").json()] == [1, 2]


def test_mergeability_is_unknown_at_first_and_again_after_the_base_moved(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    assert dana.get("/pulls/1").json()["mergeable"] is None
    known = dana.get("/pulls/1").json()
    assert (known["mergeable"], known["mergeable_state"]) == (True, "clean")
    assert repository.git.commit(known["merge_commit_sha"]).parents == (known["base"]["sha"], known["head"]["sha"])
    commit(repository, "main", {"a": "2"})
    moved = dana.get("/pulls/1").json()
    assert (moved["mergeable"], moved["mergeable_state"]) == (None, "unknown")
    conflict = dana.get("/pulls/1").json()
    assert (conflict["mergeable"], conflict["mergeable_state"]) == (False, "dirty")


def test_files_and_commits_of_a_pull_request(dana: Caller, repository: Repository) -> None:
    commit(repository, "main", {"kept": "1\n", "gone": "x\n"})
    commit(repository, "b", {"kept": "1\n2\n", "gone": None})
    head = commit(repository, "b", {"new/file": "n\n"})
    dana.open("b")
    files = {f["filename"]: (f["status"], f["additions"], f["deletions"]) for f in dana.get("/pulls/1/files").json()}
    assert files == {"kept": ("modified", 1, 0), "gone": ("removed", 0, 1), "new/file": ("added", 1, 0)}
    assert [c["sha"] for c in dana.get("/pulls/1/commits").json()][-1] == head
    whole = dana.get("/pulls/1").json()
    assert (whole["commits"], whole["changed_files"], whole["additions"], whole["deletions"]) == (2, 3, 2, 1)
    assert [p["number"] for p in dana.get(f"/commits/{head}/pulls").json()] == [1]


def test_a_closed_pull_request_is_reopened_while_its_branch_holds_its_head(
    dana: Caller, repository: Repository
) -> None:
    head = commit(repository, "b", {"a": "1"})
    dana.open("b")
    assert dana.patch("/pulls/1", {"state": "closed"}).json()["state"] == "closed"
    dana.delete("/git/refs/heads/b")
    gone = dana.patch("/pulls/1", {"state": "open"})
    assert _errors(gone.json())[0]["message"] == "state cannot be changed. The b branch has been deleted."
    dana.post("/git/refs", {"ref": "refs/heads/b", "sha": head})
    assert dana.patch("/pulls/1", {"state": "open"}).json()["state"] == "open"


def test_a_pull_request_whose_branch_was_forced_while_closed_stays_closed(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    dana.patch("/pulls/1", {"state": "closed"})
    repository.git.move("refs/heads/b", None)
    commit(repository, "b", {"other": "1"})
    refused = dana.patch("/pulls/1", {"state": "open"})
    assert refused.status_code == 422
    sentence = "state cannot be changed. The b branch was force-pushed or recreated."
    assert _errors(refused.json())[0]["message"] == sentence


def test_update_branch_merges_the_base_into_the_head(dana: Caller, repository: Repository) -> None:
    head = commit(repository, "b", {"a": "1"})
    dana.open("b")
    main = commit(repository, "main", {"c": "1"})
    assert dana.put("/pulls/1/update-branch", {"expected_head_sha": main}).status_code == 422
    assert dana.put("/pulls/1/update-branch", {"expected_head_sha": head}).status_code == 202
    new = dana.get("/pulls/1").json()["head"]["sha"]
    assert repository.git.commit(new).parents == (head, main)


def test_a_workflow_opens_and_approves_only_where_the_setting_says_so(
    github: FakeGitHub, robot: Caller, repository: Repository
) -> None:
    commit(repository, "b", {"a": "1"})
    granted = {"contents": "write", "pull_requests": "write"}
    actions = Caller(github, github.actions_token("acme/models", granted))
    refused = actions.post("/pulls", {"title": "T", "head": "b", "base": "main"})
    assert refused.status_code == 403
    assert refused.json()["message"] == "GitHub Actions is not permitted to create or approve pull requests."
    assert robot.open("b")["number"] == 1
    assert actions.post("/pulls/1/reviews", {"event": "APPROVE"}).status_code == 422
    robot.patch("/pulls/1", {"state": "closed"})
    repository.settings.can_approve_pull_request_reviews = True
    assert actions.open("b")["user"]["login"] == "github-actions[bot]"


def test_another_base_is_remembered_and_told_and_takes_no_review_away(
    dana: Caller, owner: Caller, repository: Repository, github: FakeGitHub
) -> None:
    repository.git.move("refs/heads/release", repository.git.branch("main"))
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    owner.post("/pulls/1/reviews", {"event": "APPROVE", "body": "Yes"})
    assert dana.patch("/pulls/1", {"base": "main"}).status_code == 200
    assert dana.get("/issues/1/events").json() == [], "it has that base already"
    assert dana.patch("/pulls/1", {"base": "release"}).json()["base"]["ref"] == "release"
    (event,) = dana.get("/issues/1/events").json()
    assert (event["event"], event["actor"]["login"]) == ("base_ref_changed", "dana")
    assert [review["state"] for review in dana.get("/pulls/1/reviews").json()] == ["APPROVED"]
    (told,) = (event.payload for event in github.events if event.payload.get("action") == "edited")
    assert told["changes"]["base"]["ref"] == {"from": "main"}


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        pytest.param("nowhere", {"field": "base", "code": "invalid"}, id="that-is-not-there"),
        pytest.param("b", {"code": "custom", "message": "No commits between b and b"}, id="that-has-it-all"),
        pytest.param(
            "release", {"code": "custom", "message": "A pull request already exists for acme:b."}, id="of-another-one"
        ),
    ],
)
def test_a_base_that_cannot_be(dana: Caller, repository: Repository, base: str, wrong: Json) -> None:
    repository.git.move("refs/heads/release", repository.git.branch("main"))
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    dana.post("/pulls", {"title": "T", "head": "b", "base": "release"})
    refused = dana.patch("/pulls/1", {"base": base})
    assert (refused.status_code, _errors(refused.json())) == (422, [{"resource": "PullRequest", **wrong}])
