"""Whether a document has the shape that its schema asks for; each error as a finding on its line, in plain words.

Most documents do: a compiled schema says so in microseconds. Where it says no, or cannot say, `misfits` explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from tidegate.core.fault import Fault, placed
from tidegate.core.finding import Finding
from tidegate.core.yaml.document import Document

_Schema = Mapping[str, Any]
_compiled: dict[int, tuple[_Schema, jsonschema_rs.Validator]] = {}


def check(document: Document, schema: _Schema) -> list[Finding]:
    """All findings in the order of the text; none when the document has the schema's shape."""
    found = (placed(document, fault) for fault in faults(document, schema))
    return sorted(found, key=lambda finding: (finding.line, finding.column))


def faults(document: Document, schema: _Schema) -> list[Fault]:
    """Every place where a document does not fit its schema; none when it has the schema's shape."""
    if _fits(document, schema):
        return []
    from tidegate.core.misfits import misfits

    return misfits(document.data, schema)


def _fits(document: Document, schema: _Schema) -> bool:
    """All keys of an ordinary document are texts; of others, the validator does not look at those of free mappings."""
    try:
        return (document.ordinary or _has_texts_as_keys(document.data)) and _compile(schema).is_valid(document.data)
    except ValueError:  # numbers beyond 64 bits: JSON has no word for them
        return False


def _has_texts_as_keys(data: object) -> bool:
    if isinstance(data, dict):
        return all(isinstance(key, str) and _has_texts_as_keys(inner) for key, inner in data.items())
    return not isinstance(data, list) or all(map(_has_texts_as_keys, data))


def _compile(schema: _Schema) -> jsonschema_rs.Validator:
    """Compiled once a schema; the schema is kept beside it, so that its identity names it."""
    if id(schema) not in _compiled:
        _compiled[id(schema)] = (schema, jsonschema_rs.validator_for(dict(schema)))
    return _compiled[id(schema)][1]
