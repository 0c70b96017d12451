"""YAML 1.2 with positions: what plain text means, where everything stands, and findings for whatever cannot be read."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.yaml.difference import same
from tidegate.core.yaml.document import Position, Span, read
from tidegate.errors import InvalidManifest

TEXT = """\
name: &name [1]
spec:
  gates:
    roc_auc: {minimum: 0.80, "max drop": 0.005}
  steps:
  - 10%
  - ünï: *name
  empty:
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("12", 12, id="a whole number"),
        pytest.param("012", 12, id="no octal by a leading zero"),
        pytest.param("0o14", 12, id="octal"),
        pytest.param("0xC", 12, id="hexadecimal"),
        pytest.param("-1", -1, id="a negative number"),
        pytest.param("1.0", 1.0, id="a float stays a float"),
        pytest.param("1e3", 1000.0, id="an exponent makes a float"),
        pytest.param("-.inf", -math.inf, id="minus infinity"),
        pytest.param(".NaN", math.nan, id="not a number"),
        pytest.param("True", True, id="a capital boolean"),
        pytest.param("no", "no", id="no is a text (the Norway problem)"),
        pytest.param("1_000", "1_000", id="no underscores in numbers"),
        pytest.param("12:30", "12:30", id="no sexagesimal numbers"),
        pytest.param("2026-01-01", "2026-01-01", id="a date is a text"),
        pytest.param("99.5%", "99.5%", id="a percentage is a text"),
        pytest.param("~", None, id="a tilde is null"),
        pytest.param("", None, id="nothing is null"),
        pytest.param("'12'", "12", id="quoted is a text"),
        pytest.param("!!str 12", "12", id="tagged as a text"),
        pytest.param("!!float 12", 12.0, id="tagged as a float"),
        pytest.param("! 12", "12", id="tagged as not plain"),
        pytest.param("{pin: 12@sha256:ab}", {"pin": "12@sha256:ab"}, id="a colon inside a plain text in flow"),
    ],
)
def test_meaning(text: str, value: Any) -> None:
    assert same(read(f"a: {text}\n", "p").data, {"a": value})


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", None, id="an empty file"),
        pytest.param("# only this", None, id="only a comment"),
        pytest.param("---\n...\n", None, id="only markers"),
        pytest.param("%YAML 1.2\n---\nb: 1\na: 2\n...\n", {"b": 1, "a": 2}, id="directive and markers"),
        pytest.param("\ufeffa: 1\r\n", {"a": 1}, id="byte order mark and CRLF"),
        pytest.param("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}, id="an alias repeats"),
        pytest.param("a: 1 #\ttab\n", {"a": 1}, id="a tab in a comment"),
    ],
)
def test_whole_document(text: str, data: Any) -> None:
    assert read(text, "p").data == data


def test_keys_keep_the_order_of_the_text() -> None:
    assert list(read("b: 1\na: 2\n", "p").data) == ["b", "a"]


