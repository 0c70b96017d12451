"""`make bench-judge`: simulate the judge, print the figures, and write them into docs/judgement.md.

`--cells small` draws one kind of traffic for each table. A promise that is broken is shown in bold; it fails nothing
here, because what is simulated goes beyond what is promised.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pool import Rows, rows
from promise import Size
from sections import SECTIONS, Section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judgement.md"
BEGIN, END = "<!-- make bench-judge writes from here -->\n", "<!-- to here -->\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=2_000, help="rollouts a cell (default 2,000)")
    parser.add_argument("--seed", type=int, default=1, help="other numbers, same conclusions (default 1)")
    parser.add_argument("--cells", choices=["small", "all"], default="all")
    parser.add_argument("--processes", type=_processes, default=os.cpu_count() or 1, help="same figures, other time")
    parser.add_argument("--dry-run", action="store_true", help="print only")
    options = parser.parse_args()
    size = Size(rollouts=options.rollouts, seed=options.seed, thorough=options.cells == "all")
    began = time.perf_counter()
    with rows(size, options.processes) as side_by_side:
        text = "\n".join(_told(section, size, side_by_side) for section in SECTIONS)
    text = f"{_made(size, time.perf_counter() - began, options.processes)}\n\n{text}"
    print(text)
    if not options.dry_run:
        _write(text)


def _processes(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes")
    return int(text)


def _told(section: Section, size: Size, side_by_side: Rows) -> str:
    began = time.perf_counter()
    text = section(size, side_by_side)
    print(f"{section.__name__[1:]}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return text


def _made(size: Size, seconds: float, processes: int) -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {size.rollouts:,} rollouts a cell (a quarter of that for others on the same "
        f"traffic and for bake times, and where a table says so), seed {size.seed}, numpy {np.__version__}, "
        f"{seconds:.0f} s in {processes} {'process' if processes == 1 else 'processes'}. **Bold**: above its level by "
        "more than two standard errors."
    )


def _write(text: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
