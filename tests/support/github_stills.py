"""A world on GitHub held still: everything that outlives a process, to be had again as often as a test likes.

That is what GitHub and the registry know, what the service counted, and the files on the controller's machine.
What a process knew is lost, as it is when the process dies.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from support import worlds
from support.crashes import Around
from support.github.git import Git
from support.github.routing import Answer
from support.github.server import FakeGitHub
from support.github.transport import Incoming
from support.github_hub import Hub
from tidegate.adapters.github import Token

_GITHUB = ("accounts", "apps", "credentials", "repositories", "everywhere", "teams", "_ids")


class HandedGitHub(FakeGitHub):
    """A GitHub of which every request goes through `around` as it comes in."""

    around: Around | None = None

    def handle(self, incoming: Incoming) -> Answer:
        call = partial(super().handle, incoming)
        if self.around is None:
            return call()
        answer: Answer = self.around(f"{incoming.method} {incoming.path}", call)
        return answer


_Rest = tuple[Token | None, worlds.Service, worlds.Shelf]
"""What a hub holds beside GitHub and files: its token, the service and the registry."""


class HandedHub(Hub):
    """A hub as it was when it was held still. Its ports are those of a process that starts there now."""

    github: HandedGitHub

    def __init__(self, folder: Path, github: HandedGitHub, clock: worlds.Clock, rest: _Rest) -> None:
        self._begin(folder, github, clock)
        self.token, self.service, self.registry = rest
        self.metrics = worlds.Tape(self.service, clock)
        self.ports = self.process()


@dataclass(frozen=True)
class Still:
    """A world at an instant."""

    folder: Path
    clock: worlds.Clock
    state: bytes
    memories: Mapping[str, Mapping[object, object]]
    """What the fake remembers of git's objects, which do not change."""

    @classmethod
    def of(cls, hub: Hub, folder: Path) -> Still:
        _copy(hub.github.folder, folder / "github")
        _copy(hub.machine, folder / "machine")
        memories = {name: dict(repository.git.memory) for name, repository in hub.github.repositories.items()}
        return cls(folder=folder, clock=worlds.Clock(hub.clock.at), state=_state(hub), memories=memories)

    @contextmanager
    def again(self, folder: Path, *, same_machine: bool = True) -> Iterator[HandedHub]:
        """The same world once more at another address; on another machine there is no file of the controller's yet.

        The folder is removed afterwards: a test has hundreds of them.
        """
        clock = worlds.Clock(self.clock.at)
        _copy(self.folder / "github", folder / "github")
        if same_machine:
            _copy(self.folder / "machine", folder / "machine")
        with HandedGitHub(folder / "github", now=clock.now) as github:
            rest = self._fill(github)
            yield HandedHub(folder, github, clock, rest)
        shutil.rmtree(folder)

    def _fill(self, github: FakeGitHub) -> _Rest:
        gits = {name: Git(github.folder / f"{name}.git") for name in self.memories}
        known, *rest = _Loading(self.state, gits).load()
        for name, value in known.items():
            setattr(github, name, value)
        for name, repository in github.repositories.items():
            repository.git.memory.update(self.memories[name])
            repository.clone_url = f"{github.url}/{repository.full_name}.git"
        token, service, registry = rest
        return token, service, registry


@dataclass
class Deaths:
    """The worlds that a process can leave behind by dying while it waits for an answer of GitHub.

    At each request twice: before it does anything, and when it is done and nobody has heard of it. A new process on
    another machine sees less of them. Where no byte of what it sees differs from an earlier moment, it does what it
    does after that one: the world is kept once, unless `every` moment is asked for.
    """

    hub: Hub
    folder: Path
    every: bool = False
    requests: int = 0
    found: dict[object, Death] = field(default_factory=dict)

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        self.requests += 1
        self._keep(f"before request {self.requests}, {name}")
        answer = call()
        self._keep(f"after request {self.requests}, {name}")
        return answer

    def _keep(self, moment: str) -> None:
        github, machine = fingerprints(self.hub)
        self._add((github, moment if self.every else machine), moment, same_machine=True)
        self._add(github, moment, same_machine=False)

    def _add(self, seen: object, moment: str, *, same_machine: bool) -> None:
        if seen not in self.found:
            still = Still.of(self.hub, self.folder / str(len(self.found)))
            self.found[seen] = Death(moment=moment, still=still, same_machine=same_machine)


@dataclass(frozen=True)
class Death:
    """A world that a process left behind, and whether the next one starts on the same machine."""

    moment: str
    still: Still
    same_machine: bool


def fingerprints(hub: Hub) -> tuple[str, str]:
    """What is the same as long as no byte changed: of what all see, and of the files on the controller's machine."""
    return _fingerprint(hub.github.folder, _state(hub)), _fingerprint(hub.machine, b"")


def _fingerprint(folder: Path, state: bytes) -> str:
    found = hashlib.sha256(state)
    for file in sorted(_files(folder)):
        content = b"" if _is_object(file) else Path(file).read_bytes()
        found.update(f"{file.removeprefix(str(folder))}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _files(folder: Path) -> list[str]:
    return [f"{parent}/{name}" for parent, _, names in os.walk(folder) for name in names]


def _is_object(file: str) -> bool:
    """Whether it is a file that git never writes to again: its name follows from what it holds."""
    return "/objects/" in file and "/tmp_" not in file


def _copy(source: Path, target: Path) -> None:
    """Objects are linked, which is quicker; git's samples of hooks are left out."""
    for parent, _, names in os.walk(source):
        made = f"{target}{parent.removeprefix(str(source))}"
        Path(made).mkdir(parents=True, exist_ok=True)
        for name in names:
            file = f"{parent}/{name}"
            if not name.endswith(".sample"):
                (os.link if _is_object(file) else shutil.copy)(file, f"{made}/{name}")


def _state(hub: Hub) -> bytes:
    """All that is in memory of a hub's world, without what follows from the files."""
    known = {name: getattr(hub.github, name) for name in _GITHUB}
    content = io.BytesIO()
    _Saving(content, pickle.HIGHEST_PROTOCOL).dump((known, hub.token, hub.service, hub.registry))
    return content.getvalue()


class _Saving(pickle.Pickler):
    def persistent_id(self, found: Any) -> str | None:
        return f"{found.path.parent.name}/{found.path.stem}" if isinstance(found, Git) else None


class _Loading(pickle.Unpickler):
    def __init__(self, state: bytes, gits: Mapping[str, Git]) -> None:
        super().__init__(io.BytesIO(state))
        self._gits = gits

    def persistent_load(self, name: str) -> Git:
        return self._gits[name]
