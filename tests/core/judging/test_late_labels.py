"""Labels that come late: equal ages compared, coverage looked at, gaps filled in favour of the canary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from support.counters import CANARY, SINCE, STABLE
from support.labels import QUALITY, ROLLOUT, TOGETHER, Labelled, readings
from tidegate.core.judging.age_buckets import AgeBucket
from tidegate.core.judging.dispersion import Basis, divisor_of_labels, of_labels
from tidegate.core.judging.late_labels import LateLabels, step_of
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.judging.verdict import Comparison, LateReadings, LateVerdict, ObjectiveVerdict, Tally, Together
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
    verdict = judged(canary, replace(ALIKE, hours=(-40, 100)), 60, together).verdict
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


@pytest.mark.parametrize("overlap", [0, 1], ids=["between-two-steps", "within-a-step"])
def test_a_label_that_is_added_makes_nothing_worse(overlap: int) -> None:
    """Both are alike; stable has been wrong more seldom in all the years before."""
    found = readings({CANARY: replace(CANARYS, bad=ALIKE.bad), STABLE: ALIKE}, 60)

    def added(reading: Sampled | Unread) -> Sampled:
        assert isinstance(reading, Sampled)
        split: list[Series] = []
        for each in reading.series:
            old = 0.0 if each.labels.get("correct") == "false" else 1e6 * (each.labels["version"] == str(STABLE))
            samples = tuple((at, value + old) for at, value in each.samples)
            split += [
                replace(each, samples=samples[: 70 + overlap]),
                Series(labels={**each.labels, "zone": "a"}, samples=samples[70:]),
            ]
        return replace(reading, series=tuple(split))

    newer = replace(found, **{name: added(getattr(found, name)) for name in ("bad", "total", "served")})
    verdict = LateLabels(TOGETHER, QUALITY, newer, "version").at(SINCE + 60 * HOUR).verdict
    assert verdict.comparison is not Comparison.WORSE
    assert verdict.subject.total == pytest.approx(judged(CANARYS, ALIKE, 60).verdict.subject.total, rel=0.1)


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


def clustered(step: int, size: float) -> dict[int, Tally]:
    """Labels of a version, step by step: a cluster of bad ones in every third."""
    return {at: Tally(bad=size if at % 3 == 0 else 0.0, total=100.0) for at in range(step, step + 60)}


def bucket(labels: Mapping[int, Tally], low: int = 0) -> AgeBucket:
    return AgeBucket(low=low, high=low + 6, labels={STABLE: labels})


def measured(buckets: Sequence[AgeBucket], steps: range) -> Basis:
    return of_labels(buckets, STABLE, steps, 3600)


def figure(found: Basis) -> float:
    (excess,) = found.excesses
    return excess.figure


class TestClusters:
    def test_bad_labels_that_come_together_are_less_evidence(self) -> None:
        """6 of 100 beside none of 200: 4 more than expected. None of 100 beside 6 of 200: 2 less. The variance of
        independent ones is 2 % of 98 % of 200 · 100 / 300 in either; of 58 steps 19 are of the first kind."""
        found = measured([bucket(clustered(1, 6.0))], range(100))
        (excess,) = found.excesses
        assert (excess.over, excess.groups) == (None, 58)
        assert excess.deviations == pytest.approx(19 * 4**2 + 39 * 2**2)
        assert excess.variances == pytest.approx(58 * 0.02 * 0.98 * 200 / 3)
        assert (found.bad, found.bad_cells, found.cells) == (114, 19, 58)
        few = divisor_of_labels(measured([bucket(clustered(1, 2.0))], range(100)), 2.0)
        assert (few.figure, few.by_policy) == (2.0, "too few are bad: 38 of the 50 that it takes")

    def test_what_comes_together_in_several_age_buckets_counts_together(self) -> None:
        buckets = [bucket(clustered(1, 6.0), 6 * low) for low in range(2)]
        one, both = (figure(measured(buckets[:number], range(100))) for number in (1, 2))
        assert one * 2 == pytest.approx(both)

    def test_labels_after_the_start_are_not_looked_at(self) -> None:
        before = measured([bucket(clustered(1, 6.0))], range(61))
        assert measured([bucket({**clustered(1, 6.0), **clustered(61, 90.0)})], range(61)) == before

    def test_labels_of_before_the_time_that_is_measured_are_not_looked_at(self) -> None:
        since = measured([bucket(clustered(61, 6.0))], range(61, 200))
        earlier = {**clustered(1, 90.0), **clustered(61, 6.0)}
        assert measured([bucket(earlier)], range(61, 200)) == since

    def test_a_rate_that_rises_steadily_is_no_cluster(self) -> None:
        rising = {at: Tally(bad=1.0 + at, total=100.0) for at in range(60)}
        assert divisor_of_labels(measured([bucket(rising)], range(100)), 1.0).figure == 1.0

    @pytest.mark.parametrize(
        ("policy", "served_since", "measured"),
        [
            pytest.param(1.0, -40, True, id="what-is-measured-before"),
            pytest.param(9999.0, -40, False, id="the-policy-s-which-is-the-least"),
            pytest.param(1.0, 0, False, id="the-policy-s-without-a-history"),
        ],
    )
    def test_the_evidence_is_divided_by(self, policy: float, served_since: int, measured: bool) -> None:
        """Nine of ten of stable's wrong answers were reported every other hour, and are no longer."""
        together = replace(TOGETHER, rollout=replace(ROLLOUT, dispersion=policy))
        even = readings({CANARY: replace(CANARYS, bad=0.1), STABLE: replace(ALIKE, hours=(served_since, 24))}, 60)
        found = replace(even, bad=in_heaps(even.bad), total=in_heaps(even.total))
        verdict = LateLabels(together, QUALITY, found, "version").at(SINCE + 60 * HOUR).verdict
        assert verdict.dispersion_measured is measured
        assert verdict.dispersion > 20 if measured else verdict.dispersion == policy
        assert (verdict.comparison is Comparison.WORSE) is (verdict.dispersion == 1.0)


