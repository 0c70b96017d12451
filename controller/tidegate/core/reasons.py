"""How objectives, values and error budgets stand, in words and numbers: the reasons of transitions and holds.

The proposals that carry them are `wording`'s, and every figure behind them is `explaining`'s.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tidegate.core.alerting.queries import span
from tidegate.core.judging.verdict import BurnRate, Comparison, ObjectiveVerdict, Standing, Tally, ValueVerdict
from tidegate.core.manifest import Mean
from tidegate.core.quantity import show_duration

if TYPE_CHECKING:
    from tidegate.core.judging.budget import Budget


def objective_reason(objective: ObjectiveVerdict, arms: tuple[str, str] = ("canary", "stable")) -> tuple[str, str]:
    """The short reason for the pin file (`latency ×2.4`) and the sentence with the counts."""
    subject, reference = arms
    mine, theirs = counted(objective, objective.subject), counted(objective, objective.reference)
    if objective.comparison is Comparison.WORSE:
        ratio = objective.ratio
        times = f" (×{ratio:.1f})" if ratio is not None else ""
        short = f"{objective.objective} ×{ratio:.1f}" if ratio is not None else _without_ratio(objective, reference)
        sentence = (
            f"{objective.objective} is worse than {reference}{times}: {subject} {mine}, {reference} {theirs}; "
            f"evidence {objective.evidence:.3g}, needed {objective.needed:.3g}, "
            f"dispersion {dispersion(objective, reference)}"
        )
        return short, sentence
    if objective.burned is not None:
        return burn_reason(objective)
    told = f"{_rate(objective.subject)} bad" if objective.mean is None else _mean(objective.mean, objective.subject)
    return f"{objective.objective} {told}", f"{objective.objective} breaches its objective: {mine}"


def burn_reason(objective: ObjectiveVerdict) -> tuple[str, str]:
    """The short reason for the pin file (`availability burns ×31`) and the sentence with both windows."""
    burn, name = objective.burned, objective.objective
    assert burn is not None, "called where a pair burned"
    sentence = (
        f"{name} burns its error budget {burn_rate(burn)}, where ×{burn.factor:.3g} trips; log evidence "
        f"{burn.evidence:.3g}, needed {burn.needed:.3g}"
    )
    return f"{name} burns ×{_speed(burn.in_long, burn):.0f}", sentence


def burn_rate(burn: BurnRate) -> str:
    """Both windows in multiples of what may be bad."""
    return " and ".join(
        f"×{_speed(tally, burn):.1f} over {show_duration(length)} ({tally.bad:.0f} of {tally.total:.0f} bad)"
        for tally, length in ((burn.in_long, burn.long), (burn.in_short, burn.short))
    )


def _speed(tally: Tally, burn: BurnRate) -> float:
    """A burn rate in multiples of what may be bad. A target of 100% allows nothing: any bad event is too many."""
    return (tally.rate or 0.0) / burn.allowed if burn.allowed else math.inf


def value_reason(value: ValueVerdict) -> tuple[str, str]:
    """The short reason for the pin file (`margin 0.31`) and the sentence with its bound."""
    name = value.objective.name
    return (
        f"{name} {value_figure(value)}",
        f"{name} breaches its bound: {value_figure(value)}, and {value_bounds(value)}",
    )


def value_says(value: ValueVerdict) -> str:
    """How it stands; out of bounds and no breach yet: `above 0.05 for 2s of 4s`."""
    objective, figure = value.objective, value.figure
    if not value.outside_for or figure is None:
        return value.standing.value
    above = objective.maximum is not None and figure > objective.maximum
    where = f"above {objective.maximum:g}" if above else f"below {objective.minimum:g}"
    return f"{where} for {show_duration(value.outside_for)} of {show_duration(objective.held)}"


def value_stands(value: ValueVerdict) -> str:
    """Why a value does not let a version go on."""
    name = value.objective.name
    if value.standing is Standing.BREACH:
        return f"{name} is {value_figure(value)}, and {value_bounds(value)}"
    if value.outside_for:
        return f"{name} is {value_says(value)}"
    return f"{name} has no reading since warm-up"


def value_figure(value: ValueVerdict) -> str:
    return "no figure" if value.figure is None else f"{value.figure:.6g}"


def value_bounds(value: ValueVerdict) -> str:
    """What is good, and how long it takes until anything else is bad."""
    objective = value.objective
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", objective.minimum), ("at most", objective.maximum))
        if bound is not None
    ]
    held = f" for {show_duration(objective.held)}" if objective.held else ""
    return f"{' and '.join(bounds)} is good{held}"


def _without_ratio(objective: ObjectiveVerdict, reference: str) -> str:
    return f"{objective.objective} {_rate(objective.subject)} bad, {reference} none"


def budget_reason(budget: Budget) -> str:
    """A spent budget in numbers: of what, how much, and when it is below its limit again."""
    again = f"; below it from {instant(budget.recovers_at)} if no more is bad" if budget.recovers_at else ""
    return f"{budget.objective.name} {budget_stands(budget)}{again}"


def budget_stands(budget: Budget) -> str:
    """How much of it is spent: `130% of 30d (1300 of 200000 events bad, 1000 may be)`."""
    if budget.unread is not None:
        return f"cannot be read: {budget.unread}"
    events = f"{budget.tally.bad:.0f} of {budget.tally.total:.0f} events bad"
    if budget.spent is None:
        return f"{events}: too few for a budget of one event"
    known = timedelta(0) if budget.since is None else budget.until - budget.since
    of = span(budget.objective.window)
    so_far = f", of which {show_duration(known)} are known" if known < budget.objective.window else ""
    return f"{budget.spent:.0%} of {of} ({events}, {budget.allowed:.1f} may be{so_far})"


def dispersion(objective: ObjectiveVerdict, reference: str) -> str:
    version = "the previous version" if reference == "previous" else reference
    measured = f"measured on {version}" if objective.dispersion_measured else "by the policy"
    return f"{objective.dispersion:g} ({measured})"


def counted(objective: ObjectiveVerdict, tally: Tally) -> str:
    if objective.mean is None:
        return tally_of(tally)
    return f"a mean of {_mean(objective.mean, tally)} over {tally.total:.0f} events"


def _mean(mean: Mean, tally: Tally) -> str:
    """The mean in its own unit, from the shares of the range that were counted."""
    if tally.rate is None:
        return "nothing"
    share = 1 - tally.rate if mean.higher_is_better else tally.rate
    return f"{mean.low + share * (mean.high - mean.low):.4g}"


def tally_of(tally: Tally) -> str:
    return f"{tally.bad:.0f} of {tally.total:.0f} bad ({_rate(tally)})"


def _rate(tally: Tally) -> str:
    return f"{tally.rate:.2%}" if tally.rate is not None else "no events"


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
