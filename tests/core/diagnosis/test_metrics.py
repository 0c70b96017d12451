"""Prometheus itself: its clock, and how far back it remembers against what judging looks back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import NOT_TOLD, PROMETHEUS, broken, model, not_seen
from tidegate.core.diagnosis.metrics import Rejected, examine, least_lookback, most_lookback
from tidegate.core.diagnosis.remark import Complaint, Unknown, Unseen
from tidegate.core.judging.late_labels import step_of
from tidegate.core.manifest import Labels, Probation, Rollout, ValueObjective

HOURS = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ROLLOUT = Rollout(
    steps=(0.1, 0.5), bake=6 * HOURS, maximum_duration=24 * HOURS, probation=Probation(duration=1 * HOURS)
)
BEFORE, DEADLINE = 6 * HOURS + 5 * MINUTE, 10 * MINUTE
"""The hours in which dispersion is measured, and the five cells that are read before anything."""

LEAST, SLOW = (2 * (each * HOURS + DEADLINE) + BEFORE for each in (6, 24))


@pytest.mark.parametrize(
    ("retention", "rules"),
    [
        pytest.param(timedelta(days=60), [], id="long-enough-for-everything"),
        pytest.param(timedelta(days=30), [], id="just-the-window"),
        pytest.param(timedelta(days=15), ["retention-below-window"], id="shorter-than-the-window"),
        pytest.param(SLOW, ["retention-below-window"], id="just-a-slow-rollout"),
        pytest.param(
            SLOW - MINUTE,
            ["retention-below-longest-rollout", "retention-below-window"],
            id="shorter-than-a-slow-rollout",
        ),
        pytest.param(
            LEAST, ["retention-below-longest-rollout", "retention-below-window"], id="just-the-shortest-rollout"
        ),
        pytest.param(
            LEAST - MINUTE, ["retention-below-rollout", "retention-below-window"], id="shorter-than-any-rollout"
        ),
    ],
)
def test_retention_is_held_against_what_the_models_need(retention: timedelta, rules: list[str]) -> None:
    assert broken(examine(replace(PROMETHEUS, retention=retention), [model(ROLLOUT)])) == rules


def test_the_complaint_names_who_needs_how_much() -> None:
    found = examine(replace(PROMETHEUS, retention=timedelta(days=15)), [model(ROLLOUT)])
    said = [remark.what for remark in found if isinstance(remark, Complaint)]
    assert said == ["Prometheus keeps 15d, and churn in production needs 30d for the window of its objectives"]


def test_a_rollout_looks_back_over_its_steps_and_the_hours_before_them() -> None:
    (production,) = model(ROLLOUT).environments
    assert (least_lookback(production), most_lookback(production)) == (LEAST, SLOW)


@pytest.mark.parametrize(
    ("duration", "looks_back"),
    [
        pytest.param(60 * HOURS, 2 * 60 * HOURS + 5 * MINUTE, id="as-long-before-it-as-it-takes"),
        pytest.param(4 * HOURS, 4 * HOURS + BEFORE, id="six-hours-before-a-short-one"),
    ],
)
def test_a_probation_looks_back_from_its_end_to_before_its_beginning(
    duration: timedelta, looks_back: timedelta
) -> None:
    short = replace(ROLLOUT, bake=0 * HOURS, maximum_duration=0 * HOURS, probation=Probation(duration=duration))
    (production,) = model(short).environments
    assert least_lookback(production) == most_lookback(production) == looks_back


@pytest.mark.parametrize(
    ("delay", "before"),
    [
        pytest.param(48 * HOURS, 48 * HOURS, id="as-long-before-the-rollout-as-labels-take"),
        pytest.param(1 * HOURS, 6 * HOURS, id="six-hours-at-least"),
    ],
)
def test_late_labels_look_back_from_the_last_one_to_before_the_rollout(delay: timedelta, before: timedelta) -> None:
    (production,) = model(ROLLOUT).environments
    labels = Labels(served="predictions_total", delay=delay)
    late = replace(production.objectives[0], name="accuracy", labels=labels)
    steps, probation = 2 * (6 * HOURS + DEADLINE), ROLLOUT.probation.duration
    expected = before + steps + delay + probation + 2 * step_of(labels, ROLLOUT)
    assert least_lookback(replace(production, late=(late,))) == expected
    assert least_lookback(replace(production, objectives=(), late=(late,))) == expected


def test_values_look_back_over_the_steps_alone() -> None:
    """Nothing of them comes in clusters that were measured before."""
    (production,) = model(ROLLOUT).environments
    drift = ValueObjective(name="drift", value="drift", maximum=0.2)
    plain = replace(production, objectives=(), values=(drift,))
    assert least_lookback(plain) == 2 * (6 * HOURS + DEADLINE) + 5 * MINUTE
    alone = replace(model(ROLLOUT), environments=(plain,))
    assert broken(examine(replace(PROMETHEUS, retention=12 * HOURS), [alone])) == ["retention-below-rollout"]


def test_what_does_not_canary_looks_back_over_its_bake() -> None:
    (production,) = model(ROLLOUT).environments
    assert most_lookback(replace(production, canaries=False)) == 6 * HOURS + DEADLINE + 5 * MINUTE


def test_models_without_objectives_need_no_history() -> None:
    plain = model(ROLLOUT)
    bare = replace(plain, environments=tuple(replace(e, objectives=()) for e in plain.environments))
    assert broken(examine(replace(PROMETHEUS, retention=MINUTE), [bare])) == []


@pytest.mark.parametrize("seconds", [31, -31])
def test_a_clock_that_differs_is_a_warning(seconds: int) -> None:
    assert broken(examine(replace(PROMETHEUS, ahead=timedelta(seconds=seconds)), [])) == ["prometheus-clock"]


def test_answers_that_are_no_readings_are_an_error_and_none_at_all_is_silence() -> None:
    assert broken(examine(Rejected(words="Prometheus says 401"), [])) == ["prometheus-refuses"]
    assert list(examine(Unknown(why="refused", silent=True), [])) == [
        Unseen(what="readings", why="refused", silent=True)
    ]


def test_what_prometheus_does_not_tell_is_unseen() -> None:
    mute = replace(PROMETHEUS, version=NOT_TOLD, retention=NOT_TOLD, most_samples=NOT_TOLD)
    found = list(examine(mute, [model()]))
    assert (broken(found), not_seen(found)) == (
        [],
        ["Prometheus' version", "how many samples a query may load", "how long Prometheus keeps samples"],
    )
    assert not_seen(examine(replace(PROMETHEUS, retention=None), [model()])) == ["how long Prometheus keeps samples"]
