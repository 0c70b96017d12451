"""What docs/findings.md shows is what is written for such findings."""

from __future__ import annotations

import re

from support.findings import FILES, FINDINGS
from support.program import CONTROLLER
from tidegate.reporters import findings_github, findings_text

SHOWN = (FINDINGS[0], FINDINGS[2])


def test_the_page_s_examples_are_what_is_written() -> None:
    page = (CONTROLLER.parent / "docs" / "findings.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    written = [
        findings_text.lines(SHOWN, FILES.get, checked=40, colour=False),
        findings_github.lines(SHOWN, 40),
    ]
    assert examples == ["\n".join(lines) + "\n" for lines in written]
