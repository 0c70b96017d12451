"""The sections that `make bench-judge` writes into docs/judgement.md: what is asked of which module, and in which words
it is printed. Figures are the modules' own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import at_objective
import bake
import cost
import detection
import late_labels
import means
import probation
import promise
import rivals
import scraped
from pool import Rows
from promise import Kept, Size
from rates import Rate, table
from traffic import Day

ERRORS = ("reverted at ×1", "reverted at ×1.1", "advanced at ×2")

Section = Callable[[Size, Rows], str]


def _promise(size: Size, rows: Rows) -> str:
    drawn, standing = scraped.kinds(size), at_objective.kinds(size)
    real = scraped.rows(drawn, rows(scraped.error, drawn))
    grid = rows(promise.grid_row, promise.grid(size))
    harder = [*rows(promise.harder_row, promise.harder(size)), *real]
    either = rows(at_objective.row, standing)
    alone = rows(probation.row, size.bases())
    promised = [*grid, *harder, *either]
    promised += [replace(each, rates=tuple(each.rates[i] for i in probation.PROMISED)) for each in alone]
    return (
        "### Is the promise kept?\n\n"
        f"{_holding(promised)}. Promised: at most 1 % reverted, at most 5 % advanced.\n\n"
        f"{_kept(('base', 'weight', 'events a look', *ERRORS), grid)}\n"
        f"{_kept(('what else', 'base', *ERRORS), harder)}\n"
        "A canary exactly at its objective goes back by the comparison, or by a pair of windows that burns; pairs have "
        "half of 1 % on top. Scraped counters, the program's own judge:\n\n"
        f"{_kept(at_objective.HEAD, either)}\n"
        "A day of probation, bad rates exactly at 1 − target; reverted:\n\n"
        f"{_kept(probation.HEAD, alone)}"
    )


def _clusters(size: Size, rows: Rows) -> str:
    kept = rows(promise.clustered_row, promise.clustered(size))
    by = ("1", "2", "measured")
    head = ("events", "base", "weight", "measured", *(f"÷ {name}" for name in by))
    tables = "\n".join(
        f"{error.capitalize()}:\n\n"
        + _kept(head, [Kept(what=each.what, rates=each.rates[3 * index : 3 * index + 3]) for each in kept])
        for index, error in enumerate(ERRORS)
    )
    return f"### Events of one cause\n\n{tables}"


def _either(size: Size, rows: Rows) -> str:
    kept = rows(promise.either_way, promise.grid(size, Day.USUAL))
    return (
        "### Both ways to be cleared\n\n"
        "Each way has half of the `falseAdvanceRate`, because a canary exactly `ruleOut` times worse *and* exactly at "
        "its objective can be cleared falsely by either.\n\n"
        + _kept(("base", "weight", "ruled out", "inside the objective", "either"), kept)
    )


def _detection(size: Size, rows: Rows) -> str:
    found = [row for base in rows(detection.rows, size.bases()) for row in base]
    return (
        "### How much is found in an hour, and when\n\n"
        "Share of regressions reverted with the median delay, `dispersion` measured; in brackets at 2, which holds "
        "where there is no history to measure it on.\n\n"
        f"{detection.found_table(found)}\n{detection.compared(found)}\n\n{detection.chart(size)}"
    )


def _rivals(size: Size, rows: Rows) -> str:
    told = rows(rivals.told, rivals.kinds(size))
    tables = [f"{rivals.named(each.traffic)}:\n\n{rivals.rivals_table(each)}" for each in told]
    tables.insert(1, rivals.chart(told[0]))
    return "### Others on the same traffic\n\n" + "\n".join(tables)


def _bake(size: Size, rows: Rows) -> str:
    baked = rows(bake.row, bake.kinds(size))
    return (
        "### How soon a healthy canary is cleared\n\n"
        'By ruling out "twice as bad" (at half of 5 % false advances, `dispersion` measured), against a bake of fixed '
        "length with one test at its end, at 5 %. A rollout of three steps has its bake, or what clears it, in the "
        "first one, and five minutes in each at the least. *Times ours*: the fixed bake over the time by which half of "
        "ours are through.\n\n"
        f"{bake.bake_table(baked)}\n{bake.chart(next(each for each in baked if each.kind == bake.SHOWN))}"
    )


def _means(size: Size, rows: Rows) -> str:
    head = ("figures", "counted", "reverted at ×1", "reverted at ÷1.1", "cleared at ÷2", "÷1.2", "÷1.5", "÷2")
    return (
        "### Means\n\n"
        "What a session brings in (3 of 100 buy) and ratings, 300 events a look, weight 10 %, `dispersion: 1`. A "
        "quarter of the rollouts for errors, an eighth for what is found in an hour, with the median delay.\n\n"
        + table(head, means.means_table(rows(means.row, means.kinds(size))))
    )


def _late(size: Size, rows: Rows) -> str:
    head = ("labels", "reverted", "with nothing done about it", "held: selective labels", "after")
    return (
        "### Late labels\n\n"
        "A day side by side at 1,000 predictions an hour, weight 10 %, 10 % of them wrong; labels come for 90 of 100 "
        "(where nothing else is said), half of them within six hours and all within a day. A quarter of the "
        "rollouts.\n\n" + table(head, late_labels.late_table(rows(late_labels.row, late_labels.kinds(size))))
    )


def _cost(_: Size, __: Rows) -> str:
    """Alone: other processes at work would be measured as well."""
    rows = [(what, f"{speed:,.0f} a second") for what, speed in cost.cells_per_second().items()]
    return "### What it costs\n\nCells judged by the program's own code, plain Python, one core.\n\n" + table(
        ("evidence", "cells"), rows
    )


def _kept(head: tuple[str, ...], kept: Iterable[Kept]) -> str:
    return table(head, [(*each.what, *map(str, each.rates)) for each in kept])


def _holding(kept: Iterable[Kept]) -> str:
    rates: list[Rate] = [each for row in kept for each in row.rates]
    return f"{sum(each.holds for each in rates)} of {len(rates)} rates hold"


SECTIONS: Sequence[Section] = (
    _promise,
    _clusters,
    _either,
    _detection,
    _rivals,
    _bake,
    _means,
    _late,
    _cost,
)
