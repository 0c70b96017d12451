"""A whole workspace on the fake GitHub: what `worlds.World` is on the local forge, with people who review there.

Not here: the same world once more, so that something can go wrong in one and not in the other (github_stills.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from support import worlds
from support.crashes import Around
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_worlds import NAME, repository_of, session_of
from tidegate import bundled
from tidegate.adapters.git.remote import RemoteRepository
from tidegate.adapters.github import GitHubForge, Session, Token
from tidegate.adapters.github.transport import Reply
from tidegate.adapters.memory import FolderMemory
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
        self.machine = folder / "machine"
        self.github = github
        self.clock = clock
        self.bare = github.repository(NAME).path
        self._clone = None
        self._mirrors = 0

    def connect(self) -> Ports:
        """Fresh adapters with a fresh mirror, as a process on another machine has them."""
        session = self.session()
        return self.connected(session, repository_of(session, self.new_mirror()))

    def process(self) -> Ports:
        """Fresh adapters on the controller's machine: they find the files that the process before them left there."""
        session = self.session(FolderMemory(self.machine / "memory"))
        return self.connected(session, repository_of(session, self.machine / "mirror.git"))

    def session(self, memory: FolderMemory | None = None) -> Session:
        return session_of(self.github, self.clock.now, self.token, memory)

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

    def show(self, path: str) -> str | None:
        """What main says now, read where GitHub has it: to look changes nothing on the controller's machine."""
        git = self.github.repository(NAME).git
        main = git.branch("main")
        found = git.lookup(main, path) if main else None
        return git.blob(found.sha).decode() if found else None

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
