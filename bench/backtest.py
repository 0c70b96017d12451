"""How long a backtest takes: thirty days at steps of a minute, three objectives, on a backfilled real Prometheus.

The model is rolled out anew every third day, and each rollout is judged through a day of probation. `bench/run.py`
calls this and prints the figures.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.prometheus_server import PrometheusServer
from support.repositories import OURS, new_bare
from tidegate import bundled
from tidegate.adapters.git import GitRepository
from tidegate.adapters.prometheus import Prometheus
from tidegate.adapters.system_packages import default_cache, find_promtool
from tidegate.backtest import backtest
from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.launch_record import LaunchRecord, LaunchState
from tidegate.core.pin import Canary, Pin, content, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.replay.report import Backtest
from tidegate.core.transition import Kind, mark
from tidegate.reporters import json
from tidegate.steps.desired import DesiredReader
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period
from tidegate.steps.trainings import key_at

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, EVERY = timedelta(days=30), timedelta(days=3)
SCRAPE = timedelta(seconds=30)
PER_SECOND = {"staging": 1.0, "production": 30.0}
BAD = {"errors_total": 0.001, "slow": 0.003, "invalid": 0.002}

WORKSPACE = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
approvals: {production: {from: ["@dana"]}}
"""
MANIFEST = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn, owners: ["@dana"]}
spec:
  training: {source: training, command: [python, train.py], parameters: {seed: 0}, lease: 5m}
  objectives:
    availability: {bad: errors_total, total: requests_total, target: 99.5%}
    latency: {histogram: predict_seconds, under: 250ms, target: 99%}
    validity: {good: valid_total, total: requests_total, target: 99%}
  rollout: {steps: [10%, 50%]}
  serving: {target: {kind: file, ready: model_ready}}
  environments:
    staging: {rollout: {bake: 10m}}
    production: {approval: required}
"""
PATH = "models/churn/model.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Seconds in all, and of them those that were not spent on reading."""

    rollouts: int
    decisions: int
    samples: int
    seconds: float
    judging: float


