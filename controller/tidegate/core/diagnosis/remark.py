"""What doctor says: a rule that is broken, what is fine, and what could not be looked at. Also the facts that are not.

A rule is declared once; docs/doctor.md lists them. Which facts break it is its subject's module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tidegate.core.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that could not be had, and why. `silent`: a server did not answer at all."""

    why: str
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A rule broken here: what was seen, why it matters, and the command or setting that mends it."""

    rule: str
    severity: Severity
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fine:
    """What was looked at and found as it should be."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What could not be looked at, and why."""

    what: str
    why: str
    silent: bool = False


Remark: TypeAlias = Complaint | Fine | Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What doctor looks for, why it matters, how it is mended: `fix` holds where a complaint knows nothing nearer."""

    id: str
    severity: Severity = Severity.ERROR
    title: str
    why: str
    fix: str

    def broken(self, what: str, fix: str = "") -> Complaint:
        return Complaint(rule=self.id, severity=self.severity, what=what, why=self.why, fix=fix or self.fix)


def unseen(what: str, fact: Unknown) -> Unseen:
    return Unseen(what=what, why=fact.why, silent=fact.silent)


def weighed(remarks: Iterable[Remark], idle: str) -> Iterator[Remark]:
    """The remarks as they are, or each complaint as a note where nothing waits for the thing, and why not."""
    for remark in remarks:
        if idle and isinstance(remark, Complaint):
            yield replace(remark, severity=Severity.NOTE, why=f"Nothing waits for it: {idle}.")
        else:
            yield remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """All that is said about one subject."""

    subject: str
    complaints: tuple[Complaint, ...]
    fine: tuple[Fine, ...]
    unseen: tuple[Unseen, ...]


def section(subject: str, remarks: Iterable[Remark]) -> Section:
    """The remarks by kind, complaints with the most severe first, nothing twice."""
    said = tuple(dict.fromkeys(remarks))
    complaints = [remark for remark in said if isinstance(remark, Complaint)]
    return Section(
        subject=subject,
        complaints=tuple(sorted(complaints, key=lambda complaint: list(Severity).index(complaint.severity))),
        fine=tuple(remark for remark in said if isinstance(remark, Fine)),
        unseen=tuple(remark for remark in said if isinstance(remark, Unseen)),
    )
