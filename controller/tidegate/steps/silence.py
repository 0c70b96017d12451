"""Prometheus for a run that asks it many things: once it is gone it is asked no more, and the run can say so."""

from __future__ import annotations

from datetime import datetime, timedelta

from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.ports import Metrics


class UntilSilent:
    """The same answers, until it is gone. `silence` is the first time that it did not answer.

    One question may have been too heavy for it: only where it does not even tell its time it counts as gone.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._gone: Unread | None = None
        self.silence: Unread | None = None

    def now(self) -> datetime | Unread:
        if self._gone is not None:
            return self._gone
        answer = self._metrics.now()
        if isinstance(answer, Unread) and answer.why is Why.UNREACHABLE:
            self._gone = answer
            self.silence = self.silence or answer
        return answer

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self._gone or self._heard(self._metrics.samples(selector, start, end))

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self._gone or self._heard(self._metrics.answers(expression, start, end, step))

    def _heard(self, answer: Sampled | Unread) -> Sampled | Unread:
        if isinstance(answer, Unread) and answer.why is Why.UNREACHABLE:
            self.silence = self.silence or answer
            self.now()
        return answer
