"""What was said over time, as spans: ticks in a row of which the same is said, whatever figures their reasons held."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
        self._closed: list[Span] = []
        self._open: Span | None = None
        self._ticks, self._at = 0, until
        self._words = ""

    @property
    def found(self) -> list[Span]:
        """Everything so far, oldest first."""
        return [*self._closed, *self._under_way()]

    def _under_way(self) -> Iterator[Span]:
        if self._open is not None:
            until = min(self._at + self._step, self._until)
            yield replace(self._open, until=until, ticks=self._ticks)

    def _close(self) -> None:
        self._closed += self._under_way()
        self._open, self._ticks = None, 0

    def told(self, decision: Decision, at: datetime) -> None:
        """One more tick."""
        state, words = said(decision)
        if self._open is None or not self._goes_on(self._open, state, words):
            self._close()
            self._open = Span(since=at, until=at, ticks=0, state=state, cause=cause_of(words), words=words)
        self._words, self._at = words, at
        self._ticks += 1

    def _goes_on(self, span: Span, state: State, words: str) -> bool:
        return span.state is state and (words == self._words or cause_of(words) == span.cause)

    def unknown_from(self, at: datetime) -> None:
        """From here to the end of the stretch nobody knows."""
        self._close()
        if at < self._until:
            ticks = -((at - self._until) // self._step)
            self._closed.append(
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
