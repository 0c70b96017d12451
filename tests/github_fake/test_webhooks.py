"""Webhooks: signed, in order, lost or sent twice as asked."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from support.github.callers import Caller, commit
from support.github.server import FakeGitHub
from support.github.state import Json, Repository

SECRET = "s3cret"


class _Listener(BaseHTTPRequestHandler):
    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append((headers, self.rfile.read(int(headers["content-length"]))))
        self.send_response(202)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[str]:
    _Listener.heard.clear()
    server = HTTPServer(("127.0.0.1", 0), _Listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    server.shutdown()
    server.server_close()
    thread.join()


def _heard() -> list[tuple[str, Json]]:
    return [(headers["x-github-event"], json.loads(body)) for headers, body in _Listener.heard]


def test_what_happens_is_told_signed_and_in_order(
    github: FakeGitHub, dana: Caller, repository: Repository, listener: str
) -> None:
    github.subscribe(listener, SECRET)
    head = commit(repository, "b", {"a": "1"})
    dana.open("b")
    dana.put("/pulls/1/merge", {"sha": head})
    github.deliver_pending()
    told = [(name, body.get("action")) for name, body in _heard()]
    assert told == [("push", None), ("pull_request", "opened"), ("pull_request", "closed"), ("push", None)]
    closed = _heard()[2][1]
    assert (closed["pull_request"]["merged"], closed["number"]) == (True, 1)
    assert (closed["repository"]["full_name"], closed["sender"]["login"]) == ("acme/models", "dana")
    for headers, body in _Listener.heard:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={signature}"


def test_a_delivery_is_lost_or_sent_twice_with_one_id(
    github: FakeGitHub, dana: Caller, repository: Repository, listener: str
) -> None:
    hook = github.subscribe(listener, SECRET, frozenset({"pull_request"}))
    hook.drop, hook.repeat = 1, 1
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    dana.patch("/pulls/1", {"title": "New"})
    github.deliver_pending()
    assert [body["action"] for _, body in _heard()] == ["edited", "edited"]
    assert len({headers["x-github-delivery"] for headers, _ in _Listener.heard}) == 1


def test_a_subscriber_that_is_gone_holds_nothing_up(github: FakeGitHub, dana: Caller, repository: Repository) -> None:
    github.subscribe("http://127.0.0.1:9/hook", SECRET)
    commit(repository, "b", {"a": "1"})
    dana.open("b")
    github.deliver_pending()
    assert {delivery.status for delivery in github.webhooks.deliveries} == {0}


def test_a_dispatch_becomes_an_event(github: FakeGitHub, robot: Caller, listener: str) -> None:
    github.subscribe(listener, SECRET, frozenset({"repository_dispatch"}))
    robot.post("/dispatches", {"event_type": "reconcile", "client_payload": {"model": "churn"}})
    github.deliver_pending()
    assert _heard()[0][1]["client_payload"] == {"model": "churn"}
