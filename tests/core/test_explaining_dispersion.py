"""What evidence is divided by can be redone by hand as well: from stable's counters and the formula of
docs/judgement.md, or it says why the policy's figure holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.counters import CANARY, SINCE, STABLE, canary_question, counter, counters, readings
from support.labels import TOGETHER, Labelled
from support.labels import readings as readings_of_labels
from tidegate.core.explaining import Account, account_lines
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.verdict import Counters, Question, Stage
from tidegate.reporters.json import text

SIX_HOURS = 6 * 60 * 4
"""In scrapes."""
BEFORE = SIX_HOURS + 40
STAGE = 60
EACH = 50.0
"""Events of each target at each scrape."""

STEADY = [3.0 if scrape % 11 == 0 else 0.0 for scrape in range(BEFORE)]
STICKY = [6.0 if scrape % 13 == 5 and scrape % 720 < 360 else 0.0 for scrape in range(BEFORE)]
LONG_AGO = SINCE - timedelta(days=9)

DISPERSION = re.compile(r"  dispersion  (?P<figure>[\d.]+) \(measured on the other version\); logarithms of .*")
EXCESS = re.compile(
    r"    between (?P<where>.+): squared deviations (?P<seen>\S+) / variances (?P<expected>\S+) = (?P<figure>[\d.]+)"
    r"(?P<larger>, the larger one)?"
)


def service(*stable: Sequence[float]) -> Counters:
    """Stable's targets with their bad events before the rollout, and a canary that has none."""
    names = [f"pod-{number}:80" for number in range(len(stable))]
    lasts = [0.0] * STAGE
    bad = [
        counter(STABLE, [*own, *lasts], first=-len(own), instance=name) for name, own in zip(names, stable, strict=True)
    ]
    total = [
        counter(STABLE, [EACH] * (len(own) + STAGE), first=-len(own), instance=name)
        for name, own in zip(names, stable, strict=True)
    ]
    canary = counter(CANARY, [EACH] * STAGE, first=0, instance="canary:80")
    return counters(readings(bad, [*total, canary]), STAGE)


def explained(found: Counters, **question: Any) -> list[str]:
    asked = replace(canary_question(dispersion=2.0), **{"reference_since": LONG_AGO, **question})
    return account_lines(account_of(asked, found))


def account_of(question: Question, found: Counters) -> Account:
    judged = Judged(question, found)
    workings, late = judged.workings(found.now), judged.late_workings(found.now)
    return Account(question=question, verdict=judged.at(found.now), workings=workings, late=late)


def measured(lines: Sequence[str]) -> tuple[float, list[re.Match[str]]]:
    (line,) = filter(None, map(DISPERSION.fullmatch, lines))
    return float(line["figure"]), list(filter(None, map(EXCESS.fullmatch, lines)))


def cells(own: Sequence[float], scrapes: int) -> list[tuple[float, float]]:
    """Bad and all events in six hours, so many scrapes each."""
    hours = own[-SIX_HOURS - 1 : -1]
    starts = range(0, SIX_HOURS, scrapes)
    return [(sum(hours[start : start + scrapes]), EACH * scrapes) for start in starts]


