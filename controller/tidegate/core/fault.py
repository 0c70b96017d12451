"""A fault: what is wrong at one place of the data. With the document it becomes a finding, on its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from tidegate.core.credentials import blanked
from tidegate.core.finding import Finding, Severity
from tidegate.core.yaml.document import Document, Position

Way: TypeAlias = tuple[Any, ...]
"""Keys and indexes from the top of the data."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`on_key` places it on the key instead of the value; `offset` places it in the text where there is no value."""

    rule: str
    path: Way
    message: str
    hint: str = ""
    on_key: bool = False
    severity: Severity = Severity.ERROR
    offset: int | None = None


def placed(document: Document, fault: Fault) -> Finding:
    """The fault on its line; on the nearest ancestor's where the text has no such value. No credential is repeated."""
    place = _place(document, fault)
    return Finding(
        rule=fault.rule,
        severity=fault.severity,
        path=document.path,
        line=place.line,
        column=place.column,
        message=blanked(fault.message),
        hint=blanked(fault.hint),
    )


def _place(document: Document, fault: Fault) -> Position:
    if fault.offset is not None:
        return document.at(fault.offset)
    return document.key_position(fault.path) if fault.on_key else document.position(fault.path)
