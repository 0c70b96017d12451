"""A finding: one thing that is wrong or noteworthy, on its line, with what to do about it.

Rules that produce findings live elsewhere; so do the reporters that print them as JSON, SARIF or annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: an error holds the model, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, where (1-based line and column), and the next step."""

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.path}:{self.line}:{self.column}: {self.severity} {self.rule}: {self.message}"
        return f"{text}; fix: {self.hint}" if self.hint else text
