"""Findings for programs. Keys are stable; docs/json.md describes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tidegate.core.finding import Finding, Severity
from tidegate.reporters import json


def document(findings: Sequence[Finding], checked: int) -> str:
    """One JSON document: how many files were checked, how many findings there are of each severity, and which."""
    tally = Counter(finding.severity for finding in findings)
    counts = {severity.value: tally[severity] for severity in Severity}
    return json.text({"checked": checked, "counts": counts, "findings": findings})
