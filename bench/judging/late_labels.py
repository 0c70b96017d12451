"""Labels that come up to a day late, put before the program's own judge: with and without what it does about coverage.

Two versions serve side by side for a day; labels go on coming for another. Predictions are drawn by the hour, and each
label by its chance and its age. "Without" is the same evidence with nothing done about labels that are missing, or that
come in clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from evidence import Array
from promise import FALSE_REVERTS, Size
from rates import Rate, percent, rate
from traffic import BASE_SWING, TRAFFIC_SWING, generator, wave

from tidegate.core.judging.dispersion import Dispersion
from tidegate.core.judging.late_labels import LateLabels
from tidegate.core.judging.reading import Sampled, Series, Why
from tidegate.core.judging.verdict import Comparison, LateReadings, LateVerdict, Together
from tidegate.core.manifest import Labels, Objective, Probation, Rollout

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_SIDE_BY_SIDE, _HOURS = 24, 50
_BEFORE = 25
_AGES = (6, 12, 24)
_EVENTS, _WEIGHT, _BASE = 1000.0, 0.1, 0.1
_SUBJECT, _REFERENCE = 12, 11
_QUALITY = Objective(
    name="quality",
    target=0.85,
    bad="wrong",
    total="labels",
    labels=Labels(served="predictions_total", delay=timedelta(hours=24), minimum_coverage=0.6),
)
_TOGETHER = Together(
    subject=_SUBJECT,
    reference=_REFERENCE,
    since=_SINCE,
    until=_SINCE + timedelta(hours=_SIDE_BY_SIDE),
    objectives=(_QUALITY,),
    rollout=Rollout(
        bake=timedelta(hours=6),
        warm_up=timedelta(0),
        dispersion=1.0,
        minimum_effect=0.0,
        probation=Probation(duration=timedelta(days=2)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """How likely a good and a bad prediction of each arm has its label in the end. Bad ones come in clusters of that
    mean size, whose labels come together."""

    name: str
    subject: tuple[float, float] = (0.9, 0.9)
    reference: tuple[float, float] = (0.9, 0.9)
    ratio: float = 1.0
    cluster: float = 1.0

    @property
    def selective(self) -> bool:
        return self.subject != self.reference


_KINDS = (
    Labelling(name="alike, ×1"),
    Labelling(name="alike, ×1.1", ratio=1.1),
    Labelling(name="bad labelled less, alike, ×1", subject=(0.9, 0.6), reference=(0.9, 0.6)),
    Labelling(name="canary's bad ones more often, ×1", subject=(0.9, 0.9), reference=(0.9, 0.6)),
    Labelling(name="canary's good ones less often, ×1", subject=(0.7, 0.9)),
    Labelling(name="clusters of 3, ×1", cluster=3.0),
    Labelling(name="clusters of 3, ×1.1", ratio=1.1, cluster=3.0),
    Labelling(name="alike, ×1.5", ratio=1.5),
    Labelling(name="alike, ×2", ratio=2.0),
    Labelling(name="canary's good ones less often, ×2", subject=(0.8, 0.9), ratio=2.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How one kind of labelling ended over many rollouts."""

    kind: Labelling
    guarded: Rate
    unguarded: Rate
    selective: float
    hours: float | None


def kinds(size: Size) -> list[Labelling]:
    """The one of few is in clusters, since most is done about those."""
    return list(_KINDS) if size.thorough else [next(kind for kind in _KINDS if kind.cluster > 1)]


def row(size: Size, kind: Labelling) -> Judged:
    rng = generator(size.seed, f"late {kind.name}")
    found = [_outcome(kind, rng) for _ in range(size.part(4))]
    level = FALSE_REVERTS if kind.ratio <= 1.1 else 1.0
    delays = [hours for _, _, hours, _ in found if hours is not None]
    return Judged(
        kind=kind,
        guarded=rate(np.array([guarded for guarded, _, _, _ in found]), level),
        unguarded=rate(np.array([plain for _, plain, _, _ in found]), level),
        selective=float(np.mean([held for _, _, _, held in found])),
        hours=float(np.median(delays)) if delays else None,
    )


def late_table(judged: list[Judged]) -> list[tuple[str, ...]]:
    return [
        (
            each.kind.name,
            str(each.guarded),
            str(each.unguarded),
            percent(each.selective),
            "–" if each.hours is None else f"{each.hours:.0f} h",
        )
        for each in judged
    ]


class _Undivided(LateLabels):
    """With nothing done about clusters."""

    def _divisor(self) -> Dispersion:
        return Dispersion(figure=1.0)


