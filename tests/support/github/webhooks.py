"""Webhooks: what happened, told to subscribers by signed POSTs, in order, on a thread of its own.

A test may lose deliveries or send them twice, and waits for all with `deliver_pending()`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from support.github.accounts import simple_user
from support.github.pulls import full as pull_shown
from support.github.repositories import shown as repository_shown
from support.github.state import Json, Pull, QueueEntry, Repository
from support.github.world import Event, World

_TIMEOUT = 10.0


@dataclass(slots=True, kw_only=True)
class Hook:
    """Who is told of what. `drop` and `repeat` count down: the next so many deliveries are lost, or sent twice."""

    url: str
    secret: str
    events: frozenset[str] | None = None
    drop: int = 0
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST that was sent, and what came back (0: nobody there)."""

    id: str
    event: str
    payload: Json
    status: int


class Webhooks:
    """The subscribers of a fake, and what was sent to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pending: queue.Queue[tuple[Hook, str, bytes, str] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.hooks: list[Hook] = []
        self.deliveries: list[Delivery] = []
        world.subscribers.append(self._tell)

    def subscribe(self, url: str, secret: str, events: frozenset[str] | None = None) -> Hook:
        """Tell this address of these events (all if not said) from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        hook = Hook(url=url, secret=secret, events=events)
        self.hooks.append(hook)
        return hook

    def wait(self) -> None:
        """Until everything told so far was sent."""
        self._pending.join()

    def stop(self) -> None:
        if self._thread is not None:
            self._pending.put(None)
            self._thread.join()
            self._thread = None

    def _tell(self, event: Event) -> None:
        for hook in self.hooks:
            if hook.events is not None and event.name not in hook.events:
                continue
            if hook.drop > 0:
                hook.drop -= 1
                continue
            twice = hook.repeat > 0
            hook.repeat -= twice
            body = json.dumps(payload_of(self._world, event)).encode()
            delivery = str(uuid.uuid4())
            for _ in range(1 + twice):
                self._pending.put((hook, event.name, body, delivery))

    def _work(self) -> None:
        while (item := self._pending.get()) is not None:
            hook, name, body, delivery = item
            try:
                status = _post(hook, name, body, delivery)
                sent = Delivery(id=delivery, event=name, payload=json.loads(body), status=status)
                self.deliveries.append(sent)
            finally:
                self._pending.task_done()
        self._pending.task_done()


def _post(hook: Hook, name: str, body: bytes, delivery: str) -> int:
    signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/fake",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": name,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    request = Request(hook.url, data=body, headers=headers)
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_TIMEOUT) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


def payload_of(world: World, event: Event) -> Json:
    """The event in GitHub's words, as of now."""
    body: Json = {name: _worded(world, event.repository, value) for name, value in event.payload.items()}
    if isinstance(event.payload.get("pull_request"), Pull):
        body.setdefault("number", event.payload["pull_request"].number)
    body["repository"] = repository_shown(event.repository, world.links)
    body["organization"] = {"login": event.repository.owner.login, "id": event.repository.owner.id}
    if event.sender is not None:
        body["sender"] = simple_user(event.sender, world.links)
    return body


def _worded(world: World, repository: Repository, value: Any) -> Any:
    match value:
        case Pull():
            return pull_shown(world, value, repository, world.links)
        case QueueEntry():
            return {
                "head_sha": value.group,
                "head_ref": f"refs/heads/{value.branch}",
                "base_sha": value.base,
                "base_ref": f"refs/heads/{value.pull.base_ref}",
            }
        case _:
            return value
