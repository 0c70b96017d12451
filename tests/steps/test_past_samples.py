"""What was asked for a longer time is not asked again, and a part of it is what Prometheus would answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.steps.past_samples import PastSamples

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
NOW = EPOCH + DAY
GONE = Unread(why=Why.UNREACHABLE, words="gone")


@dataclass
class Counted:
    """A Metrics with one counter that is scraped at these minutes; `asked` is how often it was asked."""

    minutes: tuple[int, ...] = tuple(range(60))
    gone: bool = False
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.asked.append((start, end))
        return GONE if self.gone else self._between(start + timedelta(microseconds=1), start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append((start, end))
        return GONE if self.gone else self._between(start, start, end)

    def _between(self, first: datetime, start: datetime, end: datetime) -> Sampled:
        at = (EPOCH + minute * MINUTE for minute in self.minutes)
        samples = tuple((each.timestamp(), float("nan")) for each in at if first <= each <= end)
        return Sampled(series=(Series(labels={}, samples=samples),) if samples else (), start=start, end=end)


def times(read: Sampled | Unread) -> list[float]:
    assert isinstance(read, Sampled)
    return [at for series in read.series for at, _ in series.samples]


def past(metrics: Counted) -> PastSamples:
    return PastSamples(metrics=metrics, ends=NOW)


@given(
    st.sets(st.integers(min_value=0, max_value=59)),
    st.lists(st.integers(min_value=0, max_value=59), min_size=2, max_size=2),
)
def test_a_part_is_what_would_have_been_answered(minutes: set[int], edges: list[int]) -> None:
    metrics = Counted(tuple(sorted(minutes)))
    whole = past(metrics)
    whole.samples("x", EPOCH, EPOCH + 60 * MINUTE)
    whole.answers("x", EPOCH, EPOCH + 60 * MINUTE, MINUTE)
    start, end = (EPOCH + edge * MINUTE for edge in sorted(edges))
    assert len(metrics.asked) == 2
    assert times(whole.samples("x", start, end)) == times(Counted(metrics.minutes).samples("x", start, end))
    assert times(whole.answers("x", start, end, MINUTE)) == times(
        Counted(metrics.minutes).answers("x", start, end, MINUTE)
    )
    assert len(metrics.asked) == 2


def test_what_reaches_further_is_asked() -> None:
    metrics = Counted()
    whole = past(metrics)
    for minutes in (10, 5, 11, 10):
        whole.samples("x", EPOCH, EPOCH + minutes * MINUTE)
    assert [(end - EPOCH) // MINUTE for _, end in metrics.asked] == [10, 11]


def test_another_text_or_another_step_is_another_question() -> None:
    metrics = Counted()
    whole = past(metrics)
    whole.answers("x", EPOCH, EPOCH + 10 * MINUTE, MINUTE)
    whole.answers("y", EPOCH, EPOCH + 10 * MINUTE, MINUTE)
    whole.answers("x", EPOCH, EPOCH + 10 * MINUTE, 5 * MINUTE)
    assert len(metrics.asked) == 3


def test_who_asks_again_for_later_instants_has_them_read_at_once() -> None:
    metrics = Counted()
    whole = past(metrics)
    for minute in range(10, 40):
        at = EPOCH + minute * MINUTE
        read = whole.by(at, ahead=EPOCH + 40 * MINUTE + 30 * SECOND).answers("x", EPOCH, at, MINUTE)
        assert times(read)[-1] == at.timestamp()
    assert metrics.asked == [(EPOCH, EPOCH + 40 * MINUTE)]


def test_a_server_that_did_not_answer_is_not_asked_for_a_part_of_it() -> None:
    metrics = Counted(gone=True)
    whole = past(metrics)
    answers = [whole.samples("x", EPOCH, EPOCH + minutes * MINUTE) for minutes in (10, 5)]
    assert answers == [GONE, GONE]
    assert len(metrics.asked) == 1


def test_its_time_is_that_of_then_and_never_later_than_now() -> None:
    whole = past(Counted())
    assert whole.now() == NOW
    assert whole.by(EPOCH).now() == EPOCH
    assert whole.by(NOW + DAY).now() == NOW
    assert PastSamples(metrics=Counted(), ends=GONE).by(EPOCH).now() == GONE
