"""Ordinary documents mean the same whoever reads them: libyaml's events, our composer, ruamel's round-trip loader."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.broken_yaml import PIECES, ROOT, broken, seeds
from support.round_trip import disagreement
from support.yaml_styles import documents, styled
from tidegate.core.yaml import ordinary
from tidegate.core.yaml.composer import compose
from tidegate.core.yaml.difference import same
from tidegate.core.yaml.nodes import plain

FILES = [
    path for name in ("examples", "repo-template", "tests/golden", "docs") for path in (ROOT / name).rglob("*.yaml")
]


def is_ordinary(text: str) -> bool:
    """Whether it is read the fast way; and if so, that everybody reads it alike."""
    try:
        data = ordinary.load(text)
    except ordinary.Uncommon:
        return False
    root, problems = compose(text)
    assert not problems, (text, problems)
    assert same(plain(root), data), (text, plain(root), data)
    assert not disagreement(text.encode()), (text, disagreement(text.encode()))
    return True


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(FILES)])
def test_every_file_of_the_project(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    is_ordinary(text)
    assert disagreement(text.encode()) in ("", None)


def test_what_people_write_is_ordinary() -> None:
    """Otherwise nothing is gained."""
    own = [path for path in FILES if "golden" not in path.parts]
    assert own
    assert all(is_ordinary(path.read_text(encoding="utf-8")) for path in own)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("a: 1\n", {"a": 1}, id="a whole number"),
        pytest.param("a: 1.50\nb: -.5\n", {"a": 1.5, "b": -0.5}, id="decimal numbers"),
        pytest.param(
            "a: true\nb: FALSE\nc: ~\nd:\n", {"a": True, "b": False, "c": None, "d": None}, id="the core schema"
        ),
        pytest.param("a: truely\nb: nullable\n", {"a": "truely", "b": "nullable"}, id="words that begin like others"),
        pytest.param("{pin: 12@sha256:ab, weight: 10%}", {"pin": "12@sha256:ab", "weight": "10%"}, id="a pin in flow"),
        pytest.param("a: b#c\n", {"a": "b#c"}, id="a hash inside a word"),
        pytest.param("a: b # c\n", {"a": "b"}, id="a comment"),
        pytest.param("a: 'it''s'\nb: \"\\u00e9\\n\"\n", {"a": "it's", "b": "é\n"}, id="quoted texts"),
        pytest.param("a: '12'\nb: \"no\"\n", {"a": "12", "b": "no"}, id="quoted texts that look otherwise"),
        pytest.param("a: |\n  x\n   y\n\n  z\n", {"a": "x\n y\n\nz\n"}, id="a literal block"),
        pytest.param("a: >-\n  x\n  y\n\n  z\n", {"a": "x y\nz"}, id="a folded block"),
        pytest.param("a:\n- b\n- - c\n  - d: e\n", {"a": ["b", ["c", {"d": "e"}]]}, id="lists"),
        pytest.param("- a\n", ["a"], id="a list at the top"),
        pytest.param("word\n", "word", id="a word at the top"),
        pytest.param("---\na: 1\n", {"a": 1}, id="a document's start"),
        pytest.param("größe: 成長 🚢\n", {"größe": "成長 🚢"}, id="letters of the world"),
        pytest.param("a: x\n  y\n", {"a": "x y"}, id="a plain text over two lines"),
        pytest.param("a: v1?\nb: x?y\n", {"a": "v1?", "b": "x?y"}, id="a question mark behind a word"),
        pytest.param("a: {}\nb: []\n", {"a": {}, "b": []}, id="empty collections"),
        pytest.param('"": 1\n', {"": 1}, id="an empty key"),
        pytest.param("a: " + "9" * 30 + "\n", {"a": int("9" * 30)}, id="a long number"),
    ],
)
def test_ordinary(text: str, data: Any) -> None:
    assert is_ordinary(text)
    assert same(ordinary.load(text), data)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# a\n", id="only a comment"),
        pytest.param("a: &x 1\n", id="an anchor"),
        pytest.param("a: &x 1\nb: *x\n", id="an alias"),
        pytest.param("a: !!str 1\n", id="a tag"),
        pytest.param("a: ! 1\n", id="a tag without a name"),
        pytest.param("%YAML 1.1\n---\na: 1\n", id="a version"),
        pytest.param("%TAG ! x\n---\na: 1\n", id="a directive"),
        pytest.param("a: 1\n...\n", id="a document's end"),
        pytest.param("a: 1\n---\nb: 2\n", id="two documents"),
        pytest.param("a: 1\n---\n", id="an empty second document"),
        pytest.param("a: 1\na: 1\n", id="a key twice"),
        pytest.param("a: {b: 1, b: 2}\n", id="a key twice in flow"),
        pytest.param("1: a\n", id="a number for a key"),
        pytest.param("true: a\n", id="a boolean for a key"),
        pytest.param("~: a\n", id="null for a key"),
        pytest.param(": a\n", id="no key"),
        pytest.param("[a]: b\n", id="a list for a key"),
        pytest.param("{a: b}: c\n", id="a mapping for a key"),
        pytest.param("<<: {a: 1}\n", id="a merge key"),
        pytest.param("? a\n: b\n", id="an explicit key"),
        pytest.param("a: [?b]\n", id="a question mark that begins a word in flow"),
        pytest.param("a: [b, ?c: d]\n", id="a question mark behind a comma"),
        pytest.param("[a?, ?b]\n", id="question marks on both sides"),
        pytest.param("a:\tb\n", id="a tab"),
        pytest.param("a: 1\r\nb: 2\r\n", id="lines that end in CRLF"),
        pytest.param("a: 1\rb: 2\n", id="a lone carriage return"),
        pytest.param("a: b\0\n", id="a NUL"),
        pytest.param("a: \x07\n", id="a bell"),
        pytest.param("a: \x7f\n", id="a delete"),
        pytest.param("a: b\x85c\n", id="a next line of Unicode"),
        pytest.param("a: b\xa0\n", id="a blank that does not break"),
        pytest.param("a: b\u2028c\n", id="a line separator"),
        pytest.param("\ufeffa: 1\n", id="a byte order mark"),
        pytest.param("a: \ufeffb\n", id="a byte order mark inside"),
        pytest.param("a: \ufffe\n", id="no character"),
        pytest.param("a: \ud800\n", id="half a character"),
        pytest.param('a: "\\ud83d\\ude00"\n', id="a character in two halves"),
        pytest.param("a: |#\n  x\n", id="a hash at a block's head"),
        pytest.param("a: |-#\n  x\n", id="a hash behind a block's indicator"),
        pytest.param("a: |\n", id="an empty block"),
        pytest.param("a: |\n\n  x\n", id="a block that begins with an empty line"),
        pytest.param("a: |\n  # x\n", id="a block that begins with a hash"),
        pytest.param("|\n  x\n", id="a block at the top"),
        *(
            pytest.param(f"a: {word}\n", id=f"what looks like something else: {word}")
            for word in (
                "no",
                "Yes",
                "on",
                "OFF",
                "y",
                "N",
                "012",
                "-07",
                "1_000",
                "0b1",
                "0o7",
                "0x1F",
                "1e3",
                "-.5E-2",
            )
        ),
        *(
            pytest.param(f"a: {word}\n", id=f"a date or a time: {word}")
            for word in ("2026-03-01", "2026-3-1", "2026-03-01T12:00:00Z", "2026-03-01 12:00:00", "12:30", "1:30:00.5")
        ),
        pytest.param("a: [b\n", id="a bracket that is never closed"),
        pytest.param("a: 'b\n", id="a quotation mark that is never closed"),
        pytest.param("a: b: c\n", id="two colons"),
        pytest.param("  a: 1\n b: 2\n", id="indentation that does not fit"),
        pytest.param("a: @b\n", id="a sign that is reserved"),
        pytest.param("a: `b\n", id="a backquote"),
        pytest.param("a: *\n", id="an asterisk"),
        pytest.param("{{ a }}: b\n", id="a template"),
        pytest.param("a: " + "9" * 2000 + "\n", id="a number beyond all length"),
    ],
)
def test_left_to_the_composer(text: str) -> None:
    assert not is_ordinary(text)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]")],
    ids=["lists", "mappings", "items", "both"],
)
def test_what_is_nested_is_ordinary_down_to_a_depth(opening: str, closing: str) -> None:
    levels = len(opening.split("{")) - 1 + opening.count("[") + opening.count("-")
    deepest = ordinary.MAXIMUM_DEPTH // levels
    assert is_ordinary(opening * (deepest - 1) + "x" + closing * (deepest - 1))
    assert not is_ordinary(opening * (deepest + 1) + "x" + closing * (deepest + 1))
    assert not is_ordinary(opening * 50_000 + "x")


def test_no_two_documents_share_an_object() -> None:
    first, second = ordinary.load("a: [x, {b: c}]"), ordinary.load("a: [x, {b: c}]")
    first["a"][1]["b"] = "changed"
    assert second == {"a": ["x", {"b": "c"}]}


@pytest.mark.parametrize("seed", range(4))
def test_fuzzed_texts(seed: int) -> None:
    random, sources = Random(seed), seeds()
    found = sum(is_ordinary(broken(random, sources)) for _ in range(1000))
    assert found > 100, "else nothing was compared"


@given(documents.flatmap(lambda data: st.tuples(st.just(data), styled(data))))
def test_documents_in_every_style(document: tuple[Any, str]) -> None:
    data, text = document
    if is_ordinary(text):
        assert same(ordinary.load(text), data)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_loose_pieces(text: str) -> None:
    is_ordinary(text)


@given(st.text(st.sampled_from("ab:- #?,[]{}&*!|>'\"%@`\n\t\\~<0.1e_x")).filter(bool))
def test_syntax_alone(text: str) -> None:
    is_ordinary(f"a: {text}\nb: [{text}]\n")
    is_ordinary(text)
