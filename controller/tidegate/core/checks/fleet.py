"""Rules about all models of a workspace together: names that clash, dependencies that lead nowhere or in a circle.

A check here sees one small `Member` for each model, never a whole manifest: ten thousand of them stay in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tidegate.core.checks.rule import Rule
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest

MODEL_NAME_TWICE = Rule(
    id="model-name-twice",
    title="Two models of one name",
    why="Branches, rendered files and the registry's versions are found by the model's name. Two models of one name "
    "would promote and revert each other's versions. Give one of them another name; a copied folder keeps the old "
    "one until somebody changes it.",
    bad="# models/churn/model.yaml\nmetadata: {name: churn}\n# models/attrition/model.yaml\nmetadata: {name: churn}",
    good="# models/churn/model.yaml\nmetadata: {name: churn}\n"
    "# models/attrition/model.yaml\nmetadata: {name: attrition}",
)
REGISTRY_NAME_TWICE = Rule(
    id="registry-name-twice",
    title="Two models with one name in the registry",
    why="Each environment is an alias of the registered model, such as `production`. Two models that share a "
    "registered model would move each other's aliases at every pass. Registries on MySQL take names that differ in "
    "capitals alone for the same.",
    bad="# models/churn/model.yaml\nmetadata: {name: churn}\n"
    "# models/attrition/model.yaml\nmetadata: {name: attrition}\nspec: {registry: {name: churn}}",
    good="# models/churn/model.yaml\nmetadata: {name: churn}\n"
    "# models/attrition/model.yaml\nmetadata: {name: attrition}\nspec: {registry: {name: attrition}}",
)
FOLDERS_DIFFER_IN_CAPITALS = Rule(
    id="folders-differ-in-capitals",
    severity=Severity.WARNING,
    title="Folders that differ in capitals alone",
    why="The file systems of macOS and Windows take `models/Churn` and `models/churn` for one folder: a checkout there "
    "holds one model where git has two, and the next commit mixes them.",
    bad="# models/Churn/model.yaml\nmetadata: {name: churn}\n# models/churn/model.yaml\nmetadata: {name: attrition}",
    good="# models/churn/model.yaml\nmetadata: {name: churn}\n"
    "# models/attrition/model.yaml\nmetadata: {name: attrition}",
)
UNKNOWN_DEPENDENCY = Rule(
    id="unknown-dependency",
    title="A dependency on a model that is not there",
    why="A model waits until nothing is in flight in those it depends on. One that is not in the workspace is never "
    "settled: the model would wait for ever.",
    bad="# models/features/model.yaml\nmetadata: {name: features}\n"
    "# models/churn/model.yaml\nmetadata: {name: churn}\nspec: {dependsOn: [feature]}",
    good="# models/features/model.yaml\nmetadata: {name: features}\n"
    "# models/churn/model.yaml\nmetadata: {name: churn}\nspec: {dependsOn: [features]}",
)
DEPENDENCIES_IN_A_CIRCLE = Rule(
    id="dependencies-in-a-circle",
    title="Models that depend on each other in a circle",
    why="A model waits until nothing is in flight in those it depends on. In a circle each waits for the next, and as "
    "soon as all of them have a version on its way none goes on. Take one dependency out.",
    bad="# models/churn/model.yaml\nmetadata: {name: churn}\nspec: {dependsOn: [features]}\n"
    "# models/features/model.yaml\nmetadata: {name: features}\nspec: {dependsOn: [churn]}",
    good="# models/churn/model.yaml\nmetadata: {name: churn}\nspec: {dependsOn: [features]}\n"
    "# models/features/model.yaml\nmetadata: {name: features}\nspec: {dependsOn: []}",
)

RULES = (
    MODEL_NAME_TWICE,
    REGISTRY_NAME_TWICE,
    FOLDERS_DIFFER_IN_CAPITALS,
    UNKNOWN_DEPENDENCY,
    DEPENDENCIES_IN_A_CIRCLE,
)

_NAME: Way = ("metadata", "name")
_LONG_CHAIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What the others need to know of one manifest. `name` is None where the manifest cannot be read."""

    path: str
    folder: str
    name: str | None
    registry_name: str | None
    depends_on: Sequence[str] = ()


