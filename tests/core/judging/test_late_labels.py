"""Labels that come late: equal ages compared, coverage looked at, gaps filled in favour of the canary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.counters import CANARY, SINCE, STABLE
from support.labels import QUALITY, ROLLOUT, TOGETHER, Labelled, readings
from tidegate.core.judging.late_labels import LateLabels, step_of
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.judging.verdict import Comparison, LateReadings, LateVerdict, Together
from tidegate.core.manifest import Effect, Labels, Rollout

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALIKE = Labelled(predictions=900, bad=0.05, hours=(-40, 24))
CANARYS = Labelled(predictions=100, bad=0.05, hours=(0, 100))


def judged(canary: Labelled, stable: Labelled, hours: int, together: Together = TOGETHER) -> LateVerdict:
    found = readings({CANARY: canary, STABLE: stable}, hours)
    return LateLabels(together, together.objectives[0], found, "version").at(SINCE + hours * HOUR)


class TestWorse:
    def test_after_the_rollout_ended(self) -> None:
        """Both served for a day, and most labels come when the canary has long been stable."""
        canary = replace(CANARYS, bad=0.1)
        found = [judged(canary, ALIKE, hours).verdict for hours in (14, 26, 48)]
        assert [each.comparison for each in found] == [Comparison.UNDECIDED, Comparison.WORSE, Comparison.WORSE]
        assert found[1].worse_at == found[2].worse_at

    def test_alike_is_not_worse(self) -> None:
        verdict = judged(CANARYS, ALIKE, 60)
        assert (verdict.verdict.comparison, verdict.verdict.unread) == (Comparison.UNDECIDED, None)
        assert (round(verdict.coverage or 0, 9), round(verdict.reference_coverage or 0, 9)) == (0.9, 0.9)
        assert verdict.verdict.subject.rate == pytest.approx(0.05)

    def test_what_is_served_after_the_rollout_counts_for_neither(self) -> None:
        """The new version goes bad a day after it became stable: nothing was made side by side any more."""
        assert judged(CANARYS, ALIKE, 60).verdict.subject == judged(CANARYS, ALIKE, 100).verdict.subject

    def test_a_difference_below_the_minimum_effect_is_nobody_s_concern(self) -> None:
        canary, stable = (replace(each, predictions=each.predictions * 1000) for each in (CANARYS, ALIKE))
        small = judged(replace(canary, bad=0.059), stable, 60).verdict
        large = judged(replace(canary, bad=0.061), stable, 60).verdict
        assert [small.comparison, large.comparison] == [Comparison.UNDECIDED, Comparison.WORSE]

    def test_ages_are_compared_with_equal_ages(self) -> None:
        """Labels of young predictions are twice as often bad, for both; the canary's are younger on average."""
        young, old = (0.6, 0.15, 0.15), (0.15, 0.15, 0.6)
        canary, stable = (
            replace(CANARYS, bad_labels=young, good_labels=old),
            replace(ALIKE, bad_labels=young, good_labels=old),
        )
        early = judged(canary, stable, 18)
        assert early.verdict.evidence < 1.5
        assert judged(canary, stable, 60).verdict.comparison is Comparison.UNDECIDED


class TestCoverage:
    def test_too_few_labels(self) -> None:
        verdict = judged(replace(CANARYS, bad=0.3), ALIKE, 13)
        words = "30% of its predictions have a label, and 30% of version 11's: 60% are needed"
        assert verdict.verdict.unread == Unread(why=Why.UNLABELLED, words=words)
        assert verdict.verdict.comparison is Comparison.UNDECIDED

    def test_buckets_wider_than_the_time_side_by_side_do_not_count(self) -> None:
        strict = replace(QUALITY, labels=Labels(served="predictions_total", delay=DAY, minimum_coverage=0.8))
        short = replace(TOGETHER, until=SINCE + 10 * HOUR, objectives=(strict,))
        unread = judged(CANARYS, replace(ALIKE, hours=(-40, 10)), 60, short).verdict.unread
        assert unread is not None
        assert unread.words.endswith("80% are needed, and age buckets wider than 10h do not count")

    def test_selective_labels_of_the_canary(self) -> None:
        """As good as stable, and its bad predictions are labelled twice as often."""
        canary, stable = (replace(each, bad_labels=(0.15, 0.15, 0.15)) for each in (CANARYS, ALIKE))
        verdict = judged(replace(canary, bad_labels=(0.3, 0.3, 0.3)), stable, 60).verdict
        assert verdict.comparison is Comparison.UNDECIDED
        assert verdict.unread is not None
        assert verdict.unread.why is Why.SELECTIVE

    def test_selective_labels_of_stable(self) -> None:
        """As good as stable, whose good predictions are labelled more often."""
        verdict = judged(replace(CANARYS, predictions=900, good_labels=(0.2, 0.2, 0.2)), ALIKE, 60).verdict
        assert verdict.comparison is Comparison.UNDECIDED
        assert verdict.unread is not None
        assert verdict.unread.why is Why.SELECTIVE

    def test_a_regression_is_found_in_spite_of_a_small_gap(self) -> None:
        canary = replace(CANARYS, bad=0.15, good_labels=(0.29, 0.29, 0.29))
        assert judged(canary, ALIKE, 60).verdict.comparison is Comparison.WORSE


