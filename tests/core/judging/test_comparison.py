"""The evidence: exact on small cases, safe on hostile ones, and held to its promise in simulation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.comparison import (
    as_e_value,
    inside_evidence,
    outside_evidence,
    ruled_out_evidence,
    worse_evidence,
)
from tidegate.core.judging.verdict import Tally

ALPHA = 0.01
ROLLOUTS = 300
LOOKS = 240


def cells(rng: np.random.Generator, ratio: float, base: float, weight: float = 0.1) -> Iterator[tuple[Tally, Tally]]:
    """A rollout of 300 events a cell whose base rate swings by half over the day, as real traffic's does."""
    for look in range(LOOKS):
        rate = base * (1 + 0.5 * math.sin(look / 20))
        mine = rng.binomial(300, weight)
        yield (
            Tally(bad=float(rng.binomial(mine, min(rate * ratio, 1))), total=float(mine)),
            Tally(bad=float(rng.binomial(300 - mine, rate)), total=float(300 - mine)),
        )


def share_reaching(seed: int, ratio: float, base: float, alpha: float) -> float:
    """The share of rollouts in which "at most 1.1 times worse" is ever rejected."""
    rng = np.random.default_rng(seed)
    reached = sum(max(worse_evidence(cells(rng, ratio, base), 1.1, 1.0)) >= -math.log(alpha) for _ in range(ROLLOUTS))
    return reached / ROLLOUTS


@pytest.mark.parametrize(
    ("ratio", "base"),
    [
        pytest.param(1.0, 0.01, id="equal-versions"),
        pytest.param(1.1, 0.01, id="at-the-margin"),
        pytest.param(1.1, 0.15, id="at-the-margin-where-errors-are-common"),
    ],
)
def test_false_reverts_stay_below_their_rate_over_all_looks(ratio: float, base: float) -> None:
    two_errors = 2 * math.sqrt(ALPHA * (1 - ALPHA) / ROLLOUTS)
    assert share_reaching(7, ratio, base, ALPHA) <= ALPHA + two_errors


def test_three_times_worse_is_found() -> None:
    assert share_reaching(8, 3.0, 0.01, ALPHA) >= 0.95


def test_twice_as_bad_is_rarely_ruled_out() -> None:
    rng = np.random.default_rng(9)
    reached = sum(max(ruled_out_evidence(cells(rng, 2.0, 0.01), 2.0, 1.0)) >= math.log(20) for _ in range(ROLLOUTS))
    assert reached / ROLLOUTS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / ROLLOUTS)


def test_twice_as_bad_is_ruled_out_of_an_equal_version() -> None:
    rng = np.random.default_rng(10)
    reached = sum(max(ruled_out_evidence(cells(rng, 1.0, 0.03), 2.0, 1.0)) >= math.log(20) for _ in range(50))
    assert reached >= 45


def test_no_errors_in_seven_hundred_and_fifty_events_prove_99_5_percent() -> None:
    def needed(dispersion: float) -> int:
        evidence = inside_evidence((Tally(total=1) for _ in range(2000)), 0.005, dispersion)
        return next(n for n, value in enumerate(evidence, start=1) if value >= math.log(20))

    assert 600 < needed(1.0) < 750
    assert needed(2.0) > 1.5 * needed(1.0)


def test_the_lower_bound_finds_a_breach_and_not_a_rate_at_the_objective() -> None:
    def reaching(rate: float) -> float:
        rng = np.random.default_rng(11)
        return (
            sum(
                max(
                    outside_evidence(
                        (Tally(bad=float(k), total=300) for k in rng.binomial(300, rate, LOOKS)), 0.01, 1.0
                    )
                )
                >= -math.log(ALPHA)
                for _ in range(ROLLOUTS)
            )
            / ROLLOUTS
        )

    assert reaching(0.01) <= ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / ROLLOUTS)
    assert reaching(0.02) >= 0.95


def test_one_cell_is_the_closed_form() -> None:
    subject, reference = Tally(bad=3, total=100), Tally(bad=2, total=900)
    bets = [1.2 * 1.1 * (16 / 1.2) ** (i / 13) for i in range(14)]

    def share(ratio: float) -> float:
        return 100 * ratio / (100 * ratio + 900)

    expected = sum((share(bet) / share(1.1)) ** 3 * ((1 - share(bet)) / (1 - share(1.1))) ** 2 for bet in bets) / 14
    found = list(worse_evidence([(subject, reference)], 1.1, 1.0))
    assert as_e_value(found[-1]) == pytest.approx(expected)


counts = st.floats(0, 1e12, allow_nan=False)
tallies = st.builds(lambda a, b: Tally(bad=a, total=b), counts, counts)


@given(
    st.lists(st.tuples(tallies, tallies), max_size=8),
    st.floats(1, 10),
    st.sampled_from([0.0, 0.005, 0.5, 1.0]),
)
def test_evidence_is_a_number_that_never_falls(
    pairs: list[tuple[Tally, Tally]], dispersion: float, allowed: float
) -> None:
    one = [subject for subject, _ in pairs]
    for evidence in (
        list(worse_evidence(pairs, 1.1, dispersion)),
        list(ruled_out_evidence(pairs, 2.0, dispersion)),
        list(inside_evidence(one, allowed, dispersion)),
        list(outside_evidence(one, allowed, dispersion)),
    ):
        assert evidence == sorted(evidence)
        assert all(math.isfinite(value) and value >= 0 for value in evidence)
        assert all(math.isfinite(as_e_value(value)) for value in evidence)


def test_more_bad_events_than_events_count_as_all_bad() -> None:
    skewed = list(worse_evidence([(Tally(bad=9, total=5), Tally(bad=1, total=50))], 1.1, 1.0))
    assert skewed == list(worse_evidence([(Tally(bad=5, total=5), Tally(bad=1, total=50))], 1.1, 1.0))


def test_an_empty_cell_says_nothing() -> None:
    evidence = list(worse_evidence([(Tally(), Tally(bad=5, total=50)), (Tally(total=9), Tally())], 1.1, 1.0))
    assert evidence == [0.0, 0.0]
