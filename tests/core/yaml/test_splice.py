"""Edits keep every byte outside the edit: golden cases (a file is a case), a table, and a property over many styles."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from support.yaml_styles import documents, edited, styled, values
from tidegate.core.yaml import splice
from tidegate.core.yaml.difference import Change, Remove, Rename, same, steps, value_at
from tidegate.core.yaml.document import Document, read
from tidegate.core.yaml.splice import dump, rewrite
from tidegate.errors import EditRefused, InvalidManifest

GOLDEN = Path(__file__).parents[2] / "golden" / "splice"


def edit(data: Any, *changes: tuple[Any, ...]) -> Any:
    """`data` with (key, …, value) set; `...` as the value removes the key."""
    for *path, last, value in changes:
        inner = data
        for key in path:
            inner = inner[key]
        if value is ...:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(value)
        else:
            inner[last] = value
    return data


def put_behind(data: dict[str, Any], predecessor: str, key: str, value: Any) -> dict[str, Any]:
    """`data` with the key added behind its predecessor."""
    after: dict[str, Any] = {}
    for name, item in data.items():
        after[name] = item
        if name == predecessor:
            after[key] = value
    return after


CANARY = {"pin": "12@sha256:" + "c" * 64, "weight": "10%"}
REJECTED = {"version": 12, "key": "k0d3f00000000000a", "reason": "latency ×2.4", "proposal": 41}

GOLDEN_EDITS: dict[str, Callable[[Any], Any]] = {
    "pin-canary-added": lambda data: put_behind(data, "previous", "canary", CANARY),
    "pin-canary-advanced": lambda data: edit(
        data, ("canary", "weight", "50%"), ("transition", "attempt", 2), ("transition", "key", "k1111111111111111")
    ),
    "pin-canary-reverted": lambda data: edit(data, ("canary", ...), ("rejected", 1, REJECTED)),
    "pin-first-rejected": lambda data: edit(data, ("rejected", [REJECTED])),
    "block-comments": lambda data: edit(data, ("spec", "gates", ...), ("spec", "rollout", "bake", "1h")),
    "flow-lists": lambda data: edit(data, ("include", 1, ...), ("command", 3, "--fast"), ("steps", ["10%", "50%"])),
    "mixed-sequences": lambda data: edit(
        data, ("tight", 2, "c"), ("loose", 1, ...), ("nested", 0, 0, "a", 3), ("nested", 2, {"a": 1, "b": [2]})
    ),
    "quoting": lambda data: edit(
        data, ("single", "it's"), ("double", "b"), ("plain", "12"), ("number", 13), ("flag", False), ("nothing", "~")
    ),
    "crlf-without-final-newline": lambda data: edit(data, ("b", "d", [1]), ("last", 4), ("new", "ü")),
    "block-scalars": lambda data: edit(data, ("query", "up == 1"), ("folded", ...), ("after", 2)),
    "anchors-elsewhere": lambda data: edit(data, ("plain", 2), ("late", ...), ("other", "x", "new")),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in GOLDEN_EDITS])
def test_golden_edit(name: str) -> None:
    before = (GOLDEN / f"{name}.before.yaml").read_bytes().decode()
    after = (GOLDEN / f"{name}.after.yaml").read_bytes().decode()
    assert rewrite(before, GOLDEN_EDITS[name](read(before, name).data)) == after


def test_every_golden_file_is_a_case() -> None:
    names = {path.name.removesuffix(".before.yaml").removesuffix(".after.yaml") for path in GOLDEN.iterdir()}
    assert names == set(GOLDEN_EDITS)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        pytest.param("a: 1\n", {"a": 2}, "a: 2\n", id="a scalar is set"),
        pytest.param("a: 1", {"a": 1, "b": 2}, "a: 1\nb: 2", id="a missing final newline stays missing on adding"),
        pytest.param("a: 1\nb: 2", {"a": 1}, "a: 1", id="a missing final newline stays missing on removing"),
        pytest.param("{ a: 1 }\n", {"a": 1, "b": 2}, "{ a: 1, b: 2 }\n", id="spaces inside braces stay"),
        pytest.param("{a, b: 2}\n", {"a": 1, "b": 2}, "{a: 1, b: 2}\n", id="a flow key without a value gets one"),
        pytest.param("a:    1   # x\n", {"a": 2}, "a:    2   # x\n", id="an aligned value stays aligned"),
        pytest.param("a:   # x\nb: 1\n", {"a": 2, "b": 1}, "a: 2   # x\nb: 1\n", id="an absent value is filled in"),
        pytest.param("a: True\nb: ~\n", {"a": True, "b": 1}, "a: True\nb: 1\n", id="spellings of neighbours stay"),
        pytest.param("---\na: 1\n...\n", {"a": 2}, "---\na: 2\n...\n", id="document markers stay"),
        pytest.param("", {"a": 1}, "a: 1\n", id="an empty document is filled"),
        pytest.param("# why\n", {"a": [1]}, "# why\na: [1]\n", id="a document of comments is filled below them"),
        pytest.param("# why", {"a": 1}, "# why\na: 1\n", id="a comment without a newline is closed first"),
        pytest.param("\ufeffa: 1\n", {"b": 0, "a": 1}, "\ufeffb: 0\na: 1\n", id="a byte order mark stays first"),
        pytest.param("{}\n", {"a": 1}, "{a: 1}\n", id="an empty flow mapping gets its first key"),
        pytest.param("s: {}\n", {"s": {"a": {"b": 1}}}, "s: {a: {b: 1}}\n", id="a small nested value goes in flow"),
        pytest.param("a:\n  b: 1 # x\nc: 2\n", {"a": {}, "c": 2}, "a: {}\nc: 2\n", id="the last key leaves braces"),
        pytest.param("a:  # why\n  - 1\n", {"a": []}, "a: []  # why\n", id="the last item leaves brackets"),
        pytest.param(
            "a: 1  # why\n",
            {"a": [{"b": 1}, {"b": 2}]},
            "a:  # why\n  - {b: 1}\n  - {b: 2}\n",
            id="a list of mappings goes one a line",
        ),
        pytest.param("- a: 1\n  b: 2\n", [{"b": 2}], "- b: 2\n", id="the first key behind a dash goes"),
        pytest.param("- a: 1\n", [{"b": 2, "a": 1}], "- b: 2\n  a: 1\n", id="a key comes first behind a dash"),
        pytest.param("- a: 1\n- a: 2\n", [{"a": 1}, {"a": 2}, {"a": 3}], "- a: 1\n- a: 2\n- a: 3\n", id="as siblings"),
        pytest.param("a: [1, 2,]\n", {"a": [1, 2, 3]}, "a: [1, 2, 3,]\n", id="a trailing comma stays"),
        pytest.param("a: [\n  1, # x\n  2\n]\n", {"a": [1]}, "a: [\n  1, # x\n]\n", id="a part goes with its line"),
        pytest.param(
            "a: [\n  1 # x\n]\n", {"a": [1, 2]}, "a: [\n  1, # x\n  2\n]\n", id="a part comes on a line of its own"
        ),
        pytest.param("a: &x 1\nb: *x\n", {"a": 1, "b": 2}, "a: &x 1\nb: 2\n", id="an alias itself may be replaced"),
        pytest.param("a: \"1\"\nb: '2'\n", {"a": "3", "b": "it's"}, "a: \"3\"\nb: 'it''s'\n", id="quotes stay"),
        pytest.param("a: |\n  x", {"a": "x", "b": 1}, "a: x\nb: 1", id="a neighbour that would change is written anew"),
        pytest.param("a: !!str 12\n", {"a": "13"}, 'a: "13"\n', id="a tag goes with the value it was for"),
    ],
)
def test_edit(text: str, after: Any, expected: str) -> None:
    assert rewrite(text, after) == expected


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("a: &x 1\nb: *x\n", {"a": 2, "b": 1}, id="an anchored value that an alias repeats"),
        pytest.param("a: &x {c: 1}\nb: *x\n", {"a": {"c": 2}, "b": {"c": 1}}, id="inside what an alias repeats"),
        pytest.param("a: &x {c: 1}\nb: *x\n", {"a": {"c": 1}, "b": {"c": 2}}, id="through an alias"),
        pytest.param("a: &x {c: 1}\nb: *x\n", {"a": {"c": 2}, "b": {"c": 2}}, id="both places of an alias at once"),
        pytest.param("a: |\n  x  # y", {"a": "x  # y", "b": 1}, id="what would change a neighbour and lose a comment"),
        pytest.param("a: 1\n", {"a": object()}, id="what YAML cannot say"),
        pytest.param("a: 1\n", {"a": (1, 2)}, id="a tuple"),
    ],
)
def test_I14_refused_rather_than_damaged(text: str, after: Any) -> None:
    with pytest.raises(EditRefused):
        rewrite(text, after, "pin.yaml")


def test_a_refusal_names_the_place_and_the_next_step() -> None:
    with pytest.raises(EditRefused, match=r"^models/m/p\.yaml:1: b\.c cannot be edited .* by hand"):
        rewrite("a: &x {c: 1}\nb: *x\n", {"a": {"c": 1}, "b": {"c": 2}}, "models/m/p.yaml")


def test_I14_an_unreadable_text_is_a_finding() -> None:
    with pytest.raises(InvalidManifest, match=r"p\.yaml:2:1: error duplicate-key"):
        rewrite("a: 1\na: 2\n", {"a": 1}, "p.yaml")


@given(st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_byte_outside_the_edit_is_kept(data: st.DataObject) -> None:
    before = data.draw(documents)
    text = data.draw(styled(before))
    old = read(text, "p")
    assert same(old.data, before)  # else the generator writes something else than it says
    after = data.draw(edited(before))
    assume(after)
    new = read(rewrite(text, after), "p")
    assert same(new.data, after)
    assert_untouched_values_keep_their_text(old, new)
    assert_untouched_entries_stand_in_order(old, new)
    assert untouched_comments(old, after) <= comments(new.text)


@given(st.data())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_renamed_key_changes_nothing_but_itself(data: st.DataObject) -> None:
    before = data.draw(documents)
    text = data.draw(styled(before))
    ways: list[tuple[Any, ...]] = [(key,) for key in before]
    ways += [(key, inner) for key, value in before.items() if isinstance(value, dict) for inner in value]
    way = data.draw(st.sampled_from(ways))
    key = data.draw(st.sampled_from(["renamed", "no", "012", "a: b"]))
    assume(key not in value_at(before, way[:-1]))
    new = splice.edit(text, [Rename(way, key)])
    old = read(text, "p")._entry(way)
    assert old is not None
    assert new.startswith(text[: old.key.start])
    assert new.endswith(text[old.key.end :])
    after = value_at(read(new, "p").data, way[:-1])
    assert list(after) == [key if name == way[-1] else name for name in value_at(before, way[:-1])]
    assert same(list(after.values()), list(value_at(before, way[:-1]).values()))


def test_a_fresh_pin_file_has_the_style_of_the_design() -> None:
    before = "sha256:" + "d" * 64
    data = {
        "kind": "Pin",
        "stable": "11@sha256:" + "b" * 64,
        "canary": CANARY,
        "rejected": [REJECTED],
        "transition": {"kind": "advance", "before": before, "attempt": 1, "key": "k7c1e9a4b03d2f6a1"},
        "metadata": {
            "owners": ["@acme/growth-ml", "ana"],
            "labels": {},
            "at": "12:30",
            "answer": "no",
            "day": "2026-01-01",
        },
        "nested": {"deeper": {"list": ["a long text " * 5, "another long text " * 5]}},
    }
    assert dump(data).splitlines() == [
        "kind: Pin",
        f"stable: 11@sha256:{'b' * 64}",
        f"canary: {{pin: 12@sha256:{'c' * 64}, weight: 10%}}",
        "rejected:",
        '  - {version: 12, key: k0d3f00000000000a, reason: "latency ×2.4", proposal: 41}',
        f'transition: {{kind: advance, before: "{before}", attempt: 1, key: k7c1e9a4b03d2f6a1}}',
        'metadata: {owners: ["@acme/growth-ml", ana], labels: {}, at: "12:30", answer: "no", day: "2026-01-01"}',
        "nested:",
        "  deeper:",
        "    list:",
        f'      - "{"a long text " * 5}"',
        f'      - "{"another long text " * 5}"',
    ]


@given(documents)
def test_a_fresh_file_reads_back(data: dict[str, Any]) -> None:
    text = dump(data)
    assert same(read(text, "p").data, data)
    assert list(read(text, "p").data) == list(data)
    assert rewrite("", data) == text


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20) | st.floats() | values, max_size=4))
def test_any_text_is_written_so_that_it_reads_back(data: dict[str, Any]) -> None:
    assume(not any(re.search("[\ud800-\udfff]", str(part)) for pair in data.items() for part in pair))
    assert same(read(dump(data), "p").data, data)


def assert_untouched_values_keep_their_text(old: Document, new: Document) -> None:
    for path in same_paths(old.data, new.data):
        assert source(new, path) == source(old, path), path


def assert_untouched_entries_stand_in_order(old: Document, new: Document) -> None:
    position = 0
    for key in old.data:
        if key in new.data and same(old.data[key], new.data[key]):
            line = entry_text(old, (key,))
            position = new.text.index(line, position) + len(line)


def same_paths(old: Any, new: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths through mappings under which both hold the same."""
    if same(old, new):
        return [path] if path else []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    return [found for key in old if key in new for found in same_paths(old[key], new[key], (*path, key))]


