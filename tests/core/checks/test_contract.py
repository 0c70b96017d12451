"""Data contracts that contradict themselves, and those that do not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import inspected
from tidegate.core.checks import contract
from tidegate.core.checks.contract import order_of

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: DataContract\nmetadata: {name: a}\nspec:\n"
RULES = {rule.id for rule in contract.RULES}


def found(text: str) -> list[str]:
    everything = inspected({"models/churn/a.contract.yaml": f"{HEAD}{text}\n"})
    return [f"{one.line}:{one.column} {one.rule}: {one.message}" for one in everything if one.rule in RULES]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("  columns: {a: {}}", id="a column of anything"),
        pytest.param("  columns: {a: {minimum: 1, maximum: 1}}", id="one value"),
        pytest.param("  columns: {a: {type: number, minimum: -.inf, maximum: 0.5, values: [0.5, -1]}}", id="numbers"),
        pytest.param("  columns: {a: {type: integer, minimum: 0.5, maximum: 1, values: [1.0]}}", id="whole numbers"),
        pytest.param(
            "  columns: {a: {type: date, minimum: 2020-01-01, maximum: 2020-01-01, values: [2020-01-01]}}", id="dates"
        ),
        pytest.param(
            "  columns: {a: {type: timestamp, minimum: '2020-01-01T00:30+01:00', maximum: '2019-12-31T23:30Z'}}",
            id="the same instant in two places",
        ),
        pytest.param("  columns: {a: {type: string, pattern: '[A-Z]+', values: [x]}}", id="a pattern is never run"),
        pytest.param("  columns: {a: {type: boolean, values: [true]}}", id="true or false"),
        pytest.param(
            "  columns: {a: {unique: true, values: [a, b]}}\n  rows: {minimum: 2}", id="as many rows as values"
        ),
        pytest.param(
            "  columns: {a: {unique: true, values: [a, b], maximumMissing: 50%}}\n  rows: {minimum: 4}",
            id="enough of them missing",
        ),
        pytest.param("  columns: {a: {}}\n  rows: {minimum: 5, maximum: 5}", id="exactly so many rows"),
        pytest.param(
            "  columns: {a: {type: date}}\n  freshness: {column: a, maximumAge: 2d}\n  unknownColumns: refuse",
            id="a date that tells the age",
        ),
        pytest.param("  columns: {a: 5}\n  freshness: {column: a, maximumAge: 2d}", id="a column that cannot be read"),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "  columns: {a: {minimum: 2, maximum: 1}}",
            "5:38 contradicting-contract: no value lies between 2 and 1",
            id="a smallest value above the largest",
        ),
        pytest.param(
            "  columns: {a: {type: integer, minimum: 1.2, maximum: 1.8}}",
            "5:55 contradicting-contract: no whole number lies between 1.2 and 1.8",
            id="no whole number in between",
        ),
        pytest.param(
            "  columns: {a: {minimum: 2020-01-02, maximum: 2020-01-01}}",
            '5:47 contradicting-contract: no value lies between "2020-01-02" and "2020-01-01"',
            id="dates in the wrong order",
        ),
        pytest.param(
            "  columns: {a: {minimum: 1, maximum: 2020-01-01}}",
            '5:38 contradicting-contract: no value lies between 1 and "2020-01-01"',
            id="a number and a date",
        ),
        pytest.param(
            "  columns: {a: {minimum: 2020-02-30}}",
            '5:26 contradicting-contract: "2020-02-30" is neither a number nor a date',
            id="a day that no calendar has",
        ),
        pytest.param(
            "  columns: {a: {maximum: .nan}}",
            "5:26 contradicting-contract: NaN is neither a number nor a date",
            id="a bound that is no number",
        ),
        pytest.param(
            "  columns: {a: {type: date, minimum: 5}}",
            "5:38 contradicting-contract: 5 bounds no column of dates",
            id="a number for dates",
        ),
        pytest.param(
            "  columns: {a: {type: integer, minimum: 2020-01-01}}",
            '5:41 contradicting-contract: "2020-01-01" bounds no column of integers',
            id="a date for numbers",
        ),
        pytest.param(
            "  columns: {a: {type: string, minimum: 5}}",
            "5:40 contradicting-contract: strings have no minimum",
            id="a bound for text",
        ),
        pytest.param(
            "  columns: {a: {type: integer, pattern: '[0-9]+'}}",
            "5:41 contradicting-contract: only text can match a pattern, and the column is of integers",
            id="a pattern for numbers",
        ),
        pytest.param(
            "  columns: {a: {type: integer, values: [1, 2.5, x]}}",
            "5:44 contradicting-contract: 2.5 is no integer",
            id="a value of another type, told once",
        ),
        pytest.param(
            "  columns: {a: {type: boolean, values: [1]}}",
            "5:41 contradicting-contract: 1 is no boolean",
            id="one is not true",
        ),
        pytest.param(
            "  columns: {a: {maximum: 5, values: [5, 6]}}",
            "5:41 contradicting-contract: 6 lies outside of the bounds",
            id="a value above the largest",
        ),
        pytest.param(
            "  columns: {a: {unique: true, type: boolean}}\n  rows: {minimum: 3}",
            "5:25 contradicting-contract: 2 values are possible, and at least 3 rows must differ",
            id="three rows of true and false",
        ),
        pytest.param(
            "  columns: {a: {unique: true, type: integer, minimum: 1, maximum: 9, maximumMissing: 10%}}\n"
            "  rows: {minimum: 100}",
            "5:25 contradicting-contract: 9 values are possible, and at least 90 rows must differ",
            id="more rows than numbers",
        ),
        pytest.param(
            "  columns: {a: {}}\n  rows: {minimum: 5, maximum: 4}",
            "6:31 contradicting-contract: at least 5 and at most 4 rows exclude each other",
            id="more rows than there may be",
        ),
        pytest.param(
            "  columns: {a: {}}\n  rows: {maximum: 0}",
            "6:19 contradicting-contract: at least 1 and at most 0 rows exclude each other",
            id="no row, where one is the least by default",
        ),
        pytest.param(
            "  columns: {a: {}}\n  freshness: {column: b, maximumAge: 2d}",
            '6:23 freshness-without-column: "b" is not among the columns',
            id="the age of a column that is not described",
        ),
        pytest.param(
            "  columns: {a: {}}\n  unknownColumns: refuse\n  freshness: {column: b, maximumAge: 2d}",
            '7:23 contradicting-contract: "b" is not among the columns, and others are refused',
            id="the age of a column that is refused",
        ),
        pytest.param(
            "  columns: {a: {type: integer}}\n  freshness: {column: a, maximumAge: 2d}",
            '6:23 contradicting-contract: "a" is a column of integers, which tell no age',
            id="the age of numbers",
        ),
        pytest.param(
            "  columns: {a: {pattern: '[A-Z'}}",
            "5:26 bad-pattern: the pattern is no regular expression: unterminated character set at position 0",
            id="a bracket too few",
        ),
        pytest.param(
            f"  columns: {{a: {{pattern: '{'a' * 10_001}'}}}}",
            "5:26 bad-pattern: the pattern is no regular expression: 10,001 characters are more than 10,000",
            id="a pattern without end",
        ),
    ],
)
def test_a_contract_that_contradicts_itself(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(" * 4000 + ")" * 4000, id="parentheses deeper than the parser goes"),
        pytest.param("a{99999999999999999999}", id="more repetitions than can be counted"),
        pytest.param("[[a]--[b]]", id="what a later Python may read otherwise"),
        pytest.param("(a+)+$", id="what takes for ever when it is run"),
        pytest.param("((a{1,999}){1,999}){1,999}", id="repetitions of repetitions"),
    ],
)
def test_no_pattern_takes_long_or_raises(pattern: str) -> None:
    began = time.process_time()
    assert len(found(f"  columns: {{a: {{pattern: '{pattern}', values: [{'a' * 40}b]}}}}")) <= 1
    assert time.process_time() - began < 2


numbers = st.integers(-3, 3) | st.floats(allow_nan=False, min_value=-3, max_value=3)


@given(numbers, numbers, st.sampled_from(["integer", "number", None]))
def test_bounds_contradict_each_other_when_nothing_lies_between(least: float, most: float, kind: str | None) -> None:
    column: dict[str, Any] = {"minimum": least, "maximum": most} | ({"type": kind} if kind else {})
    between = [value for value in range(-3, 4) if least <= value <= most]
    contradictory = bool(list(contract._bounds(column, ())))
    assert contradictory is (not between if kind == "integer" else least > most)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("2020-01-01", "2020-01-01T00:00Z", id="a date begins in UTC"),
        pytest.param("2020-01-01T01:00+01:00", "2020-01-01T00:00Z", id="an instant is one everywhere"),
        pytest.param(1, 1.0, id="numbers are numbers"),
    ],
)
def test_what_is_ordered_alike(one: object, other: object) -> None:
    assert order_of(one) == order_of(other)
