"""Error budgets of then: what a pass counted is counted again, and where nobody can know it, that is said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from support.situations import NOW, WORKSPACE, chain, model, pin_of
from support.worlds import Clock, Service, Tape
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.manifest import Objective
from tidegate.core.observed import PinChange
from tidegate.core.pin import Canary, Pin
from tidegate.core.replay.episodes import Ending, Episode
from tidegate.core.replay.past import Era, Past
from tidegate.core.transition import Kind
from tidegate.steps.budgets import budgets
from tidegate.steps.past_budgets import PastBudgets
from tidegate.steps.past_readings import scope_of_then
from tidegate.steps.past_samples import PastSamples

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENTERED = NOW - DAY
AVAILABILITY = Objective(
    name="availability", target=0.99, bad="errors_total", total="requests_total", window=30 * DAY
)  # fmt: skip
LATENCY = replace(AVAILABILITY, name="latency", bad=None, good="quick_total")
MODEL = model()
PRODUCTION = replace(MODEL.environment("production"), objectives=(AVAILABILITY, LATENCY))


@dataclass
class Counting(Tape):
    """Counts what it is asked."""

    asked: list[str] = field(default_factory=list)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append(f"{expression} {start} {end}")
        return super().answers(expression, start, end, step)


def prometheus(*spans: tuple[int, int]) -> Counting:
    """Version 1's counters, each so many days ago until so many days ago; one event in a hundred is bad."""
    service = Service()
    for begins, ends in spans:
        for minute in range(begins * 144, ends * 144, -1):
            at = NOW - minute * timedelta(minutes=10)
            service._count("requests_total", "production", 1, 100, at)
            service._count("errors_total", "production", 1, 0.5, at)
            service._count("quick_total", "production", 1, 99, at)
    return Counting(service, Clock(NOW))


def served_for(days: int) -> tuple[PinChange, ...]:
    """Version 1 for so many days, version 2 as canary since a day."""
    first, rolling = Pin(stable=pin_of(1)), Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.1))
    return chain("production", (Kind.PROMOTE, first, days * DAY), (Kind.PROMOTE, rolling, DAY))


def past(history: tuple[PinChange, ...]) -> Past:
    era = Era(at=NOW - 90 * DAY, commit="c" * 40, model=MODEL, workspace=WORKSPACE, key="")
    return Past(eras=(era,), histories={"production": history})


def waited(since: datetime) -> Episode:
    return Episode(
        environment="production",
        version=2,
        start=since,
        entered=ENTERED,
        end=NOW,
        ending=Ending.OPEN,
        first=1,
        last=1,
    )


def then(metrics: Counting, history: tuple[PinChange, ...], since: datetime) -> PastBudgets:
    return PastBudgets(waited(since), past(history), PastSamples(metrics=metrics, ends=NOW))


def live(metrics: Tape, history: tuple[PinChange, ...], at: datetime) -> object:
    """What a pass at that instant counted, of what is known now."""
    metrics = Tape(metrics.service, Clock(at))
    return budgets(PRODUCTION, scope_of_then(past(history), "production", at), metrics)


@pytest.mark.parametrize(
    ("served", "spans", "lost"),
    [
        pytest.param(60, [(60, 0)], False, id="a-window-that-is-known-whole"),
        pytest.param(12, [(12, 0)], False, id="an-environment-that-is-younger-than-its-window"),
        pytest.param(60, [(12, 0)], True, id="samples-that-are-gone-though-something-served"),
        pytest.param(28, [(12, 0)], True, id="the-same-in-a-young-environment"),
        pytest.param(60, [(60, 40), (12, 0)], False, id="a-gap-that-was-there-live-as-well"),
    ],
)
def test_a_window_is_counted_as_it_was_or_not_at_all(served: int, spans: list[tuple[int, int]], lost: bool) -> None:
    metrics, history = prometheus(*spans), served_for(served)[:1]
    found = then(metrics, history, ENTERED - HOUR).at(PRODUCTION, history, ENTERED)
    if not lost:
        assert found == live(metrics, history, ENTERED)
        assert not any(each.unread for each in found)
        return
    for each in found:
        assert each.unread is not None
        assert each.unread.why is Why.HISTORY_LOST
        assert "total events are known only since 2026-02-18 12:00" in each.unread.words


def test_weeks_of_waiting_are_read_at_once_and_counted_as_they_were() -> None:
    metrics, history = prometheus((60, 0)), served_for(60)[:1]
    begins = ENTERED - 14 * DAY
    found = then(metrics, history, begins)
    for hours in range(0, 14 * 24, 41):
        at = begins + hours * HOUR + timedelta(minutes=hours % 60)
        assert found.at(PRODUCTION, history, at) == live(metrics, history, at)
    assert len(metrics.asked) == 3, "bad, total and good events"


def test_between_two_fixed_instants_nothing_is_counted_again() -> None:
    metrics, history = prometheus((60, 0)), served_for(60)[:1]
    found = then(metrics, history, ENTERED - HOUR)
    at = ENTERED - timedelta(minutes=5)
    assert found.at(PRODUCTION, history, at) is found.at(PRODUCTION, history, at + timedelta(minutes=1))


def test_an_objective_edited_meanwhile_is_another_budget() -> None:
    metrics, history = prometheus((60, 0)), served_for(60)[:1]
    found, stricter = then(metrics, history, ENTERED - HOUR), replace(AVAILABILITY, target=0.999)
    budget, _ = found.at(PRODUCTION, history, ENTERED)
    (other,) = found.at(replace(PRODUCTION, objectives=(stricter,)), history, ENTERED)
    assert not budget.exhausted
    assert other.exhausted


def test_an_environment_in_which_nothing_served_for_long_has_spent_nothing() -> None:
    metrics = prometheus((60, 0))
    new = chain("production", (Kind.PROMOTE, Pin(stable=pin_of(1)), DAY + timedelta(minutes=30)))
    assert then(metrics, new, ENTERED - HOUR).at(PRODUCTION, new, ENTERED) == ()
    assert not metrics.asked
