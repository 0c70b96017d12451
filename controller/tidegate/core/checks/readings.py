"""Rules about what is read at fixed instants: values that tell no versions apart, labels that are compared nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.core.checks.effective import Objective, entries, objectives
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.judging.placeholders import asks_by_version

VALUE_OF_ALL_VERSIONS = Rule(
    id="value-of-all-versions",
    severity=Severity.WARNING,
    title="A value of all versions that should revert one",
    why="Drift, for one, is a change of the data that comes in. It is the same for both versions: it says nothing "
    "about the new one, and going back changes nothing. Such a value stops a rollout and reverts nobody, whatever its "
    "effect; the default effect is `revert`. A value tells versions apart if it is asked with `{{ version }}`, or "
    "answers a series for each version.",
    bad="spec: {objectives: {drift: {value: 'max(feature_drift{model=\"churn\"})', maximum: 0.2}}}",
    good="spec: {objectives: {drift: {value: 'max(feature_drift{version=\"{{ version }}\"})', maximum: 0.2}}}",
)

VALUE_MOVES = Rule(
    id="value-moves",
    title="A value that depends on when it is asked",
    why="`@ start()` and `@ end()` mean the ends of the question, and every pass asks a longer one: what was read of "
    "an hour would change with the hours after it. Write the expression without them.",
    bad="spec: {objectives: {age: {value: 'model_age_seconds{version=\"{{ version }}\"} @ end()', maximum: 3600}}}",
    good="spec: {objectives: {age: {value: 'model_age_seconds{version=\"{{ version }}\"}', maximum: 3600}}}",
)

LABELS_COMPARED_NOWHERE = Rule(
    id="labels-compared-nowhere",
    severity=Severity.WARNING,
    title="Late labels that are compared nowhere",
    why="Late labels judge predictions that two versions made side by side: of a canary and stable, or of a version "
    "and the one held back. Where versions enter at once, there are none.",
    bad="spec:\n"
    "  rollout: {steps: []}\n"
    "  objectives: {accuracy: {good: age, total: age, target: 90%, labels: {served: predictions_total, delay: 7d}}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives: {accuracy: {good: age, total: age, target: 90%, labels: {served: predictions_total, delay: 7d}}}\n"
    "  environments: {production: {}}",
)

SETTING_WITHOUT_EFFECT = Rule(
    id="setting-without-effect",
    severity=Severity.WARNING,
    title="A setting that late labels have no use for",
    why="Late labels compare two versions, and that is all they do. They have no error budget that could be spent, "
    "nothing alerts by them, and nothing holds a version against their target: `window` says nothing. They never hold "
    "an advance or a finish up, so that `effect: block` is the same as `inform`.",
    bad="spec:\n"
    "  objectives:\n"
    "    availability: {preset: http-availability, target: 99.5%}\n"
    "    accuracy: {good: age, total: age, target: 90%, window: 7d, labels: {served: predictions_total, delay: 7d}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives:\n"
    "    availability: {preset: http-availability, target: 99.5%}\n"
    "    accuracy: {good: age, total: age, target: 90%, labels: {served: predictions_total, delay: 7d}}\n"
    "  environments: {production: {}}",
)

NOTHING_COUNTED = Rule(
    id="nothing-counted",
    title="A canary of which nothing is counted",
    why="A canary goes on after enough events, once they show that it serves. Values and late labels are no events: "
    "with them alone it waits for ever. Count its answers as well.",
    bad="spec:\n"
    "  objectives: {drift: {value: 'max(drift{version=\"{{ version }}\"})', maximum: 0.2}}\n"
    "  environments: {production: {}}",
    good="spec:\n"
    "  objectives:\n"
    "    drift: {value: 'max(drift{version=\"{{ version }}\"})', maximum: 0.2}\n"
    "    availability: {preset: http-availability, target: 99.5%}\n"
    "  environments: {production: {}}",
)

RULES = (VALUE_OF_ALL_VERSIONS, VALUE_MOVES, LABELS_COMPARED_NOWHERE, SETTING_WITHOUT_EFFECT, NOTHING_COUNTED)

_MOVES = re.compile(r"@\s*(?:start|end)\s*\(\s*\)")


def readings_can_judge(manifest: Manifest) -> Iterator[Fault]:
    """Each objective in every form in which it holds."""
    canarying = {entry.environment for entry in entries(manifest) if entry.canaries}
    for objective in objectives(manifest):
        if "value" in objective.data:
            yield from _value(objective, manifest.workspace.labels.version)
        if "labels" in objective.data:
            yield from _unheard(objective)
        if "labels" in objective.data and manifest.order and canarying.isdisjoint(objective.environments):
            message = f"no two versions serve side by side: {objective.title} compares nothing"
            hint = "give `steps` a weight, such as [50%]"
            yield LABELS_COMPARED_NOWHERE.at(objective.way("labels"), message, hint, on_key=True)


def canaries_are_counted(manifest: Manifest) -> Iterator[Fault]:
    """In every environment that has objectives; one that has none is another rule's."""
    for entry in entries(manifest):
        here = [objective for objective in objectives(manifest) if entry.environment in objective.environments]
        if entry.canaries and here and not any(_counts(objective) for objective in here):
            message = f"nothing counts the answers of a canary in {entry.environment}: no event shows that it serves"
            hint = "add an objective on events, such as `{preset: http-availability, target: 99.5%}`"
            yield NOTHING_COUNTED.at(here[0].layers[-1][0], message, hint, on_key=True)


def _counts(objective: Objective) -> bool:
    """Also where it lacks something, which is told elsewhere."""
    return objective.lead != "value" and "labels" not in objective.keys


def _unheard(objective: Objective) -> Iterator[Fault]:
    if "window" in objective.data:
        message = f"{objective.title} judges by late labels: it has no error budget, and nothing alerts by it"
        yield SETTING_WITHOUT_EFFECT.at(objective.way("window"), message, "take it out", on_key=True)
    if objective.data.get("effect") == "block":
        message = f"{objective.title} judges by late labels, which never hold an advance or a finish up"
        yield SETTING_WITHOUT_EFFECT.at(objective.way("effect"), message, "write `revert`, or `inform`")


def _value(objective: Objective, version: str) -> Iterator[Fault]:
    text: str = objective.data["value"]
    if (found := _MOVES.search(text)) is not None:
        message = f"{found[0]} is another instant at every pass"
        yield VALUE_MOVES.at(objective.way("value"), message, "take it out")
    told_apart = asks_by_version(text) or (version and re.search(rf"\b{re.escape(version)}\b", text))
    if objective.effect == "revert" and not told_apart:
        effect = "" if "effect" in objective.data else " (the default effect)"
        message = f"{objective.title} is one value for all versions, and reverts none of them{effect}"
        way = objective.way("effect") if "effect" in objective.data else objective.way("value")
        hint = f'write `effect: block`, or ask for `{version or "version"}="{{{{ version }}}}"`'
        yield VALUE_OF_ALL_VERSIONS.at(way, message, hint)
