"""How often a canary goes back that is exactly at its objective: by the comparison, or by a pair of windows that burns.

The comparison has the whole `falseRevertRate`, pairs have half of it on top; held against one rate for both. From
scraped counters, by the program's own judge and its own grounds for going back. Rates stand still, because a canary
that is above its objective for an hour *is* above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from promise import FALSE_REVERTS, WORSE_THAN, Kept, Size
from rates import given, rate
from scraping import CELL, CELLS, NO_HISTORY, SCRAPE, Served, counters, question
from traffic import EVENTS, generator

from tidegate.core.grounds import of_canary
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.verdict import ObjectiveVerdict, Verdict
from tidegate.core.manifest import Rollout

HEAD = ("base", "weight", "canary beside stable", "goes back", "a pair tripped first")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtObjective:
    """The canary's bad rate, which is what its objective allows, and how many times stable's that is."""

    allowed: float
    weight: float
    ratio: float


def kinds(size: Size) -> list[AtObjective]:
    bases, weights = ((0.001, 0.01, 0.15), (0.1, 0.5)) if size.thorough else ((0.01,), (0.1,))
    return [
        AtObjective(allowed=allowed, weight=weight, ratio=ratio)
        for allowed in bases
        for weight in weights
        for ratio in (1.0, WORSE_THAN)
    ]


def row(size: Size, standing: AtObjective) -> Kept:
    rng = generator(size.seed, f"at its objective {standing}")
    back, tripped = zip(*(_outcome(standing, rng) for _ in range(size.rollouts)), strict=True)
    return Kept(
        what=(given(standing.allowed), given(standing.weight), f"×{standing.ratio:g}"),
        rates=(rate(np.array(back), FALSE_REVERTS), rate(np.array(tripped), FALSE_REVERTS / 2)),
    )


def _outcome(standing: AtObjective, rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether it went back at any look, and whether a pair tripped before the comparison."""
    served = Served(
        base=standing.allowed / standing.ratio,
        ratio=standing.ratio,
        events=EVENTS[standing.allowed],
        weights=(standing.weight,),
        steady=True,
        before=NO_HISTORY,
    )
    rollout = Rollout(
        steps=served.weights,
        worse_than=WORSE_THAN,
        false_revert_rate=FALSE_REVERTS,
        minimum_effect=0,
        maximum_duration=CELLS * CELL,
        resolution=CELL,
        dispersion=1.0,
    )
    looks = list(_looks(served, rollout, rng))
    grounds = [of_canary(verdict) for verdict in looks]
    return any(ground is not None and ground.reverts for ground in grounds), _errors(looks[0]).burned is not None


def _looks(served: Served, rollout: Rollout, rng: np.random.Generator) -> Iterator[Verdict]:
    """The last look, and the one at which a pair tripped: stable may have breached later, which then keeps the canary.
    All else is absorbing."""
    read = counters(served, rng)
    judged = Judged(question(served, 1 - served.base * served.ratio, rollout), read)
    yield (last := judged.at(read.now))
    if (at := _errors(last).burned_at) is not None:
        yield judged.at(at + 3 * SCRAPE)


def _errors(verdict: Verdict) -> ObjectiveVerdict:
    (errors,) = verdict.objectives
    if errors.unread is not None:
        raise AssertionError(f"this rollout cannot be read: {errors}")
    return errors
