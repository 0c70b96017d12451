"""What others would do with the same traffic: thresholds with counters, a rank test on ratios, a z-test at every look.

Each returns the minute in which it reverts, by rollout; infinite where it never does. All see the same hour. Thresholds
are set by the mean base rate, as a person would who knows it. How Argo Rollouts counts is `argo_analysis`', Kayenta's
test is `rank_test`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from argo_analysis import FAILED, Limits, phases
from detection import in_minutes, possible, share
from dispersion import measured
from evidence import Array, Counts, first_reaching, first_true, worse
from promise import FALSE_REVERTS, WORSE_THAN, Size
from rank_test import Metric, classify
from rates import given, percent, table
from traffic import LOOK_SECONDS, Traffic, drawn, generator

_GOOD, _BAD = (1.0, WORSE_THAN), (1.5, 2.0, 3.0, 5.0)
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
    """A measurement a minute; more than `failureLimit` failed ones abort. No value does not succeed, hence fails."""
    limits = Limits(failure=failure_limit)

    def reverts(counts: Counts, base: float) -> Array:
        return np.array([_failed_at(limits, over) for over in _over(counts, times * base).tolist()])

    return reverts


def _failed_at(limits: Limits, over: list[bool]) -> float:
    measured_as = ("F" if each else "S" for each in over)
    minutes = enumerate(phases(limits, measured_as), start=1)
    return next((float(minute) for minute, phase in minutes if phase == FAILED), math.inf)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One traffic: the minutes in which each method reverted, by its name and the canary's ratio."""

    traffic: Traffic
    minutes: Mapping[str, Mapping[float, Array]]


def kinds(size: Size) -> list[Traffic]:
    usual = Traffic(base=0.01, weights=(0.1,))
    clusters, common = replace(usual, cluster=3.0), replace(usual, base=0.15)
    return [usual, clusters, common] if size.thorough else [usual]


def told(size: Size, traffic: Traffic) -> Told:
    """The rank test takes most of the time, hence fewer rollouts here."""
    rollouts = size.part(4)
    drawings = {
        ratio: drawn(traffic, ratio, rollouts, generator(size.seed, f"rivals {traffic} {ratio}"))
        for ratio in (*_GOOD, *_BAD)
        if possible(traffic, ratio)
    }
    found = measured(traffic, rollouts, generator(size.seed, f"rivals' history {traffic}"))
    methods = {"Tidegate, `dispersion` measured": tidegate(found), **RIVALS}
    minutes = {
        name: {ratio: reverts(counts, traffic.base) for ratio, counts in drawings.items()}
        for name, reverts in methods.items()
    }
    return Told(traffic=traffic, minutes=minutes)


def rivals_table(told: Told) -> str:
    head = ("method", *(f"falsely reverted, ×{ratio:g}" for ratio in _GOOD))
    missed = (f"missed and delay, ×{ratio:g}" for ratio in _BAD)
    lines = (
        (name, *(percent(share(at[ratio])) for ratio in _GOOD), *(_missed(at.get(ratio)) for ratio in _BAD))
        for name, at in told.minutes.items()
    )
    return table((*head, *missed), lines)


def chart(told: Told) -> str:
    """Both ways to err, method by method."""
    falsely, missed = ([_hundredths(at, ratio) for at in told.minutes.values()] for ratio in (WORSE_THAN, 2.0))
    numbers = ", ".join(str(number) for number in range(1, len(told.minutes) + 1))
    drawing = [
        "xychart-beta",
        f'    x-axis "row of the table" [{numbers}]',
        '    y-axis "of 100 canaries" 0 --> 100',
        f"    bar [{', '.join(f'{each:.0f}' for each in falsely)}]",
        f"    line [{', '.join(f'{100 - each:.0f}' for each in missed)}]",
    ]
    body = "\n".join(drawing)
    return (
        f"```mermaid\n{body}\n```\n\n"
        f"*{named(told.traffic)}; one column for each row of the table above, in its order: the first three are "
        f"Tidegate. Bars: good canaries falsely reverted, of 100 that are exactly at the margin (×{WORSE_THAN:g}). "
        "Line: regressions missed, of 100 that are ×2. Both are better when lower.*\n"
    )


def named(traffic: Traffic) -> str:
    events = "independent events" if traffic.cluster == 1 else f"clusters of {traffic.cluster:g}"
    return f"Base {given(traffic.base)}, weight {given(traffic.weights[0])}, {events}"


def _hundredths(at: Mapping[float, Array], ratio: float) -> float:
    return 100 * share(at[ratio])


def _missed(reverted: Array | None) -> str:
    """No rate exceeds 1, hence no such regression."""
    if reverted is None:
        return "–"
    found = reverted[np.isfinite(reverted)]
    missed = percent(1 - len(found) / len(reverted))
    return f"{missed}, {in_minutes(float(np.median(found)))}" if len(found) else missed


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
