"""Whether a document has the shape that its schema asks for; each error as a finding on its line, in plain words.

The schema is an argument (JSON Schema 2020-12, references only within itself); which file holds it is not known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tidegate.core.document import Document
from tidegate.core.finding import Finding, Severity

_Way = tuple[Any, ...]
_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "object": ("a mapping", (dict,)),
    "array": ("a list", (list,)),
    "string": ("a text", (str,)),
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (float, int)),
    "null": ("empty", (type(None),)),
}
_BOUNDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have {} or more items",
    "minProperties": "must have {} or more keys",
    "maxProperties": "must have only {} of its keys",
    "minLength": "must have {} or more characters",
    "maxLength": "must have {} or fewer characters",
}


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """What jsonschema found: `keyword` of the schema wants `wanted`, and `value` is not it."""

    keyword: str
    wanted: Any
    value: Any
    schema: Mapping[str, Any]

    @classmethod
    def of(cls, error: ValidationError) -> _Mismatch:
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        return cls(str(error.validator), error.validator_value, error.instance, schema)


@dataclass(frozen=True, slots=True)
class _Fault:
    """One finding to be; `on_key` places it on the key instead of the value."""

    rule: str
    path: _Way
    message: str
    hint: str = ""
    on_key: bool = False


def _whole(validator: object, pattern: str, value: object, schema: object) -> Iterator[ValidationError]:  # noqa: ARG001
    """`pattern` as ECMA 262 means our anchored ones: Python's `$` would let a line break pass at the end."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_VALIDATOR: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]  # its stubs say nothing
    Draft202012Validator, {"pattern": _whole}
)


def check(document: Document, schema: Mapping[str, Any]) -> list[Finding]:
    """All findings in the order of the text; none when the document has the schema's shape."""
    errors = _VALIDATOR(schema).iter_errors(document.data)
    # One missing key is one error for each `required` that names it.
    faults = dict.fromkeys(fault for error in errors for fault in _faults(error))
    return sorted((_finding(document, fault) for fault in faults), key=lambda finding: (finding.line, finding.column))


def _finding(document: Document, fault: _Fault) -> Finding:
    place = document.key_position(fault.path) if fault.on_key else document.position(fault.path)
    return Finding(
        rule=fault.rule,
        severity=Severity.ERROR,
        path=document.path,
        line=place.line,
        column=place.column,
        message=fault.message,
        hint=fault.hint,
    )


def _faults(error: ValidationError) -> Iterable[_Fault]:
    path, mismatch = tuple(error.absolute_path), _Mismatch.of(error)
    explain = _EXPLAIN.get(mismatch.keyword, _out_of_bounds)
    if "propertyNames" not in error.absolute_schema_path:
        return explain(mismatch, path)
    key_path = (*path, mismatch.value)  # the value is then the key itself
    return [replace(fault, on_key=True) for fault in explain(mismatch, key_path)]


def _unknown_keys(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    known = list(wrong.schema["properties"])
    for key in wrong.value:
        if key not in known:
            yield _Fault("unknown-key", (*path, key), f"unknown key {_shown(key)}", _nearest(key, known), on_key=True)


def _missing_keys(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    for key in wrong.wanted:
        if key not in wrong.value:
            description = wrong.schema.get("properties", {}).get(key, {}).get("description", "")
            hint = f"add `{key}:`" + (f" ({description.rstrip('.')})" if description else "")
            yield _Fault("missing-key", path, f"{_where(path)}the key {_shown(key)} is missing", hint)


def _wrong_type(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    """Says the kind of what stands there, never the value: it may be a secret that should be a reference (I11)."""
    wanted = wrong.wanted
    names = " or ".join(_TYPES[name][0] for name in ([wanted] if isinstance(wanted, str) else wanted))
    found = next(name for name, types in _TYPES.values() if isinstance(wrong.value, types))
    yield _Fault("wrong-type", path, f"{_where(path)}must be {names}, not {found}", _example(wrong))


def _wrong_word(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    choices = [wrong.wanted] if wrong.keyword == "const" else list(wrong.wanted)
    wanted = " or ".join(map(_shown, choices))
    close = get_close_matches(str(wrong.value), [str(choice) for choice in choices], n=1)
    message = f"{_where(path)}must be {wanted}, not {_shown(wrong.value)}"
    yield _Fault("wrong-value", path, message, f"write {close[0] if close else choices[0]}")


def _wrong_form(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    name = str(wrong.schema.get("title", "form that is wanted here")).lower()
    message = f"{_where(path)}{_shown(wrong.value)} does not have the form of a {name}"
    yield _Fault("wrong-form", path, message, _example(wrong))


def _out_of_bounds(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    bound = _BOUNDS.get(wrong.keyword, "does not fit its schema").format(wrong.wanted)
    yield _Fault("out-of-bounds", path, f"{_where(path)}{bound}", _purpose(wrong))


def _none_of(wrong: _Mismatch, path: _Way) -> Iterator[_Fault]:
    """Our schemas use `anyOf` only for sets of keys, one of which must be there."""
    sets = [" + ".join(choice["required"]) for choice in wrong.wanted]
    yield _Fault("missing-key", path, f"{_where(path)}not enough is given", "give one of: " + "; ".join(sets))


def _where(path: _Way) -> str:
    return f"{path[-1]}: " if path and isinstance(path[-1], str) else ""


def _nearest(key: object, known: list[str]) -> str:
    close = get_close_matches(str(key), known, n=1)
    return f"did you mean {_shown(close[0])}?" if close else f"known here: {', '.join(known)}"


def _example(wrong: _Mismatch) -> str:
    examples = wrong.schema.get("examples", ())
    return "write it like " + " or ".join(map(_shown, examples)) if examples else _purpose(wrong)


def _purpose(wrong: _Mismatch) -> str:
    return str(wrong.schema.get("description", "")).rstrip(".")


def _shown(value: object) -> str:
    """The value as YAML would show it on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


_EXPLAIN: Mapping[str, Callable[[_Mismatch, _Way], Iterable[_Fault]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "enum": _wrong_word,
    "const": _wrong_word,
    "pattern": _wrong_form,
    "anyOf": _none_of,
}
