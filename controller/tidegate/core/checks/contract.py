"""Rules about a data contract that contradicts itself: no table, or none that is meant, could fulfil it."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Lone, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.quantity import share
from tidegate.core.shown import shown

CONTRADICTING_CONTRACT = Rule(
    id="contradicting-contract",
    title="A contract that no table can fulfil",
    why="Two demands exclude each other: a smallest value above the largest, allowed values outside of the bounds or "
    "of another type than the column, a pattern for numbers, more rows than a unique column has values. Every "
    "check of data against it would fail, and nothing would be trained.",
    bad="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {age: {type: integer, minimum: 120, maximum: 18}}}",
    good="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {age: {type: integer, minimum: 18, maximum: 120}}}",
)

BAD_PATTERN = Rule(
    id="bad-pattern",
    title="A pattern that is no regular expression",
    why="`pattern` is a regular expression as Python's `re` reads it, and must match the whole text. Write it in "
    "single quotes, in which YAML leaves backslashes alone.",
    bad="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {id: {type: string, pattern: '[A-Z'}}}",
    good="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {id: {type: string, pattern: '[A-Z]{2}[0-9]{6}'}}}",
)

FRESHNESS_WITHOUT_COLUMN = Rule(
    id="freshness-without-column",
    severity=Severity.WARNING,
    title="Freshness of a column that is not described",
    why="How old the data is, is told by the newest value of a column of dates or timestamps. List that column, so "
    "that it must be there and must be one.",
    bad="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {id: {}}, freshness: {column: updated_at, maximumAge: 2d}}",
    good="# models/churn/customers.contract.yaml\nmetadata: {name: customers}\n"
    "spec: {columns: {id: {}, updated_at: {type: timestamp}}, freshness: {column: updated_at, maximumAge: 2d}}",
)

RULES = (CONTRADICTING_CONTRACT, BAD_PATTERN, FRESHNESS_WITHOUT_COLUMN)

Order: TypeAlias = float | datetime
_TIMES, _UNORDERED = frozenset({"date", "timestamp"}), frozenset({"string", "boolean"})
_LONGEST_PATTERN = 10_000


def _is_time(value: object) -> bool:
    return isinstance(order_of(value), datetime)


_IS: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "date": _is_time,
    "timestamp": _is_time,
}


def contract_can_be_fulfilled(contract: Lone) -> Iterator[Fault]:
    spec = section(contract.data, "spec")
    rows = section(spec, "rows")
    least = rows.get("minimum", 1)
    if least > rows.get("maximum", math.inf):
        message = f"at least {shown(least)} and at most {shown(rows['maximum'])} rows exclude each other"
        yield _contradiction(("spec", "rows", "maximum"), message)
    for name, column in section(spec, "columns").items():
        way: Way = ("spec", "columns", name)
        yield from _kinds(column, way)
        yield from _bounds(column, way)
        yield from _values(column, way)
        yield from _unique(column, way, least)
        yield from _pattern(column, way)
    yield from _freshness(contract)


def _contradiction(way: Way, message: str, hint: str = "change one of the two") -> Fault:
    return CONTRADICTING_CONTRACT.at(way, message, hint)


def _kinds(column: Data, way: Way) -> Iterator[Fault]:
    """What only some types can have."""
    kind = column.get("type")
    if "pattern" in column and kind not in (None, "string"):
        yield _contradiction((*way, "pattern"), f"only text can match a pattern, and the column is of {kind}s")
    for bound in ("minimum", "maximum"):
        if bound in column and kind in _UNORDERED:
            yield _contradiction((*way, bound), f"{kind}s have no {bound}", "remove it, or correct `type`")


def _bounds(column: Data, way: Way) -> Iterator[Fault]:
    kind = column.get("type")
    if kind in _UNORDERED:
        return
    orders = {bound: order_of(column[bound]) for bound in ("minimum", "maximum") if bound in column}
    for bound, order in orders.items():
        if order is None:
            message = f"{shown(column[bound])} is neither a number nor a date"
            yield _contradiction((*way, bound), message, "write a number, or a date of the calendar")
        elif kind is not None and (kind in _TIMES) != isinstance(order, datetime):
            yield _contradiction((*way, bound), f"{shown(column[bound])} bounds no column of {kind}s")
    if len(orders) == 2 and not _leaves_room(orders["minimum"], orders["maximum"], kind):
        what = "whole number" if kind == "integer" else "value"
        message = f"no {what} lies between {shown(column['minimum'])} and {shown(column['maximum'])}"
        yield _contradiction((*way, "maximum"), message)


def order_of(value: object) -> Order | None:
    """A bound or value as what it is ordered by: a number, or an instant; None for what is neither."""
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return None
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if math.isnan(value) else value


def _leaves_room(least: Order | None, most: Order | None, kind: str | None) -> bool:
    """Whether a value may lie between the bounds; what is no bound at all was told already."""
    if isinstance(least, datetime) and isinstance(most, datetime):
        return least <= most
    if isinstance(least, int | float) and isinstance(most, int | float):
        whole = kind == "integer" and math.isfinite(least) and math.isfinite(most)
        return math.ceil(least) <= math.floor(most) if whole else least <= most
    return least is None or most is None


def _values(column: Data, way: Way) -> Iterator[Fault]:
    """The first of the allowed values that the rest of the column does not allow."""
    kind = column.get("type")
    least, most = order_of(column.get("minimum")), order_of(column.get("maximum"))
    for index, value in enumerate(column.get("values", ())):
        place = (*way, "values", index)
        if kind is not None and not _IS[kind](value):
            yield _contradiction(place, f"{shown(value)} is no {kind}", "write it as one, or correct `type`")
            return
        order = order_of(value)
        if order is not None and not (_leaves_room(least, order, None) and _leaves_room(order, most, None)):
            yield _contradiction(place, f"{shown(value)} lies outside of the bounds")
            return


def _unique(column: Data, way: Way, rows: float) -> Iterator[Fault]:
    """A unique column has a value of its own for each row that has one."""
    most = _possible(column) if column.get("unique") else None
    needed = Fraction(rows) * (1 - Fraction(str(share(column.get("maximumMissing", 0)))))
    if most is not None and needed > most:
        message = f"{shown(most)} values are possible, and at least {shown(math.ceil(needed))} rows must differ"
        yield _contradiction((*way, "unique"), message)


def _possible(column: Data) -> int | None:
    """How many values the column may have; None where there is no end to them."""
    if "values" in column:
        return len(column["values"])
    if column.get("type") == "boolean":
        return 2
    least, most = order_of(column.get("minimum")), order_of(column.get("maximum"))
    if column.get("type") != "integer" or not isinstance(least, int | float) or not isinstance(most, int | float):
        return None
    finite = math.isfinite(least) and math.isfinite(most)
    return max(0, math.floor(most) - math.ceil(least) + 1) if finite else None


def _pattern(column: Data, way: Way) -> Iterator[Fault]:
    if "pattern" in column and (wrong := _misspelt(column["pattern"])):
        yield BAD_PATTERN.at((*way, "pattern"), f"the pattern is no regular expression: {wrong}", "correct the pattern")


@lru_cache(maxsize=256)
def _misspelt(pattern: str) -> str | None:
    """What is wrong in a regular expression. It is compiled and never run: a run may take for ever."""
    if len(pattern) > _LONGEST_PATTERN:
        return f"{len(pattern):,} characters are more than {_LONGEST_PATTERN:,}"
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


def _freshness(contract: Lone) -> Iterator[Fault]:
    spec = section(contract.data, "spec")
    name = section(spec, "freshness").get("column")
    if name is None:
        return
    way: Way = ("spec", "freshness", "column")
    if name not in section(contract.document.data, "spec", "columns"):
        if spec.get("unknownColumns") == "refuse":
            yield _contradiction(way, f"{shown(name)} is not among the columns, and others are refused", "list it")
        else:
            hint = "add it to `columns`, with `type: timestamp` or `type: date`"
            yield FRESHNESS_WITHOUT_COLUMN.at(way, f"{shown(name)} is not among the columns", hint)
        return
    kind = section(spec, "columns", name).get("type")
    if kind is not None and kind not in _TIMES:
        yield _contradiction(
            way, f"{shown(name)} is a column of {kind}s, which tell no age", "name a date or timestamp"
        )
