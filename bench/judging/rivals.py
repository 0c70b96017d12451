"""What others would do with the same traffic: thresholds with counters, a rank test on ratios, a z-test at every look.

Each returns the minute in which it reverts, by rollout; infinite where it never does. All see the same hour. Thresholds
are set by the mean base rate, as a person would who knows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from detection import in_minutes
from dispersion import measured
from evidence import Array, Counts, first_reaching, first_true, worse
from promise import FALSE_REVERTS, WORSE_THAN, Size
from rank_test import Metric, classify
from rates import percent, table
from traffic import LOOK_SECONDS, Traffic, drawn, generator

RATIOS = (1.0, 1.1, 1.5, 2.0, 3.0)
_LOOKS_A_MINUTE = 60 // LOOK_SECONDS
_Z = 2.326
"""One-sided 1 %, as often as ours may err over all looks."""

Rival = Callable[[Counts, float], Array]


def tidegate(dispersion: float | Array) -> Rival:
    def reverts(counts: Counts, _base: float) -> Array:
        evidence = worse(counts, WORSE_THAN, dispersion)
        return first_reaching(evidence, -math.log(FALSE_REVERTS)) / _LOOKS_A_MINUTE

    return reverts


def flagger(checks: int, times: float) -> Rival:
    """A check a minute; so many failed ones in all roll back, one tick later. No value is a failed check."""

    def reverts(counts: Counts, base: float) -> Array:
        return first_true(np.cumsum(_over(counts, times * base), axis=1) >= checks) + 1

    return reverts


def argo_rollouts(failure_limit: int, times: float) -> Rival:
    """A measurement a minute; more than `failureLimit` failed ones abort."""

    def reverts(counts: Counts, base: float) -> Array:
        return first_true(np.cumsum(_over(counts, times * base), axis=1) > failure_limit)

    return reverts


def kayenta(every: int) -> Rival:
    """A judgement every so many minutes, over all minutes so far, of error ratios in percent."""

    def reverts(counts: Counts, _base: float) -> Array:
        minutes = counts.grouped(_LOOKS_A_MINUTE)
        control = _ratios(minutes.reference_bad, minutes.reference_total) * 100
        experiment = _ratios(minutes.subject_bad, minutes.subject_total) * 100
        return np.array([_judged(*pair, every) for pair in zip(control, experiment, strict=True)])

    return reverts


def z_test(counts: Counts, _base: float) -> Array:
    """The pooled test of two proportions at every look, from five bad events on."""
    k1, n1 = np.cumsum(counts.subject_bad, axis=1), np.cumsum(counts.subject_total, axis=1)
    k0, n0 = np.cumsum(counts.reference_bad, axis=1), np.cumsum(counts.reference_total, axis=1)
    pooled = (k1 + k0) / np.maximum(n1 + n0, 1)
    difference = k1 / np.maximum(n1, 1) - k0 / np.maximum(n0, 1)
    error = np.sqrt(pooled * (1 - pooled) * (1 / np.maximum(n1, 1) + 1 / np.maximum(n0, 1)))
    return first_true((k1 + k0 >= 5) & (n1 > 0) & (difference > _Z * error)) / _LOOKS_A_MINUTE


RIVALS: Mapping[str, Rival] = {
    "Tidegate, `dispersion: 1`": tidegate(1.0),
    "Tidegate, `dispersion: 2` (without history)": tidegate(2.0),
    "threshold at ×2, 5 failed checks (Flagger)": flagger(5, 2),
    "threshold at ×5, 5 failed checks (Flagger)": flagger(5, 5),
    "threshold at ×5, 1 failed check (Flagger's default)": flagger(1, 5),
    "threshold at ×2, `failureLimit: 3` (Argo Rollouts)": argo_rollouts(3, 2),
    "threshold at ×5, `failureLimit: 3` (Argo Rollouts)": argo_rollouts(3, 5),
    "threshold at ×5, `failureLimit: 0` (Argo Rollouts' default)": argo_rollouts(0, 5),
    "rank test on ratios, every 5 min (Kayenta)": kayenta(5),
    "rank test on ratios, once after 60 min (Kayenta)": kayenta(60),
    "z-test at every look, one-sided 1 %": z_test,
}


def rows(traffic: Traffic, size: Size) -> Iterator[tuple[str, ...]]:
    """The rank test takes most of the time, hence fewer rollouts here."""
    rollouts = max(size.rollouts // 4, 50)
    drawings = [drawn(traffic, ratio, rollouts, generator(size.seed, f"rivals {traffic} {ratio}")) for ratio in RATIOS]
    found = measured(traffic, rollouts, generator(size.seed, f"rivals' history {traffic}"))
    for name, reverts in {"Tidegate, `dispersion` measured": tidegate(found), **RIVALS}.items():
        yield (name, *_figures([reverts(counts, traffic.base) for counts in drawings]))


def rivals_table(lines: list[tuple[str, ...]]) -> str:
    falsely = [f"falsely reverted, ×{ratio:g}" for ratio in RATIOS[:2]]
    missed = [f"missed and delay, ×{ratio:g}" for ratio in RATIOS[2:]]
    return table(("method", *falsely, *missed), lines)


def _figures(first: list[Array]) -> Iterator[str]:
    for reverted in first[:2]:
        yield percent(float(np.isfinite(reverted).mean()))
    for reverted in first[2:]:
        found = reverted[np.isfinite(reverted)]
        missed = percent(1 - len(found) / len(reverted))
        yield f"{missed}, {in_minutes(float(np.median(found)))}" if len(found) else missed


def _over(counts: Counts, limit: float) -> np.ndarray:
    minutes = counts.grouped(_LOOKS_A_MINUTE)
    failed: np.ndarray = ~(_ratios(minutes.subject_bad, minutes.subject_total) <= limit)
    return failed


def _ratios(bad: Array, total: Array) -> Array:
    return np.divide(bad, total, out=np.full_like(bad, np.nan), where=total > 0)


def _judged(control: Array, experiment: Array, every: int) -> float:
    """The first minute with High, of judgements from the tenth minute on. Minutes without events are left out."""
    for minute in range(every, len(control) + 1, every):
        mine, theirs = experiment[:minute], control[:minute]
        if minute >= 10 and classify(Metric(), theirs[~np.isnan(theirs)], mine[~np.isnan(mine)]) == "High":
            return float(minute)
    return math.inf
