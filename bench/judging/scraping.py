"""Two versions side by side as Prometheus would have them: raw samples, to be cut into cells by the program itself.

Every target has its own counters and is scraped every 15 s, a little early or late. Scrapes are missed, a target
restarts, and a counter of bad events is absent until the first one. What the judge says of it is for others to count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from evidence import Array
from traffic import BASE_SWING, TRAFFIC_SWING, events, wave

from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.verdict import Counters, ObjectiveReadings, Question, Stage, WeightChange
from tidegate.core.manifest import Objective, Rollout

CELLS = 240
CELL = timedelta(minutes=1)
SCRAPE = timedelta(seconds=15)
HISTORY, NO_HISTORY = 4 * 365, 4 * 6
"""Scrapes of stable before the rollout: the six hours in which its dispersion is measured and a little more, or as many
as baselines take."""

_SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
_END = _SINCE + CELLS * CELL
_JITTER, _MISSED = 1.5, 0.005
_A_CELL = CELL // SCRAPE
_SCRAPES = (CELLS + 1) * _A_CELL
_SUBJECT, _REFERENCE = 12, 11
_TARGETS = {_REFERENCE: 2, _SUBJECT: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Stable's bad rate, how many times that the canary's is, the events between two scrapes, and the canary's shares
    of them, each over an equal part of the time. `steady`: rates stand still while traffic swings."""

    base: float
    ratio: float
    events: float
    weights: tuple[float, ...]
    cluster: float = 1.0
    steady: bool = False
    before: int = HISTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One process: when it was scraped, and what its counters gained before each scrape."""

    version: int
    number: int
    times: Array
    seen: np.ndarray
    bad: Array
    total: Array


def question(served: Served, target: float, rollout: Rollout) -> Question:
    """The canary beside stable, held against an objective. Only with history is it known since when stable is."""
    part = CELLS // len(served.weights) * CELL
    return Question(
        stage=Stage.CANARY,
        subject=_SUBJECT,
        reference=_REFERENCE,
        since=_SINCE,
        rollout=rollout,
        objectives=(Objective(name="errors", target=target, bad="errors_total", total="requests_total"),),
        weights=tuple(WeightChange(at=_SINCE + i * part, weight=weight) for i, weight in enumerate(served.weights)),
        reference_since=_SINCE - timedelta(days=1) if served.before == HISTORY else None,
    )


def counters(served: Served, rng: np.random.Generator) -> Counters:
    """As of the end, when all cells are judged."""
    targets, start = _targets(served, rng), _SINCE - served.before * SCRAPE
    bad, total = ([_series(each, getattr(each, name)) for each in targets] for name in ("bad", "total"))
    readings = ObjectiveReadings(bad=_sampled(bad, start), total=_sampled(total, start))
    return Counters(now=_END + 3 * SCRAPE, objectives={"errors": readings})


def _targets(served: Served, rng: np.random.Generator) -> list[_Target]:
    """Both versions under one base rate and one stream of traffic."""
    scrapes, parts = served.before + _SCRAPES, len(served.weights)
    swing = 1.0 if served.steady else wave(rng, (1, scrapes), BASE_SWING)[0]
    rate, amount = np.full(scrapes, served.base) * swing, served.events * wave(rng, (1, scrapes), TRAFFIC_SWING)[0]
    part = np.clip((np.arange(scrapes) - served.before) // (CELLS * _A_CELL // parts), 0, parts - 1)
    share = np.where(np.arange(scrapes) < served.before, 0.0, np.array(served.weights)[part])
    arms = {_REFERENCE: ((1 - share) * amount, rate), _SUBJECT: (share * amount, rate * served.ratio)}
    return [
        _target(served, rng, (version, number), (arms[version][0] / targets, arms[version][1]))
        for version, targets in _TARGETS.items()
        for number in range(targets)
    ]


def _target(
    served: Served, rng: np.random.Generator, name: tuple[int, int], amount_and_rate: tuple[Array, Array]
) -> _Target:
    """Traffic flows evenly between two instants of the grid; each scrape falls somewhere near one."""
    amount, bad_rate = amount_and_rate
    first, scrape = served.before if name[0] == _SUBJECT else 0, SCRAPE.total_seconds()
    grid = _SINCE.timestamp() + (np.arange(first, len(amount)) - served.before) * scrape
    times = grid + rng.uniform(0, scrape / 2) + rng.uniform(-_JITTER, _JITTER, len(grid))
    spans = np.diff(times, prepend=times[0] - scrape) / scrape
    bad, total = events(rng, amount[first:] * spans, bad_rate[first:], served.cluster)
    seen = rng.random(len(times)) >= _MISSED
    return _Target(version=name[0], number=name[1], times=times, seen=seen, bad=bad, total=total)


def _series(target: _Target, gained: Array) -> Series:
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


def _sampled(series: list[Series], start: datetime) -> Sampled:
    return Sampled(series=tuple(each for each in series if each.samples), start=start, end=_END + CELL)
