"""A Prometheus that stops answering in the middle of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from support.worlds import START, Clock, Service, Tape
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.steps.silence import UntilSilent

GONE = Unread(why=Why.UNREACHABLE, words="connection refused")
SLOW = Unread(why=Why.UNREACHABLE, words="no answer within 10 s")
WRONG = Unread(why=Why.ERROR, words="parse error")
WHEN = (START, START + timedelta(hours=1))


@dataclass
class Counted(Tape):
    """Counts its questions; `heavy` is what it says to one that is too much for it."""

    questions: int = 0
    heavy: Unread | None = None

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.questions += 1
        return self.heavy or super().samples(selector, start, end)


def counted(unread: Unread | None = None, heavy: Unread | None = None) -> Counted:
    return Counted(Service(), Clock(), unread, heavy=heavy)


def test_what_is_gone_is_asked_no_more_and_says_why_for_good() -> None:
    server = counted(unread=GONE)
    metrics = UntilSilent(server)
    told = [metrics.samples("up", *WHEN), metrics.answers("up", *WHEN, timedelta(minutes=1)), metrics.now()]
    assert told == [GONE, GONE, GONE]
    assert (server.questions, metrics.silence) == (1, GONE)


def test_it_is_not_asked_again_after_it_came_back() -> None:
    """Half a run by what was read and half by what was not would be told as one."""
    server = counted(unread=GONE)
    metrics = UntilSilent(server)
    assert metrics.now() == GONE
    server.unread = None
    assert metrics.samples("up", *WHEN) == GONE


def test_one_question_that_is_too_heavy_costs_that_answer_alone() -> None:
    server = counted(heavy=SLOW)
    metrics = UntilSilent(server)
    assert metrics.samples("up", *WHEN) == SLOW
    server.heavy = None
    assert isinstance(metrics.samples("up", *WHEN), Sampled)
    assert metrics.silence == SLOW


def test_an_answer_that_says_no_is_no_silence() -> None:
    metrics = UntilSilent(counted(heavy=WRONG))
    assert (metrics.samples("up", *WHEN), metrics.silence) == (WRONG, None)
    assert metrics.now() == START
