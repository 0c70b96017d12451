"""What doctor says, for eyes: by subject, complaints first, each with why it matters and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.core.diagnosis.remark import Complaint, Section
from tidegate.core.finding import Severity
from tidegate.reporters.findings_text import counted
from tidegate.reporters.printable import printable


def lines(sections: Sequence[Section]) -> Iterator[str]:
    """The whole report."""
    for section in sections:
        yield section.subject
        for complaint in section.complaints:
            yield f"  {complaint.severity:<7}  {complaint.rule}  {printable(complaint.what)}"
            yield f"           why: {complaint.why}"
            yield f"           fix: {printable(complaint.fix)}"
        for unseen in section.unseen:
            yield f"  {'unseen':<7}  {printable(unseen.what)}: {printable(unseen.why)}"
        for fine in section.fine:
            yield f"  {'fine':<7}  {printable(fine.what)}"
        yield ""
    yield totals(sections)


def totals(sections: Sequence[Section]) -> str:
    """`1 error, 2 warnings; 3 things could not be looked at`."""
    complaints: list[Complaint] = [complaint for section in sections for complaint in section.complaints]
    tally = [
        counted(number, severity)
        for severity in Severity
        if (number := sum(complaint.severity is severity for complaint in complaints))
    ]
    unseen = sum(len(section.unseen) for section in sections)
    found = ", ".join(tally) or "nothing is amiss"
    return f"{found}; {counted(unseen, 'thing')} could not be looked at" if unseen else found
