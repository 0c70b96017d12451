"""Simulated traffic of a canary beside stable: how many events a look has, and how many of them are bad.

The base rate and the amount of traffic swing over the day, each rollout at its own pace and from its own hour. What is
concluded from the counts is the other modules' work.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum

import numpy as np
from evidence import Array, Counts

LOOK_SECONDS = 15
BASE_SWING, TRAFFIC_SWING = 0.5, 0.7
USERS = 400
EVENTS = {0.001: 750, 0.01: 300, 0.15: 75, 0.3: 75}
"""Events a look by base rate: a rare failure is judged where there is more traffic."""


class Day(Enum):
    """How base rate and traffic move: as they do, or fixed at their usual or their lowest level."""

    SWINGING = "swinging"
    USUAL = "usual"
    QUIETEST = "quietest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One kind of traffic. Events come alone (`cluster` 1) or in clusters of that mean size, geometrically spread.

    `sticky`: 400 users stay with their version, and their own rates are gamma-spread (shape 2). `weights` are the
    canary's shares, each over an equal part of the rollout.
    """

    base: float
    weights: tuple[float, ...]
    looks: int = 240
    cluster: float = 1.0
    sticky: bool = False
    day: Day = Day.SWINGING

    @property
    def events(self) -> int:
        return EVENTS[self.base]


def generator(seed: int, name: str) -> np.random.Generator:
    """Every cell has its own numbers, whichever others are run."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def drawn(traffic: Traffic, ratio: float, rollouts: int, rng: np.random.Generator) -> Counts:
    """The canary's bad rate is exactly `ratio` times stable's in every look (sticky users: in expectation)."""
    shape = (rollouts, traffic.looks)
    base, amount = _levels(traffic, shape, rng)
    weights = np.repeat(traffic.weights, -(-traffic.looks // len(traffic.weights)))[: traffic.looks]
    luck = user_luck(rng, (rollouts, 2), weights[0]) if traffic.sticky else np.ones((rollouts, 2))
    subject_bad, subject_total = events(rng, amount * weights, base * ratio * luck[:, :1], traffic.cluster)
    reference_bad, reference_total = events(rng, amount * (1 - weights), base * luck[:, 1:], traffic.cluster)
    return Counts(
        subject_bad=subject_bad,
        subject_total=subject_total,
        reference_bad=reference_bad,
        reference_total=reference_total,
    )


def correlated(traffic: Traffic, ratio: float, rollouts: int, rng: np.random.Generator) -> list[Counts]:
    """Three objectives on the same events. Half of each one's bad events are bad for all three."""
    shape = (rollouts, traffic.looks)
    base = traffic.base * wave(rng, shape, BASE_SWING)
    amount = traffic.events * wave(rng, shape, TRAFFIC_SWING)
    subject = correlated_arm(rng, amount * traffic.weights[0], base * ratio)
    reference = correlated_arm(rng, amount * (1 - traffic.weights[0]), base)
    return [
        Counts(subject_bad=mine, subject_total=subject[1], reference_bad=theirs, reference_total=reference[1])
        for mine, theirs in zip(subject[0], reference[0], strict=True)
    ]


def _levels(traffic: Traffic, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Array, Array]:
    """Base rate and events, by look."""
    if traffic.day is Day.SWINGING:
        return traffic.base * wave(rng, shape, BASE_SWING), traffic.events * wave(rng, shape, TRAFFIC_SWING)
    quiet = traffic.day is Day.QUIETEST
    base, amount = (1 - BASE_SWING, 1 - TRAFFIC_SWING) if quiet else (1, 1)
    return np.full(shape, base * traffic.base), np.full(shape, amount * float(traffic.events))


def correlated_arm(rng: np.random.Generator, amount: Array, rate: Array) -> tuple[list[Array], Array]:
    """The three objectives' bad events, and the total that they share."""
    requests = rng.poisson(amount)
    shared = rng.binomial(requests, rate / 2)
    alone = (rate / 2) / (1 - rate / 2)
    return [(shared + rng.binomial(requests - shared, alone)).astype(float) for _ in range(3)], requests.astype(float)


def wave(rng: np.random.Generator, shape: tuple[int, int], swing: float) -> Array:
    """1 ± swing, with a period of 60 to 480 looks and any phase."""
    period, phase = rng.uniform(60, 480, (shape[0], 1)), rng.uniform(0, 1, (shape[0], 1))
    up_and_down: Array = 1 + swing * np.sin(2 * np.pi * (np.arange(shape[1]) / period + phase))
    return up_and_down


def events(rng: np.random.Generator, amount: Array, rate: Array, cluster: float) -> tuple[Array, Array]:
    """Bad and total events of so many requests on average. A request that fails is tried again, `cluster` times on
    average, and each attempt is a bad event; the rate of bad events among all is `rate`."""
    requests = rng.poisson(amount)
    rate = np.minimum(rate, 1)
    failing = rng.binomial(requests, rate / (cluster - rate * (cluster - 1)))
    if cluster == 1:
        return failing.astype(float), requests.astype(float)
    retries = np.where(failing > 0, rng.negative_binomial(np.maximum(failing, 1), 1 / cluster), 0)
    return (failing + retries).astype(float), (requests + retries).astype(float)


def user_luck(rng: np.random.Generator, shape: tuple[int, int], weight: float) -> Array:
    """The mean rate of each arm's users, over that of all: a canary's users are few, and never the average ones."""
    luck = np.empty(shape)
    for arm, share in enumerate((weight, 1 - weight)):
        users = np.maximum(rng.binomial(USERS, share, shape[0]), 1)
        luck[:, arm] = rng.gamma(2 * users) / (2 * users)
    return luck
