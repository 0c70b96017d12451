"""How clustered bad events are, as the program measures it on stable in the six hours before a rollout.

The counts are drawn here, the figure is `tidegate.core.judging.dispersion`'s own.
"""

from __future__ import annotations

import numpy as np
from evidence import Array
from traffic import BASE_SWING, LOOK_SECONDS, TRAFFIC_SWING, USERS, Traffic, events, wave

from tidegate.core.judging.dispersion import BLOCKS, HISTORY, excesses, largest
from tidegate.core.judging.verdict import Tally

_TARGETS = 4
_CELL = BLOCKS[0].total_seconds()


def measured(traffic: Traffic, rollouts: int, rng: np.random.Generator) -> Array:
    """One figure a rollout. Cells are as long as the shorter block: smaller ones are only added up.

    Users that stay with their version stay with one of its targets.
    """
    looks, cells = round(_CELL) // LOOK_SECONDS, round(HISTORY.total_seconds() / _CELL)
    shape = (rollouts, cells * looks)
    requests = traffic.events * wave(rng, shape, TRAFFIC_SWING)
    failing = traffic.base * wave(rng, shape, BASE_SWING) * requests
    amount, bad = (of.reshape(rollouts, cells, looks).sum(axis=2) for of in (requests, failing))
    users = USERS // _TARGETS
    luck = rng.gamma(2 * users, size=(rollouts, 1, _TARGETS)) / (2 * users) if traffic.sticky else 1.0
    each = np.repeat(amount[:, :, None] / _TARGETS, _TARGETS, axis=2)
    return _figures(*events(rng, each, (bad / amount)[:, :, None] * luck, traffic.cluster))


def _figures(bad: Array, total: Array) -> Array:
    """By rollout, of (rollout, cell, target)."""
    return np.array([largest(excesses(_targets(*counts), _CELL)) for counts in zip(bad, total, strict=True)])


def _targets(bad: Array, total: Array) -> list[list[Tally]]:
    pairs = zip(bad.T.tolist(), total.T.tolist(), strict=True)
    return [[Tally(bad=k, total=n) for k, n in zip(*counts, strict=True)] for counts in pairs]
