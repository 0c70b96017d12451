"""Results as text on stdout: tables by rich on a terminal, aligned columns elsewhere (pipes, files, CI logs)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

Row = Sequence[str]


def table(headers: Row, rows: Sequence[Row]) -> None:
    """Print the rows under their headers; nothing at all when there are none."""
    if not rows:
        return
    if sys.stdout.isatty():
        _rich(headers, rows)
    else:
        _aligned(headers, rows)


def _aligned(headers: Row, rows: Sequence[Row]) -> None:
    lines = [[_one_line(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _rich(headers: Row, rows: Sequence[Row]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*headers, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        # Text, not markup: a reason may hold brackets.
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def _one_line(cell: str) -> str:
    """Tables that are piped on are read line by line."""
    return " ".join(cell.split())
