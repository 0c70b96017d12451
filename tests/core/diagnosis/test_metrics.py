"""Prometheus itself: its clock, and how far back it remembers against what judging looks back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import NOT_TOLD, PROMETHEUS, broken, model, not_seen
from tidegate.core.diagnosis.metrics import Rejected, examine, least_lookback, most_lookback
from tidegate.core.diagnosis.remark import Complaint, Unknown, Unseen
from tidegate.core.manifest import Probation, Rollout

HOURS = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ROLLOUT = Rollout(
    steps=(0.1, 0.5), bake=6 * HOURS, maximum_duration=24 * HOURS, probation=Probation(duration=1 * HOURS)
)


@pytest.mark.parametrize(
    ("retention", "rules"),
    [
        pytest.param(timedelta(days=60), [], id="long-enough-for-everything"),
        pytest.param(timedelta(days=30), [], id="just-the-window"),
        pytest.param(timedelta(days=15), ["retention-below-window"], id="shorter-than-the-window"),
        pytest.param(
            47 * HOURS, ["retention-below-longest-rollout", "retention-below-window"], id="shorter-than-a-slow-rollout"
        ),
        pytest.param(11 * HOURS, ["retention-below-rollout", "retention-below-window"], id="shorter-than-any-rollout"),
    ],
)
def test_retention_is_held_against_what_the_models_need(retention: timedelta, rules: list[str]) -> None:
    assert broken(examine(replace(PROMETHEUS, retention=retention), [model(ROLLOUT)])) == rules


def test_the_complaint_names_who_needs_how_much() -> None:
    found = examine(replace(PROMETHEUS, retention=timedelta(days=15)), [model(ROLLOUT)])
    said = [remark.what for remark in found if isinstance(remark, Complaint)]
    assert said == ["Prometheus keeps 15d, and churn in production needs 30d for the window of its objectives"]


def test_a_rollout_looks_back_over_its_steps_and_five_cells_before_them() -> None:
    (production,) = model(ROLLOUT).environments
    assert least_lookback(production) == 2 * 6 * HOURS + 5 * MINUTE
    assert most_lookback(production) == 2 * 24 * HOURS + 5 * MINUTE


def test_a_probation_looks_back_as_long_before_its_beginning() -> None:
    (production,) = model(replace(ROLLOUT, probation=Probation(duration=30 * HOURS))).environments
    assert least_lookback(production) == most_lookback(production) == 2 * 30 * HOURS + 5 * MINUTE


def test_what_does_not_canary_looks_back_over_its_bake() -> None:
    (production,) = model(ROLLOUT).environments
    assert most_lookback(replace(production, canaries=False)) == 6 * HOURS + 5 * MINUTE


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
