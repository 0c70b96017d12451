"""docs/judgement.md explains every reason why a reading is none, and no other."""

from __future__ import annotations

from pathlib import Path

from tidegate.core.judging.reading import Why

PAGE = Path(__file__).parents[2] / "docs" / "judgement.md"


def test_every_reason_stands_in_the_table() -> None:
    _, _, after = PAGE.read_text(encoding="utf-8").partition("\n## Readings that are none\n")
    section, _, _ = after.partition("\n## ")
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert sorted(line.split("`")[1] for line in rows) == sorted(why.value for why in Why)
