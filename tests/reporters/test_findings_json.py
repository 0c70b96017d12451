"""Findings for programs: every key described, every text as it is, nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict

from hypothesis import given

from support.findings import FINDINGS, findings
from support.program import CONTROLLER
from tidegate.core.finding import Finding
from tidegate.reporters.findings_json import document


def test_the_document_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("findings/report.json", document(FINDINGS, 40) + "\n")


@given(findings())
def test_every_text_is_read_back_as_it_was(found: list[Finding]) -> None:
    read = json.loads(document(found, 3))
    assert read["findings"] == [asdict(finding) for finding in found]
    assert read["checked"] == 3
    assert sum(read["counts"].values()) == len(found)


@given(findings())
def test_a_terminal_obeys_nothing_of_it(found: list[Finding]) -> None:
    assert all(line.isprintable() for line in document(found, 3).split("\n"))


def test_every_key_is_described_and_no_other() -> None:
    page = (CONTROLLER.parent / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.partition("## `tidegate validate --format json`\n")[2].partition("\n## ")[0]
    read = json.loads(document(FINDINGS, 40))
    counts = {f"counts.{key}" for key in read["counts"]}
    entries = {f"findings[].{key}" for key in read["findings"][0]}
    assert read.keys() == {"checked", "counts", "findings"}
    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == {"checked"} | counts | entries
