"""What a person's ~/.netrc says of a server is not for us: we sign in as we were told, and as nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from support.certificates import Listener, served
from support.github.server import FakeGitHub
from support.github_worlds import NAME
from support.outbound import a_day, app, github_with_models, session_at, without_settings
from tidegate.adapters.github_comments import Comments
from tidegate.adapters.prometheus import Access, Prometheus

pytestmark = pytest.mark.contract


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login dana password of-another-server\n", encoding="utf-8")
    netrc.chmod(0o600)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_with_models(tmp_path) as github:
        yield github


def test_github_and_git_are_asked_as_the_app(github: FakeGitHub, tmp_path: Path) -> None:
    a_day(session_at(github.url, app(github)), tmp_path / "mirror.git")
    assert {call.login for call in github.calls} <= {"", "tidegate[bot]"}


def test_a_comment_is_written_as_the_owner_of_the_token(github: FakeGitHub) -> None:
    session_at(github.url, app(github)).send("POST", f"/repos/{NAME}/issues", {"title": "an issue"})
    github.forget_calls()
    token = github.installation_token(github.app("tidegate")).token
    kept = Comments(api=github.api_url, repository=NAME, token=token)
    assert kept.keep(1, "<!-- ours -->", "<!-- ours -->", new=False) is None
    assert {call.login for call in github.calls} == {"tidegate[bot]"}


def test_prometheus_gets_the_token_that_it_is_given() -> None:
    heard: list[str | None] = []

    class Prometheuslike(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers.get("Authorization"))
            self.send_error(503)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with Listener(("127.0.0.1", 0), Prometheuslike) as listener, served(listener):
        address = f"http://127.0.0.1:{listener.server_address[1]}"
        Prometheus(address, Access(headers={"Authorization": "Bearer ours"})).now()
        Prometheus(address).now()
    assert heard == ["Bearer ours", None]
