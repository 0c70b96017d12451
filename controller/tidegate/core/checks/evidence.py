"""Rules about what counts as evidence in a rollout: how much worse, how much difference, and against which target."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core import bounds
from tidegate.core.alerting.burn_rate import budget
from tidegate.core.checks.effective import Entry, entries, nearest, objectives, understood
from tidegate.core.checks.rollout import defaults_of
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, Settings
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.manifest import Rollout
from tidegate.core.quantity import share, show_share

RULE_OUT_BELOW_WORSE_THAN = Rule(
    id="rule-out-below-worse-than",
    severity=Severity.WARNING,
    title="A version that can neither go on nor revert",
    why="A version reverts when it is proven worse than `worseThan` times stable, and goes on when `ruleOut` times is "
    "ruled out. One that lies between them, because `ruleOut` is the smaller, is never proven either: its steps end "
    "without a verdict, unless it lies well inside the objective itself.",
    bad="spec: {rollout: {worseThan: 3}, environments: {production: {}}}",
    good="spec: {rollout: {worseThan: 1.5, ruleOut: 3}, environments: {production: {}}}",
)

EFFECT_BEYOND_BUDGET = Rule(
    id="effect-beyond-budget",
    severity=Severity.WARNING,
    title="A difference larger than the error budget",
    why="Bad rates must differ by more than `minimumEffect` before the comparison reverts. As much as the whole error "
    "budget, and a version may spend the budget twice over and stay. By default it is a tenth of the budget.",
    bad="spec:\n"
    "  rollout: {minimumEffect: 5%}\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  rollout: {minimumEffect: 0.1%}\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
)

RULES = (RULE_OUT_BELOW_WORSE_THAN, EFFECT_BEYOND_BUDGET)

_DEFAULT = Rollout()


def evidence_can_decide(manifest: Manifest) -> Iterator[Fault]:
    """In every environment that takes versions step by step."""
    for entry in entries(manifest):
        if entry.canaries and entry.layers.written:
            yield from _ratios(entry)
            yield from _effect(entry, manifest)


def default_evidence_can_decide(settings: Settings) -> Iterator[Fault]:
    if "defaults" in settings.data:
        yield from _ratios(defaults_of(settings))


def _ratios(entry: Entry) -> Iterator[Fault]:
    worse = entry.layers.quantity(bounds.number, "worseThan", default=_DEFAULT.worse_than)
    out = entry.layers.quantity(bounds.number, "ruleOut", default=_DEFAULT.rule_out)
    if worse is None or out is None or out.value >= worse.value:
        return
    if (way := nearest(worse, out)) is not None:
        message = (
            f"a version {out.value:g} to {worse.value:g} times as bad as stable is neither reverted (worseThan "
            f"{worse.value:g}{worse.source}) nor let go on (ruleOut {out.value:g}{out.source})"
        )
        yield RULE_OUT_BELOW_WORSE_THAN.at(way, message, "make ruleOut larger than worseThan")


def _effect(entry: Entry, manifest: Manifest) -> Iterator[Fault]:
    found = entry.layers.find("minimumEffect")
    effect = understood(share, found.value) if found else None
    if found is None or found.way is None or effect is None:
        return
    for objective in objectives(manifest):
        target = understood(bounds.target, objective.data.get("target"))
        if target is None or objective.effect != "revert" or entry.environment not in objective.environments:
            continue
        allowed = float(budget(target))
        if effect >= allowed:
            message = (
                f"a difference of {show_share(effect)} is the whole error budget of {objective.title} "
                f"({show_share(allowed)}) or more: the comparison lets a version spend it and stay"
            )
            hint = f"write {show_share(allowed / 10)}, or leave it out"
            yield EFFECT_BEYOND_BUDGET.at(found.way, message, hint)
