"""Writes docs/rules from the rules' own declarations: why each is there, text that breaks it with what `validate` says
about that text, and the same text mended.

`tools/docs.py` calls it. That the texts do what they should is tested in tests/core/checks/test_catalogue.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate import bundled
from tidegate.core.checks.catalogue import RULES
from tidegate.core.checks.examples import encoded, inspected, split
from tidegate.core.checks.rule import Rule
from tidegate.core.credentials import blanked_source
from tidegate.reporters import findings_text
from tidegate.reporters.printable import printable

HEAD = """\
# Rules

Written by `tools/docs.py` from the rules' own declarations; do not edit. What `tidegate validate` looks for, and how it
is used: [validate.md](../validate.md); how findings are shown: [findings.md](../findings.md).

| rule | severity | what is wrong |
|---|---|---|
"""
LONGEST_LINE, MOST_LINES = 118, 24


def pages() -> dict[str, str]:
    """Every page by its path in docs/."""
    rules = sorted(RULES.values(), key=lambda rule: rule.id)
    rows = "".join(f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {_cell(rule.title)} |\n" for rule in rules)
    return {"rules/README.md": HEAD + rows, **{f"rules/{rule.id}.md": page(rule) for rule in rules}}


def page(rule: Rule) -> str:
    head = f"# {rule.id}\n\n**{rule.title}.** Severity: {rule.severity}.\n\n{_wrapped(rule.why)}\n"
    if not rule.bad:
        return f"{head}\n{_FOOT}"
    bad, good = split(rule.bad), split(rule.good)
    parts = [
        head,
        "## What breaks it\n",
        *_shown(bad),
        "## What is said\n",
        _said(rule, bad),
        "## Mended\n",
        *_shown(good),
    ]
    return "\n".join([*parts, _FOOT])


_FOOT = "All rules: [README.md](README.md)\n"


def _shown(files: Mapping[str, str]) -> Iterator[str]:
    """Each file under its path. The one that everybody expects needs no other word."""
    for path, text in files.items():
        kind = "yaml" if path.endswith((".yaml", ".yml")) else "text"
        yield f"`{path}`\n"
        yield _block(kind, [printable(line.removesuffix("\r")) for line in text.removesuffix("\n").split("\n")])


def _said(rule: Rule, files: Mapping[str, str]) -> str:
    """The findings of this rule alone: fragments break others, too."""
    raw = {path: encoded(text) for path, text in files.items()}
    found = [finding for finding in inspected(raw, bundled.schemas()) if finding.rule == rule.id]

    def source(path: str) -> str:
        return blanked_source(files[path])

    lines = list(findings_text.lines(found, source, checked=len(files), colour=False))[:-2]
    return _block("text", lines, longest=200)


def _block(kind: str, lines: list[str], longest: int = LONGEST_LINE) -> str:
    """A fenced block, cut where it is long: some rules are about files without end."""
    cut = [line if len(line) <= longest else f"{line[: longest - 2]} …" for line in lines]
    shown = cut if len(cut) <= MOST_LINES else [*cut[: MOST_LINES - 1], "…"]
    fence = "`" * max(3, 1 + max((len(run) for line in shown for run in re.findall("`+", line)), default=0))
    return "\n".join([f"{fence}{kind}", *shown, f"{fence}\n"])


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _wrapped(text: str, width: int = 120) -> str:
    """Lines of a paragraph; what stands in backticks stays on one."""
    lines = [""]
    for word in re.findall(r"[^\s`]*`[^`]*`\S*|\S+", text):
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "\n".join(lines)
