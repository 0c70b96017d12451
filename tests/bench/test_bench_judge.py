"""`make bench-judge` in its smallest form: a few rollouts of one kind of traffic for each table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "judgement.md"
BEGIN, END = "<!-- make bench-judge writes from here -->", "<!-- to here -->"
COST = "\n### What it costs\n"


def printed(processes: int) -> str:
    small = ["--cells", "small", "--rollouts", "3", "--processes", str(processes), "--dry-run"]
    command = [sys.executable, "-W", "error", str(ROOT / "bench" / "judging" / "run.py"), *small]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("### ")]


def figures(text: str) -> str:
    """All but how long it took and what it costs."""
    return text.partition("\n")[2].partition(COST)[0]


def test_it_prints_the_sections_of_the_page_alike_in_any_number_of_processes_and_writes_nothing() -> None:
    page = PAGE.read_text(encoding="utf-8")
    written, _, _ = page.partition(BEGIN)[2].partition(END)
    text = printed(processes=1)
    assert headings(text) == headings(written)
    assert "nan" not in text
    assert figures(text) == figures(printed(processes=2))
    assert PAGE.read_text(encoding="utf-8") == page