@pytest.mark.parametrize(
    ("together", "canary", "words"),
    [
        pytest.param(
            TOGETHER,
            replace(CANARYS, hours=(200, 200)),
            "not both versions have made predictions yet",
            id="a-canary-that-never-served",
        ),
        pytest.param(
            replace(TOGETHER, until=SINCE + 3 * HOUR),
            CANARYS,
            "both served side by side for less than 7h, which an age bucket takes: bake longer, or hold back",
            id="too-short-a-time-for-an-age-bucket",
        ),
        pytest.param(
            replace(TOGETHER, since=SINCE + 55 * HOUR, until=None),
            CANARYS,
            "no label yet of predictions that both versions made side by side",
            id="too-early",
        ),
    ],
)
def test_nothing_to_compare(together: Together, canary: Labelled, words: str) -> None:
    verdict = judged(canary, ALIKE, 60, together).verdict
    assert verdict.unread == Unread(why=Why.UNLABELLED, words=words)


NOT_READ = Unread(why=Why.UNREACHABLE)


@pytest.mark.parametrize("missing", ["bad", "total", "served"])
def test_I3_a_reading_that_is_missing(missing: str) -> None:
    found = readings({CANARY: CANARYS, STABLE: ALIKE}, 60)
    broken = LateReadings(**{**{n: getattr(found, n) for n in ("bad", "total", "served")}, missing: NOT_READ})
    verdict = LateLabels(TOGETHER, QUALITY, broken, "version").at(SINCE + 60 * HOUR).verdict
    assert (verdict.unread, verdict.comparison) == (NOT_READ, Comparison.UNDECIDED)


def test_good_labels_may_be_counted_instead() -> None:
    found = readings({CANARY: replace(CANARYS, bad=0.1), STABLE: ALIKE}, 60)
    assert not isinstance(found.total, Unread)
    right = tuple(series for series in found.total.series if series.labels["correct"] == "true")
    inverted = replace(QUALITY, bad=None, good='label_age_seconds{correct="true"}')
    verdict = LateLabels(TOGETHER, inverted, replace(found, bad=replace(found.total, series=right)), "version")
    assert verdict.at(SINCE + 60 * HOUR) == LateLabels(TOGETHER, QUALITY, found, "version").at(SINCE + 60 * HOUR)


def test_a_bound_is_the_same_however_it_is_printed() -> None:
    """The joiner of one version runs with a newer client library."""
    found = readings({CANARY: CANARYS, STABLE: ALIKE}, 60)

    def printed(reading: Sampled | Unread) -> Sampled:
        assert isinstance(reading, Sampled)
        series = (
            replace(each, labels={**each.labels, "le": each.labels["le"].removesuffix(".0")})
            if each.labels["version"] == str(STABLE)
            else each
            for each in reading.series
        )
        return replace(reading, series=tuple(series))

    newer = replace(found, bad=printed(found.bad), total=printed(found.total))
    assert newer != found
    assert LateLabels(TOGETHER, QUALITY, newer, "version").at(SINCE + 60 * HOUR) == judged(CANARYS, ALIKE, 60)


def test_a_bound_that_is_no_number_is_no_bucket() -> None:
    found = readings({CANARY: CANARYS, STABLE: ALIKE}, 60)
    assert isinstance(found.total, Sampled)
    odd = replace(found.total.series[0], labels={**found.total.series[0].labels, "le": "soon"})
    found = replace(found, total=replace(found.total, series=(*found.total.series, odd)))
    assert LateLabels(TOGETHER, QUALITY, found, "version").at(SINCE + 60 * HOUR) == judged(CANARYS, ALIKE, 60)


@pytest.mark.parametrize("hours", [5, 18, 23, 24, 30, 47, 60])
def test_I9_what_comes_later_changes_no_verdict(hours: int) -> None:
    canary = replace(CANARYS, bad=0.09)
    everything = LateLabels(TOGETHER, QUALITY, readings({CANARY: canary, STABLE: ALIKE}, 60), "version")
    assert everything.at(SINCE + hours * HOUR) == judged(canary, ALIKE, hours)


@pytest.mark.parametrize(
    ("delay", "rollout", "expected"),
    [
        pytest.param(7 * DAY, Rollout(), 5 * MINUTE, id="half-an-hour-of-bake-twice"),
        pytest.param(7 * DAY, Rollout(bake=DAY), 2 * HOUR, id="days-of-bake"),
        pytest.param(60 * DAY, Rollout(), 30 * MINUTE, id="no-finer-than-a-long-delay-allows"),
        pytest.param(30 * MINUTE, Rollout(), MINUTE, id="a-short-delay"),
        pytest.param(30 * MINUTE, Rollout(resolution=5 * MINUTE), 5 * MINUTE, id="no-finer-than-the-resolution"),
    ],
)
def test_step(delay: timedelta, rollout: Rollout, expected: timedelta) -> None:
    assert step_of(Labels(served="x", delay=delay), rollout) == expected


def test_the_false_revert_rate_is_shared() -> None:
    alone, shared = (judged(CANARYS, ALIKE, 60, replace(TOGETHER, sharing=number)).verdict.needed for number in (1, 3))
    assert (alone, shared) == (100, 300)
    assert TOGETHER.objectives[0].effect is Effect.REVERT
    assert ROLLOUT.false_revert_rate == 0.01


def test_I3_a_start_that_retention_lost_is_no_shorter_time_side_by_side() -> None:
    found = readings({CANARY: replace(CANARYS, bad=0.1), STABLE: ALIKE}, 60)
    kept = (SINCE + 5 * HOUR).timestamp()

    def later(reading: Sampled | Unread) -> Sampled:
        assert isinstance(reading, Sampled)
        cut = (replace(each, samples=tuple(x for x in each.samples if x[0] >= kept)) for each in reading.series)
        return replace(reading, series=tuple(cut))

    lost = LateReadings(bad=later(found.bad), total=later(found.total), served=later(found.served))
    unread = LateLabels(TOGETHER, QUALITY, lost, "version").at(SINCE + 60 * HOUR).verdict.unread
    words = "version 11 is known only since 2026-01-01 17:00:00 UTC"
    assert unread == Unread(why=Why.HISTORY_LOST, words=words)
