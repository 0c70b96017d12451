"""Which questions are asked of an environment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.situations import NOW, canary, chain, model, observed, pin_of, probation, stable
from tidegate.core.judging.questions import questions
from tidegate.core.judging.verdict import Stage
from tidegate.core.manifest import Labels, Objective
from tidegate.core.observed import PinChange
from tidegate.core.pin import Canary, Pin
from tidegate.core.transition import Kind


@pytest.mark.parametrize(
    ("holdback", "weights"),
    [pytest.param(0.05, [0.95], id="held-back"), pytest.param(None, [], id="alone")],
)
def test_on_probation_the_previous_version_is_compared_where_it_still_serves(
    holdback: float | None, weights: list[float]
) -> None:
    asked = questions(model(), observed(stable("staging", 2), probation(holdback=holdback)), NOW, "version")[
        "production"
    ]
    assert (asked.stage, [change.weight for change in asked.weights]) == (Stage.PROBATION, weights)
    assert asked.held_back is bool(weights)
    assert all(change.at == asked.since for change in asked.weights)


def test_a_canary_is_measured_against_what_is_stable_since_then() -> None:
    asked = questions(model(), observed(stable("staging", 2), canary()), NOW, "version")["production"]
    assert (asked.stage, asked.reference) == (Stage.CANARY, 1)
    assert asked.reference_since is not None
    assert asked.reference_since < asked.since


def test_the_previous_version_has_been_stable_since_it_was_made_so() -> None:
    asked = questions(model(), observed(stable("staging", 2), probation()), NOW, "version")["production"]
    assert asked.reference_since == NOW - timedelta(days=9)
    other = replace(probation()[-1].pin or Pin(), previous=pin_of(3))
    by_hand = (*probation()[:-1], replace(probation()[-1], pin=other))
    asked = questions(model(), observed(stable("staging", 2), by_hand), NOW, "version")["production"]
    assert (asked.reference, asked.reference_since) == (3, None), "it was not the one before"


QUALITY = Objective(
    name="quality",
    target=0.9,
    bad="wrong",
    total="labels",
    labels=Labels(served="predictions_total", delay=timedelta(days=7)),
)
LATE = model(environments=(model().environments[0], replace(model().environments[1], late=(QUALITY,))))
"""Probation lasts a day, labels come a week late."""


def held_back(dropped: timedelta | None) -> tuple[PinChange, ...]:
    """Two finished two days ago with one held back, until it was not any more."""
    one, two = pin_of(1), pin_of(2)
    finished = Pin(stable=two, previous=one, policy="p" * 40, holdback=0.05)
    steps = [
        (Kind.PROMOTE, Pin(stable=one), timedelta(days=9)),
        (Kind.PROMOTE, Pin(stable=one, canary=Canary(pin=two, weight=0.5)), timedelta(days=3)),
        (Kind.FINISH, finished, timedelta(days=2)),
    ]
    if dropped is not None:
        steps.append((Kind.FINISH, replace(finished, holdback=None), dropped))
    return chain("production", *steps)


@pytest.mark.parametrize(
    ("history", "stage", "ago"),
    [
        pytest.param(canary(), Stage.CANARY, (timedelta(hours=1), None), id="a-canary-serves-beside-stable"),
        pytest.param(
            probation(), Stage.PROBATION, (timedelta(hours=3), timedelta(hours=1)), id="on-probation-it-has-served-so"
        ),
        pytest.param(
            probation(ago=timedelta(days=7)),
            Stage.LABELS,
            (timedelta(days=7, hours=2), timedelta(days=7)),
            id="probation-by-labels-begins-when-they-are-there",
        ),
        pytest.param(held_back(None), Stage.LABELS, (timedelta(days=3), None), id="one-that-is-held-back-still-serves"),
        pytest.param(
            held_back(timedelta(days=1)),
            Stage.LABELS,
            (timedelta(days=3), timedelta(days=1)),
            id="one-that-was-held-back-served-until-then",
        ),
    ],
)
def test_late_labels_are_of_the_time_side_by_side(
    history: tuple[PinChange, ...], stage: Stage, ago: tuple[timedelta, timedelta | None]
) -> None:
    asked = questions(LATE, observed(stable("staging", 2), history), NOW, "version")["production"]
    assert (asked.stage, asked.subject) == (stage, 2)
    assert asked.together is not None
    assert (asked.together.subject, asked.together.reference, asked.together.sharing) == (2, 1, 3)
    assert asked.together.since == NOW - ago[0]
    assert asked.together.reference_since == NOW - timedelta(days=9)
    assert asked.together.until == (None if ago[1] is None else NOW - ago[1])


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(probation(ago=timedelta(days=9)), id="all-labels-have-come"),
        pytest.param(stable("production", 2, previous=1, ago=timedelta(days=2)), id="it-entered-at-once"),
    ],
)
def test_a_settled_environment_asks_nothing(history: tuple[PinChange, ...]) -> None:
    assert "production" not in questions(LATE, observed(stable("staging", 2), history), NOW, "version")
