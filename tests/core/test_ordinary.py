"""libyaml and ruamel say the same of every document that libyaml is trusted with, and the rest is left to ruamel."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.broken_yaml import broken, seeds
from support.round_trip import disagreement
from support.yaml_styles import documents, styled
from tidegate.core import ordinary
from tidegate.core.composer import compose
from tidegate.core.difference import same
from tidegate.core.nodes import plain

SEEDS = seeds()


def agree(text: str) -> bool:
    """Whether `composer` says what `ordinary` says, if that says anything."""
    try:
        data = ordinary.load(text)
    except ordinary.Uncommon:
        return True
    root, problems = compose(text)
    return not problems and same(plain(root), data)


@pytest.mark.parametrize("text", [pytest.param(text, id=f"seed-{number}") for number, text in enumerate(SEEDS)])
def test_on_every_file_of_the_project(text: str) -> None:
    assert agree(text)
    assert not disagreement(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("start", [pytest.param(start, id=f"from {start}") for start in range(0, 4000, 1000)])
def test_on_broken_files(start: int) -> None:
    texts = [broken(Random(start + number), SEEDS) for number in range(1000)]

    assert [text for text in texts if not agree(text)] == []


@pytest.mark.parametrize("start", [pytest.param(start, id=f"from {start}") for start in range(0, 400, 100)])
def test_ruamels_own_loader_says_the_same(start: int) -> None:
    texts = [broken(Random(start + number), SEEDS).encode("utf-8", "surrogatepass") for number in range(100)]

    assert [text for text in texts if disagreement(text)] == []


@given(documents.flatmap(styled))
def test_in_every_style(text: str) -> None:
    assert agree(text)


@given(st.text(alphabet="ab:-#{}[],'\"|>?*&! \n", max_size=40))
def test_on_any_text(text: str) -> None:
    assert agree(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &x 1\nb: *x", id="anchors and aliases"),
        pytest.param("a: !!str 1", id="tags"),
        pytest.param("a:\t1", id="tabs"),
        pytest.param("a: 1\r\n", id="carriage returns"),
        pytest.param("%YAML 1.2\n---\na: 1", id="directives"),
        pytest.param("? a\n: 1", id="explicit keys"),
        pytest.param("[a?, ?b]", id="a question mark in flow"),
        pytest.param("a: [b: c]", id="a pair without braces in a list"),
        pytest.param("{[a]: 1}", id="keys that are no scalars"),
        pytest.param("12: a", id="keys that are no texts"),
        pytest.param("<<: {a: 1}", id="merge keys"),
        pytest.param("a: 1\na: 2", id="keys twice"),
        pytest.param("a: |# no comment\n  b", id="a comment on a block's header"),
        pytest.param("a: |\n\n  b", id="a block that begins with an empty line"),
        pytest.param("|\n  a", id="a block at the top"),
        pytest.param("a: no", id="what an older YAML reads as a boolean"),
        pytest.param("a: 012", id="what an older YAML reads as octal"),
        pytest.param("a: 1e3", id="what some read as a text"),
        pytest.param("a: 2026-01-01", id="what some read as a date"),
        pytest.param("a: 12:30:45", id="what an older YAML reads in base 60"),
        pytest.param("a: \x00", id="characters that no YAML has"),
        pytest.param("a: b\x85c", id="line breaks of Unicode"),
        pytest.param("\ufeffa: 1", id="a byte order mark"),
        pytest.param("a: 1\n---\nb: 2", id="a second document"),
        pytest.param("a: 1\n...\n", id="a document's end"),
        pytest.param("", id="nothing"),
        pytest.param("a: [", id="what is no YAML"),
        pytest.param("[" * 100_000, id="brackets without end"),
        pytest.param("- " * 100_000, id="dashes without end"),
        pytest.param("".join(" " * n + "a:\n" for n in range(40)), id="a deep nest"),
    ],
)
def test_is_left_to_the_other_reader(text: str) -> None:
    with pytest.raises(ordinary.Uncommon):
        ordinary.load(text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("---\na: {pin: 12@sha256:ab}", {"a": {"pin": "12@sha256:ab"}}, id="a pin in flow"),
        pytest.param(
            "a: [1, -2, 0.5, true, null, ~, '1', \"\\u00e9\"]",
            {"a": [1, -2, 0.5, True, None, None, "1", "é"]},
            id="scalars",
        ),
        pytest.param("a:\nb: ''\nc: x y # z", {"a": None, "b": "", "c": "x y"}, id="empty values and comments"),
        pytest.param("a: |\n  b\n    c\n", {"a": "b\n  c\n"}, id="a block"),
        pytest.param("reason: latency ×2.4", {"reason": "latency ×2.4"}, id="letters of every alphabet"),
    ],
)
def test_reads(text: str, data: object) -> None:
    assert same(ordinary.load(text), data)
