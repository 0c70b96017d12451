"""What the evidence costs in plain Python: the program's own `comparison`, cell after cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from evidence import Counts
from promise import RULE_OUT, WORSE_THAN
from traffic import Traffic, drawn, generator

from tidegate.core.judging.comparison import inside_evidence, ruled_out_evidence, worse_evidence
from tidegate.core.judging.verdict import Tally

_CELLS = 2_000


def cells_per_second() -> dict[str, float]:
    """The fastest of five runs each: what the code costs, without what else the machine did."""
    counts = drawn(Traffic(base=0.01, weights=(0.1,), looks=_CELLS), 1.0, 1, generator(1, "cost"))
    pairs = list(_pairs(counts))
    alone = [subject for subject, _ in pairs]

    def all_three() -> list[Iterable[float]]:
        return [
            list(worse_evidence(pairs, WORSE_THAN, 2.0)),
            list(ruled_out_evidence(pairs, RULE_OUT, 2.0)),
            list(inside_evidence(alone, 0.01, 2.0)),
        ]

    return {
        "is it worse?": _CELLS / _fastest(lambda: list(worse_evidence(pairs, WORSE_THAN, 2.0))),
        "all three questions": _CELLS / _fastest(all_three),
    }


def _pairs(counts: Counts) -> Iterable[tuple[Tally, Tally]]:
    for look in range(_CELLS):
        yield (
            Tally(bad=float(counts.subject_bad[0, look]), total=float(counts.subject_total[0, look])),
            Tally(bad=float(counts.reference_bad[0, look]), total=float(counts.reference_total[0, look])),
        )


def _fastest(work: Callable[[], object]) -> float:
    def timed() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(timed() for _ in range(5))
