"""What was said over time, as spans: ticks in a row of which the same is said, whatever figures their reasons held."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.core.outcome import Decision, Hold, Nothing
from tidegate.core.replay.report import Span, State
from tidegate.core.transition import Transition

WENT_ON = "the replay has gone on"

_FIGURE = re.compile(r"\d+(?:\.\d+)?(?:%|(?:ms|[smhdw])\b)?(?:\d+(?:ms|[smhdw])\b)*")


class Spans:
    """The spans of one stretch of time, while it is walked through tick by tick."""

    def __init__(self, step: timedelta, until: datetime) -> None:
        self._step, self._until = step, until
        self.found: list[Span] = []

    def told(self, decision: Decision, at: datetime) -> None:
        """One more tick."""
        state, words = said(decision)
        cause = cause_of(words)
        until = min(at + self._step, self._until)
        last = self.found[-1] if self.found else None
        if last is not None and (last.state, last.cause) == (state, cause):
            self.found[-1] = replace(last, until=until, ticks=last.ticks + 1)
        else:
            self.found.append(Span(since=at, until=until, ticks=1, state=state, cause=cause, words=words))

    def unknown_from(self, at: datetime) -> None:
        """From here to the end of the stretch nobody knows."""
        if at < self._until:
            ticks = -((at - self._until) // self._step)
            self.found.append(
                Span(since=at, until=self._until, ticks=ticks, state=State.UNKNOWN, cause=WENT_ON, words=WENT_ON)
            )


def said(decision: Decision) -> tuple[State, str]:
    """What a decision comes to while nothing changes, and the words for it."""
    match decision:
        case Nothing():
            return State.NOTHING, decision.note or State.NOTHING.value
        case Hold(unknown=True):
            return State.UNREAD, decision.reason
        case Hold():
            return State.HELD, decision.reason
        case Transition():
            return State.ASKED, f"waits for a person to approve: {decision.kind.value}"


def cause_of(words: str) -> str:
    """A reason without its figures and what follows its first clause, so that ticks can be counted together."""
    parts = words.partition(";")[0].split(": ")
    kept = parts[:2] if "cannot observe" in parts[0] or "waits for" in parts[0] else parts[:1]
    return _FIGURE.sub("…", ": ".join(kept))
