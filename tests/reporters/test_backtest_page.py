"""The page of a backtest: what is drawn of which policy, on which time axis, and what its figures count."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from support.replays import (
    ENTERED,
    GOOD,
    HALF,
    MINUTE,
    Course,
    backtest_of,
    cases,
    history,
    in_seconds,
    past,
    report_of,
)
from support.situations import NOW
from tidegate.core.judging.verdict import Stage, Tally
from tidegate.core.replay.report import Agreement, Backtest, Point, Replay, Span, State
from tidegate.core.transition import Kind
from tidegate.reporters.backtest_charts import chart
from tidegate.reporters.backtest_html import document
from tidegate.reporters.svg import TimeAxis

CASES = cases()
TWO = CASES["two-policies"]


def page(report: Backtest) -> ET.Element:
    body = document(report).split("<body>")[1].removesuffix("</html>\n").removesuffix("</body>")
    return ET.fromstring(body)


def texts(root: ET.Element, class_: str) -> list[str]:
    """What elements of a class say, their tooltips aside."""
    found = (e for e in root.iter() if class_ in e.get("class", "").split())
    return [("".join(t for t in e.itertext()) if e.find("title") is None else e[0].tail or "") for e in found]


def panels(report: Backtest) -> list[tuple[str, ...]]:
    """The titles of the panels, with the lines under them."""
    found = [e for e in page(report).iter("g") if e.get("class") == "panel"]
    return [(*texts(g, "label"), *texts(g, "under")) for g in found]


def stricter(replay: Replay) -> Replay:
    """By a policy whose latency allows a tenth, and counts five times as many events as bad."""

    def counted(point: Point) -> Point:
        told = (
            replace(o, subject=Tally(bad=5 * o.subject.bad, total=o.subject.total)) if o.objective == "latency" else o
            for o in point.objectives
        )
        return replace(point, objectives=tuple(told))

    budgets = {**replay.budgets, "latency": replay.budgets["latency"] / 10}
    return replace(replay, points=tuple(map(counted, replay.points)), budgets=budgets)


def two_that_count_otherwise() -> Backtest:
    one = TWO.episodes[0]
    first, second = one.replays
    return replace(TWO, episodes=(replace(one, replays=(first, stricter(second))),))


def test_what_both_policies_count_alike_is_drawn_once() -> None:
    told = panels(TWO)
    assert [panel for panel in told if panel[0] in ("availability", "latency", "error budget")] == [
        ("availability", "bad rate"),
        ("latency", "bad rate"),
        ("error budget", "of these events"),
    ]


def test_what_two_policies_count_otherwise_is_drawn_of_each_with_its_limit_and_its_name() -> None:
    report = two_that_count_otherwise()
    first, second = report.policies
    told = panels(report)
    assert [panel for panel in told if panel[0] in ("availability", "latency", "error budget")] == [
        ("availability", "bad rate"),
        ("latency", "bad rate", first),
        ("latency", "bad rate", second),
        ("error budget", "of these events", first),
        ("error budget", "of these events", second),
    ]
    drawn = [e for e in page(report).iter("g") if e.get("class") == "panel" and texts(e, "label") == ["latency"]]
    limits = [e.text for g in drawn for e in g.iter("text") if e.get("class") == "tick end"]
    assert limits == ["5%", "0.5%"]


def test_an_objective_that_only_the_second_policy_has_is_drawn_too() -> None:
    one = TWO.episodes[0]
    first, second = one.replays
    alone = {name: budget for name, budget in first.budgets.items() if name != "latency"}
    points = (replace(p, objectives=tuple(o for o in p.objectives if o.objective in alone)) for p in first.points)
    without = replace(first, budgets=alone, points=tuple(points))
    report = replace(TWO, episodes=(replace(one, replays=(without, second)),))
    assert ("latency", "bad rate", second.policy) in panels(report)
    assert "latency" in texts(page(report), "key")


@pytest.mark.parametrize("name", ["as-it-was", "reverted", "two-policies"])
def test_no_two_times_below_a_chart_read_the_same(name: str) -> None:
    """A rollout of seconds once had one minute written five times."""
    for report in (CASES[name], in_seconds(CASES[name])):
        written = texts(ET.fromstring(chart(report.episodes[0], _Colours(), "e0")), "time")
        assert len(written) == len(set(written)) >= 4


class _Colours(dict[str, str]):
    def __missing__(self, cause: str) -> str:
        return "c0"


def test_seconds_are_written_where_times_are_that_close() -> None:
    slow, quick = (texts(page(report), "time") for report in (CASES["reverted"], in_seconds(CASES["reverted"])))
    assert slow[:2] == ["Mar 2 08:00", "08:15"]
    assert quick[:2] == ["Mar 2 08:59:24", "08:59:40"]


@pytest.mark.parametrize("seconds", [1, 7, 60, 3_600, 86_400])
def test_times_never_stand_on_each_other(seconds: int) -> None:
    axis = TimeAxis([NOW, NOW + timedelta(seconds=seconds), NOW + timedelta(seconds=3 * seconds)], 0.0, 900.0)
    ticks = sorted(axis.ticks(80.0))
    assert len(ticks) > 2
    assert all(b - a >= 79.9 for (a, _), (b, _) in pairwise(ticks))


def cards(report: Backtest) -> list[str]:
    found = (e for e in page(report).iter("li") if "card" in e.get("class", "").split())
    return [" ".join(e.itertext()) for e in found]


def test_decisions_are_counted_of_each_policy() -> None:
    first, second = TWO.episodes[0].replays
    assert first.ticks != second.ticks
    assert [card for card in cards(TWO) if "decisions" in card] == [
        f"{first.ticks} decisions replayed",
        f"{second.ticks} decisions replayed",
    ]
    assert texts(page(TWO), "by") == [f"Policy: {name}" for name in TWO.policies]


def test_one_policy_is_counted_without_its_name() -> None:
    assert cards(CASES["as-it-was"]) == [
        "1 rollout",
        "1 decided as it happened",
        "0 decided otherwise",
        f"{CASES['as-it-was'].episodes[0].replays[0].ticks} decisions replayed",
    ]


def notes(report: Backtest) -> list[str]:
    return texts(page(report), "note")


def back_again() -> Backtest:
    """Readings were missing for five minutes in the middle of a stage."""
    one = report_of(past(history((Kind.ADVANCE, HALF, 150 * MINUTE))), GOOD.ask)
    (first, *others) = one.replays
    lost = ENTERED + 10 * MINUTE
    words = "cannot observe: no data: the readiness gauge has no series"
    span = Span(since=lost, until=lost + 5 * MINUTE, ticks=5, state=State.UNREAD, cause="cannot observe", words=words)
    parts = first.parts[:2]
    return backtest_of(replace(one, replays=(replace(first, parts=parts, spans=(*first.spans, span)), *others)))


def test_what_was_unread_on_the_way_is_no_alarm_above_a_rollout_that_came_out_the_same() -> None:
    report = back_again()
    assert report.episodes[0].replays[0].agreement is Agreement.SAME
    (said,) = notes(report)
    assert said.startswith("Unread for 5m on the way, but read again before anything was decided: cannot observe: ")
    assert 'class="note unread"' not in document(report)


def test_what_stays_unread_says_what_that_means() -> None:
    report = backtest_of(
        report_of(past(history((Kind.ADVANCE, HALF, 60 * MINUTE))), Course(lost_at=ENTERED + 20 * MINUTE).ask)
    )
    (said,) = [note for note in notes(report) if note.startswith("Unread")]
    assert said.endswith("Nobody can say what would have been decided then.")


def test_nothing_is_named_below_a_chart_that_is_not_drawn_there() -> None:
    one = CASES["as-it-was"].episodes[0]
    bare = replace(one, replays=(replace(one.replays[0], points=()),))
    named = texts(page(replace(CASES["as-it-was"], episodes=(bare,))), "key")
    assert "limit" not in named
    assert "stable beside it" not in named
    assert "latency" not in named


def test_a_single_reading_is_a_dot() -> None:
    """A rollout of seconds is read once before it is over: a line of one point would not be seen."""
    one = CASES["as-it-was"].episodes[0]
    only = next(point for point in one.replays[0].points if point.stage is Stage.CANARY)
    report = replace(CASES["as-it-was"], episodes=(replace(one, replays=(replace(one.replays[0], points=(only,)),)),))
    drawn = [e.get("class") for e in page(report).iter("path") if "dot" in (e.get("class") or "").split()]
    assert drawn.count("line canary dot") == len(only.objectives)
    assert drawn.count("line stable dot") == len(only.objectives)
