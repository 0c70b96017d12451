"""Whose approval a person's pull request needs: from the files that it changes to the rules that these touch.

The rules are main's, never the change's own. Fields are compared as they are written: what means the same in other
words asks once too often, and never once too seldom.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tidegate.core import repository_path
from tidegate.core.repository_path import joined
from tidegate.core.workspace import Approvals, Workspace

WORKSPACE = "tidegate.yaml"
MANIFEST = "model.yaml"
LOCK = "data.lock.yaml"
_RENDERED = "rendered"
Field: TypeAlias = tuple[str, ...]

_THROUGH_MODELS: Mapping[str, Field] = {
    "defaults": ("rollout",),
    "dispersion": ("rollout", "analysis", "dispersion"),
    "presets": ("objectives",),
    "metrics": ("objectives",),
}
"""What settings of the workspace are a manifest's fields, for every model that does not say it itself."""
_INHERITED = ("rollout", "objectives", "serving")
"""What every environment has from the model unless it says it itself."""
_SERVED_AS: tuple[Field, ...] = (("metadata", "name"), ("registry",), ("serving", "target"))
"""What a rendered file is made from besides the pin file; environments may have a target of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What merging would change: the paths, and what those of them say that are YAML files of ours, by path.

    A file that is not there is in neither mapping. `linked` are symbolic links and submodules; `invalid` says what is
    wrong with files of ours after the change; `opened` are environments, and what reaches them that no single field
    tells: versions that would enter without an approval, a name that another model has.
    """

    paths: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    linked: frozenset[str] = frozenset()
    invalid: tuple[str, ...] = ()
    opened: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A rule that a change touches: its name in `tidegate.yaml`, whom it lists, and what touches it."""

    name: str
    rule: Approvals
    what: tuple[str, ...]


def needs_of(changes: Iterable[Change], rules: Workspace) -> tuple[Need, ...]:
    """The rules that any of these changes touches, in the order of `tidegate.yaml`, each once."""
    touched: dict[str, list[str]] = {}
    for name, what in (found for change in changes for found in _touched(change, rules)):
        touched.setdefault(name, []).append(what)
    return tuple(
        Need(name=name, rule=rule, what=tuple(dict.fromkeys(touched[name])))
        for name, rule in named(rules).items()
        if name in touched
    )


def named(rules: Workspace) -> Mapping[str, Approvals]:
    """Every rule by its name in `tidegate.yaml`."""
    entries = {entry(environment): rule for environment, rule in rules.approvals.items()}
    return entries | {f"changes.{field}": rule for field, rule in rules.changes.items()}


def entry(environment: str) -> str:
    """The name of the rule of an environment."""
    return f"approvals.{environment}"


def is_looked_into(path: str, rules: Workspace) -> bool:
    """Whether it matters what a file says, not only that it changes."""
    return path == WORKSPACE or (_is_below(path, rules.models) and _name(path) == MANIFEST)


def may_lead_elsewhere(path: str, rules: Workspace) -> bool:
    """Whether a link at this path would have other files serve than those that the path names."""
    return _is_below(path, (_RENDERED, *rules.models))


def _touched(change: Change, rules: Workspace) -> Iterator[tuple[str, str]]:
    """Names of rules, of such too that are not there, with what touches each."""
    for path in change.paths:
        if path in change.linked or _holds(path, (_RENDERED, *rules.models)):
            yield from _entries(rules.approvals, f"{path} is no folder of files")
        if path == WORKSPACE:
            yield from _by_settings(_changed(path, change), rules)
        elif _is_below(path, (_RENDERED,)):
            yield entry(path.split("/")[1]), path
        elif _is_below(path, rules.models):
            yield from _by_file(path, change, rules)
    for environment, what in change.opened:
        yield entry(environment), what


def _entries(environments: Iterable[str], what: str) -> Iterator[tuple[str, str]]:
    return ((entry(environment), what) for environment in environments)


def _by_file(path: str, change: Change, rules: Workspace) -> Iterator[tuple[str, str]]:
    name = _name(path)
    if name == MANIFEST:
        yield from _by_manifest(path, change, rules)
    elif name == LOCK:
        yield from _by_field(("training", "data"), path, rules)
    elif name.endswith(".yaml"):
        yield entry(name.removesuffix(".yaml")), path


def _by_manifest(path: str, change: Change, rules: Workspace) -> Iterator[tuple[str, str]]:
    before, after = _environments(change.before.get(path)), _environments(change.after.get(path))
    for field in _changed(path, change):
        own = field[1:] if field[:1] == ("spec",) else field
        what = f"{'.'.join(own) or 'spec'} in {path}"
        yield from _by_field(own, what, rules)
        if own[:1] == ("hold",) or (path in change.before and _is_served_as(own)):
            yield from _entries(before | after, what)
    for name in before - after:
        yield entry(name), f"{name} leaves {path}"


def _is_served_as(field: Field) -> bool:
    own_target = field[:1] == ("environments",) and field[2:3] == ("target",)
    return own_target or any(_overlap(field, part) for part in _SERVED_AS)


def _environments(manifest: object) -> set[str]:
    spec = manifest.get("spec") if isinstance(manifest, Mapping) else None
    found = spec.get("environments") if isinstance(spec, Mapping) else None
    return {str(name) for name in found} if isinstance(found, Mapping) else set()


def _by_settings(fields: Iterable[Field], rules: Workspace) -> Iterator[tuple[str, str]]:
    """A rule is changed by those whom it lists; what every environment rests on by those of all environments."""
    for field in fields:
        what = f"{'.'.join(field[:2]) or 'everything'} in {WORKSPACE}"
        match field:
            case ("approvals" | "changes", name, *_):
                yield f"{field[0]}.{name}", what
            case ("limits" | "notifyAfter", *_):
                continue
            case (first, *rest) if first in _THROUGH_MODELS:
                inner = tuple(rest) if first == "defaults" else ()
                yield from _by_field((*_THROUGH_MODELS[first], *inner), what, rules)
            case _:
                yield from ((name, what) for name in named(rules) if _reaches(field, name))


def _reaches(field: Field, rule: str) -> bool:
    """`models` says which manifests there are, `forge` what an approval is; so does a whole file. Anything else reaches
    environments alone."""
    return rule.startswith("approvals.") or field[:1] in ((), ("models",), ("forge",), ("approvals",), ("changes",))


def _by_field(field: Field, what: str, rules: Workspace) -> Iterator[tuple[str, str]]:
    return ((f"changes.{rule}", what) for rule in rules.changes if covers(rule, field))


def covers(rule: str, field: Field) -> bool:
    """Whether a rule's path and a field are the same, or one is inside the other.

    What stands below an environment overrides what stands for all: `rollout` covers every environment's rollout,
    `environments.production.rollout` also the one that production inherits, and `environments.production` all of that.
    """
    asked, here = tuple(rule.split(".")), tuple(".".join(field).split("."))
    if not field or _overlap(asked, here):
        return True
    if (asked[0] == "environments") == (here[0] == "environments"):
        return False
    if asked[0] == "environments" and len(asked) < 3:
        return here[0] in _INHERITED
    asked, here = _for_all(asked), _for_all(here)
    return bool(asked and here) and _overlap(asked, here)


def _for_all(field: Field) -> Field:
    """A field of one environment as that of all environments which it overrides; nothing for a whole environment."""
    if field[0] != "environments":
        return field
    inner = field[2:]
    return ("serving", *inner) if inner[:1] == ("target",) else inner


def _overlap(one: Field, other: Field) -> bool:
    return all(a == b for a, b in zip(one, other, strict=False))


def _changed(path: str, change: Change) -> list[Field]:
    """Every field of a file that does not say the same before and after."""
    before, after = (_leaves(side[path]) if path in side else {} for side in (change.before, change.after))
    return [field for field in {**before, **after} if before.get(field) != after.get(field)]


def _leaves(value: object, at: Field = ()) -> dict[Field, str]:
    """What each field says. As text, because to Python 1 is 1.0 and True."""
    if not isinstance(value, Mapping) or not value:
        return {at: repr(value)}
    found: dict[Field, str] = {}
    for name, inner in value.items():
        found |= _leaves(inner, (*at, str(name)))
    return found


def _is_below(path: str, folders: Collection[str]) -> bool:
    plain = (joined("", folder) for folder in folders)
    return any(not folder or path.startswith(f"{folder}/") for folder in plain)


def _holds(path: str, folders: Collection[str]) -> bool:
    """Whether the path is one of these folders, or one that they lie in: a folder by that name is no longer one."""
    return any(repository_path.covers(path, joined("", folder)) for folder in folders)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
