"""Which pairs of windows work for an objective, and at what burn rate they trip."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.alerting.burn_rate import PAIRS, Burn, Fault, budget, burns, left_out, outage
from tidegate.core.manifest import Objective

DAY = timedelta(days=1)


def objective(target: float, window: timedelta = 30 * DAY) -> Objective:
    return Objective(name="o", target=target, window=window, bad="b", total="t")


def faults(found: tuple[Burn, ...]) -> list[Fault | None]:
    return [burn.fault for burn in found]


@pytest.mark.parametrize(
    ("window", "factors"),
    [
        pytest.param(30 * DAY, ["14.4", "6", "3", "1"], id="thirty-days-are-the-workbook-s"),
        pytest.param(28 * DAY, ["13.44", "5.6", "2.8", "14/15"], id="four-weeks"),
        pytest.param(90 * DAY, ["43.2", "18", "9", "3"], id="a-quarter"),
        pytest.param(42 * DAY, ["20.16", "8.4", "4.2", "1.4"], id="any-window-has-factors"),
        pytest.param(timedelta(hours=36), ["0.72", "0.3", "0.15", "0.05"], id="a-day-and-a-half"),
    ],
)
def test_a_factor_is_the_share_of_the_budget_over_the_share_of_the_time(window: timedelta, factors: list[str]) -> None:
    assert [burn.factor for burn in burns(objective(0.999, window))] == [Fraction(factor) for factor in factors]


NEVER, INSIDE = Fault.NEVER_FIRES, Fault.FIRES_INSIDE


@pytest.mark.parametrize(
    ("target", "window", "expected"),
    [
        pytest.param(0.999, 30, [None, None, None, None], id="three-nines-use-all-four"),
        pytest.param(0.95, 30, [None, None, None, None], id="95-percent-still-does"),
        pytest.param(0.90, 30, [NEVER, None, None, None], id="at-90-the-fast-page-is-out-of-reach"),
        pytest.param(0.80, 30, [NEVER, NEVER, None, None], id="at-80-no-page-is-left"),
        pytest.param(0.50, 30, [NEVER, NEVER, NEVER, None], id="at-50-only-the-slow-ticket"),
        pytest.param(0.999, 28, [None, None, None, INSIDE], id="over-28-days-the-slow-ticket-fires-inside"),
        pytest.param(0.999, 7, [None, None, INSIDE, INSIDE], id="over-a-week-both-tickets-do"),
        pytest.param(0.70, 7, [NEVER, None, INSIDE, INSIDE], id="both-faults-at-once"),
        pytest.param(0.999, 1, [INSIDE, INSIDE, INSIDE, INSIDE], id="nothing-works-over-a-day"),
        pytest.param(0.9501, 100, [NEVER, None, None, None], id="a-threshold-just-below-1-can-be-passed"),
        pytest.param(0.95, 100, [NEVER, NEVER, None, None], id="a-threshold-of-exactly-1-cannot"),
    ],
)
def test_only_pairs_that_can_fire_and_only_outside_the_objective_work(
    target: float, window: int, expected: list[Fault | None]
) -> None:
    assert faults(burns(objective(target, window * DAY))) == expected


@given(st.floats(1e-6, 1 - 1e-6), st.timedeltas(timedelta(hours=1), 366 * DAY))
def test_what_works_trips_at_a_bad_share_between_the_budget_and_everything(target: float, window: timedelta) -> None:
    for burn in burns(objective(target, window)):
        threshold = burn.factor * budget(target)
        assert (burn.fault is None) is (budget(target) <= threshold < 1)


@pytest.mark.parametrize("percent", [99.9, 99.95, 99.99, 97.1, 99.7])
def test_a_budget_has_no_noise_of_binary_fractions(percent: float) -> None:
    assert budget(percent / 100) == 1 - Fraction(str(percent)) / 100


@pytest.mark.parametrize(
    ("share", "target", "window", "expected"),
    [
        pytest.param(1, 0.95, 14 * DAY, timedelta(minutes=1008), id="all-of-95-percent-over-two-weeks"),
        pytest.param(1, 0.9995, 7 * DAY, timedelta(minutes=5, seconds=2.4), id="all-of-9995-over-a-week"),
        pytest.param(Fraction(2, 100), 0.999, 30 * DAY, timedelta(seconds=51.84), id="the-fast-page-s-share"),
    ],
)
def test_an_outage_spends_the_budget_in(share: Fraction, target: float, window: timedelta, expected: timedelta) -> None:
    assert outage(Fraction(share), target, window) == expected


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.severity}-{pair.long}")
def test_a_pair_has_spent_its_share_when_its_long_window_trips(pair: object) -> None:
    burn = next(burn for burn in burns(objective(0.99)) if burn.pair is pair)
    assert burn.factor * Fraction(burn.pair.long / (30 * DAY)).limit_denominator(10_000) == burn.pair.share
    assert burn.pair.long == 12 * burn.pair.short


@pytest.mark.parametrize(
    ("target", "window", "said"),
    [
        pytest.param(0.99, 30, [], id="nothing-when-all-work"),
        pytest.param(
            0.85,
            30,
            ["no page over 1h and 5m: 14.4 × the 15% that may be bad is 2.16 × all events, which can never be"],
            id="out-of-reach",
        ),
        pytest.param(
            0.99,
            28,
            [
                "no ticket over 3d and 6h: at 0.933 × the 1% that may be bad it would fire inside the objective",
                "a bad share between 1% and 2.8% overspends the budget and alerts nobody",
            ],
            id="inside-the-objective-and-what-goes-unnoticed-then",
        ),
        pytest.param(
            0.99, 60, ["a bad share between 1% and 2% overspends the budget and alerts nobody"], id="a-long-window"
        ),
    ],
)
def test_what_is_left_out_is_said_in_figures(target: float, window: int, said: list[str]) -> None:
    assert list(left_out(objective(target, window * DAY))) == said


def test_an_objective_without_any_pair_is_told_so() -> None:
    assert left_out(objective(0.99, DAY))[-1] == "no pair is left: nothing alerts on its burn rate"
