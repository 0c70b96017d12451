"""Values and late labels from a real Prometheus, through whole rollouts: what blocks, what reverts, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.prometheus_server import PrometheusServer, Written
from support.worlds import MANIFEST, SCRAPE, World, settle, stable
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.outcome import Hold

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

MINUTE = timedelta(minutes=1)
LATENCY = "    latency: {good: quick_total, total: requests_total, target: 90%}\n"
DRIFT = """\
    drift:
      value: |
        max(feature_drift{model="{{ model }}", environment="{{ environment }}", version="{{ version }}"})
      maximum: 0.2
      for: 1m
"""
FRESHNESS = """\
    freshness:
      value: |
        time() - max by (version) (newest_feature_timestamp_seconds{model="{{ model }}"})
      maximum: 120
      for: 1m
"""
QUALITY = """\
    quality:
      bad: label_age_seconds{correct="false"}
      total: label_age_seconds
      target: 90%
      labels: {served: requests_total, delay: 5m, minimumCoverage: 80%}
"""


@dataclass
class Later:
    """Metrics of a real Prometheus at the time of a frozen clock."""

    world: World
    source: Prometheus

    def now(self) -> datetime | Unread:
        return self.world.clock.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        return self.source.samples(selector, start, end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        return self.source.answers(expression, start, end, step)


@dataclass
class Scraped:
    """Prometheus scrapes what the world serves, two gauges of it, and a joiner of labels.

    Half of the predictions have their label within a minute, the others after four to five.
    """

    world: World
    server: PrometheusServer
    drift: dict[int, float] = field(default_factory=dict)
    age: dict[int, float] = field(default_factory=dict)
    wrong: dict[int, float] = field(default_factory=dict)
    _known: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def scrape(self) -> None:
        new = list(self._new())
        if new:
            self.server.write(new)

    def _new(self) -> Iterator[Written]:
        for (name, environment, version), samples in self.world.service.samples.items():
            key = (name, environment, version)
            fresh = samples[self._known.get(key, 0) :]
            self._known[key] = len(samples)
            labels = {
                "__name__": name,
                "model": "digits",
                "environment": environment,
                "version": str(version),
                "job": "serving",
                "instance": "server:80",
            }
            if fresh:
                yield labels, fresh
            if name == "requests_total" and fresh:
                drift, age = self.drift.get(version, 0.1), self.age.get(version, 30.0)
                yield {**labels, "__name__": "feature_drift"}, [(at, drift) for at, _ in fresh]
                newest = {**labels, "__name__": "newest_feature_timestamp_seconds"}
                yield newest, [(at, at - age) for at, _ in fresh]
                yield from self._labels(labels, samples, len(fresh), self.wrong.get(version, 0.05))

    def _labels(
        self, labels: Mapping[str, str], samples: list[tuple[float, float]], fresh: int, wrong: float
    ) -> Iterator[Written]:
        """Histograms of age: each batch of predictions has its labels spread evenly over the ages it can have."""
        batch = SCRAPE.total_seconds()
        made = [
            (at, value - before) for (at, value), before in zip(samples, [0.0, *(v for _, v in samples)], strict=False)
        ]
        for le, ages in (("60", (0, 60)), ("240", (0, 60)), ("300", (0, 60, 240, 300)), ("+Inf", (0, 60, 240, 300))):
            spans = list(zip(ages[::2], ages[1::2], strict=True))
            values = []
            for at, _ in samples[-fresh:]:
                shares = ((number, sum(_part(at - then - batch / 2, span) for span in spans)) for then, number in made)
                values.append((at, sum(number * share / 2 for number, share in shares)))
            for correct, share in (("true", 1 - wrong), ("false", wrong)):
                named = {**labels, "__name__": "label_age_seconds_bucket", "job": "labels", "instance": "joiner:80"}
                yield {**named, "le": le, "correct": correct}, [(at, value * share) for at, value in values]


def _part(age: float, span: tuple[int, int]) -> float:
    """Which part of the labels that come at these ages has come by this one."""
    low, high = span
    return min(max((age - low) / (high - low), 0.0), 1.0)


class Observed(World):
    """A world that Prometheus scrapes."""

    scraped: Scraped | None = None

    def wait(self, after: timedelta) -> None:
        super().wait(after)
        if self.scraped is not None:
            self.scraped.scrape()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrometheusServer]:
    """One of its own: the worlds' time is long past."""
    server = PrometheusServer(tmp_path / "prometheus")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def world_with(folder: Path, server: PrometheusServer, manifest: str) -> tuple[Observed, Scraped]:
    world = Observed(folder / "world", manifest=manifest)
    world.scraped = Scraped(world=world, server=server)
    world.metrics = Later(world=world, source=Prometheus(server.url))  # type: ignore[assignment]
    world.ports = world.connect()
    settle(world)
    return world, world.scraped


