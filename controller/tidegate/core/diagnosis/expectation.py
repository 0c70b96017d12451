"""How many good versions are reverted by chance: a promise for one rollout, held against how many there are.

`falseRevertRate` bounds the chance of it in each comparison, whatever the number of objectives and looks. A rollout has
one, and with a holdback another one during probation. A fleet has many rollouts. What probation adds by objectives
alone is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tidegate.core.checks.effective import Layers
from tidegate.core.checks.subjects import section
from tidegate.core.diagnosis.remark import Fine, Remark, Rule
from tidegate.core.finding import Severity
from tidegate.core.quantity import show_share

REACH = timedelta(days=90)
"""So far back rollouts are counted."""

_MONTH = timedelta(days=30)
_TOLERATED = 1 / 3
"""A month: one a quarter."""


DEFAULTS = "the defaults of tidegate.yaml"
_NAMED = 3
"""So many places are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A canary that began, and the `falseRevertRate` that each of its comparisons has there today; `where` that is
    written."""

    environment: str
    at: datetime
    rate: float
    comparisons: int = 1
    where: str = DEFAULTS

    @property
    def expected(self) -> float:
        return self.rate * self.comparisons


FALSE_REVERTS = Rule(
    id="false-reverts",
    severity=Severity.WARNING,
    title="Chance alone reverts good versions too often",
    why="`falseRevertRate` holds for one rollout. Over all rollouts of all models more than one good version a quarter "
    "would be reverted, and people stop believing reverts.",
    fix="a lower falseRevertRate, in the manifests that write one and in the defaults of tidegate.yaml; finding a bad "
    "version takes a little longer",
)

RULES = (FALSE_REVERTS,)


def examine(rollouts: Sequence[Rollout], now: datetime) -> Iterator[Remark]:
    """What is to be expected over all models, at most, and the level at which it is below one a quarter."""
    recent = [rollout for rollout in rollouts if now - REACH < rollout.at <= now]
    if not recent:
        yield Fine(what="no rollout began in the last 90 days: no false reverts are to be expected")
        return
    months = max(now - min(rollout.at for rollout in recent), _MONTH) / _MONTH
    expected = sum(rollout.expected for rollout in recent) / months
    said = (
        f"comparisons revert at most {_number(expected)} good versions a month by chance "
        f"({_by_environment(recent, months)})"
    )
    if expected <= _TOLERATED:
        yield Fine(what=said)
        return
    level = _level(_TOLERATED * months / sum(rollout.comparisons for rollout in recent))
    places = _places(rollout for rollout in recent if rollout.rate > level)
    yield FALSE_REVERTS.broken(said, f"falseRevertRate: {show_share(level)} in {places}: below one a quarter")


def written_in(manifest: Mapping[str, Any], path: str, environment: str) -> str:
    """Where the `falseRevertRate` that holds in an environment is written: a manifest's own goes before the
    defaults."""
    ways = (("spec", "environments", environment, "rollout"), ("spec", "rollout"))
    found = Layers(tuple((way, section(manifest, *way)) for way in ways)).find("falseRevertRate")
    return DEFAULTS if found is None or found.way is None else f"{path} ({'.'.join(map(str, found.way[:-1]))})"


def _places(rollouts: Iterable[Rollout]) -> str:
    """Everywhere that writes a higher rate, the defaults last."""
    names = sorted({rollout.where for rollout in rollouts}, key=lambda name: (name == DEFAULTS, name))
    more = [f"{len(names) - _NAMED} more places"] if len(names) > _NAMED else []
    said = [*names[:_NAMED], *more]
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]


def _by_environment(rollouts: Sequence[Rollout], months: float) -> str:
    expected: dict[str, list[float]] = {}
    for rollout in rollouts:
        expected.setdefault(rollout.environment, []).append(rollout.expected)
    return "; ".join(
        f"{name}: {_number(len(own) / months)} rollouts a month, {_number(sum(own) / months)} of them"
        for name, own in sorted(expected.items())
    )


def _level(rate: float) -> float:
    """The largest share of one digit that is no larger."""
    digit = 10.0 ** math.floor(math.log10(rate))
    return math.floor(rate / digit + 1e-9) * digit


def _number(figure: float) -> str:
    return f"{figure:.2g}" if figure < 10 else f"{figure:.0f}"
