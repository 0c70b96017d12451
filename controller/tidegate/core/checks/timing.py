"""Rules about how the times of a rollout stand to each other: bake, warm-up, cells, limits, probation, labels.

All times are those that hold in an environment, wherever they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tidegate.core.checks.effective import Entry, Setting, entries, nearest, span, understood
from tidegate.core.checks.rollout import defaults_of
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, Settings
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.manifest import Rollout
from tidegate.core.quantity import share, show_duration, show_share

BAKE_BEYOND_MAXIMUM = Rule(
    id="bake-beyond-maximum-duration",
    severity=Severity.WARNING,
    title="A bake longer than its step may take",
    why="Both count the time that a canary has baked, without pauses and outages. A step goes on when its bake is over "
    "at the earliest, and ends as `onInconclusive` says if it lacks events or a conclusion after `maximumDuration`. "
    "Where the bake is longer, a version that is cleared by its end goes on all the same; any other gets no time after "
    "it: `onInconclusive` decides at once.",
    bad="spec: {rollout: {bake: 30h}, environments: {production: {}}}",
    good="spec: {rollout: {bake: 30h, maximumDuration: 3d}, environments: {production: {}}}",
)

WARM_UP_COVERS_BAKE = Rule(
    id="warm-up-covers-bake",
    severity=Severity.WARNING,
    title="A warm-up as long as the bake",
    why="What happens during `warmUp` is not judged. Where it is not shorter than `bake`, nothing is left to judge "
    "when the bake is over: the version waits for evidence that the bake should have given.",
    bad="spec: {rollout: {bake: 10m, warmUp: 15m}, environments: {production: {}}}",
    good="spec: {rollout: {bake: 30m, warmUp: 5m}, environments: {production: {}}}",
)

CELL_LONGER_THAN_BAKE = Rule(
    id="cell-longer-than-bake",
    severity=Severity.WARNING,
    title="A cell longer than the bake",
    why="Time is counted in whole cells of `analysis.resolution`. A bake shorter than one cell takes as long as a "
    "cell, and what is judged in it is a single figure.",
    bad="spec: {rollout: {bake: 5m, analysis: {resolution: 10m}}, environments: {production: {}}}",
    good="spec: {rollout: {bake: 5m, analysis: {resolution: 30s}}, environments: {production: {}}}",
)

HOLDBACK_ABOVE_HALF = Rule(
    id="holdback-above-half",
    severity=Severity.WARNING,
    title="More held back than promoted",
    why="`probation.holdback` is the share that stays on the previous version while the new one is on probation: a few "
    "percent, as a control and an instant way back. Above a half, the version that was found good gets less traffic "
    "than the one it replaces.",
    bad="spec: {rollout: {probation: {holdback: 95%}}, environments: {production: {}}}",
    good="spec: {rollout: {probation: {holdback: 5%}}, environments: {production: {}}}",
)

RULES = (BAKE_BEYOND_MAXIMUM, WARM_UP_COVERS_BAKE, CELL_LONGER_THAN_BAKE, HOLDBACK_ABOVE_HALF)

_DEFAULT = Rollout()


def times_fit_each_other(manifest: Manifest) -> Iterator[Fault]:
    """In every environment that takes versions step by step; a bake without a canary ends by its own clock."""
    for entry in entries(manifest):
        if entry.layers.written:
            yield from _times(entry)


def default_times_fit_each_other(settings: Settings) -> Iterator[Fault]:
    if "defaults" in settings.data:
        yield from _times(defaults_of(settings))


def _times(entry: Entry) -> Iterator[Fault]:
    bake = entry.layers.duration("bake", default=_DEFAULT.bake)
    if bake is None:
        return
    cell = entry.layers.duration("analysis", "resolution", default=_DEFAULT.resolution)
    if cell and timedelta(0) < bake.value < cell.value:
        message = f"a cell of {span(cell)} is longer than the bake of {span(bake)}"
        hint = f"make the bake longer, or write `analysis: {{resolution: {show_duration(bake.value)}}}`"
        yield from _of_two(CELL_LONGER_THAN_BAKE, cell, bake, message, hint)
    if entry.canaries:
        yield from _canary_times(entry, bake)
        yield from _holdback(entry)


def _canary_times(entry: Entry, bake: Setting[timedelta]) -> Iterator[Fault]:
    most = entry.layers.duration("maximumDuration", default=_DEFAULT.maximum_duration)
    if most and bake.value > most.value:
        message = f"a bake of {span(bake)} is longer than its step has for a verdict: {span(most)} (maximumDuration)"
        yield from _of_two(BAKE_BEYOND_MAXIMUM, bake, most, message, "make maximumDuration a few times the bake")
    warm_up = entry.layers.duration("warmUp", default=_DEFAULT.warm_up)
    if warm_up and timedelta(0) < bake.value <= warm_up.value:
        message = f"a warm-up of {span(warm_up)} leaves nothing of the bake of {span(bake)}"
        yield from _of_two(WARM_UP_COVERS_BAKE, warm_up, bake, message, "make the bake longer, or the warm-up shorter")


def _holdback(entry: Entry) -> Iterator[Fault]:
    held = entry.layers.find("probation", "holdback")
    kept = understood(share, held.value) if held else None
    if held and held.way and kept and kept > 0.5:
        message = f"{show_share(kept)} stays on the previous version, and {show_share(1 - kept)} goes to the new one"
        yield HOLDBACK_ABOVE_HALF.at(held.way, message, "write a few percent, such as 5%")


def _of_two(
    rule: Rule, first: Setting[timedelta], second: Setting[timedelta], message: str, hint: str
) -> Iterator[Fault]:
    """On the nearer of the two that this file writes; nowhere if it writes neither."""
    if (way := nearest(first, second)) is not None:
        yield rule.at(way, message, hint)
