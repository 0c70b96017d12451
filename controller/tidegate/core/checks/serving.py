"""Rules about how it is seen that a version serves."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.checks.effective import awaited, objectives
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault

NOTHING_SHOWS_READY = Rule(
    id="nothing-shows-ready",
    title="An environment in which nothing shows that a version serves",
    why="A version goes on to the next environment once it was ready here for its bake. That is read from the gauge "
    "`target.ready`, or from events that an objective counts. With neither, no version ever goes further. Where "
    "nothing is to be waited for but the time, `judge: none` says so.",
    bad="spec: {environments: {staging: {}, production: {}}}",
    good="spec: {serving: {target: {ready: model_ready}}, environments: {staging: {}, production: {}}}",
)

RULES = (NOTHING_SHOWS_READY,)


def readiness_can_be_seen(manifest: Manifest) -> Iterator[Fault]:
    """In every environment that another one waits for."""
    spec = section(manifest.document.data, "spec")
    if "ready" in section(spec, "serving", "target") or len(manifest.environments) < 2:
        return
    for name in sorted(awaited(manifest) - _counting(manifest)):
        own = section(spec, "environments", name)
        if name in manifest.environments and own.get("judge") != "none" and "ready" not in section(own, "target"):
            message = f"versions bake in {name}, and neither a gauge nor an objective shows whether they serve there"
            hint = "add `serving: {target: {ready: model_ready}}` with your gauge's name, or `judge: none` here"
            yield NOTHING_SHOWS_READY.at(("spec", "environments", name), message, hint, on_key=True)


def _counting(manifest: Manifest) -> frozenset[str]:
    """The environments in which some objective counts events."""
    found: set[str] = set()
    for objective in objectives(manifest):
        if objective.lead != "value" and "labels" not in objective.data:
            found.update(objective.environments)
        if len(found) == len(manifest.order):
            break
    return frozenset(found)