def source(document: Document, path: tuple[Any, ...]) -> str:
    span = document.span(path)
    return document.text[span.start : span.end]


def entry_text(document: Document, path: tuple[Any, ...]) -> str:
    """From the key to the end of the value's last line, without its line ending."""
    return document.text[slice(*entry_span(document, path))]


def entry_span(document: Document, path: tuple[Any, ...]) -> tuple[int, int]:
    """From the key, or from the dash with the comments between it and the item, to the end of the last line."""
    place = document.key_position(path)
    start = document.lines[place.line - 1] + place.column - 1
    end = re.compile(r"[^\r\n]*").match(document.text, max(document.span(path).end, start))
    dash = re.search(r"-[ \t]*(?:#[^\n]*)?\n(?:\s*#[^\n]*\n)*\s*$", document.text[:start])
    assert end is not None
    return dash.start() if dash and isinstance(path[-1], int) else start, end.end()


def comments(text: str) -> set[str]:
    return set(re.findall(r"#\s+(c\d+)\b", text))


def untouched_comments(old: Document, after: Any) -> set[str]:
    """All comments, less those inside values that the edit replaces or removes, or indented below these."""
    text = old.text
    for step in steps(old.data, after):
        if isinstance(step, Change | Remove):
            start, end = entry_span(old, step.path)
            below = re.compile(r"(?:\r?\n +#[^\r\n]*)*").match(text, end)
            assert below is not None
            text = text[:start] + re.sub(r"[^\r\n]", " ", text[start : below.end()]) + text[below.end() :]
    return comments(text)
