"""The fake as a server: a thread that answers on a free loopback port, and what a test sees of it.

    with FakeGitHub(folder) as github:
        repository = github.repository("acme/models")
        requests.get(f"{github.api_url}/repos/acme/models", headers={"Authorization": f"token {github.token('dana')}"})

Addresses are those of GitHub Enterprise Server: `/api/v3`, `/api/graphql`, `/owner/name.git`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

from support.github import access, dispatch, git_http
from support.github.faults import Cut, Fault, Kind
from support.github.routing import Answer, Links
from support.github.transport import Incoming, Server
from support.github.webhooks import Hook, Webhooks
from support.github.world import World, real_time

_API = "/api/v3"
_GRAPHQL = "/api/graphql"
_GIT = re.compile(r"^/(?P<repository>[^/]+/[^/]+?)\.git(?P<path>/(info/refs|git-upload-pack|git-receive-pack|HEAD))$")


class Violation(AssertionError):
    """The fake took or gave something that GitHub's description does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request that the fake answered; status 0 where the connection was cut."""

    method: str
    path: str
    """Below /api/v3, or the whole path of a git or GraphQL request."""
    query: str
    status: int
    login: str


class FakeGitHub(World):
    """A GitHub in a thread. Leaving the `with` raises Violation if the description was violated."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = real_time, *, port: int = 0) -> None:
        super().__init__(folder, now)
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.on_call: Callable[[int, str, str], None] | None = None
        """Called before each call with its number since start, method and path; raising Cut cuts the connection."""
        self._cut_from: tuple[int, bool] | None = None
        self._number = 0
        self.webhooks = Webhooks(self)
        self._server = Server(port, self.handle, self.violations)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api_url = self.url + _API
        self.graphql_url = self.url + _GRAPHQL
        self.links = Links(api=self.api_url, html=self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.webhooks.stop()
        if self.violations and error[0] is None:
            raise Violation("\n".join(self.violations))

    def forget_calls(self) -> None:
        self.calls.clear()

    def fault(
        self,
        method: str,
        pattern: str,
        kind: Kind,
        times: int = 1,
        *,
        status: int = 502,
        message: str = "",
        retry_after: int | None = None,
        seconds: float = 0.0,
    ) -> Fault:
        """From now on the next `times` calls whose path matches the pattern go wrong in this way.

        `method` is "GET" and so on, "GIT" for git over HTTP, "*" for all.
        """
        made = Fault(
            method=method,
            pattern=re.compile(pattern),
            kind=kind,
            times=times,
            status=status,
            message=message,
            retry_after=retry_after,
            seconds=seconds,
        )
        self.faults.append(made)
        return made

    def subscribe(self, url: str, secret: str, events: frozenset[str] | None = None) -> Hook:
        """Send webhooks to this address from now on."""
        return self.webhooks.subscribe(url, secret, events)

    def deliver_pending(self) -> None:
        """Wait until every webhook of what happened so far was sent."""
        self.webhooks.wait()

    def unknown_mergeability(self, repository: str, number: int, reads: int) -> None:
        """`mergeable` stays null for so many more reads of this pull request."""
        pull = next(p for p in self.repositories[repository.lower()].pulls if p.number == number)
        pull.unknown_reads = reads
        pull.judged = pull.mergeable = None

    def cut_from(self, nth: int, *, after_work: bool = False) -> None:
        """From the nth call (1 is the next) on nobody gets an answer: the caller is dead to the world.

        With `after_work` the nth call still does its work; later ones do nothing.
        """
        with self.lock:
            self._cut_from = (self._number + nth, after_work)

    def mend(self) -> None:
        """Answer again, and forget faults that were dialled in."""
        with self.lock:
            self._cut_from = None
            self.faults.clear()

    def handle(self, incoming: Incoming) -> Answer:
        """Answer one HTTP request. Raises Cut where no answer may be sent."""
        with self.lock:
            self._number += 1
            number = self._number
        method = "GIT" if _GIT.match(incoming.path) else incoming.method
        try:
            self._check_cut(number, method, incoming.path)
            fault = self._fault(method, incoming.path)
            given = self._with_fault(fault, incoming) if fault else self._answer(incoming)
            if self._cut_from and number >= self._cut_from[0]:
                raise Cut
        except Cut:
            self._record(incoming, 0)
            raise
        self._record(incoming, given.status)
        return given

    def _check_cut(self, number: int, method: str, path: str) -> None:
        if self.on_call is not None:
            self.on_call(number, method, path)
        if self._cut_from is None:
            return
        first, after_work = self._cut_from
        if number > first or (number == first and not after_work):
            raise Cut

    def _fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            found = next((fault for fault in self.faults if fault.fits(method, path)), None)
            if found is not None:
                found.times -= 1
            return found

    def _with_fault(self, fault: Fault, incoming: Incoming) -> Answer:
        match fault.kind:
            case "before" | "html" | "secondary-limit":
                return fault.error()
            case "after":
                self._answer(incoming)
                return fault.error()
            case "cut-before":
                raise Cut
            case "cut-after":
                self._answer(incoming)
                raise Cut
            case "slow":
                given = self._answer(incoming)
                time.sleep(fault.seconds)
                return given
            case "stale":
                return fault.kept.setdefault(incoming.target, self._answer(incoming))
            case "primary-limit":
                return self._exhausted(incoming)

    def _exhausted(self, incoming: Incoming) -> Answer:
        with self.lock:
            self.limits.exhaust(access.credential_of(self, incoming.headers))
        return self._answer(incoming)

    def _answer(self, incoming: Incoming) -> Answer:
        if match := _GIT.match(incoming.path):
            call = git_http.GitCall(
                method=incoming.method,
                repository=match["repository"],
                path=match["path"],
                query=incoming.query,
                headers=incoming.headers,
                body=incoming.body,
            )
            return git_http.serve(self, call)
        with self.lock:
            return self._api(incoming)

    def _api(self, incoming: Incoming) -> Answer:
        if incoming.path != _GRAPHQL and not incoming.path.startswith(f"{_API}/"):
            return Answer(status=404, body={"message": "Not Found"})
        path = incoming.path.removeprefix("/api" if incoming.path == _GRAPHQL else _API)
        query = dict(parse_qsl(incoming.query, keep_blank_values=True))
        request = dispatch.new_request(self, incoming.method, path, query, incoming.headers)
        return dispatch.answer(self, request, incoming.body)

    def _record(self, incoming: Incoming, status: int) -> None:
        path = incoming.path.removeprefix(_API)
        login = ""
        with self.lock:
            with suppress(Exception):
                account = access.peek(self, incoming.headers)
                login = account.login if account else ""
            self.calls.append(Call(method=incoming.method, path=path, query=incoming.query, status=status, login=login))
