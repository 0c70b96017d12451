"""Rules about names: of environments, models and people, and what files, git and the registry make of them.

Two models of one name are `fleet`'s subject. `slips` finds a handle without its sign, and a name that the registry
refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, Settings, section
from tidegate.core.fault import Fault, Way

RESERVED_ENVIRONMENT_NAME = Rule(
    id="reserved-environment-name",
    title="A name that an environment cannot have",
    why="An environment is an alias in the registry and a pin file beside the manifest, both of its name. MLflow keeps "
    "the aliases `latest`, `v1`, `v2` and so on for itself; `model.yaml` and `data.lock.yaml` are other files.",
    bad="spec: {environments: {latest: {}}}",
    good="spec: {environments: {newest: {}}}",
)
ENVIRONMENT_NAME_REFUSED = Rule(
    id="environment-name-refused",
    title="A name that the registry takes for no alias",
    why="An environment is an alias in the registry. MLflow's aliases are letters, digits, `-` and `_`; with a dot "
    "none could be set, and nothing that loads models by alias would ever see the environment.",
    bad="spec: {environments: {eu.production: {}}}",
    good="spec: {environments: {eu-production: {}}}",
)
ALIAS_CLASH = Rule(
    id="alias-clash",
    title="An environment named like another one's canary",
    why="The registry's alias of a canary is the environment's name with `-canary` behind it. An environment of that "
    "name would move the same alias.",
    bad="spec: {environments: {production-canary: {}, production: {}}}",
    good="spec: {environments: {shadow: {}, production: {}}}",
)
NAME_REFUSED_BY_GIT = Rule(
    id="name-refused-by-git",
    title="A name that git takes for no part of a branch",
    why="The branch of a proposal is `tidegate/<model>/<environment>/…`. git refuses branches with a part that ends in "
    "`.lock` (git check-ref-format), so that nothing could be proposed.",
    bad="metadata: {name: churn.lock}",
    good="metadata: {name: churn-lock}",
)
REGISTRY_NAME_REFUSED = Rule(
    id="registry-name-refused",
    title="A name that the registry refuses",
    why="MLflow takes no `/` and no `:` in the name of a registered model, and finds no model whose name holds quotes "
    "or control characters. Letters, digits, spaces, `.`, `-` and `_` are safe.",
    bad="spec: {registry: {name: growth/churn}}",
    good="spec: {registry: {name: growth-churn}}",
)
NOT_A_HANDLE = Rule(
    id="not-a-handle",
    title="Not the handle of a person or a team",
    why="People are named as the forge names them, `@name` or `@organisation/team`: owners are asked and told, and "
    "approvals count by handle. A plain YAML text cannot begin with `@`, so that handles stand in quotes.",
    bad="metadata: {name: churn, owners: [dana]}",
    good='metadata: {name: churn, owners: ["@dana"]}',
)

RULES = (
    RESERVED_ENVIRONMENT_NAME,
    ENVIRONMENT_NAME_REFUSED,
    ALIAS_CLASH,
    NAME_REFUSED_BY_GIT,
    REGISTRY_NAME_REFUSED,
    NOT_A_HANDLE,
)

_CANARY = "-canary"
_FILES = frozenset({"model", "data.lock"})
_ALIAS_OF_A_VERSION = re.compile(r"latest|v[0-9]+")


def manifest_names(manifest: Manifest) -> Iterator[Fault]:
    """Environments that the workspace lists are looked at there, once and not in every manifest."""
    name = section(manifest.data, "metadata").get("name", "")
    if name.endswith(".lock"):
        yield _refused_by_git(name, ("metadata", "name"))
    environments, listed = manifest.environments, manifest.workspace.environments
    for environment in environments:
        if environment not in listed or (_clashes(environment, environments) and not _clashes(environment, listed)):
            yield from _environment(environment, environments, ("spec", "environments", environment), on_key=True)


def settings_names(settings: Settings) -> Iterator[Fault]:
    names = settings.data.get("environments", ())
    for index, name in enumerate(names):
        yield from _environment(name, names, ("environments", index), on_key=False)


def _environment(name: str, names: Collection[str], way: Way, *, on_key: bool) -> Iterator[Fault]:
    if name in _FILES:
        message = f"{name}.yaml beside the manifest is another file, not the pin file of an environment"
        yield RESERVED_ENVIRONMENT_NAME.at(way, message, "give the environment another name", on_key=on_key)
    elif _ALIAS_OF_A_VERSION.fullmatch(name):
        message = f"MLflow keeps the alias {name} for itself"
        yield RESERVED_ENVIRONMENT_NAME.at(way, message, "give the environment another name", on_key=on_key)
    elif name.endswith(".lock"):
        yield _refused_by_git(name, way, on_key=on_key)
    elif "." in name:
        hint = f"write {name.replace('.', '-')}"
        yield ENVIRONMENT_NAME_REFUSED.at(
            way, f"{name} can be no alias: the registry takes no dot", hint, on_key=on_key
        )
    elif _clashes(name, names):
        message = f"{name} is the registry's alias of {name.removesuffix(_CANARY)}'s canary"
        yield ALIAS_CLASH.at(way, message, "give the environment another name", on_key=on_key)


def _clashes(name: str, names: Collection[str]) -> bool:
    return name.endswith(_CANARY) and name.removesuffix(_CANARY) in names


def _refused_by_git(name: str, way: Way, *, on_key: bool = False) -> Fault:
    message = f"git refuses a branch with {name} in it, because of the ending"
    return NAME_REFUSED_BY_GIT.at(way, message, f"write {name.removesuffix('.lock')}-lock", on_key=on_key)
