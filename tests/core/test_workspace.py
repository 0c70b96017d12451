"""Freeze windows: which instants they cover, past midnight and where the clock changes."""

from __future__ import annotations

from datetime import datetime

import pytest

from tidegate import bundled
from tidegate.core.read import read_workspace

NIGHT = '{days: [fri], from: "22:00", until: "06:00", timeZone: Europe/Berlin}'
SATURDAYS = '{days: [sat], from: "22:00", until: "02:30", timeZone: Europe/Berlin}'
SUNDAYS = '{days: [sun], from: "02:30", until: "04:00", timeZone: Europe/Berlin}'


def frozen(window: str, at: str) -> bool:
    text = f"apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\nfreeze: [{window}]\n"
    return read_workspace(text, "tidegate.yaml", bundled.schemas()).frozen(datetime.fromisoformat(at)) is not None


@pytest.mark.parametrize(
    ("window", "at", "answer"),
    [
        pytest.param(NIGHT, "2026-03-06T21:59:59+01:00", False, id="the-evening-before-it-opens"),
        pytest.param(NIGHT, "2026-03-06T22:00:00+01:00", True, id="it-opens-on-the-listed-day"),
        pytest.param(NIGHT, "2026-03-07T00:00:00+01:00", True, id="midnight-does-not-end-it"),
        pytest.param(NIGHT, "2026-03-07T04:59:59+00:00", True, id="whatever-zone-the-clock-is-in"),
        pytest.param(NIGHT, "2026-03-07T06:00:00+01:00", False, id="it-ends-the-next-morning"),
        pytest.param(NIGHT, "2026-03-07T22:30:00+01:00", False, id="the-next-evening-is-no-listed-day"),
        pytest.param(NIGHT, "2026-03-06T05:00:00+01:00", False, id="the-morning-of-the-listed-day-is-the-night-before"),
        pytest.param(
            '{days: [sun], from: "22:00", until: "06:00"}', "2026-03-09T01:00:00Z", True, id="into-a-new-week"
        ),
        pytest.param('{days: [fri], from: "22:00", until: "00:00"}', "2026-03-06T23:59:59Z", True, id="until-midnight"),
        pytest.param('{days: [fri], from: "22:00", until: "00:00"}', "2026-03-07T00:00:00Z", False, id="not-after-it"),
        pytest.param('{days: [fri], from: "08:00", until: "08:00"}', "2026-03-07T07:59:59Z", True, id="a-whole-day"),
        pytest.param('{days: [fri], from: "16:00", until: "18:00"}', "2026-03-06T17:00:00Z", True, id="within-one-day"),
        pytest.param('{days: [fri], from: "16:00", until: "18:00"}', "2026-03-06T18:00:00Z", False, id="and-over-then"),
        pytest.param('{days: [fri], from: "16:00", until: "18:00"}', "2026-03-07T17:00:00Z", False, id="and-no-other"),
        pytest.param("{days: [fri]}", "2026-03-06T00:00:00Z", True, id="without-times-all-day"),
        pytest.param("{days: [fri]}", "2026-03-07T00:00:00Z", False, id="without-times-no-longer"),
        # Berlin repeats 02:00 to 03:00 on 2026-10-25, at 01:00 UTC, and skips it on 2026-03-29, at 01:00 UTC.
        pytest.param(SATURDAYS, "2026-10-25T00:45:00Z", True, id="the-first-0245-of-a-night-that-has-two"),
        pytest.param(SATURDAYS, "2026-10-25T01:15:00Z", True, id="the-second-0215"),
        pytest.param(SATURDAYS, "2026-10-25T01:30:00Z", False, id="it-ends-at-the-second-0230"),
        pytest.param(SUNDAYS, "2026-10-25T00:15:00Z", False, id="it-has-not-begun-at-the-first-0215"),
        pytest.param(SUNDAYS, "2026-10-25T00:30:00Z", True, id="it-begins-at-the-first-0230"),
        pytest.param(SUNDAYS, "2026-10-25T01:15:00Z", True, id="and-goes-on-over-the-second-0215"),
        pytest.param(SATURDAYS, "2026-03-29T01:29:00Z", True, id="it-lasts-as-long-though-the-clock-skips-its-end"),
        pytest.param(SATURDAYS, "2026-03-29T01:30:00Z", False, id="and-no-longer"),
        pytest.param(SUNDAYS, "2026-03-29T01:45:00Z", True, id="it-begins-though-the-clock-skips-its-beginning"),
        pytest.param(SUNDAYS, "2026-03-29T02:00:00Z", False, id="and-ends-by-the-new-clock"),
    ],
)
def test_I8_a_freeze_covers_what_it_says(window: str, at: str, answer: bool) -> None:
    assert frozen(window, at) is answer
