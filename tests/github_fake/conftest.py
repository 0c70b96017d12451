"""A fake GitHub with one repository, a person with write access, an owner, and an App."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.github.callers import Caller
from support.github.server import FakeGitHub
from support.github.state import Repository


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(tmp_path: Path, clock: Clock) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github", clock) as started:
        started.repository("acme/models")
        yield started


@pytest.fixture
def repository(github: FakeGitHub) -> Repository:
    return github.repository("acme/models")


@pytest.fixture
def dana(github: FakeGitHub) -> Caller:
    return Caller(github, github.token("dana"))


@pytest.fixture
def owner(github: FakeGitHub) -> Caller:
    return Caller(github, github.token("olga", role="admin"))


@pytest.fixture
def robot(github: FakeGitHub) -> Caller:
    return Caller(github, github.installation_token(github.app("tidegate")).token)
