"""A world that a real Prometheus scrapes, with one gauge more: what its serving programs say of their features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from support.prometheus_server import PrometheusServer, Written
from support.worlds import Clock, Service, World
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.reading import Sampled, Unread


@dataclass
class GaugedService(Service):
    """Serves as its parent does; `drift` is each version's `feature_drift`, else 0.1."""

    drift: dict[int, float] = field(default_factory=dict)

    def scrape(self, routes: Mapping[str, Mapping[int, float]], at: datetime) -> None:
        super().scrape(routes, at)
        serving = [key[1:] for key, samples in self.samples.items() if samples[-1][0] == at.timestamp()]
        for environment, version in dict.fromkeys(serving):
            self._set("feature_drift", environment, version, self.drift.get(version, 0.1), at)


@dataclass(frozen=True)
class AtItsTime:
    """A real Prometheus whose own time is a frozen clock's."""

    source: Prometheus
    clock: Clock

    def now(self) -> datetime | Unread:
        return self.clock.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self.source.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self.source.answers(expression, start, end, step)


class FedWorld(World):
    """A world whose service a real Prometheus has scraped, up to the world's time."""

    def __init__(self, folder: Path, server: PrometheusServer, manifest: str) -> None:
        super().__init__(folder, manifest)
        self._server, self._known = server, dict[tuple[str, str, int], int]()
        self.service = self.gauged = GaugedService()
        self.metrics = AtItsTime(Prometheus(server.url), self.clock)  # type: ignore[assignment]
        self.ports = self.connect()

    def wait(self, after: timedelta) -> None:
        super().wait(after)
        if new := list(self._new()):
            self._server.write(new)

    def _new(self) -> Iterator[Written]:
        for key, samples in self.service.samples.items():
            name, environment, version = key
            labels = {"__name__": name, "model": "digits", "environment": environment, "version": str(version)}
            fresh = samples[self._known.get(key, 0) :]
            self._known[key] = len(samples)
            if fresh:
                yield {**labels, "job": "models", "instance": "server:80"}, fresh
