"""Burn rates: how many times faster than it may an error budget is spent, over which pairs of windows that alerts, and
which pairs work for an objective.

The figures are those of the Site Reliability Workbook (B. Beyer et al., O'Reilly 2018, chapter 5, "Multiwindow,
Multi-Burn-Rate Alerts"). Reading counters is not done here, nor writing PromQL (`alerting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from tidegate.core.alerting.queries import span
from tidegate.core.manifest import Objective
from tidegate.core.quantity import show_share

_TICK = timedelta(microseconds=1)


class Severity(StrEnum):
    """Who is told: a person now, or the backlog."""

    PAGE = "page"
    TICKET = "ticket"


class Fault(StrEnum):
    """Why a pair of windows does not work for an objective."""

    NEVER_FIRES = "never fires"
    FIRES_INSIDE = "fires inside the objective"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two windows that alert while both burn too fast: `long` says that it matters, `short` that it still goes on.

    `share` of the whole budget is spent when the long window trips.
    """

    severity: Severity
    short: timedelta
    long: timedelta
    share: Fraction

    def factor(self, period: timedelta) -> Fraction:
        """The burn rate that trips it: `share` of the period's budget within the long window."""
        return self.share * Fraction(period // _TICK, self.long // _TICK)


PAIRS = (
    Pair(severity=Severity.PAGE, short=timedelta(minutes=5), long=timedelta(hours=1), share=Fraction(2, 100)),
    Pair(severity=Severity.PAGE, short=timedelta(minutes=30), long=timedelta(hours=6), share=Fraction(5, 100)),
    Pair(severity=Severity.TICKET, short=timedelta(hours=2), long=timedelta(days=1), share=Fraction(10, 100)),
    Pair(severity=Severity.TICKET, short=timedelta(hours=6), long=timedelta(days=3), share=Fraction(10, 100)),
)
"""Fastest first. Over 30 days their factors are 14.4, 6, 3 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """A pair at the factor that one objective's window gives it; `fault` is None when it works."""

    pair: Pair
    factor: Fraction
    fault: Fault | None


def burns(objective: Objective, pairs: tuple[Pair, ...] = PAIRS) -> tuple[Burn, ...]:
    """Every pair for this objective, in the order given."""
    factors = [(pair, pair.factor(objective.window)) for pair in pairs]
    return tuple(Burn(pair=p, factor=f, fault=_fault(f, budget(objective.target))) for p, f in factors)


def _fault(factor: Fraction, budget: Fraction) -> Fault | None:
    """A bad share never exceeds 1, so it cannot exceed a threshold of 1; below the budget nothing is wrong."""
    if factor * budget >= 1:
        return Fault.NEVER_FIRES
    return Fault.FIRES_INSIDE if factor < 1 else None


def budget(target: float) -> Fraction:
    """The bad share that a target allows, without the noise of binary fractions: 0.1 % for 99.9 %, exactly."""
    return 1 - Fraction(str(round(target, 12)))


def outage(share: Fraction, target: float, period: timedelta) -> timedelta:
    """How long a total outage takes to spend this share of the period's budget, at even traffic."""
    return timedelta(microseconds=round(share * budget(target) * (period // _TICK)))


def left_out(objective: Objective) -> tuple[str, ...]:
    """One sentence for each pair that does not work, and what goes unnoticed for want of a slower one."""
    found = burns(objective)
    sentences = [_explained(burn, objective.target) for burn in found if burn.fault is not None]
    factors = [burn.factor for burn in found if burn.fault is None]
    if not factors:
        return (*sentences, "no pair is left: nothing alerts on its burn rate")
    if (slowest := min(factors)) > 1:
        allowed = budget(objective.target)
        unnoticed = f"between {show_share(float(allowed))} and {show_share(float(slowest * allowed))}"
        sentences.append(f"a bad share {unnoticed} overspends the budget and alerts nobody")
    return tuple(sentences)


def _explained(burn: Burn, target: float) -> str:
    windows = f"no {burn.pair.severity} over {span(burn.pair.long)} and {span(burn.pair.short)}"
    allowed = budget(target)
    limit = f"{float(burn.factor):.3g} × the {show_share(float(allowed))} that may be bad"
    if burn.fault is Fault.NEVER_FIRES:
        return f"{windows}: {limit} is {float(burn.factor * allowed):.3g} × all events, which can never be"
    return f"{windows}: at {limit} it would fire inside the objective"
