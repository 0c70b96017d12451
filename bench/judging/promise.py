"""How often a version that is no worse is reverted, and one that is much worse is advanced, over all looks together.

At equality and exactly at the margin: a promise on false reverts has to hold where it is hardest. Without
`minimumEffect`, which only ever keeps from reverting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dispersion import measured
from evidence import Array, Counts, inside, ruled_out, worse
from rates import Rate, given, rate
from traffic import EVENTS, Day, Traffic, correlated, drawn, generator

WORSE_THAN, RULE_OUT = 1.1, 2.0
FALSE_REVERTS, FALSE_ADVANCES = 0.01, 0.05
NEEDED_TO_CLEAR = math.log(2 / FALSE_ADVANCES)
"""There are two ways to be cleared, each with half of the rate."""

WEIGHTS = (0.01, 0.05, 0.1, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is simulated. `thorough` is every kind of traffic; otherwise one for each table."""

    rollouts: int
    seed: int
    thorough: bool

    def bases(self) -> list[float]:
        return list(EVENTS) if self.thorough else [0.01]

    def weights(self) -> tuple[float, ...]:
        return WEIGHTS if self.thorough else (0.1,)

    def part(self, of: int) -> int:
        """How many rollouts where fewer are enough."""
        return max(self.rollouts // of, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One kind of traffic: errors at equality, at `worseThan`, and at `ruleOut`."""

    what: tuple[str, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harder:
    """Whatever else a rollout meets while events stay independent. `objectives` are correlated."""

    what: str
    traffic: Traffic
    objectives: int = 1


def grid(size: Size, day: Day = Day.SWINGING) -> list[Traffic]:
    """Every base rate at every weight."""
    return [Traffic(base=base, weights=(each,), day=day) for base in size.bases() for each in size.weights()]


def grid_row(size: Size, traffic: Traffic) -> Kept:
    what = (given(traffic.base), given(traffic.weights[0]), str(traffic.events))
    return Kept(what=what, rates=_errors(traffic, size))


def harder(size: Size) -> list[Harder]:
    bases, steps = [0.01, 0.15] if size.thorough else [0.01], (0.05, 0.25, 0.5)
    three, looks = "three correlated objectives", 2_000
    return [
        *(Harder(what="weights 5 → 25 → 50 %", traffic=Traffic(base=base, weights=steps)) for base in bases),
        *(Harder(what=three, traffic=Traffic(base=base, weights=(0.1,)), objectives=3) for base in bases),
        Harder(what=f"{looks:,} looks", traffic=Traffic(base=bases[0], weights=(0.1,), looks=looks)),
    ]


def harder_row(size: Size, met: Harder) -> Kept:
    errors = _errors(met.traffic, size) if met.objectives == 1 else _shared(met.traffic, size)
    return Kept(what=(met.what, given(met.traffic.base)), rates=errors)


def clustered(size: Size) -> list[Traffic]:
    """Events of one cause."""
    cells = ((0.001, 0.05), (0.01, 0.1), (0.01, 0.5), (0.15, 0.1)) if size.thorough else ((0.01, 0.1),)
    return [
        traffic
        for base, weight in cells
        for traffic in (
            *(Traffic(base=base, weights=(weight,), cluster=cluster) for cluster in (2.0, 3.0, 5.0)),
            Traffic(base=base, weights=(weight,), sticky=True),
        )
    ]


def clustered_row(size: Size, traffic: Traffic) -> Kept:
    """Each error by what the evidence is divided by: 1, 2, and as measured on stable."""
    found = measured(traffic, size.rollouts, generator(size.seed, f"history {traffic}"))
    divided = _divided(traffic, size, [1.0, 2.0, found])
    low, middle, high = np.quantile(found, [0.05, 0.5, 0.95])
    what = "sticky users" if traffic.sticky else f"clusters of {traffic.cluster:g}"
    return Kept(
        what=(what, given(traffic.base), given(traffic.weights[0]), f"{middle:.1f} ({low:.1f} to {high:.1f})"),
        rates=tuple(each for errors in zip(*divided, strict=True) for each in errors),
    )


def either_way(size: Size, traffic: Traffic) -> Kept:
    """Advanced by either rule: a canary that is exactly `ruleOut` times worse and exactly at its objective.

    Of traffic without swings: what is below the objective for an hour *is* inside it.
    """
    counts = drawn(traffic, RULE_OUT, size.rollouts, generator(size.seed, f"either {traffic}"))
    out, fine = _cleared(counts), inside(counts, RULE_OUT * traffic.base)[:, -1] >= NEEDED_TO_CLEAR
    levels = (FALSE_ADVANCES / 2, FALSE_ADVANCES / 2, FALSE_ADVANCES)
    rates = tuple(rate(*each) for each in zip((out, fine, out | fine), levels, strict=True))
    return Kept(what=(given(traffic.base), given(traffic.weights[0])), rates=rates)


def _errors(traffic: Traffic, size: Size) -> tuple[Rate, ...]:
    (rates,) = _divided(traffic, size, [1.0])
    return rates


def _divided(traffic: Traffic, size: Size, dispersions: Sequence[float | Array]) -> tuple[tuple[Rate, ...], ...]:
    """The errors on the same traffic by what its evidence is divided by."""

    def at(ratio: float) -> Counts:
        return drawn(traffic, ratio, size.rollouts, generator(size.seed, f"{traffic} {ratio}"))

    equal, margin, twice = at(1.0), at(WORSE_THAN), at(RULE_OUT)
    return tuple(
        (
            rate(_reverted(equal, by), FALSE_REVERTS),
            rate(_reverted(margin, by), FALSE_REVERTS),
            rate(_cleared(twice, by), FALSE_ADVANCES),
        )
        for by in dispersions
    )


def _reverted(counts: Counts, dispersion: float | Array, objectives: int = 1) -> np.ndarray:
    erred: np.ndarray = worse(counts, WORSE_THAN, dispersion)[:, -1] >= math.log(objectives / FALSE_REVERTS)
    return erred


def _cleared(counts: Counts, dispersion: float | Array = 1.0) -> np.ndarray:
    erred: np.ndarray = ruled_out(counts, RULE_OUT, dispersion)[:, -1] >= NEEDED_TO_CLEAR
    return erred


def _shared(traffic: Traffic, size: Size) -> tuple[Rate, ...]:
    """Reverted by any of three, each at a third of the level; advanced where all three are cleared."""
    base, rates = traffic.base, []
    for ratio in (1.0, WORSE_THAN):
        three = correlated(traffic, ratio, size.rollouts, generator(size.seed, f"three {base} {ratio}"))
        rates.append(rate(np.any([_reverted(each, 1.0, 3) for each in three], axis=0), FALSE_REVERTS))
    three = correlated(traffic, RULE_OUT, size.rollouts, generator(size.seed, f"three {base} {RULE_OUT}"))
    return (*rates, rate(np.all([_cleared(each) for each in three], axis=0), FALSE_ADVANCES))
