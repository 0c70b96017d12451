"""Annotations and the job summary: within GitHub's limits, read back by its rules, and no text of others obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from support.findings import ATTACKS, FINDINGS, findings
from support.workflow_commands import Command, commands
from tidegate.core.finding import Finding, Severity
from tidegate.reporters.findings_github import ANNOTATIONS, SUMMARY_BYTES, lines, summary
from tidegate.reporters.findings_text import totals
from tidegate.reporters.markdown import CELL
from tidegate.reporters.printable import printable

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def log(found: list[Finding]) -> str:
    return "\n".join(lines(found, 3))


def many(number: int, severity: Severity = Severity.ERROR, message: str = "wrong") -> list[Finding]:
    return [
        Finding(rule="rule", severity=severity, path="model.yaml", line=n + 1, column=1, message=message)
        for n in range(number)
    ]


def expected(finding: Finding) -> Command:
    """What the runner should make of the finding. It drops each = that a path begins with."""
    file = printable(finding.path).lstrip("=")
    place = {"file": file, "line": str(finding.line), "col": str(finding.column), "title": finding.rule}
    fix = f"\nfix: {printable(finding.hint)}" if finding.hint else ""
    given_ones = {key: value for key, value in place.items() if value}
    return Command(LEVELS[finding.severity], given_ones, printable(finding.message) + fix)


def test_the_log_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("findings/github.txt", "\n".join(lines(FINDINGS, 40)) + "\n")


def test_the_summary_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("findings/summary.md", summary(FINDINGS, 40))


@given(findings())
def test_the_runner_reads_back_each_finding_and_nothing_else(found: list[Finding]) -> None:
    read = commands(log(found))
    for severity, name in LEVELS.items():
        level = [finding for finding in found if finding.severity is severity]
        mine = [command for command in read if command.name == name]
        assert len(mine) == min(len(level), ANNOTATIONS)
        whole = len(level) if len(level) <= ANNOTATIONS else ANNOTATIONS - 1
        assert mine[:whole] == [expected(finding) for finding in level[:whole]]
    assert {command.name for command in read} <= set(LEVELS.values())


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_in_every_place_is_one_annotation(text: str) -> None:
    finding = Finding(rule="r", severity=Severity.NOTE, path=f"a{text}", line=1, column=1, message=text, hint=text)
    assert commands(log([finding])) == [expected(finding)]


@pytest.mark.parametrize(
    ("number", "last"),
    [
        pytest.param(10, "wrong", id="as-many-as-fit-are-all-shown"),
        pytest.param(11, "2 more errors: the job summary lists them all", id="one-more-costs-a-place"),
        pytest.param(5_000, "4,991 more errors: the job summary lists them all", id="and-so-do-thousands"),
    ],
)
def test_what_is_beyond_the_limit_is_counted(number: int, last: str) -> None:
    read = commands(log(many(number)))
    assert len(read) == ANNOTATIONS
    assert read[-1].data == last


def test_each_level_has_its_own_limit_and_errors_come_first() -> None:
    read = commands(log([*many(20, Severity.NOTE), *many(20, Severity.WARNING), *many(20)]))
    assert [command.name for command in read] == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10


def test_without_findings_the_log_says_so() -> None:
    assert log([]) == "no findings; 3 files checked"
    assert summary([], 3) == "### Tidegate: no findings; 3 files checked\n"


@given(findings())
def test_a_markdown_reader_finds_one_row_a_finding_with_its_plain_text(found: list[Finding]) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(summary(found, 3))
    cells = [token.children or [] for token in tokens if token.type == "inline"][1:]
    ranked = [finding for severity in Severity for finding in found if finding.severity is severity]
    rows = [cells[start : start + 4] for start in range(4, len(cells), 4)]
    assert len(rows) == len(ranked)
    for finding, row in zip(ranked, rows, strict=True):
        severity, where, rule, what = ("".join(_plain(token.type, token.content) for token in cell) for cell in row)
        assert (severity, rule) == (finding.severity.value, finding.rule)
        assert where.strip(" ") == f"{_shown(finding.path)}:{finding.line}:{finding.column}".strip(" ")
        fix = f"\nfix: {_shown(finding.hint)}" if finding.hint else ""
        assert what.strip(" ") == f"{_shown(finding.message)}{fix}".strip(" ")


def _plain(kind: str, content: str) -> str:
    """Text as it is, our own line break, and nothing else."""
    assert kind in {"text", "text_special", "html_inline"}
    assert kind != "html_inline" or content == "<br>"
    return "\n" if kind == "html_inline" else content.replace("@\u200b", "@")


def _shown(text: str) -> str:
    return printable(text if len(text) <= CELL else text[: CELL - 1] + "…")


@given(findings())
def test_nobody_is_mentioned_and_nothing_becomes_a_link(found: list[Finding]) -> None:
    """GitHub links addresses and names in running text, too: none of them is left whole."""
    html = MarkdownIt("commonmark").enable("table").render(summary(found, 3))
    assert not re.search(r"@\w", html)
    assert set(re.findall(r"</?(\w+)", html)) <= {"h3", "table", "thead", "tbody", "tr", "th", "td", "br"}
    assert not re.search(r"://|www\.", summary(found, 3))


def test_a_summary_never_exceeds_what_a_step_may_write() -> None:
    found = [*many(30_000, Severity.NOTE, message="成" * 2_000), *many(3, message="the worst")]
    text = summary(found, 3)
    assert SUMMARY_BYTES * 0.99 < len(text.encode()) <= SUMMARY_BYTES
    assert text.count("the worst") == 3
    left = re.search(r"^([\d,]+) more findings not shown here", text, re.MULTILINE)
    assert left is not None
    assert int(left[1].replace(",", "")) + text.count("\n| note") + 3 == len(found)
    assert totals(found, 3) in text
