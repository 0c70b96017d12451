"""What `status` shows beside a pass' decisions: what cannot be observed is neither health nor failure."""

from __future__ import annotations

from pathlib import Path

from support.worlds import Service, Tape, World, settle, stable
from tidegate.core.outcome import Status, WaitingOn
from tidegate.reconcile import Ports
from tidegate.status import EnvironmentStatus, status
from tidegate.steps.approving import proposals_of
from tidegate.steps.deciding import Judges
from tidegate.steps.observe import Sources
from tidegate.steps.trainings import all_records


def shown(world: World, metrics: Tape) -> dict[str, EnvironmentStatus]:
    ports: Ports = world.ports
    desired = ports.reader.read(ports.repository.head() or "")
    sources = Sources(
        repository=ports.repository,
        registry=ports.registry,
        targets=ports.targets,
        reader=ports.reader,
        desired=desired,
        proposals=proposals_of(ports.forge, desired.workspace),
        records=all_records(ports.repository),
    )
    report = status(desired.models, sources, Judges(metrics=metrics), ports.targets, world.clock.now())
    return {there.environment: there for there in report.models[0].environments}


def test_a_baking_version_whose_readiness_nobody_measures_is_not_healthy(tmp_path: Path) -> None:
    """Production waits for it; in staging nothing is to do, and nothing is known."""
    world = World(tmp_path)
    settle(world)
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2)
    assert shown(world, world.metrics)["staging"].status is Status.HEALTHY
    found = shown(world, Tape(Service(), world.clock))
    assert {name: there.status for name, there in found.items()} == dict.fromkeys(
        ("staging", "production"), Status.UNKNOWN
    )
    assert found["staging"].reason.startswith("cannot observe version 2: ")
    assert found["production"].reason.startswith("cannot observe staging: ")
    assert found["staging"].waiting_on is WaitingOn.OUTSIDE


def test_where_nothing_is_asked_nothing_need_be_observed(tmp_path: Path) -> None:
    world = World(tmp_path)
    settle(world)
    found = shown(world, Tape(Service(), world.clock))
    assert {there.status for there in found.values()} == {Status.HEALTHY}
