"""How many good versions are reverted by chance: a promise for one rollout, held against how many there are.

`falseRevertRate` bounds the chance of it in each comparison, whatever the number of objectives and looks. A rollout has
one, and with a holdback another one during probation. By objectives alone a version may go back as well: at half the
rate by a canary's burn rates, at the whole on probation (docs/judgement.md). A fleet has many rollouts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from tidegate.core.checks.effective import Layers
from tidegate.core.checks.subjects import section
from tidegate.core.diagnosis.remark import Fine, Remark, Rule
from tidegate.core.finding import Severity
from tidegate.core.judging.burning import paging
from tidegate.core.manifest import Effect, Environment, Objective
from tidegate.core.quantity import show_duration, show_share

REACH = timedelta(days=90)
"""So far back rollouts are counted."""

_MONTH = timedelta(days=30)
_TOLERATED = 1 / 3
"""A month: one a quarter."""


DEFAULTS = "the defaults of tidegate.yaml"
_NAMED = 3
"""So many places are named."""

_ENTRIES = 4
"""So many versions tell how often a new one enters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A canary that began, and the `falseRevertRate` that each of its comparisons has there today; `where` that is
    written. `alone` is how many such rates it may go back by objectives alone. `late`: the objectives that judge it by
    late labels."""

    environment: str
    at: datetime
    rate: float
    comparisons: int = 1
    alone: float = 0.0
    where: str = DEFAULTS
    model: str = ""
    late: tuple[Objective, ...] = ()

    @property
    def rates(self) -> float:
        return self.comparisons + self.alone

    @property
    def expected(self) -> float:
        return self.rate * self.rates


FALSE_REVERTS = Rule(
    id="false-reverts",
    severity=Severity.WARNING,
    title="Chance alone reverts good versions too often",
    why="`falseRevertRate` holds for one comparison. Over all rollouts of all models, with their burn rates and "
    "probations, more than one good version a quarter may be reverted, and people stop believing reverts.",
    fix="a lower falseRevertRate, in the manifests that write one and in the defaults of tidegate.yaml; finding a bad "
    "version takes a little longer",
)

LABELS_OUTRUN = Rule(
    id="labels-outrun",
    severity=Severity.WARNING,
    title="New versions enter before the labels of the one before have come",
    why="Late labels judge a version until the next one enters; those that come later judge nothing. What only slow "
    "labels would show reverts no version then.",
    fix="promote less often; or count as `bad` what is known sooner, with a shorter `delay`",
)

RULES = (FALSE_REVERTS, LABELS_OUTRUN)


def examine(rollouts: Sequence[Rollout], now: datetime) -> Iterator[Remark]:
    """What the rollouts of the last 90 days let expect."""
    recent = [rollout for rollout in rollouts if now - REACH < rollout.at <= now]
    if not recent:
        yield Fine(what="no rollout began in the last 90 days: no false reverts are to be expected")
        return
    yield _by_chance(recent, now)
    yield from _outrun(recent)


def _by_chance(recent: Sequence[Rollout], now: datetime) -> Remark:
    """What is to be expected over all models, at most, and the level at which it is below one a quarter."""
    months = max(now - min(rollout.at for rollout in recent), _MONTH) / _MONTH
    expected = sum(rollout.expected for rollout in recent) / months
    alone = sum(rollout.rate * rollout.alone for rollout in recent) / months
    said = f"chance reverts at most {_several(expected, 'good version')} a month{_parts(expected, alone)}"
    said += f" ({_by_environment(recent, months)})"
    if expected <= _TOLERATED:
        return Fine(what=said)
    level = _level(_TOLERATED * months / sum(rollout.rates for rollout in recent))
    places = _places(rollout for rollout in recent if rollout.rate > level)
    return FALSE_REVERTS.broken(said, f"falseRevertRate: {show_share(level)} in {places}: below one a quarter")


def _parts(expected: float, alone: float) -> str:
    """Objectives alone revert as often only if versions are so close to them; the usual one is well inside."""
    if not alone:
        return " by comparisons"
    compared, held = _number(expected - alone), _number(alone)
    return f": {compared} by comparisons, and {held} on probation and by burn rates if all are barely inside objectives"


def _outrun(recent: Sequence[Rollout]) -> Iterator[Remark]:
    """Each objective whose labels take longer to come than it usually takes until the next rollout."""
    places: dict[tuple[str, str], list[Rollout]] = {}
    for rollout in sorted(recent, key=lambda each: each.at):
        places.setdefault((rollout.model, rollout.environment), []).append(rollout)
    for (model, environment), own in sorted(places.items()):
        if len(own) < _ENTRIES:
            continue
        between = timedelta(seconds=median((b.at - a.at).total_seconds() for a, b in pairwise(own)))
        for name, delay in _delays(own[-1].late):
            if between < delay:
                yield LABELS_OUTRUN.broken(
                    f"{name} of {model} in {environment}: labels come up to {show_duration(delay)} after predictions, "
                    f"and the next rollout begins {show_duration(between)} after one (median of {len(own) - 1})"
                )


def _delays(late: Iterable[Objective]) -> Iterator[tuple[str, timedelta]]:
    """How late the labels come that may revert a version."""
    for objective in late:
        if objective.labels is not None and objective.effect is Effect.REVERT:
            yield objective.name, objective.labels.delay


def by_objectives_alone(environment: Environment) -> float:
    """How many false revert rates a rollout has besides its comparisons: half a one where a canary's budget can burn,
    and one for probation, whose bound and burn rates have it together."""
    reverting = [each for each in environment.objectives if each.effect is Effect.REVERT]
    burning = 0.5 if any(paging(each) for each in reverting) else 0.0
    lasts = environment.rollout.probation.duration > timedelta(0)
    return burning + (1.0 if reverting and lasts else 0.0)


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
        f"{name}: {_several(len(own) / months, 'rollout')} a month, {_number(sum(own) / months)} of them"
        for name, own in sorted(expected.items())
    )


def _level(rate: float) -> float:
    """The largest share of one digit that is no larger."""
    digit = 10.0 ** math.floor(math.log10(rate))
    return math.floor(rate / digit + 1e-9) * digit


def _several(figure: float, noun: str) -> str:
    number = _number(figure)
    return f"{number} {noun}" if number == "1" else f"{number} {noun}s"


def _number(figure: float) -> str:
    return f"{figure:.2g}" if figure < 10 else f"{figure:.0f}"
