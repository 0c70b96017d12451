"""How the schema files are made: what editors, SchemaStore and the reference page build on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "schemas").glob("*.schema.json"))
SCHEMAS: dict[str, Any] = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
README = (ROOT / "schemas" / "README.md").read_text(encoding="utf-8")
FREE = {"parameters", "options"}
"""Mappings of any shape: what they hold is the training program's, or the target's."""

Way = tuple[str, ...]


def subschemas(schema: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every schema of a file with its path. Conditions (`if`, `then`, `else`, `not`, `anyOf`) say nothing new."""
    yield way, schema
    for keyword in ("properties", "$defs"):
        for name, below in schema.get(keyword, {}).items():
            yield from subschemas(below, (*way, keyword, name))
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(schema[keyword], (*way, keyword))


def named(schema: Any) -> Iterator[tuple[str, Any]]:
    """The properties and definitions among them, each with its path as one word."""
    for way, below in subschemas(schema):
        if way[-2:-1] in (("properties",), ("$defs",)):
            yield ".".join(way), below


def takes(name: str, schema: Any, value: Any) -> bool:
    """Whether the subschema, with the definitions of its file, takes the value."""
    whole = {**schema, "$schema": SCHEMAS[name]["$schema"], "$defs": SCHEMAS[name]["$defs"]}
    return bool(jsonschema_rs.validator_for(whole).is_valid(value))


def test_there_is_a_file_for_every_kind() -> None:
    kinds = {name: schema["properties"]["kind"]["const"] for name, schema in SCHEMAS.items()}
    assert kinds == {
        "data-contract.schema.json": "DataContract",
        "data-lock.schema.json": "DataLock",
        "model.schema.json": "Model",
        "pin.schema.json": "Pin",
        "workspace.schema.json": "Workspace",
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_valid_and_names_itself_with_its_version(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"https://tidegate.dev/schemas/v1alpha1/{name}"
    assert SCHEMAS[name]["properties"]["apiVersion"]["const"] == "tidegate.dev/v1alpha1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_its_text_is_laid_out_the_one_way(path: Path) -> None:
    laid_out = json.dumps(SCHEMAS[path.name], indent=2, ensure_ascii=False) + "\n"
    assert path.read_text(encoding="utf-8") == laid_out


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_a_title_and_a_description(name: str) -> None:
    title, sentence = re.compile(r"[A-Z][A-Za-z]*([ -][A-Za-z]+)*"), re.compile(r"[A-Z`].*[.]")
    bare = [
        where
        for where, schema in named(SCHEMAS[name])
        if not (title.fullmatch(schema["title"]) and sentence.fullmatch(schema["description"]))
    ]
    assert bare == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_examples_and_they_fit_as_its_default_does(name: str) -> None:
    assert [where for where, schema in named(SCHEMAS[name]) if not schema["examples"]] == []
    values = [
        (where, schema, value)
        for where, schema in named(SCHEMAS[name])
        for value in (*schema["examples"], *([schema["default"]] if "default" in schema else []))
    ]
    assert [(where, value) for where, schema, value in values if not takes(name, schema, value)] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_mapping_is_closed_or_really_a_map(name: str) -> None:
    for way, schema in subschemas(SCHEMAS[name]):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, way
        elif "object" in schema.get("type", ()):
            assert isinstance(schema.get("additionalProperties"), dict) or way[-1] in FREE, way


def test_definitions_that_files_share_are_the_same() -> None:
    shared: dict[str, Any] = {}
    for schema in SCHEMAS.values():
        for name, definition in schema["$defs"].items():
            assert shared.setdefault(name, definition) == definition, name
    assert len(shared) < sum(len(schema["$defs"]) for schema in SCHEMAS.values())


def test_every_definition_is_used() -> None:
    for name, schema in SCHEMAS.items():
        text = json.dumps(schema)
        assert [each for each in schema["$defs"] if f'"#/$defs/{each}"' not in text] == [], name


PATTERNS = sorted(
    {below["pattern"] for file in SCHEMAS.values() for _, below in subschemas(file) if "pattern" in below}
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_anchored_because_they_are_matched_as_a_whole(pattern: str) -> None:
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    classes = pattern.replace(r"[\s\S]", "")  # any character
    assert not re.search(r"\\[dwsb]", classes), "what these mean differs from engine to engine"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_engines_read_a_pattern_alike(pattern: str) -> None:
    fits = jsonschema_rs.validator_for({"type": "string", "pattern": pattern}).is_valid

    @given(st.from_regex(pattern) | st.text() | st.from_regex(pattern).map(lambda text: text + "\n"))
    def agree(text: str) -> None:
        assert fits(text) is bool(re.fullmatch(pattern, text))

    agree()


def test_formats_of_our_own_say_so() -> None:
    formats = {schema["format"] for file in SCHEMAS.values() for _, schema in subschemas(file) if "format" in schema}
    ours = {name for name in formats if name != "regex"}
    assert ours == {f"tidegate-{name}" for name in FORMATS}
    assert [name for name in sorted(ours) if f'"{name}"' not in README] == []


FORMATS = (
    "cron", "digest", "duration", "handle", "key", "percentage", "pin", "promql", "selector", "time-zone",
)  # fmt: skip

KEYWORDS = {
    "$comment", "$defs", "$id", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "description",
    "else", "enum", "examples", "exclusiveMinimum", "format", "if", "items", "maxLength", "maxProperties", "maximum",
    "minItems", "minLength", "minProperties", "minimum", "not", "pattern", "properties", "propertyNames", "required",
    "then", "title", "type", "uniqueItems",
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_keyword_is_one_of_json_schema(name: str) -> None:
    assert {keyword for _, schema in subschemas(SCHEMAS[name]) for keyword in schema} <= KEYWORDS


ENTRIES: list[dict[str, Any]] = json.loads(README.partition("```json\n")[2].partition("```")[0])


def test_the_catalogue_has_an_entry_for_every_schema() -> None:
    assert {entry["url"] for entry in ENTRIES} == {schema["$id"] for schema in SCHEMAS.values()}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["name"]))
def test_an_entry_of_the_catalogue_is_one_that_schemastore_takes(entry: dict[str, Any]) -> None:
    """As its `cli.js check` asks: assertCatalogJsonHasNoBadFields and schema-catalog.json (read in 2026-11)."""
    assert entry.keys() == {"name", "description", "fileMatch", "url"}
    assert entry["url"].startswith("https://")
    for words in (entry["name"], entry["description"]):
        assert "schema" not in words.lower()
        assert not re.search(r"[,. \t-]$|\n", words)
    assert [glob for glob in entry["fileMatch"] if "/" in glob and not glob.startswith("**/")] == []
