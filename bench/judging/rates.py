"""A simulated share of rollouts beside the level that it was promised, and Markdown tables of such figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of so many rollouts erred, where at most `level` of them may."""

    errors: int
    rollouts: int
    level: float

    @property
    def share(self) -> float:
        return self.errors / self.rollouts

    @property
    def holds(self) -> bool:
        """At most the level plus two standard errors of a share that is exactly the level."""
        return self.share <= self.level + 2 * math.sqrt(self.level * (1 - self.level) / self.rollouts)

    def __str__(self) -> str:
        figure = f"{self.share * 100:.1f} %"
        return figure if self.holds else f"**{figure}**"


def rate(erred: NDArray[np.bool_], level: float) -> Rate:
    return Rate(errors=int(erred.sum()), rollouts=len(erred), level=level)


def percent(share: float) -> str:
    return f"{share * 100:.1f} %" if 0 < share < 0.0995 else f"{share * 100:.0f} %"


def given(share: float) -> str:
    """A share that was chosen, not counted."""
    return f"{share * 100:g} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown that also reads well on a terminal."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )
