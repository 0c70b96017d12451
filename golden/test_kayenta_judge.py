"""The rank test that `make bench-judge` compares with is Kayenta's: its own test data (Apache-2.0), row by row.

Not held: scores over several metrics, outliers, and the `critical` flag; the bench uses none of them.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import FOLDER, content

OURS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "bench" / "judging" / "rank_test.py"))
ROWS = [
    row
    for row in json.loads(content(FOLDER / "kayenta-judge" / "classifier_cases.json"))["cases"]
    if row["classifier"] == "mann_whitney"
]
INTERVALS: list[dict[str, Any]] = json.loads(content(FOLDER / "kayenta-judge" / "mann_whitney_ci.json"))["cases"]


def series(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=float)


def test_all_rows_are_there() -> None:
    assert len(ROWS) == 34
    assert len(INTERVALS) == 6


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']}-{row['name'].replace(' ', '-')}")
def test_a_metric_is_classified_as_upstream(row: dict[str, Any]) -> None:
    effect = row["effect_size"]
    metric = OURS["Metric"](
        direction=row["direction"],
        tolerance=row["tolerance"],
        confidence=row["confidence_level"],
        measure=effect["measure"],
        allowed_decrease=effect["allowed_decrease"],
        allowed_increase=effect["allowed_increase"],
        missing_is_zero=row["nan_strategy"] == "replace",
    )
    # One row asks only that a reason is given: it has no data on either side.
    expected = row["expected"].get("classification", "Nodata")
    assert OURS["classify"](metric, series(row["control"]), series(row["experiment"])) == expected


@pytest.mark.parametrize("case", INTERVALS, ids=lambda case: case["name"])
def test_statistics_intervals_and_estimates_are_those_of_upstream(case: dict[str, Any]) -> None:
    match case:
        case {"kind": "wilcoxon_diff", "x": x, "y": y, "evaluations": evaluations}:
            shift = OURS["Shift"](series(x), series(y))
            for asked in evaluations:
                assert shift.statistic(asked["mu"]) == pytest.approx(asked["expected"], rel=1e-6)
        case {"x_experiment": x, "y_control": y, "confidence_level": confidence, "expected": expected}:
            shift, z = OURS["Shift"](series(x), series(y)), NormalDist().inv_cdf(0.5 + confidence / 2)
            estimate = pytest.approx(expected["estimate"], abs=expected.get("estimate_abs_tol", 1e-6))
            assert shift.at(z) == pytest.approx(expected.get("lower", expected.get("ci_lower")), abs=1e-6)
            assert shift.at(-z) == pytest.approx(expected.get("upper", expected.get("ci_upper")), abs=1e-6)
            assert shift.at(0) == estimate
        case _:
            raise AssertionError(f"a case of another kind: {case['name']}")
