"""How clustered bad events are, as measured on stable before a rollout: what log-likelihoods are divided by.

Stable's history is split into buckets that ought to be alike (targets, or users by a hash). Within a block of time the
buckets' bad events are compared with the block's own rate, so that a swinging base rate cancels.
"""

from __future__ import annotations

import numpy as np
from evidence import Array
from traffic import USERS, Traffic, events

_TARGETS, _BLOCKS = 4, 24
_USER_BUCKETS = 40


def measured(traffic: Traffic, rollouts: int, rng: np.random.Generator) -> Array:
    """One figure a rollout, from as long a history of stable as the rollout lasts.

    Clusters show between targets within ten looks. What sticky users do shows only between users, and only over as long
    a time as will be judged: their luck does not average out.
    """
    blocks, buckets = (1, _USER_BUCKETS) if traffic.sticky else (_BLOCKS, _TARGETS)
    shape = (rollouts, blocks, buckets)
    amount = np.full(shape, traffic.events * traffic.looks / (blocks * buckets))
    users = USERS // buckets
    luck = rng.gamma(2 * users, size=shape) / (2 * users) if traffic.sticky else np.ones(shape)
    return dispersion(*events(rng, amount, traffic.base * luck, traffic.cluster))


def dispersion(bad: Array, total: Array) -> Array:
    """Over (rollout, block, bucket): all squared deviations over all variances that independent events would have.

    Not the mean of each block's own ratio: where a block has few bad events, its rate and its deviation come from the
    same cluster, and that mean is too small. Never below 1: no history proves that bad events keep apart.
    """
    whole = total.sum(axis=2, keepdims=True)
    rate = bad.sum(axis=2, keepdims=True) / whole
    variance = total * rate * (1 - rate) * (1 - total / whole)
    seen = ((bad - total * rate) ** 2).sum(axis=(1, 2))
    expected = variance.sum(axis=(1, 2))
    found: Array = np.divide(seen, expected, out=np.ones_like(seen), where=expected > 0)
    return np.maximum(found, 1)
