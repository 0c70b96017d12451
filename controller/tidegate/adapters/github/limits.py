"""What we may ask of GitHub when: pauses that it asked for, and a budget of our own below what it allows.

Nobody sleeps here. A pause is remembered beyond the process, so that the next pass does not ask again too early.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tidegate.errors import OutsideSystem

# "No more than 80 content-generating requests per minute and no more than 500 per hour" (GitHub's REST docs, rate
# limits). We stay below, so that people and workflows with the same account have something left, and what is urgent.
_WRITES = ((timedelta(minutes=1), 60), (timedelta(hours=1), 400))
_URGENT = ((timedelta(minutes=1), 75), (timedelta(hours=1), 480))
# A proposal costs about ten writes; one that takes more in an hour is written in a circle.
_OF_ONE = (timedelta(hours=1), 60)
_LONGEST = timedelta(hours=1)
"""The primary limit is reset each hour. What would be longer comes of a wrong clock, or of a broken answer."""
_UNTOLD = timedelta(minutes=1)
"""For a secondary limit without Retry-After: "wait for at least one minute" (the same page)."""
_RESERVE = 5
"""One request in so many of an hour is kept for what must not wait: a step of a rollout takes about fifteen."""
_SECONDARY = ("secondary rate limit", "abuse detection", "submitted too quickly")


class Memory(Protocol):
    """What may be forgotten at any time, by name."""

    def recall(self, name: str) -> bytes | None: ...
    def keep(self, name: str, content: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of the hour's requests."""

    remaining: int
    limit: int
    reset: datetime


class Limits:
    """Pauses and budgets of one account on one GitHub."""

    def __init__(self, name: str, now: Callable[[], datetime], memory: Memory | None) -> None:
        self._name = name
        self._now = now
        self._memory = memory
        self._until: datetime | None = self._recalled()
        self._writes: deque[datetime] = deque()
        self._of: dict[str, deque[datetime]] = {}
        self._totals = _WRITES
        self._left: _Left | None = None
        self._sparing = False

    def _recalled(self) -> datetime | None:
        text = self._memory.recall(self._name) if self._memory else None
        try:
            found = datetime.fromisoformat(text.decode()) if text else None
        except ValueError:
            return None
        return found if found is not None and found.tzinfo is not None else None

    @contextmanager
    def urgently(self) -> Iterator[None]:
        """Within it, the share of the budget that is kept for what is urgent may be used."""
        self._totals = _URGENT
        try:
            yield
        finally:
            self._totals = _WRITES

    @contextmanager
    def sparingly(self) -> Iterator[None]:
        """Within it, the requests that are kept for what is urgent are left."""
        self._sparing = True
        try:
            yield
        finally:
            self._sparing = False

    def note(self, headers: Mapping[str, str]) -> None:
        """Take down what an answer says is left of the hour. GraphQL has a limit of its own."""
        if headers.get("x-ratelimit-resource") == "core":
            told = [_seconds(headers.get(f"x-ratelimit-{name}")) for name in ("remaining", "limit", "reset")]
            remaining, limit, reset = told
            if remaining is not None and limit is not None and reset is not None:
                self._left = _Left(remaining, limit, datetime.fromtimestamp(reset, UTC))

    def require(self, who: str) -> None:
        """Raises OutsideSystem while GitHub wants to be left alone, or must be left to what is urgent."""
        now, left = self._now(), self._left
        if self._sparing and left is not None and now < left.reset and left.remaining * _RESERVE < left.limit:
            told = f"{left.remaining} of {left.limit} requests are left until {_shown(left.reset)}"
            raise OutsideSystem(f"{who}: {told}; they are kept for reverts, a later pass goes on")
        if self._until is not None and now < self._until <= now + _LONGEST:
            raise OutsideSystem(f"{who} asked for a pause until {_shown(self._until)}; the pass after that goes on")

    def spend(self, who: str, subject: str) -> None:
        """Count one write. Raises OutsideSystem when the budget is used up, of all writes or of the subject's own.

        `subject` is what is written to; "" where that is nothing which another pass would write to again.
        """
        now = self._now()
        for span, most in self._totals:
            _room(self._writes, now, span, most, f"{who} got {most} writes from us")
        if subject:
            of_one = self._of.setdefault(subject, deque())
            _room(of_one, now, *_OF_ONE, f"{who}: {subject} was written {_OF_ONE[1]} times")
            of_one.append(now)
        self._writes.append(now)

    def heed(self, status: int, headers: Mapping[str, str], message: str) -> datetime | None:
        """Until when an answer asks us to pause; None when it does not."""
        if status not in (403, 429):
            return None
        until = self._asked_for(status, headers, message)
        if until is not None:
            self._until = until
            if self._memory is not None:
                self._memory.keep(self._name, until.isoformat().encode())
        return until

    def _asked_for(self, status: int, headers: Mapping[str, str], message: str) -> datetime | None:
        now = self._now()
        if (seconds := _seconds(headers.get("retry-after"))) is not None:
            return now + min(timedelta(seconds=seconds), _LONGEST)
        used_up = headers.get("x-ratelimit-remaining") == "0"
        if used_up and (reset := _seconds(headers.get("x-ratelimit-reset"))) is not None:
            return min(max(datetime.fromtimestamp(reset, UTC), now + timedelta(seconds=1)), now + _LONGEST)
        limited = used_up or status == 429 or any(words in message.lower() for words in _SECONDARY)
        return now + _UNTOLD if limited else None


def _seconds(text: str | None) -> int | None:
    """A header's number of seconds; None for what no clock could mean."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,10}", text) else None


def _room(spent: deque[datetime], now: datetime, span: timedelta, most: int, what: str) -> None:
    while spent and spent[0] <= now - timedelta(hours=1):
        spent.popleft()
    inside = [at for at in spent if at > now - span]
    if len(inside) >= most:
        raise OutsideSystem(f"{what} since {_shown(inside[0])}, which is our budget; a later pass goes on")


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
