"""What doctor says, on GitHub Actions: an annotation for each complaint, and for each server that does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.core.diagnosis.remark import Section
from tidegate.core.finding import Severity
from tidegate.reporters.diagnosis_text import totals
from tidegate.reporters.printable import printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def lines(sections: Sequence[Section]) -> Iterator[str]:
    """No text of others can be a command of its own: it stands behind the `::` of ours, without a line break."""
    for section in sections:
        for complaint in section.complaints:
            said = [complaint.what, f"why: {complaint.why}", f"fix: {complaint.fix}"]
            yield _command(_COMMANDS[complaint.severity], complaint.rule, said)
        for unseen in section.unseen:
            said = [f"could not be looked at: {unseen.what}", unseen.why]
            yield _command("warning" if unseen.silent else "notice", section.subject, said)
    yield totals(sections)


def _command(name: str, title: str, said: Sequence[str]) -> str:
    """As the runner reads it back (actions/runner, ActionCommand.TryParseV2)."""
    text = "%0A".join(printable(line).replace("%", "%25") for line in said)
    return f"::{name} title={title}::{text}"
