"""How often a version is sent back on probation although each of its bad rates is exactly what its objective allows.

A day in cells of a minute, all looks together: by the bound since probation began, or by a pair of windows that burns.
The rate stands still, because a version that is above its budget for an hour *is* above it; traffic swings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from dispersion import measured
from evidence import Array, Pair, burned, outside
from promise import FALSE_REVERTS, Kept, Size
from rates import given, rate
from traffic import TRAFFIC_SWING, Traffic, correlated_arm, events, generator, wave

from tidegate.core.judging.burning import paging
from tidegate.core.manifest import Objective

_CELL = timedelta(minutes=1)
_CELLS, _ENOUGH = 1440, 200
_CLUSTER = 3.0

HEAD = (
    "1 − target",
    "one objective",
    "three correlated",
    "if each had the whole rate",
    "clusters of 3, ÷ 2",
    "÷ measured",
)
PROMISED = (0, 1, 4)
"""What the program does; the other figures are what would be without."""


def row(size: Size, allowed: float) -> Kept:
    erred = (*_independent(allowed, size), *_clustered(allowed, size))
    return Kept(what=(given(allowed),), rates=tuple(rate(each, FALSE_REVERTS) for each in erred))


def _independent(allowed: float, size: Size) -> Iterator[np.ndarray]:
    """By one objective, by any of three that share the level, and by any of three if each had all of it."""
    rng = generator(size.seed, f"probation {allowed}")
    bad, total = correlated_arm(rng, *_drawn(allowed, size, rng))
    alone, shared = ([_reverted(each, total, allowed, sharing) for each in bad] for sharing in (1, len(bad)))
    yield alone[0]
    yield np.any(shared, axis=0)
    yield np.any(alone, axis=0)


def _clustered(allowed: float, size: Size) -> Iterator[np.ndarray]:
    """Divided by the policy's figure, and by what was measured on the version before."""
    traffic = Traffic(base=allowed, weights=(1.0,), cluster=_CLUSTER)
    rng = generator(size.seed, f"probation {traffic}")
    bad, total = events(rng, *_drawn(allowed, size, rng), _CLUSTER)
    for dispersion in (2.0, measured(traffic, len(bad), rng)):
        yield _reverted(bad, total, allowed, 1, dispersion)


def _drawn(allowed: float, size: Size, rng: np.random.Generator) -> tuple[Array, Array]:
    """Events and the bad rate, by rollout and cell."""
    shape = (size.rollouts, _CELLS)
    return Traffic(base=allowed, weights=(1.0,)).events * wave(rng, shape, TRAFFIC_SWING), np.full(shape, allowed)


def _reverted(bad: Array, total: Array, allowed: float, sharing: int, dispersion: float | Array = 1.0) -> np.ndarray:
    """Whether `against_objective.Stood` finds a breach: see there and `burning`."""
    pairs = paging(Objective(name="errors", target=1 - allowed, bad="b", total="t"))
    enough = np.cumsum(total, axis=1) >= _ENOUGH
    needed = math.log((2 if pairs else 1) * sharing / FALSE_REVERTS)
    found: np.ndarray = ((outside(bad, total, allowed, dispersion) >= needed) & enough).any(axis=1)
    for burn in pairs:
        pair = Pair(
            short=burn.pair.short // _CELL,
            long=burn.pair.long // _CELL,
            factor=float(burn.factor),
            needed=(math.log(2 * len(pairs) * _CELLS * sharing / FALSE_REVERTS), _ENOUGH),
        )
        found = found | burned(bad, total, allowed, pair, dispersion).any(axis=1)
    return found
