"""How soon a healthy canary is cleared, beside bake times fixed beforehand at the same risk.

A fixed bake is the shortest time after which a single test of "at least `ruleOut` times worse" clears 95 of 100 healthy
canaries at `falseAdvanceRate`. Whoever fixes it must plan for some traffic: the usual one, or the quietest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from detection import in_minutes
from dispersion import measured
from evidence import Array, Counts, first_reaching, ruled_out
from promise import NEEDED_TO_CLEAR, RULE_OUT, Size
from rates import given, table
from traffic import LOOK_SECONDS, Day, Traffic, drawn, generator

_Z = 1.645
_HOURS = 12
_LOOKS = _HOURS * 3600 // LOOK_SECONDS


def rows(size: Size) -> Iterator[tuple[str, ...]]:
    rollouts = max(size.rollouts // 4, 50)
    for base in size.bases():
        for weight in (0.1, 0.5) if size.thorough else (0.1,):
            traffic = Traffic(base=base, weights=(weight,), looks=_LOOKS)
            counts = drawn(traffic, 1.0, rollouts, generator(size.seed, f"bake {traffic}"))
            found = measured(traffic, rollouts, generator(size.seed, f"bake's history {traffic}"))
            ours = first_reaching(ruled_out(counts, RULE_OUT, found), NEEDED_TO_CLEAR)
            plans = [replace(traffic, day=day) for day in (Day.USUAL, Day.QUIETEST)]
            fixed = [_fixed(drawn(plan, 1.0, rollouts, generator(size.seed, f"bake {plan}"))) for plan in plans]
            yield given(base), given(weight), _at(ours, 0.5), _at(ours, 0.95), *map(_told, fixed)


def bake_table(lines: list[tuple[str, ...]]) -> str:
    ours = ("cleared: half of them by", "95 of 100 by")
    return table(("base", "weight", *ours, "fixed, usual traffic", "fixed, quietest hour"), lines)


def _fixed(counts: Counts) -> float:
    """The look at whose end a test of the canary's share of bad events (with continuity correction) clears 95 %."""
    k1, n1 = np.cumsum(counts.subject_bad, axis=1), np.cumsum(counts.subject_total, axis=1)
    k0, n0 = np.cumsum(counts.reference_bad, axis=1), np.cumsum(counts.reference_total, axis=1)
    share = RULE_OUT * n1 / np.maximum(RULE_OUT * n1 + n0, 1)
    bad = k1 + k0
    often = (share * bad - k1 - 0.5 > _Z * np.sqrt(bad * share * (1 - share))).mean(axis=0) >= 0.95
    return often.argmax() + 1.0 if often.any() else math.inf


def _at(first: Array, share: float) -> str:
    return _told(float(np.sort(first)[math.ceil(share * len(first)) - 1]))


def _told(look: float) -> str:
    return in_minutes(look * LOOK_SECONDS / 60) if math.isfinite(look) else f"not in {_HOURS} h"
