"""Counters scraped twice a minute, and a Metrics that has them as they were by an instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from support.situations import NOW
from tidegate.core.judging.reading import Sampled, Series, Unread

SECOND = timedelta(seconds=1)


@dataclass
class Scraped:
    """A Metrics that has these series, each under its own name, as they were by `at`."""

    series: tuple[Series, ...]
    at: datetime = NOW
    asked: list[str] = field(default_factory=list)
    earliest: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self.asked.append(selector)
        self.earliest = min(self.earliest, start)
        return Sampled(series=tuple(self._between(selector, start, end)), start=start, end=end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return Sampled(series=(), start=start, end=end)

    def _between(self, selector: str, start: datetime, end: datetime) -> Iterator[Series]:
        first, last = start.timestamp(), end.timestamp()
        for each in self.series:
            if each.labels["__name__"] == selector.partition("{")[0]:
                inside = tuple(sample for sample in each.samples if first < sample[0] <= last)
                yield from (replace(each, samples=inside),) if inside else ()


def counter(
    name: str, version: int, per_minute: float, since: datetime, until: datetime = NOW, **labels: str
) -> Series:
    """One of a version's, from its first scrape at 0 on."""
    scrapes = range(int((until - since) / (30 * SECOND)) + 1)
    samples = tuple((since.timestamp() + 30 * number, per_minute / 2 * number) for number in scrapes)
    told = {"__name__": name, "version": str(version), "job": "models", "instance": f"pod-{version}:80"}
    return Series(labels={**told, **labels}, samples=samples)
