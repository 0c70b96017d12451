"""Findings for eyes: the report as reviewed, the caret under its place, and nothing that a terminal would obey."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from support.findings import FILES, FINDINGS, findings, sources
from support.workflow_commands import commands
from tidegate.core.finding import Finding, Severity
from tidegate.reporters.findings_text import WIDTH, lines, totals


def report(found: Sequence[Finding], text: str | None, *, colour: bool = False) -> list[str]:
    return list(lines(found, lambda _: text, checked=3, colour=colour))


def at(column: int, *, line: int = 1, path: str = "model.yaml", message: str = "wrong") -> Finding:
    return Finding(rule="rule", severity=Severity.ERROR, path=path, line=line, column=column, message=message)


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "coloured"])
def test_the_report_reads_as_reviewed(colour: bool, golden: Callable[[str, str], None]) -> None:
    text = "\n".join(lines(FINDINGS, FILES.get, checked=40, colour=colour))
    golden(f"findings/{'coloured' if colour else 'report'}.txt", text + "\n")


@pytest.mark.parametrize(
    ("row", "column", "excerpt", "caret"),
    [
        pytest.param("a: {b: 1}", 5, "a: {b: 1}", 4, id="ascii"),
        pytest.param("a: {b: 1}", 10, "a: {b: 1}", 9, id="behind-the-last-character"),
        pytest.param("a: 1", 80, "a: 1", 4, id="a-column-that-is-not-there"),
        pytest.param("\t\ta: 1", 3, "        a: 1", 8, id="behind-tabs"),
        pytest.param("a\tb: 1", 3, "a    b: 1", 5, id="a-tab-inside"),
        pytest.param("チーム: x", 6, "チーム: x", 8, id="east-asian-characters-take-two-cells"),
        pytest.param("e\u0301: x", 5, "e\u0301: x", 3, id="a-combining-mark-takes-none"),
        pytest.param("👍: x", 4, "👍: x", 4, id="an-emoji-takes-two"),
        pytest.param("\x1b[31m: x", 8, r"\x1b[31m: x", 10, id="an-escape-sequence-is-spelt-out"),
        pytest.param("x: ##[error]y", 7, r"x: ##\x5berror]y", 9, id="a-runner-s-command-is-spelt-out"),
        pytest.param("a: 1   ", 1, "a: 1", 0, id="blanks-at-the-end-are-not-shown"),
        pytest.param("b" * 200, 1, "b" * WIDTH + "…", 0, id="a-long-line-is-cut-at-its-end"),
        pytest.param("b" * 200, 200, "…" + "b" * WIDTH, WIDTH, id="and-at-its-beginning"),
        pytest.param("b" * 500, 300, "…" + "b" * WIDTH + "…", 67, id="and-at-both"),
    ],
)
def test_the_caret_stands_under_its_place(row: str, column: int, excerpt: str, caret: int) -> None:
    shown = [line.partition("| ")[2] for line in report([at(column)], row) if "|" in line]
    assert shown == [excerpt, " " * caret + "^"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(None, 1, id="a-file-that-cannot-be-read"),
        pytest.param("a: 1\n", 9, id="a-line-that-is-not-there"),
        pytest.param("a: 1\n\n", 2, id="an-empty-line"),
    ],
)
def test_without_a_line_there_is_no_caret(text: str | None, line: int) -> None:
    assert report([at(1, line=line)], text)[1:] == [f"  {line}:1  error    rule  wrong", "", report([at(1)], "")[-1]]


def test_a_line_that_ends_with_crlf_is_shown_without_it() -> None:
    assert report([at(1)], "a: 1\r\nb: 2\r\n")[2].endswith("| a: 1")


def test_files_come_in_order_and_their_findings_in_the_order_of_the_text() -> None:
    found = [at(2, path="b"), at(1, line=12, path="a"), at(1, path="b"), at(5, line=2, path="a")]
    places = [line.split()[0] for line in report(found, None) if line]
    assert places == ["b", "1:1", "1:2", "a", "2:5", "12:1", "4"]


@pytest.mark.parametrize(
    ("severities", "checked", "words"),
    [
        pytest.param([], 40, "no findings; 40 files checked", id="none"),
        pytest.param([Severity.ERROR], 1, "1 error in 1 file; 1 file checked", id="one"),
        pytest.param(
            [Severity.NOTE, Severity.ERROR, Severity.NOTE, Severity.WARNING], 12_345,
            "1 error, 1 warning, 2 notes in 1 file; 12,345 files checked", id="the-most-severe-first",
        ),
    ],
)  # fmt: skip
def test_the_last_line_counts(severities: list[Severity], checked: int, words: str) -> None:
    found = [Finding(rule="r", severity=s, path="p", line=1, column=1, message="m") for s in severities]
    assert totals(found, checked) == words


@given(findings(), sources)
def test_a_hostile_file_neither_moves_the_cursor_nor_commands_a_runner(found: list[Finding], text: str | None) -> None:
    shown = report(found, text)
    assert all(line.isprintable() for line in shown)
    assert not commands("\n".join(shown))


@given(
    st.text("ab:-日\t", min_size=1, max_size=300).flatmap(lambda row: st.tuples(st.just(row), st.integers(1, len(row))))
)
def test_above_the_caret_stands_the_character_of_its_column(place: tuple[str, int]) -> None:
    row, column = place
    excerpt, caret = (line.partition("| ")[2] for line in report([at(column)], row)[2:4])
    cells = [character for character in excerpt for _ in range(cell_len(character))]
    above = "".join(cells[len(caret) - 1 :]) or " "
    assert above[0] == row[column - 1].replace("\t", " ")
    assert cell_len(excerpt) <= 4 * WIDTH + 2


@given(findings(), sources)
def test_colours_change_nothing_but_colours(found: list[Finding], text: str | None) -> None:
    coloured = report(found, text, colour=True)
    assert [_without_colours(line) for line in coloured] == report(found, text)


def _without_colours(line: str) -> str:
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m"):
        line = line.replace(code, "")
    return line
