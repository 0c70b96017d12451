"""A whole workspace in one folder: real git and the local forge, a frozen clock, and a made-up service behind it.

The service follows the rendered route files on main, as a deployer would, and is scraped every ten frozen seconds.
Its counters and the registry live in memory: they are the two outside systems that these tests do not put to the test
(their adapters have contract suites of their own against the real ones).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.repositories import OURS, Clone, git, new_bare
from tidegate import bundled
from tidegate.adapters.git import GitRepository, Plumbing
from tidegate.adapters.local_forge import LocalForge
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.core.launch_record import LaunchRecord, LaunchState, encode
from tidegate.core.observed import ModelVersion
from tidegate.core.pin import Pin
from tidegate.core.yaml.document import read as read_yaml
from tidegate.errors import OutsideSystem
from tidegate.reconcile import PassReport, Ports, reconcile
from tidegate.steps.desired import DesiredReader
from tidegate.steps.trainings import key_at

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SCRAPE = timedelta(seconds=10)

WORKSPACE = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
registry: {uri: "http://127.0.0.1:5000"}
prometheus: {url: "http://127.0.0.1:9090"}
approvals:
  production: {from: ["@dana"]}
"""
MANIFEST = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: digits, owners: ["@dana"]}
spec:
  training: {source: training, command: [python, train.py], parameters: {depth: 1}, lease: 5m}
  objectives:
    availability: {bad: errors_total, total: requests_total, target: 95%}
    latency: {good: quick_total, total: requests_total, target: 90%}
  rollout:
    steps: [25%, 50%]
    bake: 1m
    warmUp: 0s
    minimumEvents: 100
    progressDeadline: 3m
    probation: {duration: 5m}
    analysis: {resolution: 30s, dispersion: 1}
  serving: {target: {kind: file, ready: model_ready}}
  environments:
    staging: {}
    production: {approval: required}
