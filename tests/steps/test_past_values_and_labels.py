"""Values and late labels of a real Prometheus: a stage that is read once says of any instant what a pass said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

import pytest

from support.past_stages import BAKE, CANARY, EPISODE, FINISHED, HOUR, MINUTE, PROBATION, ROLLOUT, SINCE, past, said
from support.prometheus_server import PrometheusServer, Written
from support.situations import NOW
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.judging.verdict import Comparison, Question, Stage, Standing, Together, Verdict
from tidegate.core.manifest import Effect, Labels, Objective, ValueObjective
from tidegate.steps.past_readings import PastReadings, scope_of_then
from tidegate.steps.past_samples import PastSamples

pytestmark = [pytest.mark.contract, pytest.mark.timeout(120)]

SCRAPE = timedelta(seconds=30)
EARLIEST = SINCE - 8 * HOUR
DELAY = 20 * MINUTE
AGES = (5 * MINUTE, 10 * MINUTE, DELAY)
"""Upper bounds of the age buckets: half of the labels come in the first, the others in the last."""


def value(name: str, held: timedelta = 3 * MINUTE, effect: Effect = Effect.REVERT) -> ValueObjective:
    text = f'max({name}{{model="{{{{ model }}}}", version="{{{{ version }}}}"}})'
    return ValueObjective(name=name, value=text, maximum=0.2, held=held, effect=effect)


QUALITY = Objective(
    name="quality",
    target=0.9,
    bad='label_age_seconds{correct="false"}',
    total="label_age_seconds",
    labels=Labels(served="requests_total", delay=DELAY, minimum_coverage=0.5),
)
RIGHT = replace(QUALITY, name="right", bad='label_age_seconds{correct="true"}')
TOGETHER = Together(subject=2, reference=1, since=SINCE, until=None, objectives=(QUALITY,), rollout=ROLLOUT)
OVER = replace(TOGETHER, until=FINISHED)
LABELS = replace(CANARY, stage=Stage.LABELS, objectives=(), weights=(), together=OVER)


@dataclass(frozen=True)
class AsOf:
    """A real Prometheus at an instant of the past: nothing later is asked."""

    source: Prometheus
    at: datetime

    def now(self) -> datetime:
        return self.at

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        assert end <= self.at
        return self.source.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        assert end <= self.at
        return self.source.answers(expression, start, end, step)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One of its own, because all of it is long past."""
    server = PrometheusServer(tmp_path_factory.mktemp("past"))
    server.start()
    try:
        server.write(list(scraped()))
        yield Prometheus(server.url)
    finally:
        server.stop()


def scraped() -> Iterator[Written]:
    """Version 1 until the finish, version 2 since it entered; version 2 is wrong six times as often."""
    for version, per_scrape, wrong, since, until in ((1, 450, 0.05, EARLIEST, FINISHED), (2, 50, 0.3, SINCE, NOW)):
        number = (until - since) // SCRAPE
        yield series("requests_total", version, since, [per_scrape * (index + 1) for index in range(number)])
        yield series("errors_total", version, since, [per_scrape * 0.001 * (index + 1) for index in range(number)])
        yield from labelled(version, per_scrape, wrong, since, number)
    for name, outside in DRIFTS.items():
        yield series(name, 1, SINCE - 2 * HOUR, [0.1] * 480)
        yield series(name, 2, SINCE, [0.3 if SCRAPE * index in outside else 0.1 for index in range(240)])


class Minutes(tuple[tuple[int, int], ...]):
    """Spans of a version's time, in minutes since it entered."""

    __slots__ = ()

    def __contains__(self, since: object) -> bool:
        assert isinstance(since, timedelta)
        return any(first <= since / MINUTE < last for first, last in self)


DRIFTS: Mapping[str, Minutes] = {
    "steady": Minutes(),
    "drift": Minutes(((10, 12), (25, 35))),
    "later_drift": Minutes(((75, 90),)),
}


def series(name: str, version: int, since: datetime, values: list[float], **more: str) -> Written:
    told = {"__name__": name, "model": "digits", "environment": "production", "version": str(version)}
    first = since.timestamp()
    samples = [(first + index * SCRAPE.total_seconds(), value) for index, value in enumerate(values)]
    return {**told, "job": "models", "instance": f"pod-{version}:80", **more}, samples


