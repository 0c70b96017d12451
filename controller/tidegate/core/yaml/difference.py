"""From one tree of plain data to another in small steps: what an edit does, before any text is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from tidegate.core.yaml.scalars import Scalar

Steps: TypeAlias = "Iterator[Change | Add | Insert | Remove | Rename]"
Way: TypeAlias = tuple[Any, ...]  # keys and indexes from the root


@dataclass(frozen=True, slots=True)
class Change:
    """The value at `path` becomes `value`."""

    path: Way
    value: Any


@dataclass(frozen=True, slots=True)
class Add:
    """A mapping gets a key, behind the key in `behind`, or as its first where that is empty."""

    path: Way
    value: Any
    behind: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """A list gets an item, which then has the index that ends `path`."""

    path: Way
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """A mapping loses a key or a list an item; never the last one, that is a Change to an empty one."""

    path: Way


@dataclass(frozen=True, slots=True)
class Rename:
    """A key becomes `key`, which the mapping must not have yet. Two trees alone never tell that one was renamed."""

    path: Way
    key: Scalar


Step: TypeAlias = Change | Add | Insert | Remove | Rename


def steps(before: Any, after: Any, path: Way = ()) -> Steps:  # noqa: ANN401 - data of a YAML file
    """The steps from `before` to `after`, to be taken in this order. Order of keys is no difference."""
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and after:
        yield from _mapping_steps(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and after:
        yield from _list_steps(before, after, path)
    else:
        yield Change(path, after)


def _mapping_steps(before: dict[Any, Any], after: dict[Any, Any], path: Way) -> Steps:
    for key in (key for key in before if key in after):
        yield from steps(before[key], after[key], (*path, key))
    previous: tuple[Scalar, ...] = ()
    for key, value in after.items():
        if key not in before:
            yield Add((*path, key), value, previous)
        previous = (key,)
    for key in before:
        if key not in after:
            yield Remove((*path, key))


def _list_steps(before: list[Any], after: list[Any], path: Way) -> Steps:
    """From the end to the start, so that the indexes of what is still to do stay true."""
    matcher = SequenceMatcher(None, [canonical(i) for i in before], [canonical(i) for i in after], autojunk=False)
    for kind, i1, i2, j1, j2 in reversed(matcher.get_opcodes()):
        if kind == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        for index in reversed(range(i1 + both, i2)):
            yield Remove((*path, index))
        for index in reversed(range(j1 + both, j2)):
            yield Insert((*path, i1 + both), after[index])
        for index in reversed(range(both)):
            yield from steps(before[i1 + index], after[j1 + index], (*path, i1 + index))


def applied(data: Any, step: Step) -> Any:  # noqa: ANN401
    """`data` after the step; `data` itself is not changed."""
    return _applied(data, step, step.path)


def _applied(data: Any, step: Step, rest: Way) -> Any:  # noqa: ANN401
    if not rest:
        return step.value if isinstance(step, Change) else data
    copy: Any = dict(data) if isinstance(data, dict) else list(data)
    last, key = len(rest) == 1, rest[0]
    match step:
        case Rename() if last:
            copy[step.key] = copy.pop(key)
        case Remove() if last:
            del copy[key]
        case Insert() if last:
            copy.insert(key, step.value)
        case Add() if last:
            copy[key] = step.value
        case _:
            copy[key] = _applied(copy[key], step, rest[1:])
    return copy


def value_at(data: Any, path: Way) -> Any:  # noqa: ANN401
    for key in path:
        data = data[key]
    return data


def same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Equal in YAML's eyes: 1, 1.0, true and "1" all differ, NaN is itself, order of keys does not count."""
    return canonical(one) == canonical(other)


def canonical(value: Any) -> str:  # noqa: ANN401
    """One text for each value. Raises TypeError for what YAML's core schema cannot say."""
    match value:
        case dict():
            return "{" + ",".join(sorted(f"{canonical(k)}:{canonical(v)}" for k, v in value.items())) + "}"
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case None | bool() | int() | float() | str():
            return repr(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a YAML file")