"""


_LAST = re.compile(r"last_over_time\((?P<selector>.*)\[(?P<reach>\d+)s\]\)", re.DOTALL)


@dataclass
class Behaviour:
    """How a version behaves: bad shares of its events by objective, and where it loads."""

    errors: float = 0.002
    slow: float = 0.01
    loads: tuple[str, ...] = ("staging", "production")


@dataclass
class Service:
    """Serves what the route files say, 20 requests a second and environment, and counts as Prometheus would see it."""

    behaviours: dict[int, Behaviour] = field(default_factory=dict)
    samples: dict[tuple[str, str, int], list[tuple[float, float]]] = field(default_factory=dict)
    down: bool = False

    def scrape(self, routes: Mapping[str, Mapping[int, float]], at: datetime) -> None:
        if self.down:
            return
        for environment, weights in routes.items():
            loaded = {
                v: w for v, w in weights.items() if environment in self.behaviours.setdefault(v, Behaviour()).loads
            }
            total = sum(loaded.values()) or 1
            for version, weight in loaded.items():
                behaviour = self.behaviours[version]
                events = 200 * weight / total
                self._count("requests_total", environment, version, events, at)
                self._count("errors_total", environment, version, events * behaviour.errors, at)
                self._count("quick_total", environment, version, events * (1 - behaviour.slow), at)
                self._set("model_ready", environment, version, 1, at)

    def _count(self, name: str, environment: str, version: int, by: float, at: datetime) -> None:
        samples = self.samples.setdefault((name, environment, version), [])
        samples.append((at.timestamp(), (samples[-1][1] if samples else 0) + by))

    def _set(self, name: str, environment: str, version: int, value: float, at: datetime) -> None:
        self.samples.setdefault((name, environment, version), []).append((at.timestamp(), value))


@dataclass
class Tape:
    """ports.Metrics over a Service's samples."""

    service: Service
    clock: Clock
    unread: Unread | None = None

    def now(self) -> datetime | Unread:
        return self.unread or self.clock.now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        if self.unread is not None:
            return self.unread
        found = tuple(
            Series(labels={"version": str(version), "instance": "server:80", "job": "models"}, samples=inside)
            for (name, environment, version), samples in self.service.samples.items()
            if selector.startswith(f"{name}{{") and f'environment="{environment}"' in selector
            for inside in [tuple(s for s in samples if start.timestamp() < s[0] <= end.timestamp())]
            if inside
        )
        return Sampled(series=found, start=start, end=end)

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        """`last_over_time` at fixed instants: error budgets ask nothing else."""
        asked = _LAST.fullmatch(expression)
        assert asked is not None, expression
        reach = timedelta(seconds=int(asked["reach"]))
        raw = self.samples(asked["selector"], start - reach, end)
        if isinstance(raw, Unread):
            return raw
        instants = [(start + number * step).timestamp() for number in range((end - start) // step + 1)]
        found = (replace(each, samples=_last(each, instants, reach)) for each in raw.series)
        return Sampled(series=tuple(each for each in found if each.samples), start=start, end=end)


def _last(series: Series, instants: Sequence[float], reach: timedelta) -> tuple[tuple[float, float], ...]:
    """Its last sample at each instant, where it has one within reach."""
    times = [at for at, _ in series.samples]
    places = ((at, bisect_right(times, at) - 1) for at in instants)
    return tuple(
        (at, series.samples[place][1])
        for at, place in places
        if place >= 0 and times[place] > at - reach.total_seconds()
    )


@dataclass
class Clock:
    """A frozen clock."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Shelf:
    """ports.Registry in memory."""

    found: dict[int, ModelVersion] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    bytes: dict[int, str] = field(default_factory=dict)
    down: bool = False

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        if self.down:
            raise OutsideSystem(f"MLflow at http://127.0.0.1:5000 does not answer ({name})")
        return tuple(self.found.values())

    def digest(self, name: str, number: int) -> str:
        return self.bytes.get(number, self.found[number].digest)

    def register(self, name: str, run_id: str, digest: str, tags: Mapping[str, str]) -> ModelVersion:
        raise NotImplementedError("worlds register versions themselves")

    def aliases(self, name: str) -> Mapping[str, int]:
        return dict(self.named)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        self.named[alias] = number

    def delete_alias(self, name: str, alias: str) -> None:
        self.named.pop(alias, None)


class World:
    """One workspace with one model. `tick` is one pass of the loop after some frozen time."""

    def __init__(self, folder: Path, manifest: str = MANIFEST, workspace: str = WORKSPACE) -> None:
        self.folder = folder
        files = {
            "tidegate.yaml": workspace,
            "models/digits/model.yaml": manifest,
            "models/digits/training/train.py": "print('trained')\n",
        }
        self.bare = new_bare(folder, files)
        self.clock = Clock()
        self.service = Service()
        self.metrics = Tape(self.service, self.clock)
        self.registry = Shelf()
        self.ports = self.connect()
        self._clone: Clone | None = None

    def connect(self) -> Ports:
        """Fresh adapters, as a process that starts again has them."""
        plumbing = Plumbing(self.bare, identity=OURS, name="Tidegate")
        repository = GitRepository(self.bare, identity=OURS)
        return Ports(
            repository=repository,
            forge=LocalForge(plumbing),
            registry=self.registry,
            metrics=self.metrics,
            targets={"file": FileTarget()},
            clock=self.clock,
            reader=DesiredReader(repository, bundled.schemas()),
        )

    def clone(self) -> Clone:
        """A person's clone, up to date with main."""
        if self._clone is None:
            self._clone = Clone.of(self.bare, self.folder / "clone")
        self._clone.git("pull", "--quiet", "--ff-only", "origin", "main")
        return self._clone

    def train(self, number: int, behaviour: Behaviour | None = None) -> ModelVersion:
        """A person changes a parameter and pushes; the version of main's new key is trained and registered."""
        clone = self.clone()
        manifest = clone.folder / "models/digits/model.yaml"
        text = manifest.read_text(encoding="utf-8")
        depth = text.partition("depth: ")[2].partition("}")[0]
        changed = text.replace(f"depth: {depth}}}", f"depth: {number}}}")
        clone.commit({"models/digits/model.yaml": changed}, f"train {number}", at=self.clock.at)
        clone.push("HEAD:main")
        return self.register(number, behaviour)

    def register(self, number: int, behaviour: Behaviour | None = None) -> ModelVersion:
        """The version of main's key, as a launch and its collection leave it behind."""
        repository = self.ports.repository
        main = repository.head() or ""
        model = self.ports.reader.read(main).model("digits").model
        key = key_at(repository, main, model)
        digest = f"sha256:{number:064x}"
        version = ModelVersion(
            number=number, digest=digest, training_key=key, run_id=f"run{number}", created_at=self.clock.at
        )
        record = LaunchRecord(
            model="digits",
            key=key,
            attempt=1,
            commit=main,
            run_id=version.run_id,
            deadline=self.clock.at,
            state=LaunchState.REGISTERED,
            artifact_digest=digest,
            version=number,
        )
        repository.write_record(record.ref, encode(record), None)
        self.registry.found[number] = version
        self.service.behaviours[number] = behaviour or Behaviour()
        return version

    def tick(self, after: timedelta = timedelta(seconds=30), ports: Ports | None = None) -> PassReport:
        """Let time go by, scraping, then make one pass."""
        self.wait(after)
        return reconcile(ports or self.ports)

    def wait(self, after: timedelta) -> None:
        end = self.clock.at + after
        while self.clock.at < end:
            self.clock.at += SCRAPE
            self.service.scrape(self.routes(), self.clock.at)

    def routes(self) -> dict[str, dict[int, float]]:
        """What the route files on main say, by environment."""
        found: dict[str, dict[int, float]] = {}
        for environment in ("staging", "production"):
            text = self.show(f"rendered/{environment}/digits.yaml")
            if text is not None:
                routes = read_yaml(text, "route").data["routes"]
                found[environment] = {route["version"]: route["weight"] / 100 for route in routes}
        return found

    def show(self, path: str) -> str | None:
        head = self.ports.repository.head()
        return self.ports.repository.read(head, path) if head else None

    def pin(self, environment: str = "production") -> Pin:
        path = f"models/digits/{environment}.yaml"
        text = self.show(path)
        return self.ports.reader.pin(text, path) if text is not None else Pin()

    def approve(self, handle: str = "@dana") -> bool:
        """Approve every open proposal; returns whether there was one."""
        open_ = [p for p in self.ports.forge.proposals() if p.state.value == "open"]
        for proposal in open_:
            self.ports.forge.approve(proposal.number, handle, proposal.head, self.clock.at)
        return bool(open_)

    def until(self, done: object, passes: int = 60, *, approving: bool = True) -> None:
        """Make passes until `done()` holds."""
        assert callable(done)
        for _ in range(passes):
            if done():
                return
            self.tick()
            if approving and self.approve():
                self.tick(timedelta(0))
        raise AssertionError(f"not reached after {passes} passes: {self.pin()}")

    def log(self) -> list[str]:
        """Subjects of main's first-parent history, oldest first."""
        return git(self.bare, "log", "--first-parent", "--reverse", "--format=%s", "main").splitlines()


def settle(world: World) -> None:
    """Version 1 stable in both environments, probation over."""
    world.train(1)
    world.until(lambda: world.pin().stable is not None)


def stable(world: World, environment: str = "production") -> int | None:
    pin = world.pin(environment).stable
    return pin.version if pin else None
