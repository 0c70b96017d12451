"""Freeze windows that never hold, or always."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import freezes

RULES = {rule.id for rule in freezes.RULES}
MANIFEST = "models/churn/model.yaml:"

WEEK = "days: [mon, tue, wed, thu, fri, sat, sun]"


def windows(*texts: str) -> str:
    return f"# tidegate.yaml\nfreeze: [{', '.join(f'{{{text}}}' for text in texts)}]"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            windows("from: 2026-12-24, until: 2026-12-27"),
            [],
            id="a holiday",
        ),
        pytest.param(
            windows("from: 2026-12-24, until: 2026-12-24"),
            [
                (
                    "tidegate.yaml:3:36: error freeze-never-holds: it ends when it begins: until 2026-12-24; fix: "
                    "write the first day that is free again"
                ),
            ],
            id="a day that ends as it begins",
        ),
        pytest.param(
            windows("from: 2026-12-25T10:00, until: 2026-12-24"),
            [
                (
                    "tidegate.yaml:3:42: error freeze-never-holds: it ends before it begins: until 2026-12-24; "
                    "fix: write the first day that is free again"
                ),
            ],
            id="the wrong way round",
        ),
        pytest.param(
            windows("from: 2026-01-01, until: 2027-01-01"),
            [],
            id="a year",
        ),
        pytest.param(
            windows("from: 2026-01-01, until: 2030-01-01"),
            [
                (
                    "tidegate.yaml:3:36: warning freeze-always-holds: it holds for 1461 days; fix: write `hold` "
                    "with a reason, if that is meant"
                ),
            ],
            id="four years",
        ),
        pytest.param(
            windows(WEEK),
            [
                (
                    "tidegate.yaml:3:10: warning freeze-always-holds: the whole week is frozen: nothing is ever "
                    "promoted; fix: leave some time, or write `hold` with a reason"
                ),
            ],
            id="whole days of a whole week",
        ),
        pytest.param(
            windows("days: [mon, tue, wed, thu], until: '23:59'", "days: [fri, sat, sun], until: '23:59'"),
            [
                (
                    "tidegate.yaml:3:9: warning freeze-always-holds: the whole week is frozen: nothing is ever "
                    "promoted; fix: leave some time, or write `hold` with a reason"
                ),
            ],
            id="but for a minute",
        ),
        pytest.param(
            windows(f"{WEEK}, from: '06:00', until: '06:00'"),
            [
                (
                    "tidegate.yaml:3:10: warning freeze-always-holds: the whole week is frozen: nothing is ever "
                    "promoted; fix: leave some time, or write `hold` with a reason"
                ),
            ],
            id="round the clock",
        ),
        pytest.param(
            windows(f"{WEEK}, from: '22:00', until: '06:00'"),
            [],
            id="nights",
        ),
        pytest.param(
            windows(f"{WEEK}, from: '22:00', until: '06:00'", f"{WEEK}, from: '06:00', until: '22:00'"),
            [
                (
                    "tidegate.yaml:3:9: warning freeze-always-holds: the whole week is frozen: nothing is ever "
                    "promoted; fix: leave some time, or write `hold` with a reason"
                ),
            ],
            id="nights and days",
        ),
        pytest.param(
            windows(
                f"{WEEK}, from: '22:00', until: '06:00'", f"{WEEK}, from: '06:00', until: '22:00', timeZone: Asia/Tokyo"
            ),
            [],
            id="nights and days of two zones may leave something",
        ),
        pytest.param(
            windows("days: [sun], from: '12:00', until: '11:00'", "days: [mon, tue, wed, thu, fri, sat]"),
            [],
            id="all of the week but a Sunday morning",
        ),
    ],
)
def test_windows_hold_at_times(text: str, expected: list[str]) -> None:
    assert found(text) == expected
