"""An explained verdict can be redone by hand: from the printed lines alone, with the formulas of docs/judgement.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from support.counters import AVAILABILITY, CANARY, STABLE, arms, canary_question, counter, counters, readings
from tidegate.core.explaining import Account, account_lines
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.verdict import Comparison, Counters, Question, Stage, Standing

CELL = re.compile(r"    \S+Z  (?P<clean>\S+)  (?P<k1>[\d.]+)/(?P<n1>[\d.]+)(?:  (?P<k0>[\d.]+)/(?P<n0>[\d.]+))?")
E_VALUE = re.compile(r"  (?P<what>\w+( out)?) +e-value (?P<value>\S+), needed (?P<needed>[^,]+), against .*")


def explained(question: Question, found: Counters) -> tuple[Account, list[str]]:
    judged = Judged(question, found)
    account = Account(
        question=question, verdict=judged.at(found.now), queries=("x",), workings=judged.workings(found.now)
    )
    return account, account_lines(account)


def printed(lines: Sequence[str]) -> dict[str, float]:
    found = (E_VALUE.fullmatch(line) for line in lines)
    return {match["what"]: float(match["value"]) for match in found if match}


def cells(lines: Sequence[str]) -> Iterator[dict[str, float]]:
    for line in lines:
        if match := CELL.fullmatch(line):
            yield {name: float(text) for name, text in match.groupdict().items() if text is not None}


def spread(low: float, high: float) -> list[float]:
    return [low * (high / low) ** (index / 13) for index in range(14)]


def by_hand(rows: Sequence[dict[str, float]], claim: float, bets: Sequence[float], dispersion: float) -> float:
    """The formula under "Canary against stable" in docs/judgement.md, with a cell's own s(r)."""
    sums, largest = [0.0] * len(bets), 1.0

    def s(row: dict[str, float], ratio: float) -> float:
        return row["n1"] * ratio / (row["n1"] * ratio + row["n0"])

    for row in rows:
        for index, bet in enumerate(bets):
            sums[index] += row["k1"] * math.log(s(row, bet) / s(row, claim))
            sums[index] += row["k0"] * math.log((1 - s(row, bet)) / (1 - s(row, claim)))
        largest = max(largest, sum(math.exp(each / dispersion) for each in sums) / len(sums))
    return largest


@pytest.mark.parametrize(
    ("bad", "dispersion"),
    [
        pytest.param({STABLE: 0.5, CANARY: 0.05}, 1.0, id="no worse"),
        pytest.param({STABLE: 0.5, CANARY: 0.15}, 1.0, id="rather worse"),
        pytest.param({STABLE: 0.5, CANARY: 0.15}, 2.5, id="in clusters"),
        pytest.param({STABLE: 0.5, CANARY: 2.0}, 2.0, id="much worse"),
    ],
)
def test_the_e_values_of_a_comparison_can_be_redone_from_the_lines(bad: dict[int, float], dispersion: float) -> None:
    found = counters(arms({STABLE: 90, CANARY: 10}, bad, 200), 200)
    account, lines = explained(canary_question(dispersion=dispersion), found)
    rows, values = list(cells(lines)), printed(lines)
    assert values["worse"] == pytest.approx(by_hand(rows, 1.1, spread(1.32, 17.6), dispersion), rel=1e-4)
    assert values["ruled out"] == pytest.approx(by_hand(rows, 2.0, spread(0.5, 1.2), dispersion), rel=1e-4)
    (judged,) = account.verdict.objectives
    assert values["worse"] == pytest.approx(judged.evidence, rel=1e-4)
    assert (judged.comparison is Comparison.WORSE) == (values["worse"] >= judged.needed)


def test_what_is_cleared_shows_the_e_value_that_cleared_it() -> None:
    found = counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 0.05, CANARY: 0}, 200), 200)
    account, lines = explained(canary_question(), found)
    assert account.verdict.objectives[0].comparison is Comparison.CLEARED
    assert max(printed(lines)["inside"], printed(lines)["ruled out"]) >= 40


def test_a_breach_on_probation_can_be_redone_from_the_lines() -> None:
    question = replace(canary_question(), stage=Stage.PROBATION, subject=STABLE, reference=CANARY, weights=())
    found = counters(arms({STABLE: 90}, {STABLE: 1.5}, 200), 200)
    account, lines = explained(question, found)
    (judged,) = account.verdict.objectives
    assert judged.standing is Standing.BREACH
    odds = 0.005 / 0.995
    rates = [odds * factor / (1 + odds * factor) for factor in spread(1.2, 16)]
    sums, largest = [0.0] * 14, 1.0
    for row in cells(lines):
        for index, rate in enumerate(rates):
            good = row["clean"] + row["n1"] - row["k1"]
            sums[index] += row["k1"] * math.log(rate / 0.005) + good * math.log((1 - rate) / 0.995)
        largest = max(largest, sum(map(math.exp, sums)) / 14)
    assert printed(lines)["outside"] == pytest.approx(largest, rel=1e-4)
    assert any("burn rate   ×" in line and "over 1h" in line for line in lines)


def test_a_proposal_shows_the_last_cells_and_says_where_the_others_are() -> None:
    found = counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 0.9, CANARY: 0.1}, 200), 200)
    account, lines = explained(canary_question(), found)
    short = account_lines(account, 5)
    assert len(list(cells(short))) == 5
    assert list(cells(short)) == list(cells(lines))[-5:]
    assert any(f"… {len(list(cells(lines))) - 5} earlier ones" in line for line in short)


def test_what_could_not_be_read_says_why() -> None:
    _, lines = explained(canary_question(), counters(readings([], []), 40))
    assert any("cannot be read: no data" in line for line in lines)
    assert not printed(lines)


def test_versions_without_a_bad_event_have_no_cells_to_show() -> None:
    _, lines = explained(canary_question(), counters(arms({STABLE: 90, CANARY: 10}, {}, 100), 100))
    assert any(line.startswith("  no bad event in ") for line in lines)


def test_the_policy_stands_at_the_top() -> None:
    question = canary_question(bake=timedelta(minutes=10))
    series = counter(CANARY, [10.0] * 60, first=0)
    _, lines = explained(question, counters(readings([], [series]), 60))
    text = "\n".join(lines)
    for figure in ("worseThan 1.1", "ruleOut 2", "falseRevertRate 1%", "minimumEvents 200", f"version {CANARY}"):
        assert figure in text
    assert f"objective {AVAILABILITY.name} (revert)" in text
