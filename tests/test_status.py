"""What `status` shows beside a pass' decisions: what cannot be observed is neither health nor failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from support.worlds import Service, Tape, World, settle, stable
from tidegate.cli.pass_report import lines, plain
from tidegate.cli.passes import Pass
from tidegate.core.outcome import Status, WaitingOn
from tidegate.project import Projection
from tidegate.reconcile import Ports, reconcile
from tidegate.status import EnvironmentStatus, Explained, ModelStatus, status
from tidegate.steps.approvals import proposals_of
from tidegate.steps.deciding import Judges
from tidegate.steps.observe import Sources
from tidegate.steps.trainings import all_records


def shown(world: World, metrics: Tape) -> dict[str, EnvironmentStatus]:
    return {there.environment: there for there in told(world, Judges(metrics=metrics)).environments}


def told(world: World, judges: Judges) -> ModelStatus:
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
    (model,) = status(desired.models, sources, judges, ports.targets, world.clock.now()).models
    return model


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


def test_I3_a_pass_and_status_say_the_same_of_what_cannot_be_observed(tmp_path: Path) -> None:
    """Also where nothing is due: what serves there is not known, so it is not Healthy."""
    world = World(tmp_path)
    settle(world)
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2)
    silent = Tape(Service(), world.clock)
    report = reconcile(replace(world.ports, metrics=silent), dry_run=True)
    done = Pass(collected=(), report=report, projection=Projection(changes=()), failures=())
    decisions: Any = plain(done)["decisions"]
    told = {(there["environment"], there["status"], there["reason"]) for there in decisions}
    assert told == {(name, there.status, there.reason) for name, there in shown(world, silent).items()}
    assert {status for _, status, _ in told} == {Status.UNKNOWN}
    assert len([line for line in lines(done) if line.startswith("Unknown  ")]) == len(told)


def test_where_nothing_is_asked_nothing_need_be_observed(tmp_path: Path) -> None:
    world = World(tmp_path)
    settle(world)
    found = shown(world, Tape(Service(), world.clock))
    assert {there.status for there in found.values()} == {Status.HEALTHY}


def budgets_of_production(world: World) -> Explained:
    judges = Judges(metrics=world.metrics, clock=world.clock, thorough=True)
    return next(there for there in told(world, judges).explained if there.environment == "production")


def test_budgets_that_are_not_asked_for_yet_are_said_to_be(tmp_path: Path) -> None:
    world = World(tmp_path)
    settle(world)
    young = budgets_of_production(world)
    assert young.budgets == ()
    assert young.budgets_from is not None
    assert young.budgets_from == world.clock.now() + timedelta(hours=1)
    world.wait(timedelta(hours=1))
    grown = budgets_of_production(world)
    assert len(grown.budgets) == 2
    assert grown.budgets_from is None
