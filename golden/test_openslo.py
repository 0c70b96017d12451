"""The arithmetic of OpenSLO's own worked examples (github.com/OpenSLO/OpenSLO, Apache-2.0)."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from asking import answers
from history import DAY, LENGTH, MINUTE, START
from reference import FOLDER, content, ours

from support.prometheus_server import PrometheusServer
from tidegate.core.alerting.burn_rate import outage
from tidegate.core.manifest import Objective
from tidegate.core.quantity import duration

CASES: list[dict[str, Any]] = json.loads(content(FOLDER / "openslo" / "expected.json"))["budget_arithmetic"]["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_budgets_and_indicators_are_those_of_the_examples(case: dict[str, Any], past: PrometheusServer) -> None:
    match case:
        case {"window": window, "target": target, "expected_minutes": minutes}:
            assert outage(Fraction(1), target, duration(window)) == minutes * MINUTE
        case {"window": window, "target": target, "expected_bad_minutes": minutes}:
            assert outage(Fraction(1), target, duration(window)) == minutes * MINUTE
        case {"window": window, "slice": part, "expected_slices": slices}:
            assert duration(window) / duration(part) == slices
        case {"expected": share}:
            assert measured_good(case, past) == pytest.approx(share, rel=1e-12)
        case _:
            raise AssertionError(f"an example of another kind: {case}")


def measured_good(case: dict[str, Any], past: PrometheusServer) -> float:
    """The good share that our ratio finds in two counters which grow as the example says."""
    kind = "good" if "good" in case else "bad"
    counts = Objective(name="o", target=0.99, total="all_total")
    objective = replace(counts, good="good_total") if kind == "good" else replace(counts, bad="bad_total")
    ratio = ours(objective).recorded["tidegate:bad_events_per_events:ratio_rate1h"]
    now = START + LENGTH + DAY
    for name, growth in (("all_total", case["total"]), (f"{kind}_total", case[kind])):
        samples = [((now - ago * MINUTE).timestamp(), (60 - ago) * growth) for ago in range(60, -1, -1)]
        past.write([({"__name__": name, "example": case["name"]}, samples)])
    only_this = ratio.replace("{}", f'{{example="{case["name"]}"}}')
    return 1 - answers(past.url, only_this, now, now, MINUTE)[now.timestamp()]
