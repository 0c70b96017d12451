"""Rules about how a version enters an environment: its steps, and settings that nothing reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tidegate.core import bounds
from tidegate.core.checks import form
from tidegate.core.checks.effective import Entry, Layers, entries, understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, Settings, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.model_reading import ROLLOUT
from tidegate.core.quantity import duration, share
from tidegate.core.shown import shown

STEPS_DO_NOT_RISE = Rule(
    id="steps-do-not-rise",
    title="The steps of a rollout must rise",
    why="Each step gives the canary more traffic than the one before; the last one is followed by all of it. A step "
    "that is not higher would take traffic away from a version that was just found good.",
    bad="spec: {rollout: {steps: [50%, 10%]}}",
    good="spec: {rollout: {steps: [10%, 50%]}}",
)

NO_STEPS = Rule(
    id="no-steps",
    severity=Severity.NOTE,
    title="A rollout without steps",
    why="Without a step a version takes all the traffic as soon as it enters: it is compared with nothing, it is never "
    "on probation, and nothing reverts it by itself. That may be meant where there is hardly any traffic.",
    bad="spec: {rollout: {steps: []}}",
    good="spec: {rollout: {steps: [50%]}}",
)

ERROR_RATE_OUT_OF_RANGE = Rule(
    id="error-rate-out-of-range",
    title="A chance of error that decides nothing",
    why="`falseRevertRate` and `falseAdvanceRate` are the chances taken to be wrong. At 0% no evidence is ever enough, "
    "so that nothing reverts or goes on; from 50% a coin would decide as well. 1% and 5% are usual.",
    bad="spec: {rollout: {falseRevertRate: 0%}}",
    good="spec: {rollout: {falseRevertRate: 1%}}",
)

CELL_TOO_SHORT = Rule(
    id="cell-too-short",
    title="Cells too short to be counted",
    why="Events are counted in cells of `analysis.resolution`, each of which holds at least two scrapes. In less than "
    "a tenth of a second nothing is scraped twice, and a day would have millions of cells.",
    bad="spec: {rollout: {analysis: {resolution: 0s}}}",
    good="spec: {rollout: {analysis: {resolution: 1m}}}",
)

ROLLOUT_WITHOUT_CANARY = Rule(
    id="rollout-without-canary",
    severity=Severity.WARNING,
    title="A rollout's setting where nothing is rolled out",
    why="Only the last environment takes versions step by step, and those whose `rollout` names `steps` of its own. "
    "Elsewhere a version enters at 100% and bakes: there is no canary to compare and no probation, so that what is "
    "said about them does nothing.",
    bad="spec:\n  environments:\n    staging: {rollout: {maximumDuration: 2h}}\n    production: {}",
    good="spec:\n  environments:\n    staging: {rollout: {steps: [50%], maximumDuration: 2h}}\n    production: {}",
)

RULES = (STEPS_DO_NOT_RISE, NO_STEPS, ERROR_RATE_OUT_OF_RANGE, CELL_TOO_SHORT, ROLLOUT_WITHOUT_CANARY)

_OF_A_CANARY = (
    "worseThan",
    "ruleOut",
    "falseAdvanceRate",
    "minimumEffect",
    "maximumDuration",
    "onInconclusive",
    "onAbsent",
    "probation",
)
"""What is read only while a version is canary or on probation."""
_INNER: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("probation", "duration"): duration,
    ("probation", "holdback"): share,
    ("analysis", "resolution"): bounds.resolution,
    ("analysis", "dispersion"): bounds.number,
}
_QUOTE = '"'
_RATES = ("falseRevertRate", "falseAdvanceRate")


def rollouts_can_be_read(manifest: Manifest) -> Iterator[Fault]:
    """Every `rollout` that the manifest writes: each value by itself, and whether anything reads it."""
    common = section(manifest.spec, "rollout")
    if common:
        yield from _values(common, ("spec", "rollout"))
    for name in manifest.environments:
        if own := section(manifest.environments, name, "rollout"):
            yield from _values(own, ("spec", "environments", name, "rollout"))
    for entry in entries(manifest):
        yield from _unheard(entry)


def defaults_can_be_read(settings: Settings) -> Iterator[Fault]:
    """The same for the workspace's `defaults`."""
    yield from _values(section(settings.data, "defaults"), ("defaults",))


def defaults_of(settings: Settings) -> Entry:
    """The workspace's `defaults` as a rollout like any other."""
    return Entry("", Layers(((("defaults",), section(settings.data, "defaults")),)), canaries=True)


def _values(rollout: Data, way: Way) -> Iterator[Fault]:
    for key, value in rollout.items():
        if key == "steps":
            yield from _steps(value, (*way, key))
        elif key in ROLLOUT and understood(ROLLOUT[key][1], value) is None:
            yield _refused((*way, key), ROLLOUT[key][1], value)
    for (outer, key), convert in _INNER.items():
        value = section(rollout, outer).get(key) if outer in rollout else None
        if value is not None and understood(convert, value) is None:
            yield _refused((*way, outer, key), convert, value)


def _refused(way: Way, convert: Callable[[Any], Any], value: object) -> Fault:
    """In the reader's own words: it refuses the same values."""
    try:
        convert(value)
    except ValueError as error:
        message = str(error)
    if way[-1] in _RATES:
        return ERROR_RATE_OUT_OF_RANGE.at(way, message, "write 1%" if way[-1] == _RATES[0] else "write 5%")
    if way[-1] == "resolution":
        return CELL_TOO_SHORT.at(way, message, "write two scrape intervals or more, such as 1m")
    return form.VALUE.at(way, message)


def _steps(steps: list[object], way: Way) -> Iterator[Fault]:
    if not steps:
        message = "without steps each version takes all the traffic at once, and nothing reverts it by itself"
        yield NO_STEPS.at(way, message, "give it a step, such as [50%], if it should be compared first")
    weights = [understood(share, step) for step in steps]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(weights):
        index = weights.index(None)
        yield form.VALUE.at((*way, index), f"{shown(steps[index])} is no weight", "write a percentage, such as 10%")
    elif (fallen := bounds.not_higher(known)) is not None:
        before = f"follows {shown(steps[fallen - 1]).strip(_QUOTE)}" if fallen else "is the first step"
        message = f"{shown(steps[fallen]).strip(_QUOTE)} {before}: steps must rise, each between 0% and 100%"
        yield STEPS_DO_NOT_RISE.at((*way, fallen), message, "write rising weights, such as [10%, 50%]")


def _unheard(entry: Entry) -> Iterator[Fault]:
    """Settings of an environment in which nothing is a canary."""
    way, own = entry.layers.layers[0]
    if entry.canaries or way is None:
        return
    for key in own:
        if key in _OF_A_CANARY:
            message = f"{key} does nothing in {entry.environment}, where versions enter at 100%"
            yield ROLLOUT_WITHOUT_CANARY.at((*way, key), message, _canary_hint(own), on_key=True)


def _canary_hint(own: Data) -> str:
    return "take it out, or give `steps` a weight" if "steps" in own else "take it out, or add `steps: [50%]` beside it"
