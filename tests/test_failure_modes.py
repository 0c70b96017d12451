"""What went wrong with other tools that promote by pull request: each mode has tests that bear its number.

Most stand in adapters/test_github_failures.py, the others where the answer is: in a decision, a workflow, or doctor.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

MODES = {
    1: "a bot's pull request never gets its checks",
    2: "auto-merge is refused, or switched off",
    3: "405 means everything",
    4: "mergeability that is unknown is taken for a conflict",
    5: "a 5xx after the work was done",
    6: "the head moves between check and merge",
    7: "a bare head filter lists every pull request",
    8: "two runs open the same pull request",
    9: "a stale list repeats what was done",
    10: "a loop of our own writes",
    11: "promotion out of order",
    12: "races on one shared clone",
    13: "many writers, one branch",
    14: "two rules undo each other for ever",
    15: "stale and force-pushed branches",
    16: "a person edits or closes it",
    17: "merged or closed outside",
    18: "merge queues",
    19: "what merged is not what was reviewed",
    20: "protection, rulesets, and who may pass them",
    21: "rate limits",
    22: "fresh tokens are refused for seconds",
    23: "labels as state",
    24: "a workflow's pending run is dropped",
    25: "webhooks that are lost, doubled or early",
    26: "wedged, and yet ready",
    27: "names taken for an order",
    28: "what a soak counts from",
    29: "titles, bodies and lists that are too long",
    30: "injection by texts, names and links",
}
NAMED = re.compile(r"(?:def test_(?:[A-Z]\d+_)*?|id=\")F(\d+)[_-]")


@cache
def numbers() -> frozenset[int]:
    """Those that tests are named after."""
    files = Path(__file__).parent.rglob("*.py")
    return frozenset(int(number) for file in files for number in NAMED.findall(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("number", MODES, ids=[f"F{number}-{mode}" for number, mode in MODES.items()])
def test_each_failure_mode_has_a_test_of_its_number(number: int) -> None:
    assert number in numbers()


def test_no_test_names_a_mode_that_is_not_listed() -> None:
    assert numbers() <= MODES.keys()
