"""Reviews, comments, labels and issues."""

from __future__ import annotations

import pytest

from support.github.callers import Caller, commit
from support.github.server import FakeGitHub
from support.github.state import Repository


@pytest.fixture
def lee(github: FakeGitHub) -> Caller:
    return Caller(github, github.token("lee"))


@pytest.fixture(autouse=True)
def pull(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")


@pytest.mark.parametrize("event", ["APPROVE", "REQUEST_CHANGES"])
def test_nobody_judges_their_own_pull_request(dana: Caller, event: str) -> None:
    refused = dana.post("/pulls/1/reviews", {"event": event, "body": "me"})
    assert refused.status_code == 422
    assert "your own pull request" in refused.json()["errors"][0]


def test_a_review_is_bound_to_the_head_it_saw(dana: Caller, lee: Caller, repository: Repository) -> None:
    old = repository.git.branch("b")
    lee.post("/pulls/1/reviews", {"event": "APPROVE"})
    commit(repository, "b", {"a": "2"})
    review = dana.get("/pulls/1/reviews").json()[0]
    assert (review["state"], review["commit_id"], review["user"]["login"]) == ("APPROVED", old, "lee")


def test_a_review_is_dismissed_once(dana: Caller, lee: Caller) -> None:
    made = lee.post("/pulls/1/reviews", {"event": "APPROVE"}).json()
    path = f"/pulls/1/reviews/{made['id']}/dismissals"
    assert dana.put(path, {"message": "stale"}).json()["state"] == "DISMISSED"
    assert dana.put(path, {"message": "stale"}).status_code == 422


def test_reviewers_are_asked_among_those_who_have_access(dana: Caller, lee: Caller, github: FakeGitHub) -> None:
    github.account("stranger")
    assert dana.post("/pulls/1/requested_reviewers", {"reviewers": ["stranger"]}).status_code == 422
    assert dana.post("/pulls/1/requested_reviewers", {"reviewers": ["dana"]}).status_code == 422
    dana.post("/pulls/1/requested_reviewers", {"reviewers": ["lee"]})
    assert [u["login"] for u in dana.get("/pulls/1/requested_reviewers").json()["users"]] == ["lee"]
    lee.post("/pulls/1/reviews", {"event": "APPROVE"})
    assert dana.get("/pulls/1/requested_reviewers").json()["users"] == []


def test_comments_are_made_read_changed_and_deleted(dana: Caller, robot: Caller) -> None:
    made = robot.post("/issues/1/comments", {"body": "one"}).json()
    assert made["user"]["login"] == "tidegate[bot]"
    robot.patch(f"/issues/comments/{made['id']}", {"body": "two"})
    assert [c["body"] for c in dana.get("/issues/1/comments").json()] == ["two"]
    assert dana.get("/pulls/1").json()["comments"] == 1
    assert robot.delete(f"/issues/comments/{made['id']}").status_code == 204
    assert robot.patch(f"/issues/comments/{made['id']}", {"body": "three"}).status_code == 404


def test_an_app_does_not_change_the_words_of_others(dana: Caller, robot: Caller) -> None:
    made = dana.post("/issues/1/comments", {"body": "mine"}).json()
    assert robot.patch(f"/issues/comments/{made['id']}", {"body": "not mine"}).status_code == 403


def test_labels_are_made_by_putting_them_on(dana: Caller) -> None:
    dana.post("/issues/1/labels", {"labels": ["tidegate", "revert"]})
    assert [label["name"] for label in dana.get("/pulls/1").json()["labels"]] == ["tidegate", "revert"]
    dana.delete("/issues/1/labels/tidegate")
    assert [label["name"] for label in dana.get("/issues/1/labels").json()] == ["revert"]
    assert dana.delete("/issues/1/labels/tidegate").status_code == 404
    assert dana.post("/labels", {"name": "Revert", "color": "ff0000"}).status_code == 422


def test_who_labelled_and_when_is_remembered(dana: Caller, lee: Caller) -> None:
    lee.post("/issues/1/labels", {"labels": ["a"]})
    dana.put("/issues/1/labels", {"labels": ["a", "b"]})
    dana.delete("/issues/1/labels/a")
    told = dana.get("/issues/1/events").json()
    assert [(event["event"], event["label"]["name"], event["actor"]["login"]) for event in told] == [
        ("labeled", "a", "lee"),
        ("labeled", "b", "dana"),
        ("unlabeled", "a", "dana"),
    ]


def test_issues_share_their_numbers_with_pull_requests(dana: Caller) -> None:
    made = dana.post("/issues", {"title": "Status", "labels": ["tidegate"]}).json()
    assert made["number"] == 2
    assert [i["number"] for i in dana.get("/issues?labels=tidegate").json()] == [2]
    assert [i["number"] for i in dana.get("/issues").json()] == [2, 1]
    assert dana.get("/pulls/2").status_code == 404
    dana.patch("/issues/2", {"state": "closed", "body": "fine"})
    assert dana.get("/issues/2").json()["state"] == "closed"
