"""Rules about the environments of a model: the order in which a version passes them, overrides, approvals.

Their names are `names`' subject, and how a version enters one `rollout`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

from tidegate.core import objective_keys, presets
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.environment_order import comes_after, not_before
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest

UNKNOWN_PREDECESSOR = Rule(
    id="unknown-predecessor",
    title="After an environment that the model does not have",
    why="A version enters an environment when it has baked in all that are named under `after`. In one that the model "
    "does not have it never bakes, so that it would wait for ever.",
    bad="spec: {environments: {staging: {}, production: {after: stagign}}}",
    good="spec: {environments: {staging: {}, production: {after: staging}}}",
)
PREDECESSOR_COMES_LATER = Rule(
    id="predecessor-comes-later",
    title="After an environment that comes later",
    why="Versions pass environments in the workspace's order, and then a model's own in the order in which they are "
    "written. `after` names earlier ones: it can leave some out, it cannot turn the order round. A new order is "
    "written under `environments` in `tidegate.yaml`.",
    bad="spec: {environments: {shadow: {after: [mirror]}, mirror: {after: []}}}",
    good="spec: {environments: {mirror: {}, shadow: {after: [mirror]}}}",
)
ENVIRONMENTS_IN_A_CIRCLE = Rule(
    id="environments-in-a-circle",
    title="Environments that come after each other in a circle",
    why="Each waits until a version has baked in the one before, and none of them is first. An environment without "
    "`after` comes after the one above it.",
    bad="spec: {environments: {staging: {after: production}, production: {}}}",
    good="spec: {environments: {staging: {}, production: {}}}",
)
MISSPELT_ENVIRONMENT = Rule(
    id="misspelt-environment",
    severity=Severity.WARNING,
    title="An environment that is one letter away from the workspace's",
    why="A model may have environments of its own, and so a misspelt name makes another environment: a version passes "
    "it last, and the approvals and freezes of the one that was meant do not hold for it.",
    bad="spec: {environments: {staging: {}, prodution: {}}}",
    good="spec: {environments: {staging: {}, production: {}}}",
)
MISSPELT_OVERRIDE = Rule(
    id="misspelt-override",
    title="An override of an objective that the model does not have",
    why="Objectives under an environment override the model's, by name. A name that the model does not have is an "
    "objective of its own, and must say what it counts. Mostly the name is misspelt, and the objective that was meant "
    "would keep its target.",
    bad="spec:\n  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 99%}}\n"
    "  environments: {staging: {objectives: {latncy: {target: 95%}}}, production: {}}",
    good="spec:\n  objectives: {latency: {histogram: predict_seconds, under: 250ms, target: 99%}}\n"
    "  environments: {staging: {objectives: {latency: {target: 95%}}}, production: {}}",
)
NOBODY_MAY_APPROVE = Rule(
    id="nobody-may-approve",
    severity=Severity.WARNING,
    title="An approval for which nobody is listed",
    why="A version's entry waits for a person who is listed for the environment under `approvals` in `tidegate.yaml`. "
    "Where nobody is, whoever may write to the repository lets it in. The last environment asks for an approval by "
    "default; `approval: none` lets versions in on evidence alone.",
    bad="# tidegate.yaml\napprovals: {production: {from: ['@dana']}}\n"
    "# models/churn/model.yaml\nspec: {environments: {production: {}, edge: {approval: required}}}",
    good="# tidegate.yaml\napprovals: {production: {from: ['@dana']}, edge: {from: ['@kim']}}\n"
    "# models/churn/model.yaml\nspec: {environments: {production: {}, edge: {approval: required}}}",
)

RULES = (
    UNKNOWN_PREDECESSOR,
    PREDECESSOR_COMES_LATER,
    ENVIRONMENTS_IN_A_CIRCLE,
    MISSPELT_ENVIRONMENT,
    MISSPELT_OVERRIDE,
    NOBODY_MAY_APPROVE,
)

_WAY: Way = ("spec", "environments")
_ALIKE = 0.8


def environments_can_be_passed(manifest: Manifest) -> Iterator[Fault]:
    """Every `after` names environments that come before."""
    environments = manifest.environments
    if not any(data and "after" in data for data in environments.values()):
        return
    order = manifest.order
    written = section(manifest.document.data, *_WAY)  # also those that do not have the schema's shape
    for index, name in enumerate(order):
        after = (environments[name] or {}).get("after", ())
        wrong = not_before(order, index, _listed(after))
        for place, other in enumerate(_listed(after)):
            way: Way = (*_WAY, name, "after") if isinstance(after, str) else (*_WAY, name, "after", place)
            if other in wrong and other in order:
                yield _too_late(manifest, name, other, way)
            elif other in wrong and other not in written:
                yield UNKNOWN_PREDECESSOR.at(way, f"this model has no environment {other}", _correct(other, order))


def _listed(after: str | Sequence[str]) -> Sequence[str]:
    return (after,) if isinstance(after, str) else after


def _too_late(manifest: Manifest, name: str, other: str, way: Way) -> Fault:
    """`other` comes later, or is the same: a circle where a version would have to pass `name` to get there."""
    if name == other:
        return ENVIRONMENTS_IN_A_CIRCLE.at(way, f"{name} comes after itself", "take it out")
    if circle := _way_round(manifest, other, name):
        message = f"a circle: {' → '.join([*reversed(circle), name])}"
        return ENVIRONMENTS_IN_A_CIRCLE.at(way, message, f"take {other} out")
    listed = other in manifest.workspace.environments
    hint = f"list {other} before {name} in tidegate.yaml" if listed else f"write {other} above {name}"
    return PREDECESSOR_COMES_LATER.at(way, f"{other} comes later than {name}", hint)


def _way_round(manifest: Manifest, start: str, goal: str) -> list[str]:
    """From `start` over what it comes after back to `goal`, both included; empty where no way leads there."""
    order, trails, seen = manifest.order, [[start]], {start}
    while trails:
        trail = trails.pop()
        index = order.index(trail[-1])
        for before in comes_after(order, index, manifest.environments[trail[-1]]):
            if before == goal:
                return [*trail, goal]
            if before in order and before not in seen:
                seen.add(before)
                trails.append([*trail, before])
    return []


def _correct(name: str, names: Collection[str]) -> str:
    close = nearest(name, names)
    return f"did you mean {close}?" if close else f"there are: {', '.join(names)}"


def environments_are_spelt(manifest: Manifest) -> Iterator[Fault]:
    """No environment of the model alone is a misspelt one of the workspace that the model does not have."""
    own, listed = manifest.environments, manifest.workspace.environments
    for name in own:
        if name in listed:
            continue
        meant = next((other for other in listed if other not in own and _is_misspelt(name, other)), None)
        if meant is not None:
            message = f"{name} is not among the workspace's environments ({', '.join(listed)})"
            yield MISSPELT_ENVIRONMENT.at((*_WAY, name), message, f"did you mean {meant}?", on_key=True)


def _is_misspelt(name: str, meant: str) -> bool:
    """One letter more, less or other, or two that changed places. A digit or another word is meant as it stands."""
    if abs(len(name) - len(meant)) > 1 or not name.isalpha() or not meant.isalpha():
        return False
    if sorted(name) == sorted(meant):
        return sum(a != b for a, b in zip(name, meant, strict=True)) == 2
    same = sum(block.size for block in SequenceMatcher(None, name, meant, autojunk=False).get_matching_blocks())
    return same >= max(len(name), len(meant)) - 1 and same / len(meant) >= _ALIKE


def overrides_meet_objectives(manifest: Manifest) -> Iterator[Fault]:
    """What an environment overrides is there, or says enough to be an objective of its own."""
    for environment, data in manifest.environments.items():
        if not data or "objectives" not in data:
            continue
        common = section(manifest.document.data, "spec", "objectives")
        for name, override in data["objectives"].items():
            if name not in common and not _is_whole(override or {}, manifest):
                way = (*_WAY, environment, "objectives", name)
                message = f"the model has no objective {name}, and this says too little to be one of its own"
                yield MISSPELT_OVERRIDE.at(way, message, _meant(name, common), on_key=True)


def _is_whole(override: Data, manifest: Manifest) -> bool:
    """An unknown preset is another rule's finding."""
    if "preset" not in override:
        return objective_keys.missing(override) is None
    preset = presets.named(override["preset"], manifest.workspace)
    return preset is None or objective_keys.missing({**preset.selectors, **override}) is None


def _meant(name: str, common: Data) -> str:
    close = nearest(name, list(map(str, common)))
    return f"did you mean {close}?" if close else "write what it counts, and its target"


def approvals_can_be_given(manifest: Manifest) -> Iterator[Fault]:
    """Told only where `tidegate.yaml` lists approvals: without any, it is that file's fault."""
    approvals = manifest.workspace.approvals
    if not approvals:
        return
    order = manifest.order
    for name in order:
        approval = (manifest.environments[name] or {}).get("approval", "required" if name == order[-1] else "none")
        if approval == "required" and name not in approvals:
            message = f"nobody is listed who may let a version into {name}"
            hint = f'list people under `approvals` in tidegate.yaml: `{name}: {{from: ["@…"]}}`'
            yield NOBODY_MAY_APPROVE.at((*_WAY, name), message, hint, on_key=True)
