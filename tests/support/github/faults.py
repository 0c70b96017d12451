"""Faults that a test dials in: what goes wrong, at which calls, how often."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from support.github.routing import Answer

Kind = Literal[
    "before", "after", "cut-before", "cut-after", "html", "slow", "stale", "primary-limit", "secondary-limit"
]
"""`before`: an error instead of the work. `after`: an error though the work was done. `cut-…`: no answer at all.
`stale`: the answer that this GET gave the first time since the fault was dialled in."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, for the next `times` calls that fit."""

    method: str
    pattern: re.Pattern[str]
    kind: Kind
    times: int
    status: int = 502
    message: str = ""
    retry_after: int | None = None
    seconds: float = 0.0
    kept: dict[str, Answer] = field(default_factory=dict)
    done: Callable[[], None] | None = None

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in {"*", method} and self.pattern.search(path) is not None

    def error(self) -> Answer:
        """The answer in place of the true one."""
        if self.kind == "html":
            page = b"<html><body><h1>Unicorn!</h1></body></html>"
            return Answer(status=self.status, raw=page, headers={"Content-Type": "text/html"})
        if self.kind == "secondary-limit":
            text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
            return Answer(status=self.status, body={"message": self.message or text}, headers=headers)
        return Answer(status=self.status, body={"message": self.message or "Server Error"})


class Cut(Exception):
    """The connection ends here, without an answer."""