def _outcome(kind: Labelling, rng: np.random.Generator) -> tuple[bool, bool, float | None, bool]:
    """Reverted, reverted with nothing done, after how many hours, and held for selective labels at the end."""
    readings = _drawn(kind, rng)
    labels = LateLabels(_TOGETHER, _QUALITY, readings, "version")
    verdict: LateVerdict = labels.at(_SINCE + timedelta(hours=_HOURS))
    worse = verdict.verdict.comparison is Comparison.WORSE
    undivided = labels if kind.cluster == 1 else _Undivided(_TOGETHER, _QUALITY, readings, "version")
    plain = any(row.plain >= np.log(1 / FALSE_REVERTS) for row in undivided.rows)
    at = verdict.verdict.worse_at
    unread = verdict.verdict.unread
    held = unread is not None and unread.why is Why.SELECTIVE
    return worse, plain, None if at is None else (at - _SINCE) / timedelta(hours=1), held


def _drawn(kind: Labelling, rng: np.random.Generator) -> LateReadings:
    """Counters at full hours. The reference served before; base rate and traffic swing over the day."""
    hours = _BEFORE + _SIDE_BY_SIDE
    base = _BASE * wave(rng, (1, hours), BASE_SWING)[0]
    amount = _EVENTS * wave(rng, (1, hours), TRAFFIC_SWING)[0]
    bad: list[Series] = []
    total: list[Series] = []
    served: list[Series] = []
    share = np.where(np.arange(hours) < _BEFORE, 0.0, _WEIGHT)
    arms = ((_SUBJECT, share, kind.ratio, kind.subject), (_REFERENCE, 1 - share, 1.0, kind.reference))
    for version, part, ratio, chances in arms:
        requests = rng.poisson(amount * part)
        wrong = rng.binomial(requests, _rate_of_causes(np.minimum(base * ratio, 1), kind.cluster))
        ages = [_ages(requests - wrong, chances[0], 1.0, rng), _ages(wrong, chances[1], kind.cluster, rng)]
        served.append(_series(version, sum(each.sum(axis=1) for each in ages), None))
        for group, is_bad in zip(ages, (False, True), strict=True):
            for le, grown in _by_age(group):
                series = _series(version, grown, le, correct=str(not is_bad).lower())
                total.append(series)
                bad += [series] if is_bad else []
    return LateReadings(bad=_sampled(bad), total=_sampled(total), served=_sampled(served))


def _rate_of_causes(rate: Array, cluster: float) -> Array:
    """How many requests fail, where each that does is so many bad predictions and `rate` of all of them are bad."""
    return rate / (cluster - rate * (cluster - 1))


def _ages(made: np.ndarray, chance: float, cluster: float, rng: np.random.Generator) -> np.ndarray:
    """Predictions by the hour in which they were made, and by the age at which their label comes; the last column's
    never does. Half of them come within six hours, the rest evenly."""
    per_hour = np.where(np.arange(_AGES[-1]) < _AGES[0], 0.5 / _AGES[0], 0.5 / (_AGES[-1] - _AGES[0])) * chance
    ages = rng.multinomial(made, np.append(per_hour, 1 - per_hour.sum()))
    if cluster == 1:
        return ages
    return ages + np.where(ages > 0, rng.negative_binomial(np.maximum(ages, 1), 1 / cluster), 0)


def _by_age(ages: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Labels by the hour in which they come, up to each bound."""
    arrived = np.zeros((_AGES[-1], _BEFORE + _HOURS))
    for age in range(_AGES[-1]):
        arrived[age, age : age + len(ages)] = ages[: arrived.shape[1] - age, age]
    for bound in _AGES:
        yield str(bound * 3600.0), arrived[:bound].sum(axis=0)


def _series(version: int, grown: Array | np.ndarray, le: str | None, **more: str) -> Series:
    whole = np.zeros(_BEFORE + _HOURS)
    whole[: len(grown)] = grown
    values = np.concatenate([[0.0], np.cumsum(whole)])
    start = _SINCE.timestamp() - _BEFORE * 3600
    labels = {"version": str(version), "job": "labels", "instance": "joiner:80", **more}
    samples = tuple((start + 3600.0 * index, float(value)) for index, value in enumerate(values))
    return Series(labels=labels if le is None else {**labels, "le": le}, samples=samples)


def _sampled(series: list[Series]) -> Sampled:
    return Sampled(series=tuple(series), start=_SINCE, end=_SINCE)
