"""Data of the shape that one of our schemas asks for: what rules look at, in all its variety."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]

_TYPES: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(
        ["", "a", "b", "staging", "production", "x/y", "..", "0", "no", "http://a", "{{ a }}", "é"]
    ),
    "integer": st.integers(-1, 3) | st.just(10**30),
    "number": st.integers(-1, 3) | st.floats() | st.just(10**30),
    "boolean": st.booleans(),
    "null": st.none(),
}
_NAMES = st.sampled_from(["staging", "production", "a", "b", "drift", "availability"])


def shaped(schema: Schema) -> st.SearchStrategy[Any]:
    """Whatever fits the schema, as far as it is about types, keys, words, forms and examples."""
    return _Shapes(schema).of(schema)


class _Shapes:
    def __init__(self, whole: Schema) -> None:
        self._definitions: Schema = whole.get("$defs", {})

    def of(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rpartition("/")[2]] | _without(schema, "$ref"))
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        types = schema.get("type", ["string", "integer", "null"])
        kinds = [types] if isinstance(types, str) else types
        examples = [st.sampled_from(schema["examples"])] if schema.get("examples") else []
        return st.one_of(*(self._kind(kind, schema) for kind in kinds), *examples)

    def _kind(self, kind: str, schema: Schema) -> st.SearchStrategy[Any]:
        match kind:
            case "object":
                return self._object(schema)
            case "array":
                return st.lists(self.of(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=3)
            case "string" if "pattern" in schema:
                return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True).filter(
                    lambda t: len(t) < 60
                )
            case _:
                return _TYPES[kind]

    def _object(self, schema: Schema) -> st.SearchStrategy[Any]:
        properties = schema.get("properties", {})
        required = {key: self._later(properties[key]) for key in schema.get("required", ())}
        optional = {key: self._later(inner) for key, inner in properties.items() if key not in required}
        fixed = st.fixed_dictionaries(required, optional=optional)
        more = schema.get("additionalProperties", True)
        if not isinstance(more, Mapping):
            return fixed
        return st.dictionaries(_NAMES, self.of(more), min_size=schema.get("minProperties", 0), max_size=2) | fixed

    def _later(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Built when it is first drawn from: most drafts leave most keys out."""
        return st.deferred(lambda: self.of(schema))


def _without(schema: Schema, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}