def thirty_days() -> Figures:
    """Backfill, replay once, and see that it was replayed as it happened."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        archive = _archive(folder)
        server = PrometheusServer(folder / "prometheus")
        samples = _backfill(folder)
        server.start()
        try:
            return _timed(archive, server.url, samples)
        finally:
            server.stop()


def _timed(archive: Archive, url: str, samples: int) -> Figures:
    metrics = _Watched(Prometheus(url))
    period = Period(since=START, until=START + DAYS, step=timedelta(minutes=1))
    began = time.perf_counter()
    report = backtest(archive, metrics, period, (), lambda _words, _share: None)
    seconds = time.perf_counter() - began
    _expect(report)
    return Figures(
        rollouts=len(report.episodes),
        decisions=sum(one.replays[0].ticks for one in report.episodes),
        samples=samples,
        seconds=seconds,
        judging=seconds - metrics.seconds,
    )


def _expect(report: Backtest) -> None:
    unread = [one.replays[0].unread for one in report.episodes if one.replays[0].unread]
    if unread or len(report.episodes) < DAYS // EVERY:
        raise AssertionError(f"this is not the history that was meant: {len(report.episodes)} rollouts, {unread[:1]}")


@dataclass
class _Watched:
    """Prometheus, and how long it was waited for."""

    metrics: Prometheus
    seconds: float = 0.0

    def now(self) -> datetime | Unread:
        return self.metrics.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        began = time.perf_counter()
        try:
            return self.metrics.samples(selector, start, end)
        finally:
            self.seconds += time.perf_counter() - began

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        began = time.perf_counter()
        try:
            return self.metrics.answers(expression, start, end, step)
        finally:
            self.seconds += time.perf_counter() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rollout:
    """When a version came to staging, to production, to half of it and to all of it, and when the next one had."""

    version: int

    @property
    def begins(self) -> datetime:
        return START + (self.version - 1) * EVERY

    def after(self, minutes: int) -> datetime:
        return self.begins + timedelta(minutes=minutes)

    def share(self, environment: str, at: np.ndarray) -> np.ndarray:
        """Of the traffic, at instants in seconds since START."""
        edges = {"staging": [(0, 1.0)], "production": [(15, 0.1), (47, 0.5), (79, 1.0)]}[environment]
        found = np.zeros(len(at))
        for minutes, share in edges:
            found[at >= (self.after(minutes) - START).total_seconds()] = share if self.version > 1 else 1.0
        following = _Rollout(version=self.version + 1)
        for minutes, share in edges:
            found[at >= (following.after(minutes) - START).total_seconds()] = 1.0 - share
        return found


def _rollouts() -> Iterator[_Rollout]:
    version = 1
    while _Rollout(version=version).after(79) < START + DAYS:
        yield _Rollout(version=version)
        version += 1


@dataclass
class _Main:
    """main's history as it grows, with the pin files' chains."""

    repository: GitRepository
    policy: str = ""
    pins: dict[str, Pin] = field(default_factory=dict)

    def commit(self, files: dict[str, str], message: str, at: datetime) -> str:
        head = self.repository.head() or ""
        commit = self.repository.write_commit(head, files, message, at)
        self.repository.move_branch("main", commit, head)
        return commit

    def transition(self, environment: str, kind: Kind, after: Pin, at: datetime) -> None:
        before = self.pins.get(environment)
        pin = stamped("churn", environment, replace(after, policy=self.policy), mark(kind, before))
        self.pins[environment] = pin
        self.commit({f"models/churn/{environment}.yaml": json.text(content(pin))}, f"{kind.value}", at)


def _archive(folder: Path) -> Archive:
    files = {"tidegate.yaml": WORKSPACE, PATH: MANIFEST, "models/churn/training/train.py": "print()\n"}
    repository = GitRepository(new_bare(folder, files), identity=OURS)
    reader = DesiredReader(repository, bundled.schemas())
    main = _Main(repository)
    main.policy = main.commit({PATH: MANIFEST}, "the policy", START)
    records = []
    for rollout in _rollouts():
        text = MANIFEST.replace("seed: 0", f"seed: {rollout.version}")
        commit = main.commit({PATH: text}, f"train {rollout.version}", rollout.begins - timedelta(minutes=1))
        key = key_at(repository, commit, reader.read(commit).model("churn").model)
        records.append(_record(rollout.version, key, commit))
        _roll(main, rollout)
    desired = reader.read(repository.head() or "")
    return Archive(
        repository=repository,
        reader=reader,
        main=desired.commit,
        model=desired.model("churn").model,
        workspace=desired.workspace,
        records=tuple(records),
    )


def _roll(main: _Main, rollout: _Rollout) -> None:
    pin = _pin(rollout.version)
    stable = main.pins["production"].stable if "production" in main.pins else None
    whole = Pin(stable=pin, previous=stable)
    main.transition("staging", Kind.PROMOTE, whole, rollout.begins)
    if stable is None:
        main.transition("production", Kind.PROMOTE, whole, rollout.after(15))
        return
    steps = [(15, 0.1, Kind.PROMOTE), (47, 0.5, Kind.ADVANCE)]
    for minutes, weight, kind in steps:
        after = Pin(stable=stable, canary=Canary(pin=pin, weight=weight))
        main.transition("production", kind, after, rollout.after(minutes))
    main.transition("production", Kind.FINISH, whole, rollout.after(79))


def _pin(version: int) -> VersionPin:
    return VersionPin(version=version, digest=f"sha256:{version:064x}")


def _record(version: int, key: str, commit: str) -> LaunchRecord:
    return LaunchRecord(
        model="churn",
        key=key,
        attempt=1,
        commit=commit,
        run_id=f"run{version}",
        deadline=START,
        state=LaunchState.REGISTERED,
        artifact_digest=_pin(version).digest,
        version=version,
    )


def _backfill(folder: Path) -> int:
    """Blocks of a Prometheus with all counters; how many samples there are."""
    text = folder / "openmetrics.txt"
    with text.open("w", encoding="utf-8") as file:
        samples = sum(file.write("".join(lines)) and len(lines) for lines in _series())
        file.write("# EOF\n")
    data = folder / "prometheus" / "data"
    data.mkdir(parents=True)
    # Blocks of two hours, the default, would have it read the whole text 360 times.
    create = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", "--quiet"]
    command = [find_promtool(default_cache()), *create, text, data]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return samples


def _series() -> Iterator[list[str]]:
    """The lines of each series; those of one metric stand together, as the format wants it."""
    at = np.arange(0.0, DAYS.total_seconds(), SCRAPE.total_seconds())
    drawn = [
        (environment, rollout.version, served, counters)
        for rollout in _rollouts()
        for environment in PER_SECOND
        for served, counters in [_counters(rollout, environment, at)]
    ]
    for name in (
        "errors_total",
        "model_ready",
        "predict_seconds_bucket",
        "predict_seconds_count",
        "requests_total",
        "valid_total",
    ):
        for environment, version, served, counters in drawn:
            bound = ',le="0.25"' if name.endswith("_bucket") else ""
            labels = f'model="churn",environment="{environment}",version="{version}"{bound}'
            start = f'{name}{{{labels},job="models",instance="pod-{version}:80"}}'
            yield _lines(start, served, counters[name])


def _lines(start: str, at: Sequence[float], values: Sequence[float]) -> list[str]:
    first = START.timestamp()
    return [f"{start} {value:g} {first + moment:.3f}\n" for moment, value in zip(at, values, strict=True)]


def _counters(rollout: _Rollout, environment: str, at: np.ndarray) -> tuple[list[float], dict[str, list[float]]]:
    """The instants at which a version was scraped, and its counters then: traffic swings by day and night."""
    share = rollout.share(environment, at)
    served, share = at[share > 0], share[share > 0]
    draw = np.random.default_rng(rollout.version)
    day = 1 - 0.6 * np.cos(2 * math.pi * served / 86_400)
    events = draw.poisson(PER_SECOND[environment] * SCRAPE.total_seconds() * day * share)
    bad = {name: draw.binomial(events, rate) for name, rate in BAD.items()}
    rises = {
        "requests_total": events,
        "errors_total": bad["errors_total"],
        "predict_seconds_count": events,
        "predict_seconds_bucket": events - bad["slow"],
        "valid_total": events - bad["invalid"],
    }
    counters = {name: np.cumsum(rise).tolist() for name, rise in rises.items()}
    return served.tolist(), {**counters, "model_ready": [1.0] * len(served)}


if __name__ == "__main__":
    print(thirty_days())
