"""Evidence that may be looked at any time: e-processes over counts of bad and total events (DESIGN.md section 6).

Each process is a bet against a claim. While the claim is true its expectation never exceeds 1, so by Ville's
inequality the chance that it *ever* reaches 1/α is at most α, however often one looks. Only its running maximum
matters. Everything is kept as logarithms; `dispersion` divides them, because events of one cause come in clusters.

What the evidence means for a version is `judgement`'s work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from tidegate.core.judging.verdict import Tally

_BETS = 14
_RATE_FLOOR = 1e-9
"""A target of exactly 0 % or 100 % is judged as one this close to it: a bet needs odds."""

Arms: TypeAlias = tuple[Tally, Tally]
"""Subject and reference in one cell."""


def worse_evidence(cells: Iterable[Arms], worse_than: float, dispersion: float) -> Iterator[float]:
    """Against "the subject's bad rate is at most `worse_than` times the reference's"."""
    return _ratio_evidence(cells, worse_than, worse_bets(worse_than), dispersion)


def worse_bets(worse_than: float) -> list[float]:
    """The ratios that are bet on against "at most `worse_than`"."""
    return _log_uniform(1.2 * worse_than, 16 * worse_than)


def ruled_out_evidence(cells: Iterable[Arms], rule_out: float, dispersion: float) -> Iterator[float]:
    """Against "the subject's bad rate is at least `rule_out` times the reference's"; bets 0.5 to 1.2 when it is 2."""
    return _ratio_evidence(cells, rule_out, milder_bets(rule_out), dispersion)


def milder_bets(rule_out: float) -> list[float]:
    """The ratios that are bet on against "at least `rule_out`"."""
    return _log_uniform(rule_out / 4, rule_out * 0.6)


def inside_evidence(cells: Iterable[Tally], allowed: float, dispersion: float) -> Iterator[float]:
    """Against "the bad rate is at least `allowed`". Half of the stake is on no bad events at all."""
    null = _odds(allowed)
    smaller = [(0.5 / _BETS, null * factor / (1 + null * factor)) for factor in _log_uniform(1 / 16, 1 / 1.2)]
    return _rate_evidence(cells, allowed, [(0.5, 0.0), *smaller], dispersion)


def outside_evidence(cells: Iterable[Tally], allowed: float, dispersion: float) -> Iterator[float]:
    """Against "the bad rate is at most `allowed`"."""
    null = _odds(allowed)
    greater = [(1 / _BETS, null * factor / (1 + null * factor)) for factor in _log_uniform(1.2, 16)]
    return _rate_evidence(cells, allowed, greater, dispersion)


def as_e_value(evidence: float) -> float:
    """The e-value itself, as people read it; kept finite."""
    return math.exp(min(evidence, 700.0))


def _ratio_evidence(cells: Iterable[Arms], null: float, bets: Sequence[float], dispersion: float) -> Iterator[float]:
    """Running maximum, after each cell, of the logarithm of the averaged likelihood ratios.

    With s(r) = n1·r / (n1·r + n0), k1·log(s(r1)/s(r0)) + k0·log((1 − s(r1))/(1 − s(r0))) is written as
    k1·log(r1/r0) − (k1 + k0)·log((n1·r1 + n0)/(n1·r0 + n0)). Its exponential has expectation at most 1 when
    p1 = r0·p0, at any base rate and also when that changes from cell to cell (Bernoulli counts, 1 + x ≤ exp x).
    """
    gains, weights = [math.log(bet / null) for bet in bets], [1 / len(bets)] * len(bets)
    sums, best = [0.0] * len(bets), 0.0
    for subject, reference in cells:
        mine, bad = _bad(subject), _bad(subject) + _bad(reference)
        if bad > 0 and subject.total > 0 and reference.total > 0:
            share = subject.total / (subject.total + reference.total)
            base = 1 + share * (null - 1)
            for index, bet in enumerate(bets):
                sums[index] += mine * gains[index] - bad * math.log((1 + share * (bet - 1)) / base)
            best = best_so_far(best, weights, sums, dispersion)
        yield best


def _rate_evidence(
    cells: Iterable[Tally], allowed: float, bets: Sequence[tuple[float, float]], dispersion: float
) -> Iterator[float]:
    """The same for one arm: Bernoulli likelihood ratios of the bets (weight, rate) against the allowed rate.

    For a bet on one side, the expectation is monotone in the true rate, so the whole claim is covered by its edge.
    """
    null, weights = _clipped(allowed), [weight for weight, _ in bets]
    per_bad = [math.log(rate / null) if rate > 0 else -math.inf for _, rate in bets]
    per_good = [math.log1p(-rate) - math.log1p(-null) for _, rate in bets]
    sums, best = [0.0] * len(bets), 0.0
    for tally in cells:
        bad = _bad(tally)
        good = tally.total - bad
        # A bet on no bad events is lost with the first one; 0 × −∞ would be no number.
        if bad:
            sums = [total + (bad * b + good * g) for total, b, g in zip(sums, per_bad, per_good, strict=True)]
        else:
            sums = [total + good * g for total, g in zip(sums, per_good, strict=True)]
        best = best_so_far(best, weights, sums, dispersion)
        yield best


def _bad(tally: Tally) -> float:
    """Bad events, at most all. The two counters may come from different targets, scraped a moment apart."""
    return min(max(tally.bad, 0.0), tally.total)


def best_so_far(best: float, weights: Sequence[float], sums: Sequence[float], dispersion: float) -> float:
    """The larger of the best so far and log Σ weight·exp(sum / dispersion), without overflow."""
    top = max(sums) / dispersion
    if top <= best:  # the weights add up to 1: the mean is no larger than the largest
        return best
    terms = zip(weights, sums, strict=True)
    return max(best, top + math.log(sum(weight * math.exp(each / dispersion - top) for weight, each in terms)))


def _log_uniform(low: float, high: float) -> list[float]:
    step = math.log(high / low) / (_BETS - 1)
    return [low * math.exp(step * index) for index in range(_BETS)]


def _clipped(rate: float) -> float:
    return min(max(rate, _RATE_FLOOR), 1 - _RATE_FLOOR)


def _odds(rate: float) -> float:
    return _clipped(rate) / (1 - _clipped(rate))