def in_heaps(reading: Sampled | Unread) -> Sampled:
    """Bad labels of stable up to the start, nine of ten reported every other hour."""
    assert isinstance(reading, Sampled)
    return replace(reading, series=tuple(_heaped(series) for series in reading.series))


def _heaped(series: Series) -> Series:
    if series.labels["version"] != str(STABLE) or series.labels.get("correct") != "false":
        return series
    known, start = series.samples, SINCE.timestamp()
    heaps = [
        (at, 0.9 * known[index - 1][1] + 0.1 * value if index % 2 and at <= start else value)
        for index, (at, value) in enumerate(known)
    ]
    return replace(series, samples=tuple(heaps))


def test_the_false_revert_rate_is_shared() -> None:
    alone, shared = (judged(CANARYS, ALIKE, 60, replace(TOGETHER, sharing=number)).verdict.needed for number in (1, 3))
    assert (alone, shared) == (100, 300)
    assert TOGETHER.objectives[0].effect is Effect.REVERT
    assert ROLLOUT.false_revert_rate == 0.01


def kept_since(hours: float, found: LateReadings) -> LateReadings:
    """What retention leaves of it: samples since that hour of the rollout."""

    def later(reading: Sampled | Unread) -> Sampled:
        assert isinstance(reading, Sampled)
        first = (SINCE + hours * HOUR).timestamp()
        cut = (replace(each, samples=tuple(x for x in each.samples if x[0] >= first)) for each in reading.series)
        return replace(reading, series=tuple(cut))

    return LateReadings(bad=later(found.bad), total=later(found.total), served=later(found.served))


def test_I3_a_start_that_retention_lost_is_no_shorter_time_side_by_side() -> None:
    lost = kept_since(5, readings({CANARY: replace(CANARYS, bad=0.1), STABLE: ALIKE}, 60))
    unread = LateLabels(TOGETHER, QUALITY, lost, "version").at(SINCE + 60 * HOUR).verdict.unread
    words = "version 11 is known only since 2026-01-01 17:00:00 UTC"
    assert unread == Unread(why=Why.HISTORY_LOST, words=words)


class TestWhatDispersionIsMeasuredOn:
    """The labels of the day before the rollout, in which stable's wrong ones were reported in heaps."""

    even = readings({CANARY: replace(CANARYS, bad=0.1), STABLE: replace(ALIKE, hours=(-60, 24))}, 60, first=-70)
    heaps = replace(even, bad=in_heaps(even.bad), total=in_heaps(even.total))

    def judged(self, kept: float, stable_for: timedelta | None) -> ObjectiveVerdict:
        since = None if stable_for is None else SINCE - stable_for
        together = replace(TOGETHER, reference_since=since, rollout=replace(ROLLOUT, dispersion=2.0))
        found = kept_since(kept, self.heaps)
        return LateLabels(together, QUALITY, found, "version").at(SINCE + 60 * HOUR).verdict

    @pytest.mark.parametrize("kept", [-23, -12, -2, 0])
    def test_I3_I9_no_verdict_is_turned_by_what_retention_takes(self, kept: float) -> None:
        """By the policy's figure, which would take the place of what was measured, the version goes back."""
        whole = self.judged(-25, 9 * DAY)
        assert (whole.comparison, whole.dispersion_measured, whole.unread) == (Comparison.UNDECIDED, True, None)
        lost = self.judged(kept, 9 * DAY)
        assert lost.unread is not None
        assert (lost.comparison, lost.unread.why) == (Comparison.UNDECIDED, Why.HISTORY_LOST)
        since = f"{SINCE + kept * HOUR:%Y-%m-%d %H:%M:%S} UTC"
        words = f"is known only since {since}, and dispersion is measured since 2025-12-31 12:00:00 UTC"
        assert lost.unread.words == f"version 11 {words}"

    def test_what_is_read_ahead_of_it_matters_to_nobody(self) -> None:
        assert self.judged(-24, 9 * DAY) == self.judged(-25, 9 * DAY)

    @pytest.mark.parametrize("stable_for", [None, DAY, 2 * HOUR], ids=["unknown", "just-short-of-it", "young"])
    def test_of_a_version_that_was_not_stable_yet_the_policy_s_holds(self, stable_for: timedelta | None) -> None:
        found = self.judged(-2, stable_for)
        assert (found.comparison, found.dispersion, found.unread) == (Comparison.WORSE, 2.0, None)
