"""Two pieces of data compared setting by setting, under the names by which people write them in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from tidegate.core.quantity import show_share, write_duration

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NAMES = {
    "approval_required": "approval",
    "approval_source": "forge.approvals",
    "automatic_revert": "revert",
    "canaries": "enters",
    "dispersion": "analysis.dispersion",
    "freezes": "freeze",
    "handles": "from",
    "held": "for",
    "resolution": "analysis.resolution",
}
_WORDS = {
    ("approval", True): "required",
    ("approval", False): "none",
    ("revert", True): "automatic",
    ("revert", False): "approval",
    ("enters", True): "in steps",
    ("enters", False): "at 100%",
}
SHARES = frozenset(
    {
        "falseAdvanceRate",
        "falseRevertRate",
        "holdback",
        "minimumCoverage",
        "minimumEffect",
        "revertShare",
        "steps",
        "target",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting that is not the same, as text; None where a side does not have it."""

    setting: str
    before: str | None
    after: str | None


def differences(before: object, after: object, setting: str = "") -> Iterator[Difference]:
    """Every leaf that differs, in the order of the old data and then of what is new."""
    if before == after:
        return
    old, new = _parts(before), _parts(after)
    if old is None or new is None:
        yield Difference(setting=setting, before=_text(before, setting), after=_text(after, setting))
        return
    for name in {**old, **new}:
        inside = f"{setting}.{name}" if setting else name
        yield from differences(old.get(name), new.get(name), inside)


def _parts(value: object) -> Mapping[str, object] | None:
    """The settings inside a value, None for a value that is one setting."""
    match value:
        case Mapping():
            return {str(name): item for name, item in value.items()}
        case tuple() if value and all(hasattr(item, "name") for item in value):
            return {item.name: item for item in value}
        case _ if is_dataclass(value) and not isinstance(value, type) and type(value).__str__ is object.__str__:
            return settings_of(value)
        case _:
            return None


def settings_of(data: DataclassInstance) -> Mapping[str, object]:
    """The fields of a dataclass by the names of their settings; what it is called is none."""
    return {_name(field.name): getattr(data, field.name) for field in fields(data) if field.name != "name"}


def _name(attribute: str) -> str:
    first, *others = attribute.split("_")
    return _NAMES.get(attribute, first + "".join(word.capitalize() for word in others))


def _text(value: object, setting: str) -> str | None:
    return None if value is None or value == () else shown(value, setting.rpartition(".")[2])


def shown(value: object, name: str = "") -> str:  # noqa: PLR0911 - one line a type
    """The value as people write it; `name` is its setting, which tells a share from a factor."""
    match value:
        case bool():
            return _WORDS.get((name, value), str(value).lower())
        case Enum():
            return str(value.value)
        case timedelta():
            return write_duration(value)
        case datetime() | time():
            return value.isoformat()
        case float():
            return show_share(value) if name in SHARES else f"{value:.15g}"
        case tuple() | list():
            return f"[{', '.join(shown(item, name) for item in value)}]"
        case _ if (parts := _parts(value)) is not None:
            inside = ((key, item) for key, item in parts.items() if item not in (None, (), ""))
            return ", ".join(f"{key} {_inside(item, key)}" for key, item in inside)
        case _:
            return str(value)


def _inside(value: object, name: str) -> str:
    """A value among others; settings of its own stand in braces."""
    return f"{{{shown(value)}}}" if isinstance(value, Mapping) else shown(value, name)
