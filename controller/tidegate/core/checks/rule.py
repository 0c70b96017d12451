"""A rule: what `validate` looks for, why it matters, and how it is mended. Its page in docs/rules is made from this."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`bad` is a short text that breaks the rule, `good` the same text mended.

    Both are YAML of `models/churn/model.yaml`, or of the files whose paths stand in comment lines of their own.
    """

    id: str
    severity: Severity = Severity.ERROR
    title: str
    why: str
    bad: str
    good: str

    def at(self, path: Way, message: str, hint: str = "", *, on_key: bool = False) -> Fault:
        """The rule broken at a place of the data."""
        return Fault(self.id, path, message, hint, on_key, self.severity)
