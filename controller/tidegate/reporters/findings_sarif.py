"""Findings as SARIF 2.1.0 (OASIS), for code scanning and other viewers.

What GitHub makes of it: "SARIF support for code scanning" in its documentation, from where the limits are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tidegate.core.checks.rule import Rule
from tidegate.core.finding import Finding, Severity
from tidegate.reporters import json
from tidegate.reporters.findings_text import Source, counted
from tidegate.reporters.line_hashes import line_hashes
from tidegate.reporters.printable import printable

RESULTS = 25_000
"""A run with more is refused."""

DESCRIPTION = 1024
"""Characters of a rule's descriptions."""

MESSAGE = 1000
"""Characters of a message and of a hint: 10 MB, compressed, is all that an upload may have."""

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_EXAMPLE = 2_000
"""Characters of a rule's example: one of them is as long as no file may be."""

_Object = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """Those lines of one file that have findings; empty where its text is not to be had."""

    rows: Mapping[int, str]
    hashes: Mapping[int, str]


def document(
    findings: Sequence[Finding], rules: Mapping[str, Rule], source: Source, version: str, *, pages: str | None = None
) -> str:
    """One run. All rules are listed, broken or not: which ones were looked at does not depend on the findings.

    `pages` is the address of the folder with the rules' pages. Without one, no rule has a `helpUri`.
    """
    shown = _most_severe(findings)
    ids = sorted({*rules, *(finding.rule for finding in shown)})
    driver = {
        "name": "Tidegate",
        "version": version,
        "rules": [_descriptor(name, rules.get(name), pages) for name in ids],
    }
    run: _Object = {
        "tool": {"driver": driver},
        **_dropped(len(findings) - len(shown)),
        # Without an address: where the repository lay when it was checked is nobody's business (3.14.14).
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(shown, {name: index for index, name in enumerate(ids)}, source)),
    }
    return json.text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _most_severe(findings: Sequence[Finding]) -> Sequence[Finding]:
    if len(findings) <= RESULTS:
        return findings
    return [finding for severity in Severity for finding in findings if finding.severity is severity][:RESULTS]


def _dropped(number: int) -> _Object:
    if not number:
        return {}
    message = f"{counted(number, 'more finding')} left out: one run holds no more than {RESULTS:,} results."
    notification = {"level": "warning", "message": {"text": message}}
    return {"invocations": [{"executionSuccessful": True, "toolExecutionNotifications": [notification]}]}


def _descriptor(name: str, rule: Rule | None, pages: str | None) -> _Object:
    if rule is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": _clipped(rule.title, DESCRIPTION)},
        "fullDescription": {"text": _clipped(rule.why, DESCRIPTION)},
        **({"helpUri": f"{pages.rstrip('/')}/{quote(name)}.md"} if pages else {}),
        "help": {"text": _help(rule, "", ""), "markdown": _help(rule, "```yaml\n", "\n```")},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _help(rule: Rule, opened: str, closed: str) -> str:
    bad, good = (_clipped(text.rstrip("\n"), _EXAMPLE) for text in (rule.bad, rule.good))
    return f"{rule.why}\n\nThis breaks the rule:\n\n{opened}{bad}{closed}\n\nThis does not:\n\n{opened}{good}{closed}\n"


def _results(findings: Sequence[Finding], indexes: Mapping[str, int], source: Source) -> Iterator[_Object]:
    files = _files(findings, source)
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        lines = files[finding.path]
        same = (finding.rule, finding.path, " ".join(lines.rows.get(finding.line, "").split()))
        seen[same] += 1
        yield {
            "ruleId": finding.rule,
            "ruleIndex": indexes[finding.rule],
            "level": finding.severity.value,
            "message": {"text": _message(finding)},
            "locations": [{"physicalLocation": _place(finding, lines)}],
            "partialFingerprints": _fingerprints(finding, lines, (*same, str(seen[same]))),
        }


def _files(findings: Sequence[Finding], source: Source) -> Mapping[str, _Lines]:
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        wanted.setdefault(finding.path, set()).add(finding.line)
    return {path: _lines(source(path), numbers) for path, numbers in wanted.items()}


def _lines(text: str | None, wanted: Collection[int]) -> _Lines:
    if text is None:
        return _Lines(rows={}, hashes={})
    rows = {number: row for number, row in enumerate(text.split("\n"), start=1) if number in wanted}
    return _Lines(rows=rows, hashes=line_hashes(text, wanted))


def _message(finding: Finding) -> str:
    """The message is the first sentence, which is all that is shown where there is little room.

    Braces stay single, although 3.11.5 wants them doubled: viewers that know no arguments show both, and ours has none.
    """
    message = _clipped(finding.message, MESSAGE)
    if finding.hint:
        message = f"{message}. Fix: {_clipped(finding.hint, MESSAGE)}"
    # `[text](target)` would be a link, wherever it came from; with its bracket escaped it is not (3.11.6).
    return printable(message).replace("](", r"\](")


def _place(finding: Finding, lines: _Lines) -> _Object:
    region = {"startLine": finding.line, "startColumn": finding.column, "endLine": finding.line}
    if finding.line in lines.rows:
        # To the end of the line; a finding knows only where it begins.
        end = len(lines.rows[finding.line].removesuffix("\r")) + 1
        region["endColumn"] = max(end, finding.column)
    # A name that is not UTF-8 has surrogates for its bytes.
    uri = quote(finding.path.encode("utf-8", "surrogateescape"))
    return {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}, "region": region}


def _fingerprints(finding: Finding, lines: _Lines, identity: Sequence[str]) -> Mapping[str, str]:
    """Ours tells findings of one line apart and does not change with the lines around; GitHub looks at its own only."""
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    theirs = {"primaryLocationLineHash": lines.hashes[finding.line]} if finding.line in lines.hashes else {}
    return {**theirs, "tidegate/v1": digest}


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
