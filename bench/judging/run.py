"""`make bench-judge`: simulate the judge, print the figures, and write them into docs/judgement.md.

`--cells small` draws two kinds of traffic of each sort. A promise that is broken is shown in bold; it fails nothing
here, because what is simulated goes beyond what is promised.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bake
import cost
import detection
import late_labels
import means
import numpy as np
import probation
import promise
import rivals
import scraped
from promise import Kept, Size
from rates import Rate, table
from traffic import Traffic

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judgement.md"
BEGIN, END = "<!-- make bench-judge writes from here -->\n", "<!-- to here -->\n"
ERRORS = ("reverted at ×1", "reverted at ×1.1", "advanced at ×2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=2_000, help="rollouts a cell (default 2,000)")
    parser.add_argument("--seed", type=int, default=1, help="other numbers, same conclusions (default 1)")
    parser.add_argument("--cells", choices=["small", "all"], default="all")
    parser.add_argument("--dry-run", action="store_true", help="print only")
    options = parser.parse_args()
    size = Size(rollouts=options.rollouts, seed=options.seed, thorough=options.cells == "all")
    began = time.perf_counter()
    text = "\n".join(_told(section, size) for section in SECTIONS)
    text = f"{_made(size, time.perf_counter() - began)}\n\n{text}"
    print(text)
    if not options.dry_run:
        _write(text)


def _promise(size: Size) -> str:
    grid, harder = list(promise.grid(size)), list(promise.harder(size))
    harder.append(Kept(what=("scraped counters, real `judge`", "1 %"), rates=scraped.rates(size)))
    harder.append(Kept(what=("the same, clusters of 3", "1 %"), rates=scraped.rates(size, cluster=3.0)))
    alone = list(probation.rows(size))
    promised = [*grid, *harder, *(replace(e, rates=tuple(e.rates[i] for i in probation.PROMISED)) for e in alone)]
    return (
        "### Is the promise kept?\n\n"
        f"{_holding(promised)}. Promised: at most 1 % reverted, at most 5 % advanced.\n\n"
        f"{_kept(('base', 'weight', 'events a look', *ERRORS), grid)}\n"
        f"{_kept(('what else', 'base', *ERRORS), harder)}\n"
        "A day of probation, bad rates exactly at 1 − target, half of the rollouts; reverted:\n\n"
        f"{_kept(probation.HEAD, alone)}"
    )


def _clusters(size: Size) -> str:
    kept = list(promise.clustered(size))
    by = ("1", "2", "measured")
    head = ("events", "base", "weight", "measured", *(f"÷ {name}" for name in by))
    tables = "\n".join(
        f"{error.capitalize()}:\n\n"
        + _kept(head, [Kept(what=each.what, rates=each.rates[3 * index : 3 * index + 3]) for each in kept])
        for index, error in enumerate(ERRORS)
    )
    return f"### Events of one cause\n\n{tables}"


def _either(size: Size) -> str:
    return (
        "### Both ways to be cleared\n\n"
        "Each way has half of the `falseAdvanceRate`, because a canary exactly `ruleOut` times worse *and* exactly at "
        "its objective can be cleared falsely by either.\n\n"
        + _kept(("base", "weight", "ruled out", "inside the objective", "either"), promise.either_way(size))
    )


def _detection(size: Size) -> str:
    rows = list(detection.cells(size))
    return (
        "### How much is found in an hour, and when\n\n"
        "Share of regressions reverted with the median delay, `dispersion` measured; in brackets at 2, which holds "
        "where there is no history to measure it on.\n\n"
        f"{detection.found_table(rows)}\n{detection.compared(rows)}\n\n{detection.chart(size)}"
    )


def _rivals(size: Size) -> str:
    kinds = {
        "Base 1 %, weight 10 %, independent events": Traffic(base=0.01, weights=(0.1,)),
        "Base 1 %, weight 10 %, clusters of 3": Traffic(base=0.01, weights=(0.1,), cluster=3.0),
        "Base 15 %, weight 10 %, independent events": Traffic(base=0.15, weights=(0.1,)),
    }
    return "### Others on the same traffic\n" + "".join(
        f"\n{name}:\n\n{rivals.rivals_table(list(rivals.rows(traffic, size)))}" for name, traffic in kinds.items()
    )


def _bake(size: Size) -> str:
    return (
        "### How soon a healthy canary is cleared\n\n"
        'By ruling out "twice as bad" (at half of 5 % false advances, `dispersion` measured), against a bake of fixed '
        "length with one test at its end, at 5 %.\n\n" + bake.bake_table(list(bake.rows(size)))
    )


def _means(size: Size) -> str:
    head = ("figures", "counted", "reverted at ×1", "reverted at ÷1.1", "cleared at ÷2", "÷1.2", "÷1.5", "÷2")
    return (
        "### Means\n\n"
        "What a session brings in (3 of 100 buy) and ratings, 300 events a look, weight 10 %, `dispersion: 1`. A "
        "quarter of the rollouts for errors, an eighth for what is found in an hour, with the median delay.\n\n"
        + table(head, means.means_table(list(means.rows(size))))
    )


def _late(size: Size) -> str:
    head = ("labels", "reverted", "with nothing done about it", "held: selective labels", "after")
    return (
        "### Late labels\n\n"
        "A day side by side at 1,000 predictions an hour, weight 10 %, 10 % of them wrong; labels come for 90 of 100 "
        "(where nothing else is said), half of them within six hours and all within a day. A quarter of the "
        "rollouts.\n\n" + table(head, late_labels.late_table(list(late_labels.rows(size))))
    )


def _cost(_: Size) -> str:
    rows = [(what, f"{speed:,.0f} a second") for what, speed in cost.cells_per_second().items()]
    return "### What it costs\n\nCells judged by the program's own code, plain Python, one core.\n\n" + table(
        ("evidence", "cells"), rows
    )


SECTIONS: Sequence[Callable[[Size], str]] = (
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


def _told(section: Callable[[Size], str], size: Size) -> str:
    began = time.perf_counter()
    text = section(size)
    print(f"{section.__name__[1:]}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return text


def _kept(head: tuple[str, ...], kept: Iterable[Kept]) -> str:
    return table(head, [(*each.what, *map(str, each.rates)) for each in kept])


def _holding(kept: Iterable[Kept]) -> str:
    rates: list[Rate] = [each for row in kept for each in row.rates]
    return f"{sum(each.holds for each in rates)} of {len(rates)} rates hold"


def _made(size: Size, seconds: float) -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {size.rollouts:,} rollouts a cell (a quarter of that for scraped counters, for "
        f"others on the same traffic, and for bake times), seed {size.seed}, numpy {np.__version__}, "
        f"{seconds:.0f} s. **Bold**: above its level by more than two standard errors."
    )


def _write(text: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
