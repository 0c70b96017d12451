"""Flagger's loop, Argo Rollouts' counting and the z-test of `make bench-judge`, on an hour or less made by hand.

Argo Rollouts' phases are held against its own rules in golden/test_argo_analysis.py, Kayenta's test against its own
test data in golden/test_kayenta_judge.py.
"""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

JUDGING = Path(__file__).resolve().parents[2] / "bench" / "judging"
BASE = 0.01
EVENTS = {"o": (1.0, 100.0), "x": (3.0, 100.0), "=": (2.0, 100.0), "-": (0.0, 0.0)}
"""Bad and all events of a canary's minute: at the base rate, above twice it, exactly at twice it, and none at all."""


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(JUDGING))
    return runpy.run_path(str(JUDGING / "rivals.py"))


def counts(rivals: dict[str, Any], minutes: str) -> Any:
    """Four looks a minute, all events in the first of them."""
    looks = [EVENTS[minute] if look == 0 else (0.0, 0.0) for minute in minutes for look in range(4)]
    bad, total = (np.array([each]) for each in zip(*looks, strict=True))
    return rivals["Counts"](subject_bad=bad, subject_total=total, reference_bad=bad, reference_total=9 * total)


@pytest.mark.parametrize(
    ("minutes", "checks", "back"),
    [
        pytest.param("ooooo", 1, math.inf, id="no-check-fails"),
        pytest.param("oxooo", 1, 3, id="the-first-failed-check-rolls-back-one-tick-later"),
        pytest.param("xoxoo", 2, 4, id="failed-checks-are-never-forgotten"),
        pytest.param("xooox", 3, math.inf, id="too-few-failed-checks"),
        pytest.param("o-ooo", 1, 3, id="no-value-is-a-failed-check"),
        pytest.param("=====", 1, math.inf, id="exactly-at-the-threshold-passes"),
    ],
)
def test_flagger_counts_failed_checks(rivals: dict[str, Any], minutes: str, checks: int, back: float) -> None:
    assert rivals["flagger"](checks, 2)(counts(rivals, minutes), BASE).tolist() == [back]


@pytest.mark.parametrize(
    ("minutes", "limit", "back"),
    [
        pytest.param("ooooo", 0, math.inf, id="no-measurement-fails"),
        pytest.param("oxooo", 0, 2, id="the-first-failed-measurement-aborts-at-once"),
        pytest.param("xoxox", 2, 5, id="as-many-as-the-limit-are-tolerated"),
        pytest.param("xooox", 2, math.inf, id="too-few-failed-measurements"),
        pytest.param("o-ooo", 0, 2, id="no-value-does-not-succeed"),
    ],
)
def test_argo_rollouts_counts_failed_measurements(
    rivals: dict[str, Any], minutes: str, limit: int, back: float
) -> None:
    assert rivals["argo_rollouts"](limit, 2)(counts(rivals, minutes), BASE).tolist() == [back]


@pytest.mark.parametrize(
    ("looks", "back"),
    [
        # z = 0.02 / √(0.02 · 0.98 · 2/1000) = 3.19
        pytest.param([(30, 1000, 10, 1000)], 0.25, id="above-what-one-in-a-hundred-reaches"),
        # z = 0.01 / √(0.015 · 0.985 · 2/1000) = 1.84
        pytest.param([(20, 1000, 10, 1000)], math.inf, id="below-it"),
        pytest.param([(10, 1000, 30, 1000)], math.inf, id="better-is-not-worse"),
        # z = 0.01 / √(0.015 · 0.985 · 2/2000) = 2.60
        pytest.param([(20, 1000, 10, 1000), (20, 1000, 10, 1000)], 0.5, id="looks-are-added-up"),
        pytest.param([(4, 10, 0, 1000)], math.inf, id="four-bad-events-are-too-few"),
        pytest.param([(5, 10, 0, 1000)], 0.25, id="five-are-enough"),
        pytest.param([(0, 0, 30, 1000)], math.inf, id="a-canary-without-events"),
    ],
)
def test_a_z_test_at_every_look(rivals: dict[str, Any], looks: list[tuple[float, ...]], back: float) -> None:
    k1, n1, k0, n0 = (np.array([each], dtype=float) for each in zip(*looks, strict=True))
    drawn = rivals["Counts"](subject_bad=k1, subject_total=n1, reference_bad=k0, reference_total=n0)
    assert rivals["z_test"](drawn, BASE).tolist() == [back]