def test_each_alias_is_a_copy_of_its_own() -> None:
    data = read("a: &x [1]\nb: *x\n", "p").data
    data["a"].append(2)
    assert data["b"] == [1]


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        pytest.param(("spec",), (3, 3), (2, 1), id="a block mapping"),
        pytest.param(("spec", "gates", "roc_auc", "minimum"), (4, 24), (4, 15), id="inside a flow mapping"),
        pytest.param(("spec", "gates", "roc_auc", "max drop"), (4, 42), (4, 30), id="under a quoted key"),
        pytest.param(("spec", "steps", 0), (6, 5), (6, 5), id="an item has no key"),
        pytest.param(("spec", "steps", 1, "ünï"), (7, 10), (7, 5), id="behind letters that are not ASCII"),
        pytest.param(("spec", "steps", 1, "ünï", 0), (1, 14), (1, 14), id="what an alias repeats stands at its anchor"),
        pytest.param(("spec", "empty"), (8, 9), (8, 3), id="an absent value stands behind its colon"),
        pytest.param(("spec", "gates", "nope", "x"), (4, 5), (4, 5), id="the nearest ancestor stands in"),
        pytest.param(("nope",), (1, 1), (1, 1), id="at worst the document"),
    ],
)
def test_positions(path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    document = read(TEXT, "p")
    assert document.position(path) == Position(line=value[0], column=value[1])
    assert document.key_position(path) == Position(line=key[0], column=key[1])


@pytest.mark.parametrize(
    ("text", "path", "source"),
    [
        pytest.param("a: 1   # c\n", ("a",), "1", id="without the comment"),
        pytest.param("a:\n  b: 1\n  # c\n\nd: 2\n", ("a",), "b: 1", id="a block ends with its last entry"),
        pytest.param("a:\n- 1\n- 2 # c\n", ("a",), "- 1\n- 2", id="a list from its first dash"),
        pytest.param("a: |\n  x\n\nb: 1\n", ("a",), "|\n  x", id="a literal without the empty lines behind it"),
        pytest.param("a: |+\n  x\n\nb: 1\n", ("a",), "|+\n  x\n", id="a literal that keeps them, with them"),
        pytest.param("a: [ 1,\r\n 2 ]\r\n", ("a", 1), "2", id="in a flow list over lines"),
        pytest.param("a: &x {b: 1}\nc: *x\n", ("c",), "*x", id="an alias is its own place"),
        pytest.param("a: &x {b: 1}\nc: *x\n", ("c", "b"), "1", id="and leads to what it repeats"),
        pytest.param("a:\n\nb: 1\n", ("a",), "", id="an absent value is empty"),
        pytest.param("é: 'ü😀'\n", ("é",), "'ü😀'", id="counted in characters"),
    ],
)
def test_span(text: str, path: tuple[str | int, ...], source: str) -> None:
    span = read(text, "p").span(path)
    assert text[span.start : span.end] == source


def test_an_absent_value_is_placed_behind_its_own_colon() -> None:
    assert read("a:\n\n\nb: 1\n", "p").span(("a",)) == Span(start=2, end=2)


def test_what_is_not_there_has_no_span() -> None:
    with pytest.raises(KeyError):
        read("a: 1\n", "p").span(("b",))


ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
ALIAS_TOWER = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [[[[[[[[*a{n - 1}]]]]]]]]\n" for n in range(1, 300))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param(
            "a: 1\nb:\n  c: 1\n  'c': 2\n", "p:4:3: error duplicate-key: the key 'c' ", id="the same key twice"
        ),
        pytest.param("1: a\n1.0: b\n", "p:2:1: error duplicate-key", id="keys that Python cannot tell apart"),
        pytest.param("a:\n\tb: 1\n", "p:2:1: error tab: ", id="a tab as indentation"),
        pytest.param("a: 1\n---\nb: 2\n", "p:2:1: error several-documents: ", id="two documents"),
        pytest.param("a: 1\nb: *x\n", "p:2:4: error undefined-alias: ", id="an alias to nothing"),
        pytest.param("a: &x [*x]\n", "p:1:8: error undefined-alias: ", id="an alias inside its own anchor"),
        pytest.param("a: 1\nb: \0\n", "p:2:4: error bad-character: the character U+0000", id="NUL"),
        pytest.param("a: \ud800\n", "p:1:4: error bad-character: the character U+D800", id="half a UTF-16 pair"),
        pytest.param('a: "\\ud800"\n', "p:1:4: error bad-scalar: ", id="half a UTF-16 pair as an escape"),
        pytest.param("a: 1\rb: 2\n", "p:1:5: error bad-character: the character U+000D", id="an old Mac's line end"),
        pytest.param("a: [1,\n", "p:1:4: error yaml-syntax: ", id="an open bracket"),
        pytest.param("a: b: c\n", "p:1:5: error yaml-syntax: ", id="two colons"),
        pytest.param("a: @b\n", "p:1:4: error yaml-syntax: ", id="a reserved character"),
        pytest.param('a: "\\UFFFFFFFF"\n', "p:1:5: error yaml-syntax: ", id="an error that is not ruamel's own"),
        pytest.param("%YAML 1.x\n---\na: 1\n", "p:1:9: error yaml-syntax: ", id="a broken directive"),
        pytest.param("a: !vault x\n", "p:1:4: error unknown-tag: ", id="a tag on a text"),
        pytest.param("a: !!set {x}\n", "p:1:4: error unknown-tag: ", id="a tag on a mapping"),
        pytest.param("a: !!int x\n", "p:1:4: error bad-scalar: 'x' does not fit the tag !!int", id="a wrong tag"),
        pytest.param(f"a: {'9' * 5000}\n", "p:1:4: error bad-scalar: ", id="an endless number"),
        pytest.param("a: &x {b: 1}\nc:\n  <<: *x\n", "p:3:3: error merge-key: ", id="a merge key"),
        pytest.param("? [a]\n: b\n", "p:1:3: error complex-key: ", id="a list as a key"),
        pytest.param("[" * 100_000, "p:1:65: error too-deep: ", id="brackets without end"),
        pytest.param("- " * 100_000, "p:1:129: error too-deep: ", id="dashes without end"),
        pytest.param(ALIAS_BOMB, "p:5:20: error too-many-values: ", id="aliases of aliases, broad"),
        pytest.param(ALIAS_TOWER, "p:9:17: error too-deep: ", id="aliases of aliases, deep"),
        pytest.param("#" * 1_000_001, "p:1:1: error too-large: ", id="a file without end"),
    ],
)
def test_I14_unreadable_text_is_a_finding_on_its_line(text: str, finding: str) -> None:
    with pytest.raises(InvalidManifest) as raised:
        read(text, "p")
    message = str(raised.value)
    assert message.startswith(finding)
    assert "; fix: " in message


def test_all_duplicate_keys_are_found_at_once() -> None:
    with pytest.raises(InvalidManifest) as raised:
        read("a: 1\na: 2\nb: !x 1\n", "p")
    assert [(found.rule, found.line) for found in raised.value.findings] == [("duplicate-key", 2), ("unknown-tag", 3)]


@given(st.text(alphabet="ab:- \n\t\r#&*!|>'\"%@`{}[],?~\\u0é\u2028\0", max_size=60))
def test_I14_any_text_is_read_or_a_finding(text: str) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= line <= lines for line in _lines_of_findings(text))


def _lines_of_findings(text: str) -> list[int]:
    """Where the text cannot be read; without such a place, where its root stands. Anything else is raised."""
    try:
        return [read(text, "p").position(()).line]
    except InvalidManifest as error:
        return [found.line for found in error.findings] or [0]


def test_a_manifest_of_sixty_lines_is_read_in_a_few_milliseconds() -> None:
    text = "".join(f"gate{n}: {{minimum: 0.8}}   # why\nkey{n}: text {n}\n" for n in range(30))
    read(text, "p")
    fastest = min(_seconds_to_read(text) for _ in range(20))
    assert fastest < 0.005 * 4, fastest  # four times the aim: the machine that runs this may be slow or busy


def _seconds_to_read(text: str) -> float:
    start = time.process_time()
    read(text, "p")
    return time.process_time() - start
