"""A whole workspace on the fake GitHub: what `worlds.World` is on the local forge, with people who review there.

`copied` gives the same GitHub once more, so that a test can let something go wrong in one and not in the other.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from support import worlds
from support.crashes import Around
from support.github.git import Git
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_worlds import NAME, repository_of, session_of
from tidegate import bundled
from tidegate.adapters.git.remote import RemoteRepository
from tidegate.adapters.github import GitHubForge, Session, Token
from tidegate.adapters.github.transport import Reply
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.pin import Pin
from tidegate.reconcile import Ports
from tidegate.steps.desired import DesiredReader

FILES = {
    "tidegate.yaml": worlds.WORKSPACE,
    "models/digits/model.yaml": worlds.MANIFEST,
    "models/digits/training/train.py": "print('trained')\n",
}


class Hub(worlds.World):
    """One workspace with one model on GitHub, on one clock."""

    def __init__(self, folder: Path, github: FakeGitHub, clock: worlds.Clock, *, login: str | None = None) -> None:
        self._begin(folder, github, clock)
        self.token = Token(value=github.token(login)) if login else None
        self.service = worlds.Service()
        self.registry = worlds.Shelf()
        self.clone().commit(FILES, "a workspace", at=clock.at)
        self.clone().push("HEAD:main")
        self.metrics = worlds.Tape(self.service, clock)
        self.ports = self.connect()

    def _begin(self, folder: Path, github: FakeGitHub, clock: worlds.Clock) -> None:
        self.folder = folder
        self.github = github
        self.clock = clock
        self.bare = github.repository(NAME).path
        self._clone = None
        self._mirrors = 0
        self._first: Session | None = None

    def connect(self) -> Ports:
        """Fresh adapters with a fresh mirror, as a process on another machine has them."""
        session = self.session()
        return self.connected(session, repository_of(session, self.new_mirror()))

    def session(self) -> Session:
        """A session of its own; only the first one had to sign in, which costs five requests and a signature."""
        made = session_of(self.github, self.clock.now, self.token)
        if self._first is None:
            self._first = made
        elif self._first._account is not None:
            made._tokens, made._account = copy.copy(self._first._tokens), self._first._account
            if made._tokens is not None:
                made._tokens._now = self.clock.now
        return made

    def new_mirror(self) -> Path:
        self._mirrors += 1
        return self.folder / f"mirror-{self._mirrors}.git"

    def connected(self, session: Session, repository: RemoteRepository) -> Ports:
        return Ports(
            repository=repository,
            forge=GitHubForge(session, repository),
            registry=self.registry,
            metrics=self.metrics,
            targets={"file": FileTarget()},
            clock=self.clock,
            reader=DesiredReader(repository, bundled.schemas()),
        )

    @property
    def pulls(self) -> list[Pull]:
        return self.github.repository(NAME).pulls

    def approve(self, handle: str = "@dana") -> bool:
        """The person approves every open pull request at its head, once."""
        login = handle.removeprefix("@")
        open_ = [pull for pull in self.pulls if pull.state == "open"]
        for pull in open_:
            if not any(each.user.login == login and each.commit == pull.head_sha for each in pull.reviews):
                body = {"event": "APPROVE", "commit_id": pull.head_sha}
                asked(self.github, login, "POST", f"/pulls/{pull.number}/reviews", body)
        return bool(open_)


def asked(github: FakeGitHub, login: str, verb: str, path: str, body: object = None) -> requests.Response:
    """What a person does on GitHub; `path` is below the repository."""
    headers = {"Authorization": f"token {github.token(login, role='admin')}"}
    answer = requests.request(verb, f"{github.api_url}/repos/{NAME}{path}", json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer


def copied_github(github: FakeGitHub, folder: Path, clock: worlds.Clock) -> FakeGitHub:
    """The same GitHub at another address, with everything in it as it is now."""
    other = FakeGitHub(folder, now=clock.now)
    shutil.copytree(github.folder, folder, dirs_exist_ok=True)
    names = ("accounts", "apps", "credentials", "repositories", "everywhere", "teams", "_ids")
    state = copy.deepcopy({name: getattr(github, name) for name in names})
    for name, value in state.items():
        setattr(other, name, value)
    for full_name, repository in other.repositories.items():
        repository.git = Git(folder / f"{full_name}.git")
        repository.clone_url = f"{other.url}/{full_name}.git"
    return other


class CopiedHub(Hub):
    """A hub as another one is now, on a copy of its GitHub, with fresh adapters."""

    def __init__(self, hub: Hub, folder: Path, github: FakeGitHub, clock: worlds.Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._begin(folder, github, clock)
        self._first = hub._first
        self.token = hub.token
        self.service = copy.deepcopy(hub.service)
        self.registry = copy.deepcopy(hub.registry)
        self.metrics = worlds.Tape(self.service, clock)
        self.ports = self.connect()


class HandedSession(Session):
    """A session of which every HTTP request goes through `around`."""

    around: Around

    def _http(self, verb: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        reply: Reply = self.around(f"{verb} {path}", partial(super()._http, verb, path, headers, body))
        return reply


class HandedRepository(RemoteRepository):
    """A repository of which every command that talks to the server goes through `around`."""

    around: Around

    def _asked(self, *command: str, what: str) -> str:
        said: str = self.around(f"git {command[0]}", partial(super()._asked, *command, what=what))
        return said

    def _push(self, ref: str, expected: str | None, new: str | None) -> None:
        self.around("git push", partial(super()._push, ref, expected, new))


def handed_requests(hub: Hub, around: Around) -> Ports:
    """Fresh ports on a hub, as a process of its own has them, with every request to GitHub through `around`."""
    session = hub.session()
    session.__class__ = HandedSession
    assert isinstance(session, HandedSession)
    session.around = around
    repository = repository_of(session, hub.new_mirror())
    repository.__class__ = HandedRepository
    assert isinstance(repository, HandedRepository)
    repository.around = around
    return hub.connected(session, repository)


def is_write(name: str) -> bool:
    """Whether a request can have changed what others see: who dies before it left what the last such one left.

    An installation token, and objects that no ref names yet, are seen by nobody else.
    """
    reads = name.startswith(("GET ", "git ls-remote", "git fetch"))
    return not reads and not name.endswith(("/access_tokens", "/git/trees", "/git/commits"))


@dataclass(frozen=True)
class Seen:
    """What a hub has come to, without ids and dates: each transition once, whatever happened on the way."""

    pins: Mapping[str, Pin]
    pulls: tuple[str, ...]
    branches: tuple[str, ...]


def seen(hub: Hub) -> Seen:
    """Raises AssertionError where a transition has two pull requests, or a comment stands twice."""
    names = [pull.head_ref for pull in hub.pulls]
    assert len(set(names)) == len(names), f"more than one pull request for a transition: {names}"
    for pull in hub.pulls:
        # The record of a closing that died is no closing, and stays.
        bodies = [comment.body for comment in pull.comments if '"closes"' not in comment.body]
        assert len(set(bodies)) == len(bodies), bodies
    return Seen(
        pins={name: replace(hub.pin(name), policy=None, transition=None) for name in ("staging", "production")},
        pulls=tuple(f"{_kind(pull.head_ref)} {_state(hub, pull)}" for pull in hub.pulls),
        branches=tuple(sorted(_kind(name) for name in hub.github.repository(NAME).git.branches() if name != "main")),
    )


def _kind(branch: str) -> str:
    return branch.rpartition("-")[0]


def _state(hub: Hub, pull: Pull) -> str:
    if pull.merged:
        return "merged"
    runs = [run for run in hub.github.repository(NAME).checks if run.sha == pull.head_sha]
    return f"{pull.state}, {runs[-1].conclusion if runs else 'unchecked'}"
