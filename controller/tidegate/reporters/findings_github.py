"""Findings on GitHub Actions: workflow commands that become annotations, and a table for the job summary.

Written to stdout and to the file that GITHUB_STEP_SUMMARY names; both are the caller's doing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tidegate.core.finding import Finding, Severity
from tidegate.reporters.findings_text import counted, totals
from tidegate.reporters.markdown import cell
from tidegate.reporters.printable import printable

ANNOTATIONS = 10
"""Of each level that GitHub keeps of one step; it drops the rest silently (actions/runner, _maxCountPerIssueType)."""

SUMMARY_BYTES = 1_000_000
"""GitHub refuses more than 1 MiB a step ("Job summaries", workflow commands); the step may have more to say."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def lines(findings: Sequence[Finding], checked: int) -> Iterator[str]:
    """Annotations within GitHub's limit, errors first; what is beyond it is counted in the last one of its level.

    No text of others can be a command of its own: it stays behind the `::` of ours, without a line break.
    """
    for severity in Severity:
        yield from _level(severity, [finding for finding in findings if finding.severity is severity])
    yield totals(findings, checked)


def _level(severity: Severity, findings: Sequence[Finding]) -> Iterator[str]:
    shown = findings if len(findings) <= ANNOTATIONS else findings[: ANNOTATIONS - 1]
    yield from map(_annotation, shown)
    if left := len(findings) - len(shown):
        more = f"{counted(left, f'more {severity}')}: the job summary lists them all"
        yield _command(_COMMANDS[severity], {"title": "Tidegate"}, more)


def _annotation(finding: Finding) -> str:
    message, hint = printable(finding.message), printable(finding.hint)
    place = {
        "file": printable(finding.path),
        "line": str(finding.line),
        "col": str(finding.column),
        "title": finding.rule,
    }
    return _command(_COMMANDS[finding.severity], place, f"{message}\nfix: {hint}" if hint else message)


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    """As the runner reads it back (actions/runner, ActionCommand.TryParseV2)."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(findings: Sequence[Finding], checked: int) -> str:
    """Markdown: all findings in a table, the most severe first, as many as there is room for."""
    head = f"### Tidegate: {totals(findings, checked)}\n"
    if not findings:
        return head
    head += "\n| severity | where | rule | what |\n|---|---|---|---|\n"
    ranked = [finding for severity in Severity for finding in findings if finding.severity is severity]
    rows = list(_fitting(map(_row, ranked), SUMMARY_BYTES - 2 * len(head)))
    left = len(ranked) - len(rows)
    tail = f"\n{counted(left, 'more finding')} not shown here: `tidegate validate` lists them all.\n" if left else ""
    return head + "".join(rows) + tail


def _fitting(rows: Iterable[str], room: int) -> Iterator[str]:
    for row in rows:
        room -= len(row.encode())
        if room < 0:
            return
        yield row


def _row(finding: Finding) -> str:
    fix = f"<br>fix: {cell(finding.hint)}" if finding.hint else ""
    where = f"{cell(finding.path)}:{finding.line}:{finding.column}"
    return f"| {finding.severity} | {where} | {cell(finding.rule)} | {cell(finding.message)}{fix} |\n"
