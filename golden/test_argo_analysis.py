"""What `make bench-judge` takes for Argo Rollouts counts as that does: sequences of measurements with the phase after
each, derived from its rules and checked against its own test data (Apache-2.0).

Not held: conditions and their values, when a measurement is due, runs of several metrics, and what ends early.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from reference import FOLDER, content

OURS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "bench" / "judging" / "argo_analysis.py"))
ROWS: list[dict[str, Any]] = json.loads(
    content(FOLDER / "argo-analysis-decisions" / "metric_phase_from_sequences.json")
)["cases"]
LIMITS = {
    "failureLimit": "failure",
    "inconclusiveLimit": "inconclusive",
    "consecutiveErrorLimit": "consecutive_error",
    "consecutiveSuccessLimit": "consecutive_success",
    "count": "count",
}


def test_all_rows_are_there() -> None:
    assert len(ROWS) == 24


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']}-{row['name'].replace(' ', '-')}")
def test_a_metric_goes_through_the_same_phases(row: dict[str, Any]) -> None:
    given = {LIMITS[name]: limit for name, limit in row["limits"].items() if name != "interval"}
    limits = OURS["Limits"](interval="interval" in row["limits"], **given)
    assert list(OURS["phases"](limits, row["measurements"])) == row["phase_after_each"]
