"""Schedules that cannot be read, never come, or come all the time."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import schedule

RULES = {rule.id for rule in schedule.RULES} | {"unknown-time-zone"}
MANIFEST = "models/churn/model.yaml:"


def cron(text: str, rest: str = "") -> str:
    return (
        f'spec: {{training: {{source: t, command: [a], lease: 1h, retrain: {{schedule: {{cron: "{text}"{rest}}}}}}}}}'
    )


def found(text: str) -> list[str]:
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            cron("0 3 * * 1"),
            [],
            id="weekly",
        ),
        pytest.param(
            cron("0 25 * * 1"),
            [
                (
                    "3:82: error bad-cron: 0 25 * * 1 cannot be read: its hour; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="an hour too late",
        ),
        pytest.param(
            cron("60 * * * *"),
            [
                (
                    "3:82: error bad-cron: 60 * * * * cannot be read: its minute; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="a minute too late",
        ),
        pytest.param(
            cron("0 0 * * 8"),
            [
                (
                    "3:82: error bad-cron: 0 0 * * 8 cannot be read: its day-of-week; fix: write it like `0 3 * * "
                    "1`: Mondays at three"
                ),
            ],
            id="a day too late",
        ),
        pytest.param(
            cron("0 3 30 13 *"),
            [
                (
                    "3:82: error bad-cron: 0 3 30 13 * cannot be read: its month; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="a month too late",
        ),
        pytest.param(
            cron("0 0 30 2 *"),
            [
                (
                    "3:82: error cron-never-fires: 0 0 30 2 *: the months of `2` have no day `30`; fix: write it "
                    "like `0 3 * * 1`: Mondays at three"
                ),
            ],
            id="no such day in February",
        ),
        pytest.param(
            cron("0 0 31 4,6 *"),
            [
                (
                    "3:82: error cron-never-fires: 0 0 31 4,6 *: the months of `4,6` have no day `31`; fix: write "
                    "it like `0 3 * * 1`: Mondays at three"
                ),
            ],
            id="no such day in two months",
        ),
        pytest.param(
            cron("0 0 29 2 *"),
            [],
            id="leap years",
        ),
        pytest.param(
            cron("0 0 30 2 mon"),
            [],
            id="either of two days",
        ),
        pytest.param(
            cron("0 0 1 JAN *"),
            [],
            id="names",
        ),
        pytest.param(
            cron("0 0 L * *"),
            [],
            id="the last day",
        ),
        pytest.param(
            cron("*/10 * * * *"),
            [],
            id="each ten minutes",
        ),
        pytest.param(
            cron("*/5 * * * *"),
            [
                (
                    "3:82: warning cron-fires-often: */5 * * * * fires 5m apart; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="each five minutes",
        ),
        pytest.param(
            cron("* 3 * * *"),
            [
                (
                    "3:82: warning cron-fires-often: * 3 * * * fires 1m apart; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="each minute of an hour",
        ),
        pytest.param(
            cron("0,5 3 * * 1"),
            [
                (
                    "3:82: warning cron-fires-often: 0,5 3 * * 1 fires 5m apart; fix: write it like `0 3 * * 1`: "
                    "Mondays at three"
                ),
            ],
            id="twice in a row",
        ),
        pytest.param(
            cron("0 0 1 1 " + ",".join("1" * 200)),
            [
                (
                    "3:82: error bad-cron: 0 0 1 1 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1, cannot be "
                    "read: it is too long; fix: write it like `0 3 * * 1`: Mondays at three"
                ),
            ],
            id="absurdly long",
        ),
        pytest.param(
            cron("0 3 * * 1", ", timeZone: Europe/Berlin"),
            [],
            id="a zone",
        ),
        pytest.param(
            cron("0 3 * * 1", ", timeZone: Europe/Berln"),
            [
                (
                    '3:105: error unknown-time-zone: there is no time zone "Europe/Berln"; fix: did you mean '
                    "Europe/Berlin?"
                ),
            ],
            id="no zone",
        ),
    ],
)
def test_a_schedule_comes(text: str, expected: list[str]) -> None:
    assert found(text) == expected
