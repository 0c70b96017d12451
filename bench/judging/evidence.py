"""The evidence of `tidegate.core.judging.comparison` for many rollouts at once, and the reference method beside it.

Rows are rollouts, columns are looks. `tests/core/judging/test_simulation.py` holds both against the program's own
evidence, so that what is simulated here is what judges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BETS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Bad and total events of the canary (`subject`) and of stable (`reference`), by rollout and look."""

    subject_bad: Array
    subject_total: Array
    reference_bad: Array
    reference_total: Array

    def grouped(self, looks: int) -> Counts:
        """So many looks taken together: 15 s looks to minutes."""
        return Counts(
            subject_bad=_grouped(self.subject_bad, looks),
            subject_total=_grouped(self.subject_total, looks),
            reference_bad=_grouped(self.reference_bad, looks),
            reference_total=_grouped(self.reference_total, looks),
        )


def worse(counts: Counts, worse_than: float, dispersion: float | Array = 1.0) -> Array:
    """`comparison.worse_evidence`: the running maximum after each look, as a logarithm."""
    return _ratio_evidence(counts, worse_than, log_uniform(1.2 * worse_than, 16 * worse_than), dispersion)


def ruled_out(counts: Counts, rule_out: float, dispersion: float | Array = 1.0) -> Array:
    """`comparison.ruled_out_evidence`."""
    return _ratio_evidence(counts, rule_out, log_uniform(rule_out / 4, rule_out * 0.6), dispersion)


def inside(counts: Counts, allowed: float, dispersion: float | Array = 1.0) -> Array:
    """`comparison.inside_evidence`, of the canary."""
    bad, good = counts.subject_bad, counts.subject_total - counts.subject_bad
    odds = allowed / (1 - allowed) * log_uniform(1 / 16, 1 / 1.2)
    rates, scale = odds / (1 + odds), np.reshape(dispersion, (-1, 1))
    none = np.where(np.cumsum(bad, axis=1) > 0, -np.inf, -np.log1p(-allowed) * np.cumsum(good, axis=1))
    terms = [np.log(0.5) + none / scale]
    for rate in rates:
        steps = bad * np.log(rate / allowed) + good * (np.log1p(-rate) - np.log1p(-allowed))
        terms.append(np.log(0.5 / _BETS) + np.cumsum(steps, axis=1) / scale)
    return np.maximum.accumulate(np.maximum(np.logaddexp.reduce(terms), 0), axis=1)


def outside(bad: Array, total: Array, allowed: float, dispersion: float | Array = 1.0) -> Array:
    """`comparison.outside_evidence`."""
    odds, scale = allowed / (1 - allowed) * log_uniform(1.2, 16), np.reshape(dispersion, (-1, 1))
    mean = np.zeros_like(bad)
    for rate in odds / (1 + odds):
        steps = bad * np.log(rate / allowed) + (total - bad) * (np.log1p(-rate) - np.log1p(-allowed))
        mean += np.exp(np.minimum(np.cumsum(steps, axis=1) / scale, 700)) / _BETS
    evidence: Array = np.log(np.maximum.accumulate(np.maximum(mean, 1), axis=1))
    return evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair of windows in looks, and how many times what is allowed burns. `needed`: the evidence, and the events in
    the long one."""

    short: int
    long: int
    factor: float
    needed: tuple[float, float]


def burned(bad: Array, total: Array, allowed: float, pair: Pair, dispersion: float | Array = 1.0) -> NDArray[np.bool_]:
    """`burning.Burning`: the looks at which a pair trips."""
    limit, scale = pair.factor * allowed, np.reshape(dispersion, (-1, 1))
    in_long = [_within(each, pair.long) for each in (bad, total)]
    above = [_within(bad, width) > limit * _within(total, width) for width in (pair.short, pair.long)]
    good = np.log1p(-min(limit, 1 - 1e-9)) - np.log1p(-allowed)
    evidence = (in_long[0] * np.log(pair.factor) + (in_long[1] - in_long[0]) * good) / scale
    enough = (evidence >= pair.needed[0]) & (in_long[1] >= pair.needed[1])
    looked: NDArray[np.bool_] = (bad > 0) & above[0] & above[1] & enough
    return looked


def _within(events: Array, looks: int) -> Array:
    """All events of the last so many looks."""
    so_far = np.cumsum(events, axis=1)
    before = np.pad(so_far, ((0, 0), (looks, 0)))[:, : so_far.shape[1]]
    within: Array = so_far - before
    return within


def reference_method(counts: Counts, worse_than: float) -> Array:
    """The published formula, written as it stands there: the mean of the exponentials, and its running maximum."""
    n1, n0 = counts.subject_total, counts.reference_total

    def s(ratio: float) -> Array:
        return n1 * ratio / (n1 * ratio + n0)

    mean = np.zeros_like(n1)
    both = (n1 > 0) & (n0 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        for bet in np.geomspace(1.2 * worse_than, 16 * worse_than, _BETS):
            mine = counts.subject_bad * np.log(s(bet) / s(worse_than))
            theirs = counts.reference_bad * np.log((1 - s(bet)) / (1 - s(worse_than)))
            mean += np.exp(np.minimum(np.cumsum(np.where(both, mine + theirs, 0), axis=1), 700)) / _BETS
    return np.maximum.accumulate(mean, axis=1)


def first_reaching(evidence: Array, needed: float) -> Array:
    """The look (from 1) at which each rollout's evidence is enough; infinite where it never is."""
    return first_true(evidence >= needed)


def first_true(holds: NDArray[np.bool_]) -> Array:
    first: Array = np.where(holds.any(axis=1), holds.argmax(axis=1) + 1.0, np.inf)
    return first


def log_uniform(low: float, high: float) -> Array:
    return np.exp(np.linspace(np.log(low), np.log(high), _BETS))


def _ratio_evidence(counts: Counts, null: float, bets: Array, dispersion: float | Array) -> Array:
    """Look by look, because one look of all rollouts fits into the processor's cache."""
    rollouts, looks = counts.subject_total.shape
    gains, scale = np.log(bets / null), np.reshape(dispersion, (-1, 1))
    sums, best, evidence = np.zeros((rollouts, len(bets))), np.zeros(rollouts), np.empty((rollouts, looks))
    both = counts.subject_total + counts.reference_total
    share = np.divide(counts.subject_total, both, out=np.zeros_like(both), where=both > 0)
    told = (share > 0) & (share < 1)
    mine = np.where(told, counts.subject_bad, 0)
    bad = np.where(told, counts.subject_bad + counts.reference_bad, 0)
    for look in range(looks):
        at = share[:, look, None]
        sums += mine[:, look, None] * gains - bad[:, look, None] * np.log((1 + at * (bets - 1)) / (1 + at * (null - 1)))
        best = np.maximum(best, _log_mean(sums / scale))
        evidence[:, look] = best
    return evidence


def _log_mean(terms: Array) -> Array:
    """log of the mean of exp(x) over the bets, without overflow."""
    top = terms.max(axis=1)
    mean: Array = top + np.log(np.exp(terms - top[:, None]).mean(axis=1))
    return mean


def _grouped(values: Array, looks: int) -> Array:
    grouped: Array = values.reshape(len(values), -1, looks).sum(axis=2)
    return grouped