def by_hand(groups: Iterator[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """Squared deviations, and the variances of independent events, of what ought to have one bad rate."""
    seen = expected = 0.0
    for alike in groups:
        bad, total = (sum(side) for side in zip(*alike, strict=True))
        rate = bad / total
        seen += sum((k - n * rate) ** 2 for k, n in alike)
        expected += sum(n * rate * (1 - rate) * (1 - n / total) for _, n in alike)
    return seen, expected


@pytest.mark.parametrize(
    ("stage", "weights"),
    [
        pytest.param(Stage.CANARY, canary_question().weights, id="beside-stable"),
        pytest.param(Stage.PROBATION, (), id="after-the-previous-version"),
        pytest.param(Stage.PROBATION, canary_question().weights, id="beside-the-previous-version"),
    ],
)
def test_what_was_measured_between_targets_can_be_redone(stage: Stage, weights: tuple[Any, ...]) -> None:
    lines = explained(service(STEADY, STICKY), stage=stage, weights=weights)
    figure, excesses = measured(lines[: lines.index(next(line for line in lines if "e-value " in line))])
    bad = sum(sum(own[-SIX_HOURS - 1 : -1]) for own in (STEADY, STICKY))
    both = sum(k + other > 0 for (k, _), (other, _) in zip(cells(STEADY, 4), cells(STICKY, 4), strict=True))
    span = "from 2026-01-01 06:00:00 to 2026-01-01 12:00:00 UTC"
    assert f"    version {STABLE} {span}: {bad:g} bad in {both} of 360 cells of 2 targets" in lines
    assert [each["where"] for each in excesses] == ["targets in 72 blocks of 5m", "targets in 6 blocks of 1h"]
    for each, scrapes in zip(excesses, (20, 240), strict=True):
        seen, expected = by_hand(zip(cells(STEADY, scrapes), cells(STICKY, scrapes), strict=True))
        assert (float(each["seen"]), float(each["expected"])) == pytest.approx((seen, expected), rel=1e-4)
    assert [each["larger"] is not None for each in excesses] == [False, True]
    assert figure == pytest.approx(float(excesses[1]["figure"]), abs=0.006)
    assert figure > float(excesses[0]["figure"])


def test_what_was_measured_at_one_target_can_be_redone() -> None:
    figure, (excess,) = measured(explained(service(STICKY)))
    minutes = cells(STICKY, 4)
    around = ((k0 + k2, n0 + n2) for (k0, n0), (k2, n2) in zip(minutes, minutes[2:], strict=False))
    seen, expected = by_hand(zip(minutes[1:-1], around, strict=True))
    assert excess["where"] == "358 cells with their neighbours"
    assert (float(excess["seen"]), float(excess["expected"])) == pytest.approx((seen, expected), rel=1e-4)
    assert figure == pytest.approx(float(excess["figure"]), abs=0.006)


POLICY: Mapping[str, Any] = {"rollout": canary_question(dispersion=9.0).rollout}


@pytest.mark.parametrize(
    ("bad", "question", "why"),
    [
        pytest.param(
            [1.0 if scrape % 50 == 0 else 0.0 for scrape in range(BEFORE)],
            {},
            "too few are bad: 29 of the 50 that it takes",
            id="few-bad-events",
        ),
        pytest.param(
            [600.0 if scrape == 400 else 0.0 for scrape in range(BEFORE)],
            {},
            "those that are bad came at too few times: 1 of the 12 that it takes",
            id="all-of-them-at-once",
        ),
        pytest.param(
            STEADY,
            {**POLICY, "reference_since": SINCE - timedelta(hours=3)},
            r"it is the least here, and [\d.]+ was measured",
            id="a-young-stable",
        ),
        pytest.param(
            STEADY,
            {"reference_since": SINCE - timedelta(minutes=50)},
            f"version {STABLE} was stable for less than 1h, .*",
            id="less-than-an-hour",
        ),
        pytest.param(
            STEADY, {"stage": Stage.BAKE, "reference": None, "weights": ()}, "no other version .*", id="baking"
        ),
    ],
)
def test_the_figure_of_the_policy_says_why_it_holds(bad: list[float], question: Mapping[str, Any], why: str) -> None:
    lines = explained(service(bad), **question)
    (line,) = (line for line in lines if line.startswith("  dispersion  "))
    assert line.endswith(" (by the policy); logarithms of e-values are divided by it")
    assert any(re.fullmatch(f"    the policy's, because {why}", line) for line in lines), lines


@pytest.mark.parametrize(
    ("dispersion", "expected"),
    [
        pytest.param(1.0, r"    between \d+ steps with their neighbours: squared deviations .*", id="measured"),
        pytest.param(99.0, r"    the policy's, because it is the least here, and [\d.]+ was measured", id="the-least"),
    ],
)
def test_late_labels_say_it_in_steps(dispersion: float, expected: str) -> None:
    stable = Labelled(predictions=9000, bad=0.05, hours=(-40, 24))
    late = readings_of_labels({CANARY: replace(stable, hours=(0, 24)), STABLE: stable}, 60)
    together = replace(TOGETHER, rollout=replace(TOGETHER.rollout, dispersion=dispersion))
    question = replace(canary_question(), stage=Stage.LABELS, objectives=(), together=together)
    found = replace(counters({}, 0), now=SINCE + timedelta(hours=60), late={"quality": late})
    lines = account_lines(account_of(question, found))
    assert any(re.fullmatch(expected, line) for line in lines), lines
    assert any(re.fullmatch(rf"    version {STABLE} from .* bad in \d+ of \d+ steps", line) for line in lines), lines


def test_programs_read_the_same() -> None:
    question = replace(canary_question(dispersion=2.0), reference_since=LONG_AGO)
    account = account_of(question, service(STEADY, STICKY))
    figure, excesses = measured(account_lines(account))
    found = json.loads(text(account))["workings"]["availability"]["dispersion"]
    assert (found["figure"], found["by_policy"]) == (figure, "")
    basis = found["basis"]
    assert [basis[name] for name in ("version", "bad_cells", "cells", "targets")] == [STABLE, 165, 360, 2]
    assert [each["over"] for each in basis["excesses"]] == ["5m", "1h"]
    divided = [each["deviations"] / each["variances"] for each in basis["excesses"]]
    assert divided == pytest.approx([float(each["figure"]) for each in excesses], rel=1e-3)
