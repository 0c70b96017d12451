"""Faults that a test dials in, and calls that it counts."""

from __future__ import annotations

import time

import pytest
import requests

from support.github.callers import Caller, commit
from support.github.faults import Kind
from support.github.server import FakeGitHub
from support.github.state import Repository

LABEL = {"name": "made"}


@pytest.mark.parametrize(
    ("kind", "worked"),
    [pytest.param("before", False, id="instead-of-the-work"), pytest.param("after", True, id="though-it-was-done")],
)
def test_a_server_error(github: FakeGitHub, dana: Caller, repository: Repository, kind: Kind, worked: bool) -> None:
    github.fault("POST", "/labels$", kind, status=503)
    assert dana.post("/labels", LABEL).status_code == 503
    assert ("made" in repository.labels) is worked
    assert dana.post("/labels", LABEL).status_code == (422 if worked else 201)


@pytest.mark.parametrize(("kind", "worked"), [("cut-before", False), ("cut-after", True)])
def test_a_cut_connection(github: FakeGitHub, dana: Caller, repository: Repository, kind: Kind, worked: bool) -> None:
    github.fault("POST", "/labels$", kind)
    with pytest.raises(requests.ConnectionError):
        dana.post("/labels", LABEL)
    assert ("made" in repository.labels) is worked
    assert dana.get().status_code == 200


def test_a_text_of_ones_own(github: FakeGitHub, dana: Caller) -> None:
    message = "Base branch was modified. Review and try the merge again."
    github.fault("PUT", "/merge$", "before", status=405, message=message)
    refused = dana.put("/pulls/1/merge")
    assert (refused.status_code, refused.json()["message"]) == (405, message)


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_names_a_time(github: FakeGitHub, dana: Caller, status: int) -> None:
    github.fault("*", ".", "secondary-limit", 2, status=status, retry_after=30)
    answers = [dana.get() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"] == "30"
    assert "secondary rate limit" in answers[0].json()["message"]


def test_the_primary_limit_is_used_up(github: FakeGitHub, dana: Caller) -> None:
    github.fault("GET", ".", "primary-limit")
    answer = dana.get()
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (403, "0")


def test_a_stale_list_stays_as_it_was(github: FakeGitHub, dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    github.fault("GET", "/pulls$", "stale", 3)
    assert dana.get("/pulls").json() == []
    dana.open("b")
    assert [len(dana.get("/pulls").json()) for _ in range(3)] == [0, 0, 1]


def test_html_where_json_was_asked_for(github: FakeGitHub, dana: Caller) -> None:
    github.fault("GET", ".", "html")
    answer = dana.get()
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")


def test_a_slow_answer(github: FakeGitHub, dana: Caller) -> None:
    github.fault("GET", ".", "slow", seconds=0.2)
    started = time.monotonic()
    dana.get()
    assert time.monotonic() - started >= 0.2


def test_mergeability_stays_unknown_for_so_many_reads(github: FakeGitHub, dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    github.unknown_mergeability("acme/models", 1, 2)
    assert [dana.get("/pulls/1").json()["mergeable"] for _ in range(4)] == [None, None, None, True]


@pytest.mark.parametrize(("after_work", "made"), [(False, set()), (True, {"b"})])
def test_who_dies_at_a_call_does_nothing_more(
    github: FakeGitHub, dana: Caller, repository: Repository, after_work: bool, made: set[str]
) -> None:
    dana.post("/labels", {"name": "a"})
    github.cut_from(1, after_work=after_work)
    for name in ("b", "c"):
        with pytest.raises(requests.ConnectionError):
            dana.post("/labels", {"name": name})
    github.mend()
    assert {label["name"] for label in dana.get("/labels").json()} == {"a"} | made


def test_calls_are_counted_with_what_became_of_them(github: FakeGitHub, dana: Caller) -> None:
    numbers: list[tuple[int, str]] = []
    github.on_call = lambda number, method, _path: numbers.append((number, method))
    tag = dana.get("/labels").headers["ETag"]
    dana.get("/labels", If_None_Match=tag)
    dana.post("/labels", LABEL)
    assert [(c.method, c.path, c.status, c.login) for c in github.calls] == [
        ("GET", "/repos/acme/models/labels", 200, "dana"),
        ("GET", "/repos/acme/models/labels", 304, "dana"),
        ("POST", "/repos/acme/models/labels", 201, "dana"),
    ]
    assert numbers == [(1, "GET"), (2, "GET"), (3, "POST")]
    github.forget_calls()
    assert github.calls == []
