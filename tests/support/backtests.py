"""Backtests of what a `World` has behind it."""

from __future__ import annotations

from datetime import datetime, timedelta

from support.worlds import World
from tidegate.backtest import backtest
from tidegate.core.replay.past import Policy
from tidegate.core.replay.report import Backtest
from tidegate.steps.past import Archive
from tidegate.steps.replaying import Period
from tidegate.steps.trainings import all_records


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
