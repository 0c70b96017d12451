"""Findings for eyes: by file, each with the line it is about, a caret under the place, and what to do.

Whether a terminal takes colours is the caller's to know, and so is where sources come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from tidegate.core.finding import Finding, Severity
from tidegate.reporters.printable import printable

Source = Callable[[str], str | None]
"""The text of the file at a path, as it was checked; None where it is not text or not there any more."""

_Paint = Callable[[str, str], str]

WIDTH = 100
"""Of an excerpt, in characters: longer lines are cut around the caret."""

# Select Graphic Rendition, ECMA-48 8.3.117.
_BOLD, _DIM = "1", "2"
_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}


def lines(findings: Sequence[Finding], source: Source, *, checked: int, colour: bool) -> Iterator[str]:
    """The whole report. Files come in the order of their first finding, findings in the order of the text."""
    paint = _coloured if colour else _uncoloured
    for path, found in _by_file(findings).items():
        yield paint(_BOLD, _heading(path))
        yield from _file(found, source(path), paint)
        yield ""
    yield totals(findings, checked)


def totals(findings: Sequence[Finding], checked: int) -> str:
    """`2 errors, 1 warning in 2 files; 40 files checked`."""
    if not findings:
        return f"no findings; {counted(checked, 'file')} checked"
    tally = Counter(finding.severity for finding in findings)
    kinds = ", ".join(counted(tally[severity], severity) for severity in Severity if tally[severity])
    files = len({finding.path for finding in findings})
    return f"{kinds} in {counted(files, 'file')}; {counted(checked, 'file')} checked"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _by_file(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.path, []).append(finding)
    return {path: sorted(group, key=lambda f: (f.line, f.column)) for path, group in found.items()}


def _heading(path: str) -> str:
    """A line of a CI log that begins with `::` is a command to GitHub's runner, blanks before it or not."""
    shown = printable(path)
    return f"./{shown}" if shown.lstrip().startswith("::") else shown


def _file(found: Sequence[Finding], text: str | None, paint: _Paint) -> Iterator[str]:
    rows = [] if text is None else text.split("\n")
    width = max(len(_place(finding)) for finding in found)
    for finding in found:
        severity = paint(_COLOURS[finding.severity], f"{finding.severity:<7}")
        yield f"  {_place(finding):<{width}}  {severity}  {finding.rule}  {printable(finding.message)}"
        row = rows[finding.line - 1].removesuffix("\r") if finding.line <= len(rows) else ""
        for line in _details(finding, row, paint):
            yield " " * (width + 4) + line


def _place(finding: Finding) -> str:
    return f"{finding.line}:{finding.column}"


def _details(finding: Finding, row: str, paint: _Paint) -> Iterator[str]:
    if row:
        line, before = _excerpt(row, finding.column)
        bar = paint(_DIM, "|")
        yield f"{bar} {line}"
        yield f"{bar} {' ' * before}{paint(_COLOURS[finding.severity], '^')}"
    if finding.hint:
        yield f"fix: {printable(finding.hint)}"


def _excerpt(row: str, column: int) -> tuple[str, int]:
    """The row as shown, and how many cells of it stand before the column."""
    place = min(column - 1, len(row))
    start = max(0, min(place - WIDTH * 2 // 3, len(row) - WIDTH))
    end = start + WIDTH
    cut, rest = "…" if start else "", "…" if end < len(row) else ""
    shown = cut + _expanded(row[start:end]).rstrip() + rest
    return shown, _cells(cut + _expanded(row[start:place]))


def _expanded(text: str) -> str:
    """Tabs are as wide as it takes to see them, wherever they stand: the caret must find its place below."""
    return printable(text.replace("\t", "    "))


def _cells(text: str) -> int:
    """How wide a terminal shows it: two cells for most East Asian characters and emoji, none for combining marks."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _coloured(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _uncoloured(code: str, text: str) -> str:  # noqa: ARG001 - the other painter's shape
    return text