def labelled(version: int, made: float, wrong: float, since: datetime, scrapes: int) -> Iterator[Written]:
    """Histograms of a joiner, which runs on until every label has come."""
    narrow, last = AGES[0] // SCRAPE, DELAY // SCRAPE
    by_lag = [0.5 / narrow] * narrow + [0.0] * narrow + [0.5 / (last - 2 * narrow)] * (last - 2 * narrow)
    for le in (*AGES, None):
        reach = last if le is None else le // SCRAPE
        come = [sum(by_lag[max(now - scrapes, 0) : min(now, reach)]) for now in range(scrapes + last)]
        come = come[: (NOW - since) // SCRAPE]
        bound = "+Inf" if le is None else str(le.total_seconds())
        for correct, share in (("true", 1 - wrong), ("false", wrong)):
            counted = [made * share * each for each in accumulate(come)]
            labels = {"le": bound, "correct": correct, "job": "labels", "instance": "joiner:80"}
            yield series("label_age_seconds_bucket", version, since, counted, **labels)


def replayed(source: Prometheus) -> PastReadings:
    return PastReadings(EPISODE, past(), PastSamples(metrics=AsOf(source, NOW), ends=NOW))


def live(source: Prometheus, question: Question, at: datetime) -> Verdict:
    return said(question, scope_of_then(past(), "production", at), AsOf(source, at))


def deciding(verdict: Verdict) -> Verdict:
    """Without why no label can be compared yet: a replay words it as knowing what came a step later, and nothing is
    decided by it."""
    late = (
        replace(each, verdict=replace(each.verdict, unread=None)) if each.coverage is None else each
        for each in verdict.late
    )
    return replace(verdict, late=tuple(late))


def instants(since: datetime, until: datetime, every: int) -> list[datetime]:
    return [since + minutes * MINUTE + timedelta(seconds=13) for minutes in range(1, (until - since) // MINUTE, every)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        pytest.param(replace(CANARY, values=(value("steady"),)), Standing.FINE, id="inside-its-bounds"),
        pytest.param(replace(CANARY, values=(value("drift"),)), Standing.BREACH, id="outside-for-long-enough"),
        pytest.param(
            replace(CANARY, values=(value("drift", 12 * MINUTE),)), Standing.FINE, id="never-outside-for-long-enough"
        ),
        pytest.param(
            replace(CANARY, values=(value("drift", effect=Effect.BLOCK),)), Standing.FINE, id="what-blocks-comes-back"
        ),
        pytest.param(replace(PROBATION, values=(value("later_drift"),)), Standing.BREACH, id="on-probation"),
        pytest.param(replace(BAKE, subject=2, values=(value("drift"),)), Standing.BREACH, id="in-a-bake"),
    ],
)
def test_I9_a_value(source: Prometheus, question: Question, found: Standing) -> None:
    lasts = FINISHED if question.stage is Stage.CANARY else NOW
    readings = replayed(source)
    for at in instants(max(question.since, SINCE), lasts, 7):
        verdict = readings.verdict("production", question, at)
        assert verdict == live(source, question, at), at
    (told,) = verdict.values
    assert (told.standing, told.unread) == (found, None)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        pytest.param(replace(CANARY, together=TOGETHER), SINCE, FINISHED, id="while-both-serve"),
        pytest.param(replace(PROBATION, together=OVER), FINISHED, NOW, id="on-probation"),
        pytest.param(LABELS, FINISHED, NOW, id="when-all-else-is-settled"),
    ],
)
def test_I9_late_labels(source: Prometheus, question: Question, since: datetime, until: datetime) -> None:
    readings = replayed(source)
    for at in instants(since, until, 7):
        verdict = readings.verdict("production", question, at)
        assert deciding(verdict) == deciding(live(source, question, at)), at
    (late,) = verdict.late
    assert (late.verdict.comparison, late.verdict.unread) == (Comparison.WORSE, None)


def test_a_value_that_main_added_in_the_middle_of_a_bake_is_judged_from_then_on(source: Prometheus) -> None:
    readings, bake, at = replayed(source), replace(BAKE, subject=2, since=SINCE), SINCE + 40 * MINUTE
    assert readings.verdict("production", bake, at).values == ()
    edited = replace(bake, values=(value("drift"),))
    verdict = readings.verdict("production", edited, at + MINUTE)
    assert [each.standing for each in verdict.values] == [Standing.BREACH]
    assert verdict == live(source, edited, at + MINUTE)


def test_labels_that_are_counted_otherwise_in_the_middle_of_a_stage_are_read_anew(source: Prometheus) -> None:
    readings, at = replayed(source), SINCE + 40 * MINUTE
    first = readings.verdict("production", replace(CANARY, together=TOGETHER), at)
    assert [each.verdict.comparison for each in first.late] == [Comparison.WORSE]
    edited = replace(CANARY, together=replace(TOGETHER, objectives=(RIGHT,)))
    verdict = readings.verdict("production", edited, at + MINUTE)
    assert [each.verdict.unread for each in verdict.late] == [None]
    assert verdict == live(source, edited, at + MINUTE)
