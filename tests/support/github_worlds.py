"""A repository on the fake GitHub, and our adapters on it: as an App, or as the owner of a token.

The fake has one clock, and a forge is told the time of each write: `Punctual` sets the one by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from adapters.forge_contract import World
from support.github.server import FakeGitHub
from support.repositories import NOON, OURS, Clone, Files
from tidegate.adapters.git.remote import Remote, RemoteRepository
from tidegate.adapters.github import Address, AppKey, GitHubForge, Session, SignedCommits, Token
from tidegate.adapters.github.access import SIGNER
from tidegate.adapters.github.limits import Memory

NAME = "acme/models"


@dataclass
class Ticking:
    """A frozen clock that tests move."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


class Punctual:
    """A forge whose writes happen at the instant they are told."""

    def __init__(self, forge: GitHubForge, clock: Ticking) -> None:
        self._forge = forge
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._forge, name)
        return lambda *given, **named: self._called(found, *given, **named)

    def _called(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self._clock.at = next((each for each in given if isinstance(each, datetime)), self._clock.at)
        return method(*given, **named)


@dataclass
class Kept:
    """A memory in a test's hands."""

    texts: dict[str, bytes] = field(default_factory=dict)

    def recall(self, name: str) -> bytes | None:
        return self.texts.get(name)

    def keep(self, name: str, content: bytes) -> None:
        self.texts[name] = content


def session_of(
    github: FakeGitHub,
    now: Callable[[], datetime],
    credential: AppKey | Token | None = None,
    memory: Memory | None = None,
) -> Session:
    """A session with the fake, as the App `tidegate` unless told otherwise. It never waits."""
    owner, name = NAME.split("/")
    app = github.app("tidegate")
    key = AppKey(app_id=str(app.id), private_key=app.private_key)
    address = Address(owner=owner, name=name, api=github.api_url, server=github.url)
    return Session(address, credential or key, memory=memory, now=now, wait=lambda _: None)


def repository_of(session: Session, mirror: Path) -> RemoteRepository:
    """The repository behind the fake, read through a mirror and written by push, signed where we are an App."""
    remote = Remote(session.address.clone_url, mirror, session.token)
    return RemoteRepository(remote, identity=OURS, signer=SignedCommits(session))


@dataclass
class GitHubWorld:
    """One repository on a fake GitHub, a person with a clone of it, and what the contract needs."""

    github: FakeGitHub
    clock: Ticking
    session: Session
    repository: RemoteRepository
    forge: GitHubForge
    person: Clone

    @property
    def contract(self) -> World:
        forge = cast("Any", Punctual(self.forge, self.clock))
        account = self.session.account
        merged_by = (f"{account.number}+{account.login}@users.noreply.github.com", SIGNER)
        return World(
            forge=forge,
            repository=self.repository,
            person=self.person,
            merged_by=merged_by,
            it_is=self.it_is,
        )

    def it_is(self, at: datetime) -> None:
        """Set the clock. Any request makes the fake look at what was pushed into its folder."""
        self.clock.at = at
        self.session.get(self.session.address.path)

    def calls(self, method: str = "") -> list[str]:
        """REST calls since the last `github.forget_calls()`."""
        return [
            f"{call.method} {call.path}"
            for call in self.github.calls
            if call.method.startswith(method) and ".git/" not in call.path and "graphql" not in call.path
        ]


@contextmanager
def github_world(folder: Path, files: Files, credential: str = "app") -> Iterator[GitHubWorld]:
    """A world whose main holds these files. `credential` is `app`, or the login whose token we have."""
    clock = Ticking()
    with FakeGitHub(folder / "github", now=clock.now) as github:
        bare = github.repository(NAME).path
        person = Clone.of(bare, folder / "person")
        person.commit(files, "first files")
        person.push("main")
        token = None if credential == "app" else Token(value=github.token(credential))
        session = session_of(github, clock.now, token)
        repository = repository_of(session, folder / "mirror.git")
        forge = GitHubForge(session, repository)
        github.forget_calls()
        yield GitHubWorld(
            github=github, clock=clock, session=session, repository=repository, forge=forge, person=person
        )
