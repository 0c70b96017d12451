"""The two clocks of a pass: samples are judged by Prometheus', what stands in git is by ours.

How far they may be apart is said by whoever asks; what a reading says by either is not here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.quantity import show_duration
from tidegate.ports import Clock, Metrics


class Timed:
    """`ports.Metrics` that asks for Prometheus' time once, and reads our clock beside it: a pass may take long."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics, self._clock = metrics, clock
        self._now: datetime | Unread | None = None
        self._apart = timedelta(0)

    def now(self) -> datetime | Unread:
        if self._now is None:
            self._now = self._metrics.now()
            if isinstance(self._now, datetime):
                self._apart = abs(self._now - self._clock.now())
        return self._now

    def agreed(self, allowed: timedelta) -> datetime | Unread:
        """Prometheus' time, unless ours is further from it: then nothing is told from both (I3)."""
        now = self.now()
        if isinstance(now, Unread) or self._apart <= allowed:
            return now
        return Unread(why=Why.ERROR, words=f"its clock and ours are {show_duration(self._apart)} apart")

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self._metrics.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self._metrics.answers(expression, start, end, step)
