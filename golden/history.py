"""Five weeks of one service, a sample a minute: a daily wave of traffic, and whatever an objective should notice.

Counters are whole numbers. What truly happened can be asked, so that estimates are held against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LENGTH = 35 * DAY
CODES = ("200", "404", "429", "500")
FIRST_BAD = 2 * DAY
"""Until then no request failed, and no counter of failures was there."""

_USUAL = 0.0002
_SPELLS = (
    # from, for, share of requests that fail
    (6 * DAY + 3 * HOUR, 7 * MINUTE, 0.5),
    (9 * DAY, MINUTE, 1.0),
    (11 * DAY + 10 * HOUR, 5 * HOUR, 0.008),
    (14 * DAY, 30 * HOUR, 0.004),
    (18 * DAY, 4 * DAY, 0.0013),
    (24 * DAY + 20 * HOUR, 2 * HOUR, 0.2),
    (32 * DAY, 25 * MINUTE, 1.0),
)
_RESTARTS = (5 * DAY + 7 * MINUTE, 20 * DAY, 24 * DAY + 21 * HOUR)
IDLE = (27 * DAY, 27 * DAY + 2 * HOUR)
"""No requests at all."""
UNSEEN = (29 * DAY, 29 * DAY + HOUR)
"""Nobody scraped it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests of one minute, by how they ended."""

    by_code: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_code.values())

    @property
    def bad(self) -> int:
        return self.by_code["429"] + self.by_code["500"]


@cache
def minutes() -> tuple[Tally, ...]:
    """What happened in each minute."""
    tallies, owed = [], 0.0
    for number in range(LENGTH // MINUTE):
        at = number * MINUTE
        total = 0 if IDLE[0] <= at < IDLE[1] else round(300 * (1 + 0.9 * math.sin(math.tau * (at / DAY))))
        owed += total * _bad_share(at)
        bad = min(int(owed), total)
        owed -= bad
        missing = (total - bad) // 50
        slow = bad // 3
        by_code = {"200": total - bad - missing, "404": missing, "429": slow, "500": bad - slow}
        tallies.append(Tally(by_code))
    return tuple(tallies)


def _bad_share(at: timedelta) -> float:
    if at < FIRST_BAD:
        return 0.0
    return next((share for start, length, share in _SPELLS if start <= at < start + length), _USUAL)


def openmetrics() -> str:
    """All samples, series by series, as `promtool tsdb create-blocks-from openmetrics` reads them."""
    return "".join(line for code in CODES for line in _lines(code)) + "# EOF\n"


def _lines(code: str) -> Iterator[str]:
    count, name = 0, f'http_request_duration_seconds_count{{job="myservice",code="{code}"}}'
    for number, tally in enumerate(minutes()):
        at = number * MINUTE
        if at in _RESTARTS:
            count = 0
        count += tally.by_code[code]
        born = at >= FIRST_BAD or code in ("200", "404")
        if born and not UNSEEN[0] <= at < UNSEEN[1]:
            yield f"{name} {count} {(START + at).timestamp():.0f}\n"
