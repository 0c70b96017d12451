"""Rules about what can be alerted on: burn rates that no share of bad events reaches, or that a good one exceeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache

from tidegate.core import bounds
from tidegate.core import manifest as wanted
from tidegate.core.alerting import burn_rate
from tidegate.core.alerting.queries import span
from tidegate.core.checks.effective import objectives, understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity

ALERTS_LEFT_OUT = Rule(
    id="alerts-left-out",
    severity=Severity.NOTE,
    title="Alerts that can never fire, or would fire inside the objective",
    why="Each pair of windows alerts at a burn rate: so many times the share that may be bad. Where that is more than "
    "all events, it can never fire; where it is less than what may be bad, it fires while all is well. Such pairs are "
    "left out, and the others alert. Below a target of 93.1% there is no fast page; other windows than 30 days lose "
    "slow tickets.",
    bad="spec:\n"
    "  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 90%}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 95%}}\n"
    "  environments: {production: {}}",
)

NEVER_ALERTS = Rule(
    id="never-alerts",
    severity=Severity.WARNING,
    title="An objective that alerts nobody",
    why="No pair of windows works for this target and window: each can never fire, or would fire inside the objective. "
    "The budget may be overspent for as long as it lasts, and nobody is told. A window of 30 days suits most targets.",
    bad="spec:\n"
    "  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 99%, window: 1d}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 99%, window: 30d}}\n"
    "  environments: {production: {}}",
)

RULES = (ALERTS_LEFT_OUT, NEVER_ALERTS)


def alerts_can_fire(manifest: Manifest) -> Iterator[Fault]:
    """For every objective that counts events."""
    for objective in objectives(manifest):
        target = understood(bounds.target, objective.data.get("target"))
        window = understood(bounds.window, objective.data["window"]) if "window" in objective.data else _USUAL
        if target is None or window is None or "labels" in objective.data or objective.lead == "value":
            continue
        lost, left = _outlook(target, window)
        if not lost:
            continue
        way = objective.way("window" if "window" in objective.keys else "target")
        hint = "with `window: 30d` more pairs work" if "window" in objective.keys else "from 93.1% on, all pairs work"
        if left:
            yield ALERTS_LEFT_OUT.at(way, f"{objective.title}: {lost}. Left: {left}", hint)
        else:
            yield NEVER_ALERTS.at(way, f"{objective.title}: {lost}", "write `window: 30d`, or another target")


_USUAL = wanted.BUDGET_WINDOW


@lru_cache(maxsize=1024)
def _outlook(target: float, window: timedelta) -> tuple[str, str]:
    """Which pairs do not work and why, and which do, in words."""
    objective = wanted.Objective(name="", target=target, window=window)
    working = [burn.pair for burn in burn_rate.burns(objective) if burn.fault is None]
    left = (f"{pair.severity} over {span(pair.long)} and {span(pair.short)}" for pair in working)
    return "; ".join(burn_rate.left_out(objective)), ", ".join(left)
