"""The reference page says all that the schemas say: every key with its words and default, every example as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from support.program import CONTROLLER
from tidegate import bundled
from tidegate.core.yaml.document import read
from tidegate.errors import InvalidManifest

PAGE = (CONTROLLER.parent / "docs" / "reference.md").read_text(encoding="utf-8")
SPANS = {span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", PAGE)}
ROWS = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| `")]


def described(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every property and definition by its name, at any depth."""
    for keyword in ("properties", "$defs"):
        yield from schema.get(keyword, {}).items()
    for keyword in ("properties", "$defs"):
        for below in schema.get(keyword, {}).values():
            yield from described(below)


def plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """What the code spans of the page mean, those that are YAML."""
    found = set()
    for span in SPANS:
        with suppress(InvalidManifest):
            found.add(plain(read(span, "span").data))
    return found


@pytest.mark.parametrize("kind", bundled.schemas())
def test_every_example_and_every_default_stands_in_it(kind: str, shown: set[str]) -> None:
    said = [value for _, schema in described(bundled.schemas()[kind]) for value in schema["examples"]]
    said += [schema["default"] for _, schema in described(bundled.schemas()[kind]) if "default" in schema]
    assert len(said) > 10
    assert [value for value in said if plain(value) not in shown] == []


@pytest.mark.parametrize("kind", bundled.schemas())
def test_every_key_has_a_row_with_its_words(kind: str) -> None:
    rows = {(row[0].strip("`"), row[3]) for row in ROWS}
    properties = [
        (name, below["description"])
        for schema in (bundled.schemas()[kind], *(inner for _, inner in described(bundled.schemas()[kind])))
        for name, below in schema.get("properties", {}).items()
    ]
    assert [each for each in properties if each not in rows] == []


def test_nothing_in_it_is_taken_for_html() -> None:
    prose = re.sub(r"^```.*?^```|`[^`\n]+`", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"<\w", prose)
