"""The one comment that is kept up to date, against the fake GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.github.faults import Kind
from support.github.server import FakeGitHub
from support.repositories import Clone
from tidegate.adapters.github_comments import Comments
from tidegate.errors import OutsideSystem, Refused

MARKER = "<!-- tidegate:test -->"
NAME = "acme/models"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        repository = github.repository(NAME)
        clone = Clone.of(repository.path, tmp_path / "clone")
        clone.checkout("change", new=True)
        clone.commit({"README.md": "words\n"})
        clone.push("change")
        pull = {"title": "a change", "head": "change", "base": "main"}
        ask(github, github.token("dana"), "POST", "pulls", pull)
        yield github


def ask(github: FakeGitHub, token: str, method: str, path: str, body: object = None) -> requests.Response:
    address = f"{github.api_url}/repos/{NAME}/{path}"
    answer = requests.request(method, address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    answer.raise_for_status()
    return answer


def bot(github: FakeGitHub) -> str:
    return github.installation_token(github.app("tidegate")).token


def comments(github: FakeGitHub, token: str) -> Comments:
    return Comments(api=f"{github.api_url}/", repository=NAME, token=token)


def bodies(github: FakeGitHub) -> list[str]:
    told = ask(github, github.token("dana"), "GET", "issues/1/comments?per_page=100").json()
    return [comment["body"] for comment in told]


OWNERS = pytest.mark.parametrize("who", [pytest.param("app", id="an-app"), pytest.param("dana", id="a-person")])


@OWNERS
def test_it_is_made_once_and_then_edited_in_place(github: FakeGitHub, who: str) -> None:
    ours = comments(github, bot(github) if who == "app" else github.token(who))
    first = ours.keep(1, MARKER, f"{MARKER}\none", new=True)
    second = ours.keep(1, MARKER, f"{MARKER}\ntwo", new=True)
    assert first == second
    assert bodies(github) == [f"{MARKER}\ntwo"]


def test_what_has_not_changed_is_not_written_again(github: FakeGitHub) -> None:
    ours = comments(github, bot(github))
    ours.keep(1, MARKER, MARKER, new=True)
    github.forget_calls()
    ours.keep(1, MARKER, MARKER, new=True)
    assert {call.method for call in github.calls} == {"GET"}


def test_a_comment_with_nothing_to_say_is_not_begun_but_brought_up_to_date(github: FakeGitHub) -> None:
    ours = comments(github, bot(github))
    assert ours.keep(1, MARKER, MARKER, new=False) is None
    ours.keep(1, MARKER, f"{MARKER}\nsomething", new=True)
    assert ours.keep(1, MARKER, f"{MARKER}\nnothing", new=False)
    assert bodies(github) == [f"{MARKER}\nnothing"]


@OWNERS
def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(github: FakeGitHub, who: str) -> None:
    """Its author could rewrite what stands there as ours."""
    ask(github, github.token("mallory"), "POST", "issues/1/comments", {"body": f"{MARKER}\nforged"})
    comments(github, bot(github) if who == "app" else github.token(who)).keep(1, MARKER, MARKER, new=True)
    assert bodies(github) == [f"{MARKER}\nforged", MARKER]


def test_doubles_that_two_runs_at_once_made_are_removed(github: FakeGitHub) -> None:
    for _ in range(3):
        ask(github, bot(github), "POST", "issues/1/comments", {"body": f"{MARKER}\nold"})
    comments(github, bot(github)).keep(1, MARKER, MARKER, new=True)
    assert bodies(github) == [MARKER]


def test_it_is_found_behind_a_hundred_others(github: FakeGitHub) -> None:
    for number in range(100):
        ask(github, github.token("dana"), "POST", "issues/1/comments", {"body": f"comment {number}"})
    ours = comments(github, bot(github))
    assert ours.keep(1, MARKER, MARKER, new=True) == ours.keep(1, MARKER, f"{MARKER}\nmore", new=True)
    told = ask(github, github.token("dana"), "GET", "issues/1/comments?per_page=100&page=2").json()
    assert [comment["body"] for comment in told] == [f"{MARKER}\nmore"]


def test_a_token_that_may_not_is_told_what_it_needs(github: FakeGitHub) -> None:
    reader = github.installation_token(github.app("tidegate"), {"pull_requests": "read", "issues": "read"}).token
    with pytest.raises(Refused, match="pull-requests: write"):
        comments(github, reader).keep(1, MARKER, MARKER, new=True)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param("before", 502, id="a-server-error"),
        pytest.param("cut-after", 502, id="no-answer"),
        pytest.param("html", 200, id="a-page-in-place-of-data"),
        pytest.param("secondary-limit", 403, id="a-limit-that-looks-like-a-refusal"),
    ],
)
def test_a_github_that_fails_is_an_outside_system(github: FakeGitHub, kind: Kind, status: int) -> None:
    github.fault("*", "comments", kind, status=status)
    with pytest.raises(OutsideSystem):
        comments(github, bot(github)).keep(1, MARKER, MARKER, new=True)


def test_I11_no_answer_at_all_names_no_token() -> None:
    nowhere = Comments(api="http://127.0.0.1:9", repository=NAME, token="ghs_secret")
    with pytest.raises(OutsideSystem) as caught:
        nowhere.keep(1, MARKER, MARKER, new=True)
    assert "ghs_secret" not in str(caught.value)
