"""Means of figures: what a session brings in (mostly nothing, rarely much), and ratings (never far from each other).

A look is 15 s, a rollout 240 of them. Means and traffic swing as in all other rows; the mean of a canary that is worse
by a ratio is, above the lower end of the range, stable's divided by it in every look. The evidence is the program's
own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from evidence import Array
from promise import FALSE_ADVANCES, FALSE_REVERTS, RULE_OUT, WORSE_THAN, Size
from rates import Rate, percent, rate
from traffic import BASE_SWING, LOOK_SECONDS, TRAFFIC_SWING, generator, wave

from tidegate.core.judging import means
from tidegate.core.judging.comparison import Arms
from tidegate.core.judging.verdict import Tally
from tidegate.core.manifest import Mean, Rollout

_LOOKS, _EVENTS, _WEIGHT = 240, 300, 0.1
_WAYS_TO_BE_CLEARED = 2
_FOUND = (1.2, 1.5, 2.0)
_MEAN = Mean(sum="figures_sum", low=0, high=1, higher_is_better=True)
_KINDS = {"sums alone": _MEAN, "sums and squares": replace(_MEAN, squares="figures_squares_total")}
_POLICY = Rollout(worse_than=WORSE_THAN, rule_out=RULE_OUT, dispersion=1.0)

Drawn = tuple[Array, Array]
"""Sums of figures as shares of their range, and of their squares."""
Draw = Callable[[np.random.Generator, np.ndarray, Array, float], Drawn]
"""Of so many events, at a level that swings, divided by a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One kind of figure: errors at equality, at the margin and at `ruleOut`, and what is found of regressions."""

    name: tuple[str, str]
    errors: tuple[Rate, Rate, Rate]
    found: tuple[str, ...]


def kinds(size: Size) -> list[tuple[str, str]]:
    """What is drawn, and what is counted of it."""
    drawn = _DRAWN if size.thorough else list(_DRAWN)[-1:]
    counted = _KINDS if size.thorough else list(_KINDS)[-1:]
    return [(name, kind) for name in drawn for kind in counted]


def row(size: Size, which: tuple[str, str]) -> Found:
    (name, kind), draw = which, _DRAWN[which[0]]
    errors = _errors(name, draw, _KINDS[kind], size)
    return Found(name=which, errors=errors, found=_regressions(name, draw, _KINDS[kind], size))


def means_table(found: list[Found]) -> list[tuple[str, ...]]:
    return [(*each.name, *map(str, each.errors), *each.found) for each in found]


def _errors(name: str, draw: Draw, mean: Mean, size: Size) -> tuple[Rate, Rate, Rate]:
    rollouts = size.part(4)
    worse = (
        rate(np.isfinite(_looks(mean, _cells(name, draw, ratio, (size.seed, rollouts)))), FALSE_REVERTS)
        for ratio in (1.0, WORSE_THAN)
    )
    needed = math.log(_WAYS_TO_BE_CLEARED / FALSE_ADVANCES)
    halved = _cells(name, draw, RULE_OUT, (size.seed, rollouts))
    cleared = [max(means.ruled_out_evidence(mean, cells, _POLICY)) >= needed for cells in halved]
    equal, margin = worse
    return equal, margin, rate(np.array(cleared), FALSE_ADVANCES)


def _regressions(name: str, draw: Draw, mean: Mean, size: Size) -> tuple[str, ...]:
    found: list[str] = []
    for ratio in _FOUND:
        looks = _looks(mean, _cells(name, draw, ratio, (size.seed, size.part(8))))
        share = float(np.isfinite(looks).mean())
        minutes = float(np.median(looks[np.isfinite(looks)])) * LOOK_SECONDS / 60 if share else 0.0
        found.append(f"{percent(share)}, {minutes:.0f} min" if share else "0 %")
    return tuple(found)


def _looks(mean: Mean, rollouts: Iterator[list[Arms]]) -> Array:
    """The look at which each rollout would be reverted, infinite where it never is."""
    needed = -math.log(FALSE_REVERTS)
    firsts = (
        next((at for at, e in enumerate(means.worse_evidence(mean, cells, _POLICY), start=1) if e >= needed), math.inf)
        for cells in rollouts
    )
    return np.array(list(firsts))


def _cells(name: str, draw: Draw, ratio: float, drawn: tuple[int, int]) -> Iterator[list[Arms]]:
    """Rollout by rollout. What is drawn is figures' way through the range: of `bad` shares the rest."""
    seed, rollouts = drawn
    rng, shape = generator(seed, f"mean {name} {ratio}"), (rollouts, _LOOKS)
    level, amount = wave(rng, shape, BASE_SWING), _EVENTS * wave(rng, shape, TRAFFIC_SWING)
    mine, theirs = rng.poisson(amount * _WEIGHT), rng.poisson(amount * (1 - _WEIGHT))
    arms = ((mine, *draw(rng, mine, level, ratio)), (theirs, *draw(rng, theirs, level, 1.0)))
    for rollout in range(rollouts):
        subject, reference = (
            [_tally(*look) for look in zip(*(values[rollout].tolist() for values in arm), strict=True)] for arm in arms
        )
        yield list(zip(subject, reference, strict=True))


def _tally(events: float, share: float, squares: float) -> Tally:
    return Tally(bad=events - share, total=events, squares=events - 2 * share + squares)


def _revenue(rng: np.random.Generator, events: np.ndarray, level: Array, ratio: float) -> Drawn:
    """Three of a hundred sessions buy, for 20 in the middle and never for more than 50."""
    buyers = rng.binomial(events, 0.03 * level / ratio)
    spent = np.minimum(rng.lognormal(np.log(20), 0.7, int(buyers.sum())), 50.0) / 50
    ends = np.cumsum(buyers.ravel())
    sums, squares = (np.concatenate([[0.0], np.cumsum(figures)]) for figures in (spent, spent**2))
    first, second = ((each[ends] - each[ends - buyers.ravel()]).reshape(events.shape) for each in (sums, squares))
    return first, second


def _ratings(rng: np.random.Generator, events: np.ndarray, level: Array, ratio: float) -> Drawn:
    """Mostly 4 and 5; worse by a ratio means that so many of them are 1 instead."""
    kept = rng.binomial(events, 1 / ratio)
    fives = rng.binomial(kept, 0.3 * level)
    fours = rng.binomial(kept - fives, 0.7)
    threes = kept - fives - fours
    return fives + 0.75 * fours + 0.5 * threes, fives + 0.75**2 * fours + 0.5**2 * threes


_DRAWN: Mapping[str, Draw] = {"revenue, 0 to 50": _revenue, "ratings, 1 to 5": _ratings}