def held(world: World) -> str:
    """Why production holds at the next pass."""
    decision = world.tick().decisions[0].environments["production"]
    assert isinstance(decision, Hold), decision
    return decision.reason


def test_a_value_outside_its_bound_blocks_until_it_is_back(tmp_path: Path, server: PrometheusServer) -> None:
    manifest = MANIFEST.replace(LATENCY, LATENCY + DRIFT + "      effect: block\n")
    world, scraped = world_with(tmp_path, server, manifest)
    scraped.drift[2] = 0.3
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    for _ in range(16):
        world.tick()
    canary = world.pin().canary
    assert canary is not None
    assert (canary.weight, world.pin().rejected) == (0.25, ())
    assert "drift is 0.3, and at most 0.2 is good for 1m" in held(world)
    scraped.drift[2] = 0.1
    world.until(lambda: stable(world) == 2)


def test_a_value_of_one_version_reverts_it(tmp_path: Path, server: PrometheusServer) -> None:
    world, scraped = world_with(tmp_path, server, MANIFEST.replace(LATENCY, LATENCY + DRIFT))
    scraped.drift[2] = 0.3
    world.train(2)
    world.until(lambda: bool(world.pin().rejected))
    assert (stable(world), world.pin().canary) == (1, None)
    assert [entry.reason for entry in world.pin().rejected] == ["drift 0.3"]


def test_both_versions_outside_is_no_reason_to_revert_one(tmp_path: Path, server: PrometheusServer) -> None:
    world, scraped = world_with(tmp_path, server, MANIFEST.replace(LATENCY, LATENCY + DRIFT))
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    scraped.drift |= {1: 0.3, 2: 0.3}
    for _ in range(10):
        world.tick()
    assert world.pin().rejected == ()
    assert "the version before it breaches too (drift)" in held(world)


def test_features_that_grow_old_revert_the_version_that_reads_them(tmp_path: Path, server: PrometheusServer) -> None:
    world, scraped = world_with(tmp_path, server, MANIFEST.replace(LATENCY, LATENCY + FRESHNESS))
    scraped.age[2] = 600.0
    world.train(2)
    world.until(lambda: bool(world.pin().rejected))
    assert [entry.reason for entry in world.pin().rejected] == ["freshness 600"]


@pytest.mark.parametrize(
    "probation",
    [
        pytest.param("5m", id="on-probation"),
        pytest.param("30s", id="when-probation-is-over-and-labels-still-come"),
    ],
)
def test_late_labels_revert_after_the_finish(tmp_path: Path, server: PrometheusServer, probation: str) -> None:
    """Version 2 answers well and is wrong six times as often, which is known minutes later."""
    manifest = MANIFEST.replace(LATENCY, LATENCY + QUALITY).replace("bake: 1m", "bake: 2m")
    world, scraped = world_with(tmp_path, server, manifest.replace("{duration: 5m}", f"{{duration: {probation}}}"))
    scraped.wrong[2] = 0.3
    world.train(2)
    world.until(lambda: stable(world) == 2)
    world.until(lambda: bool(world.pin().rejected))
    assert stable(world) == 1
    assert [entry.reason for entry in world.pin().rejected] == ["quality ×6.0"]
    kinds = [line.partition(": ")[2].partition(" ")[0] for line in world.log() if "digits/production" in line]
    assert kinds[-2:] == ["finish", "revert"]


def test_late_labels_that_are_alike_revert_nothing(tmp_path: Path, server: PrometheusServer) -> None:
    manifest = MANIFEST.replace(LATENCY, LATENCY + QUALITY).replace("bake: 1m", "bake: 2m")
    world, _ = world_with(tmp_path, server, manifest)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    for _ in range(30):
        world.tick()
    assert (stable(world), world.pin().rejected) == (2, ())
