"""What came of an action, in the words of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tidegate import errors


class Outcome(StrEnum):
    """How an action ended, for a condition in a workflow: what refuses must not look like what broke."""

    PASSED = "passed"
    REFUSED = "refused"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Exit code and what to tell: own outputs, a summary in Markdown, a sentence for the log.

    `annotated`: what is wrong stands on its lines already.
    """

    code: int
    outputs: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    words: str = ""
    annotated: bool = False
    skipped: bool = False

    @property
    def outcome(self) -> Outcome:
        if self.skipped:
            return Outcome.SKIPPED
        return {errors.FINE: Outcome.PASSED, errors.FINDINGS: Outcome.REFUSED}.get(self.code, Outcome.BROKEN)
