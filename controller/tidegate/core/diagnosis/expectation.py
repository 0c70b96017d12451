"""How many good versions are reverted by chance: a promise for one rollout, held against how many there are.

`falseRevertRate` bounds the chance of it in each rollout's comparison, whatever the number of objectives and looks. A
fleet has many rollouts. What probation adds by objectives alone is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.diagnosis.remark import Fine, Remark, Rule
from tidegate.core.finding import Severity
from tidegate.core.quantity import show_share

REACH = timedelta(days=90)
"""So far back rollouts are counted."""

_MONTH = timedelta(days=30)
_TOLERATED = 1 / 3
"""A month: one a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A canary that began, and the `falseRevertRate` that such a one has there today."""

    environment: str
    at: datetime
    rate: float


FALSE_REVERTS = Rule(
    id="false-reverts",
    severity=Severity.WARNING,
    title="Chance alone reverts good versions too often",
    why="`falseRevertRate` holds for one rollout. Over all rollouts of all models more than one good version a quarter "
    "would be reverted, and people stop believing reverts.",
    fix="a lower falseRevertRate in the defaults of tidegate.yaml; finding a bad version takes a little longer",
)

RULES = (FALSE_REVERTS,)


def examine(rollouts: Sequence[Rollout], now: datetime) -> Iterator[Remark]:
    """What the comparison expects over all models, at most, and the level at which it is below one a quarter."""
    recent = [rollout for rollout in rollouts if now - REACH < rollout.at <= now]
    if not recent:
        yield Fine(what="no rollout began in the last 90 days: no false reverts are to be expected")
        return
    months = max(now - min(rollout.at for rollout in recent), _MONTH) / _MONTH
    expected = sum(rollout.rate for rollout in recent) / months
    said = (
        f"the comparison reverts at most {_number(expected)} good versions a month by chance "
        f"({_by_environment(recent, months)})"
    )
    if expected <= _TOLERATED:
        yield Fine(what=said)
        return
    level = _level(_TOLERATED * months / len(recent))
    yield FALSE_REVERTS.broken(said, f"falseRevertRate: {level} in the defaults of tidegate.yaml: below one a quarter")


def _by_environment(rollouts: Sequence[Rollout], months: float) -> str:
    rates: dict[str, list[float]] = {}
    for rollout in rollouts:
        rates.setdefault(rollout.environment, []).append(rollout.rate)
    return "; ".join(
        f"{name}: {_number(len(own) / months)} rollouts a month, {_number(sum(own) / months)} of them"
        for name, own in sorted(rates.items())
    )


def _level(rate: float) -> str:
    """The largest share of one digit that is no larger."""
    digit = 10.0 ** math.floor(math.log10(rate))
    return show_share(math.floor(rate / digit + 1e-9) * digit)


def _number(figure: float) -> str:
    return f"{figure:.2g}" if figure < 10 else f"{figure:.0f}"
