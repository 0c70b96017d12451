"""A stage that is read once says of any instant what a pass said that read up to then and no further."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from support.past_stages import (
    AVAILABILITY,
    BAKE,
    CANARY,
    EPISODE,
    FINISHED,
    HELD_BACK,
    HOUR,
    MINUTE,
    MODEL,
    PROBATION,
    SINCE,
    past,
    said,
)
from support.scraped_counters import SECOND, Scraped, counter
from support.situations import NOW, WORKSPACE
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Series, Why
from tidegate.core.judging.verdict import Comparison, Question, Stage, Standing, Verdict
from tidegate.core.manifest import Mean, Objective
from tidegate.core.replay.episodes import Episode
from tidegate.core.replay.past import Era, Past
from tidegate.core.workspace import MetricLabels
from tidegate.steps.past_readings import PastReadings, scope_of_then
from tidegate.steps.past_samples import PastSamples

LATENCY = replace(AVAILABILITY, name="latency", bad="slow_total", target=0.9)
RATING = Objective(
    name="rating", target=0.5, total="rating_count", mean=Mean(sum="rating_sum", low=1, high=5, higher_is_better=True)
)


def serving(bad_since: datetime | None = None) -> tuple[Series, ...]:
    """Version 1 for long, version 2 since it entered; one of them fails from an instant on."""
    found = (
        counter("requests_total", 1, 600, SINCE - 8 * HOUR),
        counter("errors_total", 1, 1, SINCE - 8 * HOUR),
        counter("requests_total", 2, 200, SINCE),
        counter("errors_total", 2, 0.4, SINCE),
    )
    return (*found, counter("errors_total", 2, 100, bad_since, path="/predict")) if bad_since else found


def rated(mean: float) -> tuple[Series, ...]:
    """Four points for version 1, on average, and another mean for version 2."""
    rates = {"rating_count": (90.0, 10.0), "rating_sum": (90 * 4.0, 10 * mean)}
    return tuple(
        counter(name, version, rate, since)
        for name, both in rates.items()
        for version, rate, since in zip((1, 2), both, (SINCE - 8 * HOUR, SINCE), strict=True)
    )


def later(at: datetime, version_label: str = "version") -> Era:
    workspace = replace(WORKSPACE, labels=MetricLabels(version=version_label))
    return Era(at=at, commit="d" * 40, model=MODEL, workspace=workspace, key="")


def live(question: Question, scope: Scope, metrics: Scraped, at: datetime) -> Verdict:
    """What the loop says at an instant."""
    return said(question, scope, Scraped(metrics.series, at))


def readings(metrics: Scraped, where: Past | None = None, episode: Episode = EPISODE) -> PastReadings:
    return PastReadings(episode, where or past(), PastSamples(metrics=metrics, ends=NOW))


@pytest.mark.parametrize(
    ("question", "series", "found"),
    [
        pytest.param(CANARY, serving(), Comparison.CLEARED, id="a-canary-that-is-well"),
        pytest.param(CANARY, serving(SINCE + 20 * MINUTE), Comparison.WORSE, id="one-that-gets-worse"),
        pytest.param(PROBATION, serving(), Standing.FINE, id="probation"),
        pytest.param(
            PROBATION,
            serving(FINISHED + 20 * MINUTE),
            Standing.BREACH,
            id="a-breach-on-probation-looks-at-the-time-before",
        ),
        pytest.param(BAKE, serving(), Standing.FINE, id="a-bake"),
        pytest.param(HELD_BACK, serving(), Standing.FINE, id="beside-a-version-that-is-held-back"),
        pytest.param(HELD_BACK, serving(FINISHED + 20 * MINUTE), Comparison.WORSE, id="worse-than-the-one-held-back"),
        pytest.param(replace(CANARY, objectives=(RATING,)), rated(4.0), Comparison.CLEARED, id="a-mean-that-stays"),
        pytest.param(replace(CANARY, objectives=(RATING,)), rated(2.0), Comparison.WORSE, id="a-mean-that-is-lower"),
    ],
)
def test_a_stage_read_once_says_what_each_pass_said(
    question: Question, series: tuple[Series, ...], found: Comparison | Standing
) -> None:
    metrics, where = Scraped(series), past()
    replayed = readings(metrics, where)
    lasts = EPISODE.entered if question.stage is Stage.BAKE else FINISHED if question.stage is Stage.CANARY else NOW
    scope = scope_of_then(where, "production", lasts)
    for minutes in range(1, (lasts - question.since) // MINUTE, 7):
        at = question.since + minutes * MINUTE + 13 * SECOND
        verdict = replayed.verdict("production", question, at)
        assert verdict == live(question, scope, metrics, at), at
    assert found in (verdict.objectives[0].comparison, verdict.objectives[0].standing)
    assert max(metrics.asked.count(selector) for selector in metrics.asked) <= 2


@pytest.mark.parametrize(
    ("question", "series"),
    [
        pytest.param(CANARY, serving(), id="events"),
        pytest.param(replace(CANARY, objectives=(RATING,)), rated(4.0), id="a-mean"),
    ],
)
def test_a_canary_that_is_judged_anew_has_the_hours_before_that_again(
    question: Question, series: tuple[Series, ...]
) -> None:
    """Dispersion is measured on the six hours before each beginning."""
    metrics, where = Scraped(series), past()
    replayed, scope = readings(metrics, where), scope_of_then(where, "production", FINISHED)
    replayed.verdict("production", question, SINCE + 10 * MINUTE)
    anew = replace(question, since=SINCE + 20 * MINUTE)
    for minutes in (5, 15, 35):
        at = anew.since + minutes * MINUTE
        verdict = replayed.verdict("production", anew, at)
        assert verdict == live(anew, scope, metrics, at), at
    assert verdict.objectives[0].dispersion_measured


def test_probation_reads_the_time_before_it_only_for_a_breach() -> None:
    lasted = 10 * HOUR
    question, episode = replace(PROBATION, since=NOW - lasted), replace(EPISODE, entered=NOW - lasted - HOUR)
    well = Scraped(serving())
    readings(well, episode=episode).verdict("production", question, NOW)
    assert well.earliest > NOW - 2 * lasted
    breaching = Scraped(serving(FINISHED))
    verdict = readings(breaching, episode=episode).verdict("production", question, NOW)
    assert verdict.objectives[0].standing is Standing.BREACH
    assert breaching.earliest < NOW - 2 * lasted


def test_what_made_readings_doubtful_later_did_not_before() -> None:
    """A second Prometheus is put in front of everything in the middle of the stage."""
    second = SINCE + 40 * MINUTE
    doubled = (
        *(replace(each, labels={**each.labels, "replica": "a"}) for each in serving()),
        *(
            counter(name, version, 1, second, replica="b")
            for name in ("requests_total", "errors_total")
            for version in (1, 2)
        ),
    )
    metrics, where = Scraped(doubled), past()
    found, scope = readings(metrics, where), scope_of_then(where, "production", NOW)
    before, after = (second + seconds * SECOND for seconds in (-1, 1))
    for at in (SINCE + 20 * MINUTE, before, after, second + 10 * MINUTE):
        verdict = found.verdict("production", CANARY, at)
        assert verdict == live(CANARY, scope, metrics, at), at
        assert (verdict.unread is not None) == (at > second)
    assert verdict.unread is not None
    assert verdict.unread.why is Why.SEVERAL


def test_labels_that_main_renamed_in_the_middle_of_a_stage_are_asked_by_from_then_on() -> None:
    at = SINCE + 30 * MINUTE
    metrics, where = Scraped(serving()), past(later(at, "release"))
    found = readings(metrics, where)
    asked = replace(CANARY, version_label="release")
    assert found.verdict("production", CANARY, at).unread is None
    after = found.verdict("production", asked, at + MINUTE)
    assert any('release=~"' in selector for selector in metrics.asked)
    assert after == live(asked, scope_of_then(where, "production", at + MINUTE), metrics, at + MINUTE)
    assert after.unread is not None


def test_objectives_that_main_edited_in_the_middle_of_a_bake_are_judged_from_then_on() -> None:
    metrics, where = Scraped((*serving(), counter("slow_total", 1, 500, SINCE - 8 * HOUR))), past()
    found, at = readings(metrics, where), SINCE - 30 * MINUTE
    assert found.verdict("production", BAKE, at).objectives[0].standing is Standing.FINE
    edited = replace(BAKE, objectives=(LATENCY,))
    verdict = found.verdict("production", edited, at + MINUTE)
    assert verdict.objectives[0].standing is Standing.BREACH
    assert verdict == live(edited, scope_of_then(where, "production", at), metrics, at + MINUTE)


def test_a_bake_behind_probation_is_read_to_the_episode_s_end() -> None:
    """A version that is held back gives up its share some time after its probation."""
    episode = replace(EPISODE, finished=SINCE + 10 * MINUTE)
    metrics, where = Scraped(serving()), past()
    asked = replace(BAKE, subject=2, since=NOW - 30 * MINUTE)
    found, scope = readings(metrics, where, episode), scope_of_then(where, "production", NOW)
    for minutes in (20, 10, 1):
        at = NOW - minutes * MINUTE
        verdict = found.verdict("production", asked, at)
        assert verdict.objectives[0].subject.total > 0
        assert verdict == live(asked, scope, metrics, at)
