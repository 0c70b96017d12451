"""What a Prometheus answers over a span of time, as numbers by instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

import requests

TIMEOUT = timedelta(minutes=4)


@cache
def answers(url: str, expression: str, start: datetime, end: datetime, step: timedelta) -> Mapping[float, float]:
    """The one series of the expression, by instant (seconds since the epoch); NaN as it comes."""
    asked = {
        "query": expression,
        "start": f"{start.timestamp():.0f}",
        "end": f"{end.timestamp():.0f}",
        "step": f"{step.total_seconds():.0f}",
        "timeout": f"{TIMEOUT.total_seconds():.0f}s",
    }
    answer = requests.post(f"{url}/api/v1/query_range", data=asked, timeout=TIMEOUT.total_seconds()).json()
    assert answer["status"] == "success", answer
    assert not answer.get("warnings"), answer["warnings"]
    series = answer["data"]["result"]
    assert len(series) <= 1, f"{len(series)} series of {expression}"
    return {float(at): float(value) for found in series for at, value in found["values"]}
