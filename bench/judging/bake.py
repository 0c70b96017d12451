"""How soon a healthy canary is cleared, beside bake times fixed beforehand at the same risk.

A fixed bake is the shortest time after which a single test of "at least `ruleOut` times worse" clears 95 of 100 healthy
canaries at `falseAdvanceRate`. Whoever fixes it must plan for some traffic: the usual one, or the quietest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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
_STEP = 5 * 60 // LOOK_SECONDS
"""What each step of a whole rollout takes at least."""

Kind = tuple[float, tuple[float, ...]]
"""Base rate, and the canary's share in each step."""

SHOWN: Kind = (0.01, (0.1,))
"""The one that is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """When each healthy canary is through, in looks; and how long fixed bakes take, planned for the usual traffic and
    for the quietest."""

    kind: Kind
    through: Array
    fixed: tuple[float, float]

    def by(self, share: float) -> float:
        """The look by which so many of them are through."""
        return float(np.sort(self.through)[math.ceil(share * len(self.through)) - 1])


def kinds(size: Size) -> list[Kind]:
    weights = ((0.1,), (0.5,), (0.05, 0.25, 0.5)) if size.thorough else ((0.1,),)
    return [(base, each) for base in size.bases() for each in weights]


def row(size: Size, kind: Kind) -> Baked:
    """Of several steps the first one asks the question: what is ruled out stays so, and one test needs no other."""
    (base, weights), rollouts = kind, size.part(4)
    traffic = Traffic(base=base, weights=weights[:1], looks=_LOOKS)
    counts = drawn(traffic, 1.0, rollouts, generator(size.seed, f"bake {traffic}"))
    found = measured(traffic, rollouts, generator(size.seed, f"bake's history {traffic}"))
    ours = first_reaching(ruled_out(counts, RULE_OUT, found), NEEDED_TO_CLEAR)
    plans = [replace(traffic, day=day) for day in (Day.USUAL, Day.QUIETEST)]
    usual, quietest = (_fixed(drawn(plan, 1.0, rollouts, generator(size.seed, f"bake {plan}"))) for plan in plans)
    if (later := len(weights) - 1) == 0:
        return Baked(kind=kind, through=ours, fixed=(usual, quietest))
    through, *fixed = (np.maximum(first, _STEP) + later * _STEP for first in (ours, usual, quietest))
    return Baked(kind=kind, through=through, fixed=(float(fixed[0]), float(fixed[1])))


def bake_table(baked: list[Baked]) -> str:
    ours = ("through: half of them by", "95 of 100 by")
    fixed = ("fixed, usual traffic", "times ours", "fixed, quietest hour", "times ours")
    return table(("base", "weight", *ours, *fixed), [_line(each) for each in baked])


def chart(baked: Baked) -> str:
    """One traffic, minute by minute."""
    shown = range(0, 121, 5)
    ours = [(baked.through * LOOK_SECONDS / 60 <= minute).mean() * 100 for minute in shown]
    fixed = [[95.0 * (minute >= bake * LOOK_SECONDS / 60) for minute in shown] for bake in baked.fixed]
    lines = (f"    line [{', '.join(f'{each:.0f}' for each in line)}]" for line in (ours, *fixed))
    head = [
        "xychart-beta",
        f'    x-axis "minutes" [{", ".join(map(str, shown))}]',
        '    y-axis "through, %" 0 --> 100',
    ]
    body = "\n".join((*head, *lines))
    ends = [_told(each) for each in baked.fixed]
    return (
        f"```mermaid\n{body}\n```\n\n"
        f"*Share of healthy canaries through by so many minutes, base {given(baked.kind[0])}, weight "
        f"{given(baked.kind[1][0])}. The line that rises from the first minutes on is Tidegate. The two that rise at "
        f"once, to 95 of 100, are fixed bakes: planned for usual traffic ({ends[0]}), and for the quietest hour "
        f"({ends[1]}).*\n"
    )


def _line(baked: Baked) -> tuple[str, ...]:
    (base, weights), half = baked.kind, baked.by(0.5)
    usual, quietest = ((_told(fixed), _times(fixed / half)) for fixed in baked.fixed)
    steps = " → ".join(f"{weight * 100:g}" for weight in weights)
    return given(base), f"{steps} %", _told(half), _told(baked.by(0.95)), *usual, *quietest


def _fixed(counts: Counts) -> float:
    """The look at whose end a test of the canary's share of bad events (with continuity correction) clears 95 %."""
    k1, n1 = np.cumsum(counts.subject_bad, axis=1), np.cumsum(counts.subject_total, axis=1)
    k0, n0 = np.cumsum(counts.reference_bad, axis=1), np.cumsum(counts.reference_total, axis=1)
    share = RULE_OUT * n1 / np.maximum(RULE_OUT * n1 + n0, 1)
    bad = k1 + k0
    often = (share * bad - k1 - 0.5 > _Z * np.sqrt(bad * share * (1 - share))).mean(axis=0) >= 0.95
    return often.argmax() + 1.0 if often.any() else math.inf


def _told(look: float) -> str:
    return in_minutes(look * LOOK_SECONDS / 60) if math.isfinite(look) else f"not in {_HOURS} h"


def _times(ratio: float) -> str:
    return f"×{ratio:.1f}" if math.isfinite(ratio) else "–"
