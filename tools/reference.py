"""Writes docs/reference.md from the schemas: every key with its type, default, words and examples.

`tools/docs.py` calls it. What the keys are for is told in docs/manifest.md; nothing is told here that no schema says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tidegate import bundled
from tidegate.core.yaml.layout import flow

Schema = Mapping[str, Any]

FILES = {
    "Model": "`models/<model>/model.yaml`, owned by people",
    "Workspace": "`tidegate.yaml`, owned by people",
    "Pin": "`models/<model>/<environment>.yaml`, owned by proposals",
    "DataLock": "`models/<model>/data.lock.yaml`, owned by proposals",
    "DataContract": "where a manifest's `training.data.<name>.contract` says, owned by people",
}
HEAD = """\
# Reference of the files

Written by `tools/docs.py` from [schemas/](../schemas/README.md); do not edit. How the keys work together:
[manifest.md](manifest.md) and [pin-file.md](pin-file.md). Some keys are read by the format and not honoured yet;
manifest.md names them.

Keys that are not listed are findings. *needed* stands where a key has no default and may not be left out. Examples are
written as in YAML.
"""
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "mapping",
    "array": "list",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One mapping: its heading, and its schema with the keys of the table."""

    name: str
    level: int
    schema: Schema


def page() -> str:
    """The whole page."""
    kinds = {kind: bundled.schemas()[kind] for kind in FILES}
    definitions = {name: d for schema in kinds.values() for name, d in schema["$defs"].items()}
    parts = {name: d for name, d in sorted(definitions.items()) if "properties" in d}
    forms = {name: d for name, d in sorted(definitions.items()) if "properties" not in d}
    chapters = [
        HEAD,
        _contents(kinds, parts, forms),
        *(_kind(kind, schema) for kind, schema in kinds.items()),
        "## Parts\n\nMappings that stand in several places.\n",
        *(_part(name, schema, parts) for name, schema in parts.items()),
        "## Forms\n\nTexts and numbers that must have a form.\n",
        *(_form(name, schema) for name, schema in forms.items()),
    ]
    return "\n".join(chapters)


def _contents(*groups: Mapping[str, Schema]) -> str:
    prefixes = ("Kind", "Part", "Form")
    lines = [
        f"- {prefix}s: " + ", ".join(_link(name, f"{prefix}: {name}") for name in group)
        for prefix, group in zip(prefixes, groups, strict=True)
    ]
    return "\n".join(lines) + "\n"


def _kind(kind: str, schema: Schema) -> str:
    file = schema["$id"].rpartition("/")[2]
    where = f"File: {FILES[kind]}. Schema: [{file}](../schemas/{file})."
    head = f"## Kind: {kind}\n\n{schema['description']}\n\n{where}\n\n"
    return head + _table(kind, schema) + "".join(map(_section, _sections(kind, schema, 3)))


def _part(name: str, schema: Schema, parts: Mapping[str, Schema]) -> str:
    """A part with the very keys of an earlier one points there."""
    head = f"### Part: {name}\n\n{schema['description']} {_may_be(schema)}{_examples(schema['examples'])}\n"
    same = next((other for other, o in parts.items() if o["properties"] == schema["properties"]), name)
    if same != name:
        return f"{head}\nKeys: those of {_link(same, f'Part: {same}')}.{_needs(schema)}\n"
    return f"{head}\n{_table(f'Part: {name}', schema)}" + "".join(map(_section, _sections(f"Part: {name}", schema, 4)))


def _form(name: str, schema: Schema) -> str:
    pattern = f"\n```text\n{schema['pattern']}\n```\n" if "pattern" in schema else ""
    limit = f" At most {schema['maxLength']} characters." if "maxLength" in schema else ""
    mark = f" Format: `{schema['format']}`." if "format" in schema else ""
    return f"### Form: {name}\n\n{schema['description']}{limit} {_examples(schema['examples'])}{mark}\n{pattern}"


def _sections(name: str, schema: Schema, level: int) -> Iterator[Section]:
    """The mappings that are spelled out below this one, in the order of the text."""
    for key, value in schema["properties"].items():
        if "properties" in value:
            inner = _below(name, key)
            yield Section(name=inner, level=level, schema=value)
            yield from _sections(inner, value, level)


