"""Pull requests from forks, which the fake itself does not have: their commits lie on no branch of the repository that
they are for, and GitHub tells another repository as their head's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.github.accounts import simple_user
from support.github.repositories import shown
from support.github.routing import Answer
from support.github.server import FakeGitHub
from support.github.state import Pull, Repository
from support.github.transport import Incoming
from support.repositories import Clone, Files, git

_PULLS = re.compile(r"/api/v3/repos/[^/]+/[^/]+/pulls(/\d+)?")
_BRANCH = "patch"


class GitHubWithForks(FakeGitHub):
    """A fake GitHub on which strangers propose changes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._forks: dict[int, Repository] = {}

    def forked(self, there: Repository, login: str) -> Clone:
        """A stranger's fork, and a clone of it at their desk."""
        fork = self.repository(f"{login}/models")
        git(fork.path, "fetch", "--quiet", str(there.path), "+refs/heads/main:refs/heads/main")
        clone = Clone.of(fork.path, self.folder / f"{login}-desk")
        clone.checkout(_BRANCH, new=True)
        return clone

    def proposed(self, there: Repository, login: str, title: str) -> int:
        """The stranger opens a pull request from the branch of their fork; its number."""
        number = there.next_number()
        self._forks[number] = self.repository(f"{login}/models")
        head = self._fetched(there, number)
        there.issues[number] = Pull(
            id=self.next_id(), number=number, user=self.account(login), title=title, body=None, created_at=self.now(),
            updated_at=self.now(), head_ref=_BRANCH, head_sha=head, base_ref="main",
            base_sha=git(there.path, "merge-base", "main", head),
        )  # fmt: skip
        return number

    def pushed(self, there: Repository, number: int, clone: Clone, files: Files) -> None:
        """The stranger pushes one more commit to the pull request."""
        clone.commit(files)
        clone.push()
        pull = there.issues[number]
        assert isinstance(pull, Pull)
        pull.head_sha = self._fetched(there, number)

    def _fetched(self, there: Repository, number: int) -> str:
        ref = f"refs/pull/{number}/head"
        git(there.path, "fetch", "--quiet", str(self._forks[number].path), f"+refs/heads/{_BRANCH}:{ref}")
        return git(there.path, "rev-parse", ref)

    def handle(self, incoming: Incoming) -> Answer:
        """As the fake answers, with whose a head is."""
        given = super().handle(incoming)
        if _PULLS.fullmatch(incoming.path):
            for pull in _listed(given.body):
                self._tell_head(pull)
            given.raw = None if given.raw is None else json.dumps(given.body).encode()
        return given

    def _tell_head(self, pull: dict[str, Any]) -> None:
        fork = self._forks.get(pull.get("number", 0))
        if fork is not None:
            owner = {"user": simple_user(fork.owner, self.links), "label": f"{fork.owner.login}:{_BRANCH}"}
            pull["head"] |= {**owner, "repo": shown(fork, self.links)}


def _listed(body: Any) -> Iterator[dict[str, Any]]:
    """The pull requests of an answer: a list, one alone, or none where there is no answer."""
    yield from body if isinstance(body, list) else [body] if isinstance(body, dict) else []
