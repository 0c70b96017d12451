"""Rules about objectives: whether each says one thing and says it whole, and whether anything judges it.

Expressions and selectors are looked at in `promql` and `selectors`, alerts in `alerts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.core import bounds, objective_keys, presets, promql
from tidegate.core.checks import form
from tidegate.core.checks.effective import Objective, awaited, entries, objectives, understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.quantity import duration
from tidegate.core.shown import shown

UNKNOWN_PRESET = Rule(
    id="unknown-preset",
    title="A preset that is not there",
    why="A preset is a name for selectors that several models share: one of the `presets` in `tidegate.yaml`, or the "
    "built-in `http-availability`.",
    bad="spec: {objectives: {availability: {preset: http-avalability, target: 99.5%}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.5%}}}",
)

PRESET_WITHOUT_EFFECT = Rule(
    id="preset-without-effect",
    severity=Severity.WARNING,
    title="A preset of which nothing is left",
    why="What an objective writes itself goes before its preset. If it writes every selector that the preset has, the "
    "preset does nothing: take it out, or take out the selectors that it should give.",
    bad="spec: {objectives: {errors: {preset: http-availability, bad: failed_total, total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

INCOMPLETE_OBJECTIVE = Rule(
    id="incomplete-objective",
    title="An objective that lacks something",
    why="An objective counts bad or good events among all of them, or reads a histogram at a bound, and has a target. "
    "A preset gives selectors, never the target, and never `under`.",
    bad="spec: {objectives: {availability: {preset: http-availability}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.5%}}}",
)

MIXED_OBJECTIVE = Rule(
    id="mixed-objective",
    title="An objective of two kinds",
    why="An objective is one of four: `bad` and `total`, `good` and `total`, `histogram` and `under`, or a `value` "
    "with `minimum` or `maximum`. Keys of another kind beside them would go unheard. Keys of its preset count as well.",
    bad="spec: {objectives: {errors: {bad: failed_total, good: answered_total, total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

TARGET_OUT_OF_RANGE = Rule(
    id="target-out-of-range",
    title="A target of nothing or of everything",
    why="At 100% the error budget is empty: a single bad event is a breach for ever, and no amount of good ones makes "
    "up for it. At 0% nothing is asked for. Write what users would still call good, such as 99.9%.",
    bad="spec: {objectives: {availability: {preset: http-availability, target: 100%}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.9%}}}",
)

DRIFT_REVERTS = Rule(
    id="drift-reverts",
    severity=Severity.WARNING,
    title="Drift that reverts a version",
    why="Drift is a change of the data that comes in. It is the same for both versions, so that it says nothing about "
    "the new one, and going back changes nothing. Let it `block` promotions or `inform`; a retraining answers it. An "
    "expression that tells versions apart by their label is taken at its word. The default effect is `revert`.",
    bad="spec: {objectives: {drift: {value: 'max(feature_drift{model=\"churn\"})', maximum: 0.2}}}",
    good="spec: {objectives: {drift: {value: 'max(feature_drift{model=\"churn\"})', maximum: 0.2, effect: block}}}",
)

JUDGED_NOWHERE = Rule(
    id="judged-nowhere",
    severity=Severity.WARNING,
    title="Objectives that nothing judges",
    why="Objectives are judged while a version is canary or on probation, and where an environment says `judge: "
    "objectives`. Without any of these they are only recorded and alerted on, and revert nothing.",
    bad="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  rollout: {steps: []}\n"
    "  environments: {production: {judge: none}}",
    good="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
)

NOTHING_TO_JUDGE = Rule(
    id="nothing-to-judge",
    severity=Severity.WARNING,
    title="A canary without an objective",
    why="A canary goes on when its objectives say so, after enough of the events that they count. Without objectives "
    "there is no event and no verdict: after the first version, every step waits for a person. An environment in "
    "which nothing should be compared has `steps: []`.",
    bad="spec: {environments: {production: {}}}",
    good="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
)

RULES = (
    UNKNOWN_PRESET,
    PRESET_WITHOUT_EFFECT,
    INCOMPLETE_OBJECTIVE,
    MIXED_OBJECTIVE,
    TARGET_OUT_OF_RANGE,
    DRIFT_REVERTS,
    JUDGED_NOWHERE,
    NOTHING_TO_JUDGE,
)

_NAMED = 10
"""So many presets are listed for somebody who named none of them."""
# Measures of drift by the names that people give to them, as whole words of a name.
_DRIFT = re.compile(
    r"(?:^|[^a-z])(?:drift(?:s|ed)?|psi|population_stability|wasserstein|hellinger|(?:kl|js|kullback_leibler"
    r"|jensen_shannon)_(?:divergence|distance)|kolmogorov_smirnov|ks_(?:test|statistic|stat|distance))(?:[^a-z]|$)",
    re.IGNORECASE,
)


def objectives_say_one_thing(manifest: Manifest) -> Iterator[Fault]:
    """Each objective in every form in which it holds."""
    for objective in objectives(manifest):
        if "preset" in objective.data:
            yield from _preset(objective, manifest)
        if objective_keys.fault(objective.keys) is not None and not _misspelt(objective, manifest):
            yield from _keys(objective, manifest)
        yield from _quantities(objective)
        if "value" in objective.data and objective.effect == "revert":
            yield from _drift(objective, manifest)


def objectives_are_judged(manifest: Manifest) -> Iterator[Fault]:
    """There is something to judge by, and something that judges."""
    canarying = [entry.environment for entry in entries(manifest) if entry.canaries]
    written = section(manifest.document.data, "spec")
    if not written.get("objectives"):
        for name in canarying:
            if not section(written, "environments", name).get("objectives"):
                message = f"versions enter {name} as canaries, and no objective says when they may go on"
                hint = "add an objective, or `rollout: {steps: []}` where nothing is to be compared"
                yield NOTHING_TO_JUDGE.at(("spec", "environments", name), message, hint, on_key=True)
    elif manifest.order and not canarying and not any(_judges(manifest, name) for name in awaited(manifest)):
        message = "nothing judges by objectives: no version is ever a canary, and none bakes with `judge: objectives`"
        yield JUDGED_NOWHERE.at(("spec", "objectives"), message, "give `steps` a weight, such as [50%]", on_key=True)


def _judges(manifest: Manifest, environment: str) -> bool:
    """Whether a version that bakes here for the next environment is held against its objectives."""
    default = "objectives" if environment == manifest.order[-1] else "ready"
    judge: str = section(manifest.environments, environment).get("judge", default)
    return judge == "objectives"


def _misspelt(objective: Objective, manifest: Manifest) -> bool:
    """An override of no objective is another rule's finding, as long as it does not stand for itself."""
    common = section(manifest.spec, "objectives")
    return objective.name not in common and objective_keys.missing(objective.keys) is not None


