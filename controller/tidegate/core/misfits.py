"""Where data does not fit its schema, in plain words: each error of jsonschema as a fault. `shape` asks here.

The schema is an argument (JSON Schema 2020-12, references only within itself); which file holds it is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tidegate.core.fault import Fault, Way
from tidegate.core.nearest import nearest
from tidegate.core.shown import shown
from tidegate.core.slips import QUOTE, cut_at_commas, instead, slip

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
    "uniqueItems": "must not hold anything twice",
}
_NO_SPACES = re.compile("[\u00a0\u2000-\u200f\u202f\u2060\u3000\ufeff]")


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


def _whole(validator: object, pattern: str, value: object, schema: object) -> Iterator[ValidationError]:  # noqa: ARG001
    """`pattern` as ECMA 262 means our anchored ones: Python's `$` would let a line break pass at the end."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_VALIDATOR: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]  # its stubs say nothing
    Draft202012Validator, {"pattern": _whole}
)


def misfits(data: object, schema: Mapping[str, Any]) -> list[Fault]:
    """Every place that does not fit, each once: a missing key is one error for each `required` that names it."""
    errors = _VALIDATOR(schema).iter_errors(data)
    found = (fault for error in errors for fault in _faults(error))
    return list(dict.fromkeys((*_keys_that_are_no_text(data, ()), *found)))


def _keys_that_are_no_text(value: object, path: Way) -> Iterator[Fault]:
    """JSON, and with it every schema, has no word for them; parameters could not be handed over."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                message = f"the key {shown(key)} is {_kind(key)}, and keys are texts"
                yield Fault("wrong-type", (*path, key), message, f'write "{shown(key)}", with the quotes', on_key=True)
            else:
                yield from _keys_that_are_no_text(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _keys_that_are_no_text(inner, (*path, index))


def _faults(error: ValidationError) -> Iterable[Fault]:
    path, mismatch = tuple(error.absolute_path), _Mismatch.of(error)
    explain = _EXPLAIN.get(mismatch.keyword, _out_of_bounds)
    if "propertyNames" not in error.absolute_schema_path:
        return explain(mismatch, path)
    if not isinstance(mismatch.value, str):
        return ()
    key_path = (*path, mismatch.value)  # the value is then the key itself
    return [replace(fault, on_key=True) for fault in explain(mismatch, key_path)]


def _unknown_keys(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    known = list(wrong.schema["properties"])
    unknown = [key for key in wrong.value if isinstance(key, str) and key not in known]
    cut = cut_at_commas(wrong.value)
    for key in unknown:
        name, colon, _ = key.partition(":")
        if colon and name in known:  # what follows is a value, and may be a secret (I11)
            message = f"{shown(name)}: without a space behind the colon this is one long key"
            yield Fault("unknown-key", (*path, key), message, f"write `{name}: …`", on_key=True)
        elif key in cut:
            message = f"{cut[key]}: inside braces YAML ends a text at a comma: this expression is cut short"
            yield Fault("promql-in-flow", (*path, cut[key]), message, QUOTE)
        else:
            message = f"unknown key {shown(key)}"
            yield Fault("unknown-key", (*path, key), message, _correct(key, known), on_key=True)


def _missing_keys(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    for key in wrong.wanted:
        if key not in wrong.value:
            description = wrong.schema.get("properties", {}).get(key, {}).get("description", "")
            hint = f"add `{key}:`" + (f" ({description.rstrip('.')})" if description else "")
            yield Fault("missing-key", path, f"{_where(path)}the key {shown(key)} is missing", hint)


def _wrong_type(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    """Says the kind of what stands there, never the value: it may be a secret that should be a reference (I11)."""
    if (meant := slip(wrong.value, wrong.schema, path)) is not None:
        yield meant
        return
    wanted = wrong.wanted
    names = " or ".join(_TYPES[name][0] for name in ([wanted] if isinstance(wanted, str) else wanted))
    hint = ("" if "pattern" in wrong.schema else instead(wrong.value, wanted)) or _example(wrong)
    yield Fault("wrong-type", path, f"{_where(path)}must be {names}, not {_kind(wrong.value)}", hint)


def _kind(value: object) -> str:
    return next(name for name, types in _TYPES.values() if isinstance(value, types))


def _wrong_word(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    choices = [wrong.wanted] if wrong.keyword == "const" else list(wrong.wanted)
    wanted = " or ".join(map(shown, choices))
    close = nearest(str(wrong.value), [str(choice) for choice in choices])
    message = f"{_where(path)}must be {wanted}, not {shown(wrong.value)}"
    yield Fault("wrong-value", path, message, f"write {close or choices[0]}")


def _wrong_form(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    if (meant := slip(wrong.value, wrong.schema, path)) is not None:
        yield meant
        return
    message = f"{_where(path)}{shown(wrong.value)} does not have the form of a {_title(wrong)}"
    yield Fault("wrong-form", path, message, _example(wrong))


def _forbidden_form(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    """Without the value: our schemas use `not` for addresses, which may hold a password (I11)."""
    yield Fault("wrong-form", path, f"{_where(path)}does not have the form of a {_title(wrong)}", _purpose(wrong))


def _title(wrong: _Mismatch) -> str:
    title = str(wrong.schema.get("title", "form that is wanted here"))
    return title if title.isupper() else title.lower()


def _out_of_bounds(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    bound = _BOUNDS.get(wrong.keyword, "does not fit its schema").format(wrong.wanted)
    yield Fault("out-of-bounds", path, f"{_where(path)}{bound}", _purpose(wrong))


def _none_of(wrong: _Mismatch, path: Way) -> Iterator[Fault]:
    """Our schemas use `anyOf` only for sets of keys, one of which must be there."""
    sets = [" + ".join(choice["required"]) for choice in wrong.wanted]
    yield Fault("missing-key", path, f"{_where(path)}not enough is given", "give one of: " + "; ".join(sets))


def _where(path: Way) -> str:
    return f"{path[-1]}: " if path and isinstance(path[-1], str) else ""


def _correct(key: str, known: list[str]) -> str:
    if (bare := _NO_SPACES.sub("", key)) != key and bare in known:
        return f"write {bare} without the character that only looks like a space, or like nothing"
    close = nearest(key, known)
    return f"did you mean {shown(close)}?" if close else f"known here: {', '.join(known)}"


def _example(wrong: _Mismatch) -> str:
    examples = wrong.schema.get("examples", ())
    return "write it like " + " or ".join(map(shown, examples)) if examples else _purpose(wrong)


def _purpose(wrong: _Mismatch) -> str:
    return str(wrong.schema.get("description", "")).rstrip(".")


_EXPLAIN: Mapping[str, Callable[[_Mismatch, Way], Iterable[Fault]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "enum": _wrong_word,
    "const": _wrong_word,
    "pattern": _wrong_form,
    "anyOf": _none_of,
    "not": _forbidden_form,
}