Clash = tuple[str, Fault]
"""The manifest's path, and what is wrong there."""


def check(members: Sequence[Member]) -> Iterator[Clash]:
    """What is wrong between the models, in the order of the members."""
    named = [member for member in members if member.name is not None]
    yield from _same_names(named)
    yield from _folders_alike(members)
    yield from _unknown(members)
    yield from _circles(named)


def _same_names(members: Sequence[Member]) -> Iterator[Clash]:
    """Of models that share a name, each but the first. Those are not also told that they share the registry's."""
    by_name: dict[str | None, Member] = {}
    by_registry_name: dict[str, Member] = {}
    for member in members:
        first = by_name.setdefault(member.name, member)
        if first is not member:
            message = f"the model of {first.path} is named {member.name} too"
            yield member.path, MODEL_NAME_TWICE.at(_NAME, message, "give one of them another name")
            continue
        first = by_registry_name.setdefault((member.registry_name or "").casefold(), member)
        if first is not member:
            yield member.path, _registered_twice(first, member)


def _registered_twice(first: Member, member: Member) -> Fault:
    way = _NAME if member.registry_name == member.name else ("spec", "registry", "name")
    alike = "" if first.registry_name == member.registry_name else f" ({first.registry_name})"
    message = f"the registry's model {member.registry_name} belongs to {first.path} already{alike}"
    return REGISTRY_NAME_TWICE.at(way, message, "give each model a `registry.name` of its own")


def _folders_alike(members: Sequence[Member]) -> Iterator[Clash]:
    folders: dict[str, Member] = {}
    for member in members:
        first = folders.setdefault(member.folder.casefold(), member)
        if first is not member:
            message = f"{member.folder} and {first.folder} are one folder on macOS and Windows"
            yield member.path, FOLDERS_DIFFER_IN_CAPITALS.at(_NAME, message, "rename one of the two")


def _unknown(members: Sequence[Member]) -> Iterator[Clash]:
    """A manifest that cannot be read counts by its folder's name: its own findings are enough."""
    known = dict.fromkeys(member.name or member.folder.rpartition("/")[2] for member in members)
    for member in members:
        for index, name in enumerate(member.depends_on):
            if name not in known:
                message = f"there is no model {name} in this workspace"
                yield member.path, UNKNOWN_DEPENDENCY.at(("spec", "dependsOn", index), message, _correct(name, known))


def _correct(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"did you mean {close}?" if close else "correct the name, or take it out"


def _circles(members: Sequence[Member]) -> Iterator[Clash]:
    """Each circle once, at the dependency that closes it on a walk in the order of the members."""
    by_name: dict[str | None, Member] = {}
    for member in members:
        by_name.setdefault(member.name, member)
    done: set[str | None] = set()
    for member in by_name.values():
        if member.depends_on and member.name not in done:
            yield from _walk(member, by_name, done)


def _walk(start: Member, by_name: Mapping[str | None, Member], done: set[str | None]) -> Iterator[Clash]:
    """Depth first without recursion: a chain may be as long as the workspace has models."""
    trail: list[Member] = [start]
    places: dict[str | None, int] = {start.name: 0}
    left = [enumerate(start.depends_on)]
    while trail:
        index, name = next(left[-1], (0, None))
        if name is None:
            left.pop()
            done.add(trail[-1].name)
            del places[trail.pop().name]
        elif name in places:
            circle = [member.name or "" for member in trail[places[name] :]]
            yield trail[-1].path, _circle([*circle, name], index)
        elif name in by_name and name not in done:
            places[name] = len(trail)
            trail.append(by_name[name])
            left.append(enumerate(by_name[name].depends_on))


def _circle(names: Sequence[str], index: int) -> Fault:
    way = ("spec", "dependsOn", index)
    if len(names) == 2:
        return DEPENDENCIES_IN_A_CIRCLE.at(way, f"{names[0]} depends on itself", "take it out")
    shown = [*names[:_LONG_CHAIN], "…", names[-1]] if len(names) > _LONG_CHAIN + 1 else names
    return DEPENDENCIES_IN_A_CIRCLE.at(way, f"a circle: {' → '.join(shown)}", "take one of these dependencies out")