def _preset(objective: Objective, manifest: Manifest) -> Iterator[Fault]:
    name = objective.data["preset"]
    preset = presets.named(name, manifest.workspace)
    way = objective.way("preset")
    if preset is None:
        known = presets.known(manifest.workspace)
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else f"there are: {shown(', '.join(known[:_NAMED]))[1:-1]}"
        yield UNKNOWN_PRESET.at(way, f"there is no preset {shown(name)}", hint)
    elif all(any(key in data for _, data in objective.layers) for key in preset):
        message = f"{', '.join(sorted(preset))} are written beside it: nothing of the preset {shown(name)} is used"
        yield PRESET_WITHOUT_EFFECT.at(way, message, "take it out")


def _keys(objective: Objective, manifest: Manifest) -> Iterator[Fault]:
    way = objective.layers[-1][0]
    missing = objective_keys.missing(objective.keys)
    unknown = "preset" in objective.data and presets.named(objective.data["preset"], manifest.workspace) is None
    if missing is not None and not unknown:
        message = f"{objective.title} lacks {missing}"
        yield INCOMPLETE_OBJECTIVE.at(way, message, "add what is missing", on_key=True)
    for key in objective_keys.strangers(objective.keys):
        one, other = (_with_source(name, objective) for name in (key, objective.lead or ""))
        message = f"{one} has nothing to do with {other}: {objective.title} is of one kind or the other"
        yield MIXED_OBJECTIVE.at(objective.way(key), message, "keep the keys of one kind", on_key=True)


def _with_source(key: str, objective: Objective) -> str:
    return key if any(key in data for _, data in objective.layers) else f"{key} (of its preset)"


def _quantities(objective: Objective) -> Iterator[Fault]:
    """What the reader would refuse, in its words."""
    for key, convert in _READ:
        if key not in objective.data or understood(convert, objective.data[key]) is not None:
            continue
        try:
            convert(objective.data[key])
        except ValueError as error:
            if key == "target":
                hint = "write what users would still call good, such as 99.9%"
                yield TARGET_OUT_OF_RANGE.at(objective.way(key), str(error), hint)
            else:
                yield form.VALUE.at(objective.way(key), str(error))


_READ = (
    ("target", bounds.target),
    ("window", bounds.window),
    ("under", bounds.under),
    ("for", duration),
    ("minimum", bounds.number),
    ("maximum", bounds.number),
)


def _drift(objective: Objective, manifest: Manifest) -> Iterator[Fault]:
    expression = promql.read(objective.data["value"])
    if isinstance(expression, promql.Unread):
        return
    version = manifest.workspace.labels.version
    names = [selector.name for selector in expression.selectors]
    drifting = next((name for name in (*names, objective.name) if _DRIFT.search(name)), None)
    if drifting is not None and not (version and version in objective.data["value"]):
        effect = "" if "effect" in objective.data else " (the default effect)"
        message = f"{shown(drifting)[1:-1]} is measured over both versions and would revert one of them{effect}"
        way = objective.way("effect") if "effect" in objective.data else objective.way("value")
        yield DRIFT_REVERTS.at(way, message, "write `effect: block`, or `effect: inform`")
