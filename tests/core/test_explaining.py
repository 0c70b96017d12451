"""An explained verdict can be redone by hand: from the printed lines alone, with the formulas of docs/judgement.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from support.counters import (
    AVAILABILITY,
    CANARY,
    SINCE,
    STABLE,
    arms,
    canary_question,
    counter,
    counters,
    moment,
    readings,
)
from support.labels import TOGETHER, Labelled
from support.labels import readings as readings_of_labels
from tidegate.core.explaining import Account, account_lines, budget_lines
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    Tally,
    ValueVerdict,
    Verdict,
)
from tidegate.core.manifest import Effect, Mean, Objective, Probation, ValueObjective

CELL = re.compile(r"    \S+Z  (?P<clean>\S+)  (?P<k1>[\d.]+)/(?P<n1>[\d.]+)(?:  (?P<k0>[\d.]+)/(?P<n0>[\d.]+))?")
E_VALUE = re.compile(
    r"  (?P<what>\w+( out)?) +e-value (?P<value>\S+), needed (?P<needed>\S+) \((?P<why>[^)]+)\), against .*"
)


def explained(question: Question, found: Counters) -> tuple[Account, list[str]]:
    judged = Judged(question, found)
    account = Account(
        question=question,
        verdict=judged.at(found.now),
        queries=("x",),
        workings=judged.workings(found.now),
        late=judged.late_workings(found.now),
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


@pytest.mark.parametrize(
    ("stage", "target", "expected"),
    [
        pytest.param(Stage.CANARY, 0.995, ["looks: 8640 (maximumDuration 2d × 3 steps / 1m)"], id="canary"),
        pytest.param(Stage.BAKE, 0.995, ["looks: 8640 (maximumDuration 2d × 3 steps / 1m)"], id="baking"),
        pytest.param(Stage.PROBATION, 0.995, ["looks: 180 (probation 3h / 1m)"], id="on-probation"),
        pytest.param(Stage.CANARY, 0.8, [], id="no-windows-no-looks"),
    ],
)
def test_looks_say_where_they_come_from(stage: Stage, target: float, expected: list[str]) -> None:
    rollout = replace(
        canary_question().rollout,
        steps=(0.1, 0.3, 0.5),
        maximum_duration=timedelta(days=2),
        probation=Probation(duration=timedelta(hours=3)),
        resolution=timedelta(minutes=1),
    )
    objectives = (replace(AVAILABILITY, target=target),)
    question = replace(canary_question(), stage=stage, rollout=rollout, objectives=objectives, weights=())
    _, lines = explained(question, counters(arms({STABLE: 90, CANARY: 10}, {}, 100), 100))
    assert [line for line in lines if line.startswith("looks: ")] == expected
    assert any(f"× {line.split()[1]} looks ×" in told for told in lines for line in expected) is bool(expected)


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


WHY = re.compile(r"(?:(?P<ways>\d+) ways × )?(?P<sharing>\d+) objectives? / (?P<rate>\d+)%")
LOOKS = re.compile(
    r"with log evidence (?P<needed>\S+) \(log of 2 ways × (?P<pairs>\d+) pairs? × (?P<looks>\d+) looks × "
    r"(?P<sharing>\d+) objectives? / (?P<rate>\d+)%\)"
)
THREE = tuple(replace(AVAILABILITY, name=name) for name in ("availability", "latency", "other"))


@pytest.mark.parametrize("objectives", [THREE[:1], THREE], ids=["one", "three"])
@pytest.mark.parametrize("target", [0.995, 0.8], ids=["windows work", "only the bound does"])
@pytest.mark.parametrize("stage", [Stage.CANARY, Stage.PROBATION, Stage.BAKE])
def test_what_an_e_value_must_reach_is_told_as_the_judge_reckons_it(
    stage: Stage, target: float, objectives: tuple[Objective, ...]
) -> None:
    judged_alone = () if stage is not Stage.CANARY else canary_question().weights
    objectives = tuple(replace(each, target=target) for each in objectives)
    question = replace(canary_question(), stage=stage, objectives=objectives, weights=judged_alone)
    events = arms({STABLE: 90, CANARY: 10}, {STABLE: 0.5, CANARY: 0.05}, 200)
    account, lines = explained(question, counters({objective.name: events for objective in objectives}, 200))
    told = [match for line in lines if (match := E_VALUE.fullmatch(line)) and match["what"] in ("worse", "outside")]
    for line in told:
        why = WHY.fullmatch(line["why"])
        assert why is not None
        ways = 2 if target > 0.9 and line["what"] == "outside" else 1
        assert int(why["ways"] or 1) == ways
        assert int(why["sharing"]) == len(objectives)
        assert float(line["needed"]) == ways * len(objectives) * 100 / int(why["rate"])
    by = "worse" if stage is Stage.CANARY else "outside"
    reached = [float(line["needed"]) for line in told if line["what"] == by]
    assert reached == [judged.needed for judged in account.verdict.objectives]
    burning = [match for line in lines if (match := LOOKS.search(line))]
    assert bool(burning) is (target > 0.9)
    for each in burning:
        chances = 2 * int(each["pairs"]) * int(each["looks"]) * int(each["sharing"]) * 100 / int(each["rate"])
        assert float(each["needed"]) == pytest.approx(math.log(chances), rel=1e-3)


BESIDE = "  beside the version before it, which is held back: "


@pytest.mark.parametrize("bad", [0.0, 0.16])
def test_a_holdback_is_compared_at_a_rate_of_its_own_and_both_ways_are_told(bad: float) -> None:
    question = replace(canary_question(), stage=Stage.PROBATION)
    assert question.held_back
    _, lines = explained(question, counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 0.4, CANARY: bad}, 200), 200))
    assert any(line.endswith("beside the other version, and once more for each on its own") for line in lines)
    (start,) = [index for index, line in enumerate(lines) if line.startswith(BESIDE)]
    assert set(printed(lines[:start])) == {"outside"}
    rows = list(cells(lines[start:]))
    assert printed(lines[start:])["worse"] == pytest.approx(by_hand(rows, 1.1, spread(1.32, 17.6), 1.0), rel=1e-4)


def test_what_is_found_worse_than_the_version_held_back_is_told_by_that_alone() -> None:
    question = replace(canary_question(), stage=Stage.PROBATION)
    account, lines = explained(question, counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 0.5, CANARY: 2.0}, 200), 200))
    assert account.verdict.objectives[0].comparison is Comparison.WORSE
    assert not any(line.startswith(BESIDE) for line in lines)
    assert printed(lines)["worse"] >= account.verdict.objectives[0].needed


MEAN = Objective(
    name="revenue",
    target=0.02,
    total="sessions_total",
    mean=Mean(sum="revenue_sum", low=0, high=50, higher_is_better=False),
)


@pytest.mark.parametrize("mean", [1.0, 1.6, 4.0], ids=["the same", "rather worse", "much worse"])
def test_the_e_values_of_a_mean_can_be_redone_from_the_lines(mean: float) -> None:
    events = {STABLE: 90.0, CANARY: 10.0}
    found = arms(events, {STABLE: 90.0, CANARY: 10.0 * mean}, 200)
    question = replace(canary_question(), objectives=(MEAN,))
    account, lines = explained(question, counters({"revenue": found}, 200))
    rows = list(cells(lines))
    assert all(row["clean"] == 0 for row in rows)
    assert printed(lines)["worse"] == pytest.approx(by_hand(rows, 1.1, spread(1.32, 17.6), 1.0), rel=1e-3)
    assert printed(lines)["worse"] == pytest.approx(account.verdict.objectives[0].evidence, rel=1e-3)


def test_a_mean_with_squares_shows_them_too() -> None:
    assert MEAN.mean is not None
    objective = replace(MEAN, mean=replace(MEAN.mean, squares="revenue_squares", higher_is_better=True))
    found = arms({STABLE: 90.0, CANARY: 10.0}, {STABLE: 90.0, CANARY: 10.0}, 40)
    squares = arms({STABLE: 90.0, CANARY: 10.0}, {STABLE: 180.0, CANARY: 20.0}, 40).bad
    _, lines = explained(
        replace(canary_question(), objectives=(objective,)),
        counters({"revenue": replace(found, squares=squares)}, 40),
    )
    assert any("sum of shares of the range/events/sum of their squares of the other" in line for line in lines)
    assert any(re.fullmatch(r"    \S+Z  0  [\d.]+/40/[\d.]+  [\d.]+/360/[\d.]+", line) for line in lines)
    assert any(", against ÷1.1 at most" in line for line in lines)


DRIFT = ValueObjective(name="drift", value="x", maximum=0.3, held=timedelta(minutes=5))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(
            ValueVerdict(objective=DRIFT, standing=Standing.FINE, figure=0.12),
            ["value drift (revert): fine", "  figure      0.12; at most 0.3 is good for 5m"],
            id="inside",
        ),
        pytest.param(
            ValueVerdict(objective=DRIFT, standing=Standing.FINE, figure=3.32433, outside_for=timedelta(minutes=2)),
            ["value drift (revert): above 0.3 for 2m of 5m", "  figure      3.32433; at most 0.3 is good for 5m"],
            id="outside-and-not-for-long-enough",
        ),
        pytest.param(
            ValueVerdict(
                objective=replace(DRIFT, minimum=0.1),
                standing=Standing.FINE,
                figure=0.05,
                outside_for=timedelta(minutes=4),
            ),
            [
                "value drift (revert): below 0.1 for 4m of 5m",
                "  figure      0.05; at least 0.1 and at most 0.3 is good for 5m",
            ],
            id="below-and-not-for-long-enough",
        ),
        pytest.param(
            ValueVerdict(
                objective=DRIFT,
                standing=Standing.BREACH,
                figure=0.31,
                breached_at=SINCE + timedelta(minutes=7),
                reference_standing=Standing.BREACH,
            ),
            [
                "value drift (revert): breach; stable: breach; found at 2026-01-01 12:07:00 UTC",
                "  figure      0.31; at most 0.3 is good for 5m",
            ],
            id="outside-and-so-is-stable",
        ),
        pytest.param(
            ValueVerdict(objective=replace(DRIFT, minimum=0.1), standing=Standing.TOO_FEW, by_version=False),
            [
                "value drift (revert): too few events",
                "  figure      none yet, of all versions; at least 0.1 and at most 0.3 is good for 5m",
            ],
            id="none-yet",
        ),
        pytest.param(
            ValueVerdict(objective=DRIFT, unread=Unread(why=Why.NAN, words="the value answers nan")),
            ["value drift (revert): cannot be read: NaN: the value answers nan"],
            id="unread",
        ),
    ],
)
def test_a_value_is_told_with_its_bound_and_how_the_other_version_stands(
    value: ValueVerdict, expected: list[str]
) -> None:
    verdict = Verdict(stage=Stage.CANARY, subject=CANARY, judged_until=SINCE, values=(value,))
    assert account_lines(Account(question=canary_question(), verdict=verdict))[-len(expected) :] == expected


def test_siblings_are_told_where_they_were_asked() -> None:
    judged = Verdict(stage=Stage.BAKE, subject=3, judged_until=SINCE)

    def sibling(standing: Standing) -> Verdict:
        bad = Tally(bad=30, total=1000)
        objective = ObjectiveVerdict(objective="latency", effect=Effect.REVERT, standing=standing, subject=bad)
        return replace(judged, objectives=(objective,))

    siblings = {f"m{n}": sibling(Standing.FINE) for n in range(6)}
    siblings |= {"embeddings": sibling(Standing.BREACH), "idle": sibling(Standing.TOO_FEW)}
    lines = account_lines(Account(question=canary_question(), verdict=judged, siblings=siblings))
    of_all = "8 other models, 7 of them can be told, 1 of these breach; 2 would say that the cause is elsewhere"
    one = "  embeddings, version 3: latency 30 of 1000 bad (3.0000%)"
    assert lines[-2:] == [f"on the same serving: {of_all}", one]


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


def test_late_labels_say_what_their_evidence_is_divided_by() -> None:
    labelled = Labelled(predictions=900, bad=0.05, hours=(-40, 24))
    late = readings_of_labels({CANARY: replace(labelled, hours=(0, 24)), STABLE: labelled}, 60)
    found = replace(counters({}, 0), now=SINCE + timedelta(hours=60), late={"quality": late})
    question = replace(canary_question(), stage=Stage.LABELS, objectives=(), together=TOGETHER)
    _, lines = explained(question, found)
    start = lines.index("late labels quality (revert): undecided")
    assert lines[start + 2].startswith("  labelled    90.0% beside 90.0%;")
    assert lines[start + 3].startswith("  dispersion  1 (measured on the other version);")
    assert lines[start + 6].endswith(", against at most ×1.1; and a difference of rates above 0.01")


AGE = re.compile(r"    (?P<age>\d+)  \S+  (?P<l1>[\d.]+)/(?P<p1>[\d.]+)  (?P<l0>[\d.]+)/(?P<p0>[\d.]+)")
LABELS = re.compile(r"    \S+Z  (?P<age>\d+)  (?P<k1>[\d.]+)/(?P<n1>[\d.]+)  (?P<k0>[\d.]+)/(?P<n0>[\d.]+)")


def by_hand_of_labels(lines: Sequence[str], claim: float, bets: Sequence[float]) -> float:
    """The formulas of docs/late-labels.md: per age bucket, with the labels that one version lacks filled in."""
    sums = [0.0] * len(bets)
    for age in filter(None, map(AGE.fullmatch, lines)):
        mine, theirs = float(age["l1"]) / float(age["p1"]), float(age["l0"]) / float(age["p0"])
        fewer, more = (mine / theirs, 0.0) if mine < theirs else (1.0, mine / theirs - 1)
        for row in filter(None, map(LABELS.fullmatch, lines)):
            if row["age"] != age["age"]:
                continue
            k1, n1, k0, n0 = (float(row[name]) for name in ("k1", "n1", "k0", "n0"))
            for index, bet in enumerate(bets):
                won, lost = ((n1 * ratio + n0) / n1 / ratio for ratio in (bet, claim))
                rest = math.log((n1 * claim + n0) / (n1 * bet + n0))
                sums[index] += fewer * k1 * math.log(lost / won) + (k0 + more * n0) * rest
    return sum(map(math.exp, sums)) / len(sums)


@pytest.mark.parametrize(
    ("canary", "mine"),
    [
        pytest.param(0.05, (0.3, 0.3, 0.3), id="no worse"),
        pytest.param(0.09, (0.3, 0.3, 0.3), id="worse"),
        pytest.param(0.09, (0.25, 0.3, 0.35), id="worse, and labelled otherwise"),
    ],
)
def test_the_e_value_of_late_labels_can_be_redone_from_the_lines(
    canary: float, mine: tuple[float, float, float]
) -> None:
    stable = Labelled(predictions=9000, bad=0.05, hours=(-40, 24))
    other = Labelled(predictions=1000, bad=canary, hours=(0, 24), good_labels=mine, bad_labels=mine)
    late = readings_of_labels({CANARY: other, STABLE: stable}, 60)
    found = replace(counters({}, 0), now=SINCE + timedelta(hours=60), late={"quality": late})
    question = replace(canary_question(), stage=Stage.LABELS, objectives=(), together=TOGETHER)
    account, lines = explained(question, found)
    assert printed(lines)["worse"] == pytest.approx(by_hand_of_labels(lines, 1.1, spread(1.32, 17.6)), rel=1e-3)
    assert printed(lines)["worse"] == pytest.approx(account.verdict.late[0].verdict.evidence, rel=1e-3)
    assert len(list(filter(None, map(LABELS.fullmatch, account_lines(account, 5))))) == 5


@pytest.mark.parametrize(
    ("bad", "objective", "said"),
    [
        pytest.param({}, AVAILABILITY, True, id="no-series"),
        pytest.param({STABLE: 0.0}, AVAILABILITY, False, id="one-that-stands-at-0"),
        pytest.param({}, replace(AVAILABILITY, bad=None, good="quick_total"), False, id="good-events-are-counted"),
    ],
)
def test_that_no_series_matches_bad_is_said(bad: dict[int, float], objective: Objective, said: bool) -> None:
    """A misspelt selector looks the same as a good version: whoever reads the verdict must know."""
    question = replace(canary_question(), objectives=(objective,))
    _, lines = explained(question, counters(arms({STABLE: 90, CANARY: 10}, bad, 200), 200))
    words = "  no series matches `bad`; none may have happened yet (tidegate doctor tells whether one could)"
    assert (words in lines) is said


def test_I9_a_series_that_matches_bad_later_is_not_known_before() -> None:
    found = counters(readings([counter(CANARY, [1.0] * 20, first=80)], [counter(CANARY, [10.0] * 100, first=0)]), 100)
    judged = Judged(canary_question(), found)
    assert [judged.at(moment(scrape)).objectives[0].never_bad for scrape in (60, 79, 80, 100)] == [
        True,
        True,
        False,
        False,
    ]


def test_budgets_that_are_not_asked_for_yet_are_told_with_when_they_are() -> None:
    (line,) = budget_lines((), SINCE)
    assert line == f"error budgets: not asked until {SINCE:%Y-%m-%d %H:%M} UTC: what is new has spent nothing yet"
    assert budget_lines(()) == []
