"""The promise on counters as scraped: false reverts and false advances, told by the program's own `judge`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from promise import FALSE_ADVANCES, FALSE_REVERTS, RULE_OUT, WORSE_THAN, Kept, Size
from rates import Rate, given, rate
from scraping import CELL, Served, counters, question
from traffic import EVENTS, generator

from tidegate.core.judging.against_stable import RULED_OUT
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict
from tidegate.core.manifest import Rollout

_REVERTING = Rollout(worse_than=WORSE_THAN, false_revert_rate=FALSE_REVERTS, minimum_effect=0, resolution=CELL)
_ADVANCING = Rollout(worse_than=16, rule_out=RULE_OUT, false_advance_rate=FALSE_ADVANCES, resolution=CELL)
"""Nothing is worse than 16 times, so that what is told is whether it was ruled out."""

_RATIOS = (1.0, WORSE_THAN, RULE_OUT)
_TARGET = 0.9999
"""Far from all that is drawn: nothing is cleared by being inside the objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is put before the judge, and at which ratio."""

    base: float
    ratio: float
    cluster: float = 1.0

    @property
    def what(self) -> str:
        return "scraped counters" if self.cluster == 1 else f"scraped counters, clusters of {self.cluster:g}"


def kinds(size: Size) -> list[Drawn]:
    """Each at all three ratios, one after the other."""
    traffic = ((0.01, 1.0), (0.01, 3.0), (0.15, 1.0)) if size.thorough else ((0.01, 1.0),)
    return [Drawn(base=base, ratio=ratio, cluster=cluster) for base, cluster in traffic for ratio in _RATIOS]


def error(size: Size, drawn: Drawn) -> Rate:
    """Reverted, or advanced where the ratio is `ruleOut`."""
    advanced = drawn.ratio == RULE_OUT
    served = Served(
        base=drawn.base,
        ratio=drawn.ratio,
        events=EVENTS[drawn.base],
        weights=(0.05, 0.25, 0.5),
        cluster=drawn.cluster,
    )
    rng = generator(size.seed, f"scraped {drawn}")
    verdicts = (_verdict(served, _ADVANCING if advanced else _REVERTING, rng) for _ in range(size.rollouts))
    erred = [each.cleared_by == RULED_OUT if advanced else each.comparison is Comparison.WORSE for each in verdicts]
    return rate(np.array(erred), FALSE_ADVANCES if advanced else FALSE_REVERTS)


def rows(drawn: list[Drawn], errors: list[Rate]) -> list[Kept]:
    """The errors at all ratios side by side."""
    return [
        Kept(what=(drawn[at].what, given(drawn[at].base)), rates=tuple(errors[at : at + len(_RATIOS)]))
        for at in range(0, len(drawn), len(_RATIOS))
    ]


def _verdict(served: Served, rollout: Rollout, rng: np.random.Generator) -> ObjectiveVerdict:
    """After all four hours: a verdict is absorbing, so that this is what any look would have said."""
    (verdict,) = judge(question(served, _TARGET, rollout), counters(served, rng)).objectives
    if verdict.unread is not None or not verdict.dispersion_measured:
        raise AssertionError(f"this rollout cannot be read or not be measured: {verdict}")
    return verdict
