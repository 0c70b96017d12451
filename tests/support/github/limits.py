"""The primary rate limit: so many requests an hour for each credential, counted down in every answer's headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from support.github.routing import Refused
from support.github.state import Credential, Json

_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Window:
    """The hour that is running for one credential."""

    limit: int
    used: int
    reset: datetime


class Limits:
    """How much each credential has used."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._windows: dict[tuple[str, str], Window] = {}
        self.per_hour = {"core": 5000, "graphql": 5000}

    def window(self, credential: Credential, resource: str = "core") -> Window:
        now = self._now()
        key = (credential.key, resource)
        limit = 60 if credential.kind == "anonymous" else self.per_hour[resource]
        found = self._windows.get(key)
        if found is None or found.reset <= now:
            found = self._windows[key] = Window(limit, 0, now + _HOUR)
        return found

    def exhaust(self, credential: Credential, resource: str = "core") -> None:
        window = self.window(credential, resource)
        window.used = window.limit

    def demand(self, credential: Credential, resource: str) -> None:
        """403 with GitHub's words when nothing is left."""
        window = self.window(credential, resource)
        if window.used >= window.limit:
            who = f"installation ID {credential.app.installation_id}" if credential.app else "user ID 1"
            raise Refused(403, f"API rate limit exceeded for {who}.")

    def count(self, credential: Credential, resource: str) -> None:
        window = self.window(credential, resource)
        window.used = min(window.used + 1, window.limit)

    def headers(self, credential: Credential, resource: str) -> dict[str, str]:
        window = self.window(credential, resource)
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.limit - window.used),
            "X-RateLimit-Reset": str(int(window.reset.timestamp())),
            "X-RateLimit-Resource": resource,
            "X-RateLimit-Used": str(window.used),
        }

    def shown(self, credential: Credential, resource: str) -> Json:
        window = self.window(credential, resource)
        return {
            "limit": window.limit,
            "remaining": window.limit - window.used,
            "reset": int(window.reset.timestamp()),
            "used": window.used,
        }