def _below(name: str, key: str) -> str:
    """`Model` and `spec` is `Model: spec`, and `training` below it `Model: spec.training`."""
    kind, _, path = name.removeprefix("Part: ").partition(": ")
    return f"{kind}: {path}.{key}" if path else f"{kind}: {key}"


def _section(section: Section) -> str:
    words = f"{section.schema['description']} {_examples(section.schema['examples'])}"
    return f"\n{'#' * section.level} {section.name}\n\n{words}\n\n{_table(section.name, section.schema)}"


def _table(name: str, schema: Schema) -> str:
    rows = [_row(name, key, schema) for key in schema["properties"]]
    head = "| key | what it may be | default | what it says | examples |\n|---|---|---|---|---|\n"
    needs = _needs(schema)
    return head + "\n".join(rows) + "\n" + (f"\n{needs.strip()}\n" if needs else "")


def _row(name: str, key: str, schema: Schema) -> str:
    value = schema["properties"][key]
    kind = _conditional(key, schema) or _type(value, _below(name, key))
    default = _code(value["default"]) if "default" in value else "*needed*" if key in schema.get("required", ()) else ""
    spelled_out = "properties" in value
    examples = "" if spelled_out else ", ".join(map(_code, value["examples"]))
    cells = (f"`{key}`", kind, default, value["description"], examples)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _conditional(key: str, schema: Schema) -> str:
    """What a key may be where that depends on another key (`if`, `then`, `else`)."""
    then, otherwise = (schema.get(branch, {}).get("properties", {}) for branch in ("then", "else"))
    if key not in then:
        return ""
    condition = ", ".join(f"`{name}`" for name in schema["if"]["required"])
    return f"{_type(otherwise[key], '')}; with {condition} {_type(then[key], '')}"


def _type(schema: Schema, section: str) -> str:
    """What a value may be, in words. `section` is the heading under which its own keys are spelled out."""
    if "$ref" in schema:
        return _referred(schema["$ref"].rpartition("/")[2])
    if "const" in schema or "enum" in schema:
        return ", ".join(map(_code, schema.get("enum", [schema.get("const")])))
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return " or ".join(_word(kind, schema, section) for kind in types) + _bounds(schema)


def _word(kind: str, schema: Schema, section: str) -> str:
    form = schema.get("format", "").removeprefix("tidegate-")
    match kind:
        case "object" if "properties" in schema:
            return _link("mapping", section)
        case "object" if "additionalProperties" in schema:
            return f"mapping of {_type(schema['additionalProperties'], '')} by name"
        case "array":
            return f"list of {_type(schema['items'], '')}"
        case "string" if form in _form_names():
            return _link(form, f"Form: {form}")
        case _:
            return WORDS[kind]


def _referred(name: str) -> str:
    return _link(name, f"{'Form' if name in _form_names() else 'Part'}: {name}")


@cache
def _form_names() -> frozenset[str]:
    definitions = (d for schema in bundled.schemas().values() for d in schema["$defs"].items())
    return frozenset(name for name, schema in definitions if "properties" not in schema)


def _bounds(schema: Schema) -> str:
    phrases = {
        "minimum": ", at least {}",
        "exclusiveMinimum": ", more than {}",
        "minItems": ", {} or more",
        "minProperties": ", {} or more",
        "uniqueItems": ", no two alike",
    }
    return "".join(words.format(schema[bound]) for bound, words in phrases.items() if bound in schema)


def _may_be(schema: Schema) -> str:
    """What may stand there beside a mapping."""
    others = [WORDS[kind] for kind in schema["type"] if kind != "object"] if isinstance(schema["type"], list) else []
    return f"May also be {' or '.join(others)}. " if others else ""


def _needs(schema: Schema) -> str:
    """Which sets of keys make it whole."""
    if "anyOf" in schema:
        sets = (" + ".join(f"`{key}`" for key in choice["required"]) for choice in schema["anyOf"])
        return f" Needs one of: {'; '.join(sets)}."
    if schema.get("maxProperties") == 1:
        return " Exactly one of these keys." if schema.get("minProperties") else " At most one of these keys."
    return ""


def _examples(examples: Sequence[object]) -> str:
    return f"For example {' or '.join(map(_code, examples))}."


def _code(value: object) -> str:
    """As YAML would write it on one line."""
    return f"`{flow(value)}`"


def _link(words: str, heading: str) -> str:
    """A link to a heading of this page, by the anchor that GitHub gives it."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return f"[{words}](#{kept.replace(' ', '-')})"
