"""Days, times and time zones that do not exist."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import clock

RULES = {rule.id for rule in clock.RULES} | {"value"}
MANIFEST = "models/churn/model.yaml:"


def window(text: str) -> str:
    return f"# tidegate.yaml\nfreeze: [{{{text}}}]"


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "spec: {hold: {reason: audit, until: '2026-02-30T10:00:00Z'}}",
            [
                (
                    "3:37: error value: there is no 2026-02-30T10:00:00Z: no such day or time; fix: write one that "
                    "exists"
                ),
            ],
            id="a day that no month has",
        ),
        pytest.param(
            "spec: {hold: {reason: audit, until: '2028-02-29T10:00:00Z'}}",
            [],
            id="a day that a leap year has",
        ),
        pytest.param(
            "spec: {hold: {reason: audit, until: '2026-02-28T10:00:00+25:00'}}",
            [
                (
                    "3:37: error value: there is no 2026-02-28T10:00:00+25:00: no such day or time; fix: write one "
                    "that exists"
                ),
            ],
            id="an offset that no zone has",
        ),
        pytest.param(
            "# models/churn/production.yaml\nhold: {reason: audit, until: '2026-13-01T10:00:00Z'}",
            [
                (
                    "models/churn/production.yaml:3:30: error value: there is no 2026-13-01T10:00:00Z: no such day "
                    "or time; fix: write one that exists"
                ),
            ],
            id="a month that no year has",
        ),
        pytest.param(
            "# tidegate.yaml\nhold: {reason: audit, until: '2026-01-01T25:00:00Z'}",
            [
                (
                    "tidegate.yaml:3:30: error value: there is no 2026-01-01T25:00:00Z: no such day or time; fix: "
                    "write one that exists"
                ),
            ],
            id="an hour that no day has",
        ),
        pytest.param(
            window("from: 2026-02-30, until: 2026-03-32"),
            [
                (
                    "tidegate.yaml:3:17: error value: there is no 2026-02-30: no such day or time; fix: write one "
                    "that exists"
                ),
                (
                    "tidegate.yaml:3:36: error value: there is no 2026-03-32: no such day or time; fix: write one "
                    "that exists"
                ),
            ],
            id="days of a window",
        ),
        pytest.param(
            window("days: [fri], timeZone: Amerika/New_York"),
            [
                (
                    'tidegate.yaml:3:34: error unknown-time-zone: there is no time zone "Amerika/New_York"; fix: '
                    "did you mean America/New_York?"
                ),
            ],
            id="a misspelt zone",
        ),
        pytest.param(
            window("days: [fri], timeZone: utc"),
            [
                ('tidegate.yaml:3:34: error unknown-time-zone: there is no time zone "utc"; fix: did you mean UTC?'),
            ],
            id="a zone in small letters",
        ),
        pytest.param(
            window("days: [fri], timeZone: CEST"),
            [
                (
                    'tidegate.yaml:3:34: error unknown-time-zone: there is no time zone "CEST"; fix: write a '
                    "name such as Europe/Berlin, or UTC"
                ),
            ],
            id="an abbreviation",
        ),
        pytest.param(
            window("days: [fri], timeZone: Xyz/Abc"),
            [
                (
                    'tidegate.yaml:3:34: error unknown-time-zone: there is no time zone "Xyz/Abc"; fix: write a '
                    "name such as Europe/Berlin, or UTC"
                ),
            ],
            id="a zone like no other",
        ),
    ],
)
def test_days_and_zones_exist(text: str, expected: list[str]) -> None:
    assert found(text) == expected
