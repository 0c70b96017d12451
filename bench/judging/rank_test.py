"""Kayenta's classification of one metric by a Mann-Whitney test, written from its published rules for comparison.

Source: spinnaker/kayenta a69573be, the shipped judge (tolerance 0.25, confidence 0.98); checked row by row against its
own test data in golden/test_kayenta_judge.py. Scores over several metrics are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

_SOLVER_TOLERANCE = 1e-4
"""Absolute, as upstream: at small scales it decides verdicts, so ratios are compared in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """How one metric is compared. `direction` is the one that counts as bad: increase, decrease or either."""

    direction: str = "increase"
    tolerance: float = 0.25
    confidence: float = 0.98
    measure: str = "meanRatio"
    allowed_decrease: float = 1.0
    allowed_increase: float = 1.0
    missing_is_zero: bool = False


def classify(metric: Metric, control: Series, experiment: Series) -> str:
    """Pass, High, Low or Nodata."""
    if not len(control) or not len(experiment):
        return "Pass" if metric.missing_is_zero else "Nodata"
    both = np.unique(np.concatenate([control, experiment]))
    if len(both) == 1 or np.array_equal(np.sort(control), np.sort(experiment)):
        return "Pass"
    if len(np.unique(control)) == len(np.unique(experiment)) == 1:
        control, experiment = _jittered(control), _jittered(experiment)
    effect, shift = _effect(metric.measure, control, experiment), Shift(experiment, control)
    z = NormalDist().inv_cdf(0.5 + metric.confidence / 2)
    if metric.direction != "decrease" and not effect < metric.allowed_increase:
        lower = shift.at(z)
        if lower > 0 and lower > metric.tolerance * abs(shift.at(0)):
            return "High"
    if metric.direction != "increase" and not effect > metric.allowed_decrease:
        upper = shift.at(-z)
        if upper < 0 and upper < -metric.tolerance * abs(shift.at(0)):
            return "Low"
    return "Pass"


class Shift:
    """By how much the experiment lies above the control: where the rank statistic of the shifted samples is z."""

    def __init__(self, experiment: Series, control: Series) -> None:
        self._experiment, self._control = experiment, np.sort(control)
        self._low, self._high = experiment.min() - control.max(), experiment.max() - control.min()

    def at(self, z: float) -> float:
        """The end of the confidence interval at ±z, the Hodges-Lehmann estimate at 0; within the data's own range."""
        if self.statistic(self._low) <= z:
            return float(self._low)
        if self.statistic(self._high) >= z:
            return float(self._high)
        return brent(lambda shift: self.statistic(shift) - z, self._low, self._high)

    def statistic(self, shift: float) -> float:
        """The standardised rank sum with continuity and tie corrections; it falls as the shift grows."""
        moved, control = self._experiment - shift, self._control
        m, n = len(moved), len(control)
        above = _wins(moved, control) - m * n / 2
        ties = np.unique(np.concatenate([moved, control]), return_counts=True)[1].astype(float)
        corrected = (m + n + 1) - (ties**3 - ties).sum() / ((m + n) * (m + n - 1))
        return float((above - 0.5 * np.sign(above)) / math.sqrt(m * n / 12 * corrected))


def brent(function: Callable[[float], float], low: float, high: float) -> float:
    """A root between two ends of opposite sign (R. P. Brent, Algorithms for Minimization without Derivatives, 1973)."""
    old, best, f_old, f_best = low, high, function(low), function(high)
    other, f_other = old, f_old
    for _ in range(1000):
        if abs(f_other) < abs(f_best):
            old, best, other = best, other, best
            f_old, f_best, f_other = f_best, f_other, f_best
        close = 2 * np.finfo(float).eps * abs(best) + _SOLVER_TOLERANCE / 2
        half = (other - best) / 2
        if abs(half) <= close or f_best == 0:
            break
        step = half
        if abs(best - old) >= close and abs(f_old) > abs(f_best):
            step = _interpolated((old, f_old), (best, f_best), (other, f_other), close)
        old, f_old = best, f_best
        best += step if abs(step) > close else math.copysign(close, half)
        f_best = function(best)
        if (f_best > 0) == (f_other > 0):
            other, f_other = old, f_old
    return best


def _interpolated(
    old: tuple[float, float], best: tuple[float, float], other: tuple[float, float], close: float
) -> float:
    """The step by inverse quadratic interpolation (by the secant, with two points), or bisection if that leaps."""
    across, last, s = other[0] - best[0], best[0] - old[0], best[1] / old[1]
    if old[0] == other[0]:
        up, down = across * s, 1 - s
    else:
        q, r = old[1] / other[1], best[1] / other[1]
        up, down = s * (across * q * (q - r) - last * (r - 1)), (q - 1) * (r - 1) * (s - 1)
    up, down = (up, -down) if up > 0 else (-up, down)
    good = up < 0.75 * across * down - abs(close * down) / 2 and up < abs(last * down / 2)
    return up / down if good else across / 2


def _effect(measure: str, control: Series, experiment: Series) -> float:
    """NaN where there is none: the test then stands alone."""
    if measure == "cles":
        return _wins(experiment, np.sort(control)) / (len(control) * len(experiment))
    means = control.mean(), experiment.mean()
    return float(means[1] / means[0]) if all(means) else math.nan


def _wins(mine: Series, theirs: Series) -> float:
    """In how many pairs mine is the greater one; `theirs` is sorted, and a tie is half a win."""
    below = np.searchsorted(theirs, mine, "left") + np.searchsorted(theirs, mine, "right")
    return float(below.sum() / 2)


def _jittered(series: Series) -> Series:
    """Upstream adds noise to constant series; ours is the same at every run."""
    noise: Series = series + np.random.default_rng(0).normal(0, 1e-5 * abs(series[0]) or 1e-5, len(series))
    return noise
