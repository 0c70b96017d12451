"""Common slips: a value that does not fit its schema, and what it was most likely meant to be.

`misfits` asks here first. A slip has a rule of its own, so that its page can say how it is mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.core.fault import Fault, Way
from tidegate.core.promql import not_plain
from tidegate.core.shown import shown

_Slip = Callable[[object, Mapping[str, Any], Way], Fault | None]

QUOTE = "put the whole expression in single quotes, or behind `|`"
_VERSION = re.compile(r"v?([1-9][0-9]{0,9})(@[\s\S]*)?")
# What MLflow refuses in a registered model's name, or cannot find again by its address (mlflow.utils.validation).
_REFUSED = re.compile("[/:%\"'\x00-\x1f\x7f-\x9f\u2028\u2029]")
_YES = frozenset({"yes", "on", "y", "true"})
_NO = frozenset({"no", "off", "n", "false"})
_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?")


def slip(value: object, schema: Mapping[str, Any], path: Way) -> Fault | None:
    """The fault under its own rule; None where the value's form says nothing about what was meant."""
    known = _refused_by_registry if path[-2:] == ("registry", "name") else _BY_FORMAT.get(schema.get("format", ""))
    return known(value, schema, path) if known else None


def cut_at_commas(mapping: Mapping[Any, object]) -> dict[str, str]:
    """What a flow mapping made of an expression with commas: each key without a value, with the key it was cut from.

    `{value: sum by (a, b) (x)}` has the keys `value` and `b) (x)`.
    """
    cut: dict[str, str] = {}
    left: list[str] = []
    opened = ""
    for key, value in mapping.items():
        if isinstance(value, str) and value.count("(") > value.count(")"):
            opened, left = str(key), []
        elif value is None and opened:
            left.append(str(key))
            if left[-1].count(")") > left[-1].count("("):
                cut |= dict.fromkeys(left, opened)
                opened = ""
    return cut


def instead(value: object, wanted: str | list[str]) -> str:
    """How the same is written so that it has the wanted type; empty where that cannot be known."""
    if wanted == "boolean" and isinstance(value, str) and value.lower() in _YES | _NO:
        return f"write {'true' if value.lower() in _YES else 'false'}: to YAML 1.2, {shown(value)} is a text"
    if wanted in ("integer", "number") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"write {value.replace('_', '')}, without quotes or underscores"
    if wanted == "string" and isinstance(value, int | float):
        return "put it in quotes"
    return ""


def _without_digest(value: object, _: Mapping[str, Any], path: Way) -> Fault | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    version, behind = found.groups()
    what = "its digest is not `sha256:` and 64 hex digits" if behind else "its digest is missing"
    hint = f"write {version}@sha256:…, as the registry or `git log -p` of this file has it"
    if path == ("stable",):
        hint = f"write {version}@sha256:…, or let `tidegate pin MODEL ENVIRONMENT {version}` write it"
    return Fault("pin-without-digest", path, f"{path[-1]}: {what} (version {version})", hint)


def _no_handle(value: object, schema: Mapping[str, Any], path: Way) -> Fault | None:
    if not isinstance(value, str):
        return None
    hint = 'write the name by which the forge knows them, like "@dana" or "@acme/ml-leads"'
    if re.fullmatch(schema["pattern"], f"@{value}"):
        hint = f'write "@{value}", with the quotes'
    return Fault("not-a-handle", path, f"{shown(value)} is no handle", hint)


def _braces(value: object, _: Mapping[str, Any], path: Way) -> Fault | None:
    if not isinstance(value, dict):
        return None
    message = f"{path[-1]}: what begins with a brace is a mapping to YAML, not an expression"
    return Fault("promql-in-flow", path, message, QUOTE)


def _refused_by_registry(value: object, _: Mapping[str, Any], path: Way) -> Fault | None:
    refused = _REFUSED.search(value) if isinstance(value, str) else None
    if isinstance(value, str) and (value == "." or value.startswith("..")):
        message = f"{shown(value)} may lead to another folder, and the registry keeps models in folders"
    elif isinstance(value, str) and value and not value.strip():
        message = f"{shown(value)} names nothing"
    elif refused is None:
        return None
    else:
        message = f"the registry takes no {shown(refused[0])} in a model's name"
    return Fault("registry-name-refused", path, message, "use letters, digits, spaces, `.`, `-` and `_`")


def _no_selector(value: object, schema: Mapping[str, Any], path: Way) -> Fault | None:
    if not isinstance(value, str) or not value.strip():
        return _braces(value, schema, path)
    what, hint = not_plain(value)
    return Fault("not-a-selector", path, f"{path[-1]}: {what}", hint)


_BY_FORMAT: Mapping[str, _Slip] = {
    "tidegate-pin": _without_digest,
    "tidegate-handle": _no_handle,
    "tidegate-promql": _braces,
    "tidegate-selector": _no_selector,
}
