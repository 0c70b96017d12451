"""Rollouts as Prometheus would have them, put before the real `judge`: cells are cut from raw samples by its own rules.

Every target has its own counters and is scraped every 15 s, a little early or late. Scrapes are missed, a target
restarts, a counter of bad events is absent until the first one, and the weight changes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from evidence import Array
from promise import FALSE_ADVANCES, FALSE_REVERTS, RULE_OUT, WORSE_THAN, Size
from rates import Rate, rate
from traffic import BASE_SWING, TRAFFIC_SWING, events, generator, wave

from tidegate.core.judging.against_stable import RULED_OUT
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import (
    Comparison,
    Counters,
    ObjectiveReadings,
    ObjectiveVerdict,
    Question,
    Stage,
    WeightChange,
)
from tidegate.core.manifest import Objective, Rollout

CELLS = 240
_SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
_CELL = timedelta(minutes=1)
_SCRAPE, _JITTER, _MISSED = 15.0, 1.5, 0.005
_LEAD = 4 * 365
"""Scrapes of stable before the rollout: six hours, in which its dispersion is measured, and a little more."""

_SCRAPES = CELLS * 4 + 4
_WEIGHTS = (0.05, 0.25, 0.5)
_EVENTS = 300.0
_TARGETS = {11: 2, 12: 1}
"""Stable (11) has two targets, the canary (12) one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One process: when it was scraped, and what its counters gained before each scrape."""

    version: int
    number: int
    times: Array
    seen: np.ndarray
    bad: Array
    total: Array


def rates(size: Size, base: float = 0.01, cluster: float = 1.0) -> tuple[Rate, ...]:
    """False reverts at equality and at the margin, false advances at `ruleOut`."""
    rollouts = max(size.rollouts // 4, 50)
    reverting = Rollout(worse_than=WORSE_THAN, false_revert_rate=FALSE_REVERTS, minimum_effect=0, resolution=_CELL)
    # Nothing is worse than 16 times, so that what is told is whether it was ruled out.
    advancing = Rollout(worse_than=16, rule_out=RULE_OUT, false_advance_rate=FALSE_ADVANCES, resolution=_CELL)

    def verdicts(ratio: float, rollout: Rollout) -> Iterator[ObjectiveVerdict]:
        rng = generator(size.seed, f"scraped {base} {ratio} {cluster}")
        return (_verdict(_targets(rng, base, ratio, cluster), rollout) for _ in range(rollouts))

    falsely = [
        [verdict.comparison is Comparison.WORSE for verdict in verdicts(ratio, reverting)]
        for ratio in (1.0, WORSE_THAN)
    ]
    advanced = [verdict.cleared_by == RULED_OUT for verdict in verdicts(RULE_OUT, advancing)]
    return (*(rate(np.array(each), FALSE_REVERTS) for each in falsely), rate(np.array(advanced), FALSE_ADVANCES))


def _verdict(targets: list[Target], rollout: Rollout) -> ObjectiveVerdict:
    """After all four hours: a verdict is absorbing, so that this is what any look would have said."""
    objective = Objective(name="errors", target=0.9999, bad="errors_total", total="requests_total")
    third = CELLS // len(_WEIGHTS) * _CELL
    question = Question(
        stage=Stage.CANARY,
        subject=12,
        reference=11,
        since=_SINCE,
        rollout=rollout,
        objectives=(objective,),
        weights=tuple(WeightChange(at=_SINCE + i * third, weight=weight) for i, weight in enumerate(_WEIGHTS)),
    )
    verdict = judge(question, _counters(targets))
    if verdict.objectives[0].unread is not None or not verdict.objectives[0].dispersion_measured:
        raise AssertionError(f"this rollout cannot be read or not be measured: {verdict.objectives[0]}")
    return verdict.objectives[0]


def _targets(rng: np.random.Generator, base: float, ratio: float, cluster: float) -> list[Target]:
    """Both versions under one base rate and one stream of traffic."""
    shape = (1, _LEAD + _SCRAPES)
    rate_of_stable, amount = base * wave(rng, shape, BASE_SWING)[0], _EVENTS * wave(rng, shape, TRAFFIC_SWING)[0]
    stage = np.clip((np.arange(shape[1]) - _LEAD) // (CELLS * 4 // len(_WEIGHTS)), 0, len(_WEIGHTS) - 1)
    share = np.where(np.arange(shape[1]) < _LEAD, 0.0, np.array(_WEIGHTS)[stage])
    arms = {11: ((1 - share) * amount, rate_of_stable), 12: (share * amount, rate_of_stable * ratio)}
    return [
        _target(rng, (version, number), (arms[version][0] / targets, arms[version][1]), cluster)
        for version, targets in _TARGETS.items()
        for number in range(targets)
    ]


def _target(
    rng: np.random.Generator, name: tuple[int, int], amount_and_rate: tuple[Array, Array], cluster: float
) -> Target:
    """Traffic flows evenly between two instants of the grid; each scrape falls somewhere near one."""
    amount, bad_rate = amount_and_rate
    first = _LEAD if name[0] == 12 else 0
    grid = _SINCE.timestamp() + (np.arange(first, len(amount)) - _LEAD) * _SCRAPE
    times = grid + rng.uniform(0, _SCRAPE / 2) + rng.uniform(-_JITTER, _JITTER, len(grid))
    spans = np.diff(times, prepend=times[0] - _SCRAPE) / _SCRAPE
    bad, total = events(rng, amount[first:] * spans, bad_rate[first:], cluster)
    return Target(
        version=name[0],
        number=name[1],
        times=times,
        seen=rng.random(len(times)) >= _MISSED,
        bad=bad,
        total=total,
    )


def _counters(targets: list[Target]) -> Counters:
    readings = ObjectiveReadings(
        bad=_sampled([_series(target, target.bad) for target in targets]),
        total=_sampled([_series(target, target.total) for target in targets]),
    )
    now = _SINCE + CELLS * _CELL + timedelta(seconds=3 * _SCRAPE)
    return Counters(now=now, objectives={"errors": readings})


def _series(target: Target, gained: Array) -> Series:
    """A counter as scraped: one target restarts half way, and a label set appears with its first event."""
    values = np.cumsum(gained)
    if target.number == 1:
        values[len(values) // 2 :] -= values[len(values) // 2 - 1]
    shown = target.seen & (np.cumsum(gained) > 0)
    return Series(
        labels={
            "version": str(target.version),
            "job": "serving",
            "instance": f"pod-{target.version}-{target.number}:80",
        },
        samples=tuple(zip(target.times[shown].tolist(), values[shown].tolist(), strict=True)),
    )


def _sampled(series: list[Series]) -> Sampled:
    present = tuple(each for each in series if each.samples)
    return Sampled(
        series=present, start=_SINCE - _LEAD * timedelta(seconds=_SCRAPE), end=_SINCE + CELLS * _CELL + _CELL
    )
