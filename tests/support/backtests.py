"""Backtests of what a `World` has behind it, and a real Prometheus that remembers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.prometheus_server import PrometheusServer
from support.rollouts import BETTER, go_on
from support.worlds import World
from tidegate.backtest import backtest
from tidegate.core.replay.past import Policy
from tidegate.core.replay.report import Backtest
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period
from tidegate.steps.trainings import all_records


def lately(folder: Path) -> World:
    """A first version and a second one, all of their way two hours ago: as young as a plan looks back."""
    world = World(folder)
    world.clock.at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)
    go_on(world, BETTER)
    world.wait(timedelta(minutes=10))  # until its probation is over
    return world


def archive_of(world: World) -> Archive:
    repository, reader = world.ports.repository, world.ports.reader
    main = repository.head() or ""
    desired = reader.read(main)
    return Archive(
        repository=repository,
        reader=reader,
        main=main,
        model=desired.model("digits").model,
        workspace=desired.workspace,
        records=all_records(repository),
        others=lambda: (wanted.model for wanted in desired.models if wanted.model.name != "digits"),
    )


def backtested(
    world: World,
    *policies: Policy,
    step: timedelta = timedelta(minutes=1),
    until: datetime | None = None,
) -> Backtest:
    """Every rollout up to now, or to an instant."""
    ends = until or world.clock.at
    asked = Period(since=ends - timedelta(days=60), until=ends, step=step)
    return backtest(archive_of(world), world.metrics, asked, policies, lambda _words, _share: None)


@contextmanager
def remembered(world: World, folder: Path) -> Iterator[str]:
    """The address of a Prometheus with everything that was scraped in a world."""
    server = PrometheusServer(folder)
    server.start()
    try:
        server.write(
            [
                (
                    {
                        "__name__": name, "model": "digits", "environment": environment, "version": str(version),
                        "job": "models", "instance": "server:80",
                    },
                    samples,
                )
                for (name, environment, version), samples in world.service.samples.items()
            ]
        )  # fmt: skip
        yield server.url
    finally:
        server.stop()
