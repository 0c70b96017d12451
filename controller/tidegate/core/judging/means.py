"""Evidence on means of figures that lie in a range, from their sums, and from sums of their squares if there are any.

Figures are taken as x, from 0 to 1 on their way through the range. Two bets share the stake.

One is that of `comparison` with sums in the place of counts: λ^x lies below its chord, so its expectation is at most
that of an event with the same mean. It is what there is without squares, and nearly as good where most figures are at
an end of the range.

The other adapts to how much the figures vary (empirical Bernstein): exp(λ(x − m) − ψ(λ)(x − m̂)²) with
ψ(λ) = −log(1 − λ) − λ and m̂ known before x has expectation at most 1 for λ in [0, 1). X. Fan, I. Grama and Q. Liu,
"Exponential inequalities for martingales with applications", 2015; S. R. Howard et al., "Time-uniform, nonparametric,
nonasymptotic confidence sequences", 2021; I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables
by betting", 2024. Both arms are multiplied, with λ in such a proportion that stable's mean cancels in every cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from tidegate.core.judging.comparison import Arms, best_so_far, milder_bets, worse_bets
from tidegate.core.judging.verdict import Tally
from tidegate.core.manifest import Mean, Rollout

_STEEPEST = 0.9
"""ψ grows without bound towards λ = 1."""
_LAMBDAS = tuple(_STEEPEST * 0.5**exponent for exponent in range(9))


def worse_evidence(mean: Mean, cells: Iterable[Arms], rollout: Rollout) -> Iterator[float]:
    """Against "the subject's mean is at most `worseThan` times the reference's", or at least that part of it."""
    return _evidence(mean, cells, rollout.worse_than, worse_bets(rollout.worse_than), rollout.dispersion)


def ruled_out_evidence(mean: Mean, cells: Iterable[Arms], rollout: Rollout) -> Iterator[float]:
    """Against "the subject's mean is at least `ruleOut` times the reference's", or at most that part of it."""
    return _evidence(mean, cells, rollout.rule_out, milder_bets(rollout.rule_out), rollout.dispersion)


def _evidence(
    mean: Mean, cells: Iterable[Arms], null: float, bets: Sequence[float], dispersion: float
) -> Iterator[float]:
    if mean.higher_is_better:
        cells, null, bets = map(_turned, cells), 1 / null, [1 / bet for bet in bets]
    ratios, variances = _Ratios(null, bets), _Variances(null, upward=bets[0] > null)
    parts: list[_Ratios | _Variances] = [ratios, variances] if mean.squares else [ratios]
    weights = [1 / len(parts) / len(part.sums) for part in parts for _ in part.sums]
    best = 0.0
    for subject, reference in cells:
        if subject.total > 0 and reference.total > 0:
            for part in parts:
                part.add(subject, reference)
            best = best_so_far(best, weights, [each for part in parts for each in part.sums], dispersion)
        yield best


def _turned(arms: Arms) -> Arms:
    """Shares of good in the place of shares of bad."""
    subject, reference = arms
    return _good(subject), _good(reference)


def _good(tally: Tally) -> Tally:
    squares = tally.total - 2 * tally.bad + tally.squares if tally.squares else 0.0
    return Tally(bad=tally.total - tally.bad, total=tally.total, squares=squares)


class _Ratios:
    """The bets of `comparison` on the ratio of the means."""

    def __init__(self, null: float, bets: Sequence[float]) -> None:
        self._null, self._bets = null, bets
        self.sums = [0.0] * len(bets)

    def add(self, subject: Tally, reference: Tally) -> None:
        share, both = subject.total / (subject.total + reference.total), subject.bad + reference.bad
        base = 1 + share * (self._null - 1)
        for index, bet in enumerate(self._bets):
            gain = subject.bad * math.log(bet / self._null)
            self.sums[index] += gain - both * math.log((1 + share * (bet - 1)) / base)


class _Variances:
    """Bets that the subject's mean lies above (or below) `null` times the reference's, by as much as λ says."""

    def __init__(self, null: float, *, upward: bool) -> None:
        self._null, self._sign = null, 1.0 if upward else -1.0
        self._seen: tuple[Tally, Tally] | None = None
        self.sums = [0.0] * len(_LAMBDAS)

    def add(self, subject: Tally, reference: Tally) -> None:
        """The first cell is only looked at: what is expected of figures must be known before them."""
        if self._seen is not None:
            for index, steep in enumerate(_LAMBDAS):
                self.sums[index] += self._gain(steep, subject, reference, self._seen)
        before = self._seen or (Tally(), Tally())
        self._seen = before[0] + subject, before[1] + reference

    def _gain(self, steep: float, subject: Tally, reference: Tally, seen: tuple[Tally, Tally]) -> float:
        ratio = self._null * subject.total / reference.total
        mine = min(steep, _STEEPEST / ratio)
        theirs = mine * ratio
        cost = _psi(mine) * _spread(subject, seen[0]) + _psi(theirs) * _spread(reference, seen[1])
        return self._sign * (mine * subject.bad - theirs * reference.bad) - cost


def _psi(steep: float) -> float:
    return -math.log1p(-steep) - steep


def _spread(tally: Tally, seen: Tally) -> float:
    """Σ(x − m̂)² of a cell, around the mean of all before it."""
    expected = seen.bad / seen.total
    return max(tally.squares - 2 * expected * tally.bad + expected**2 * tally.total, 0.0)
