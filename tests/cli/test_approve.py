"""`tidegate approve`: what it prints, writes and exits with. Neither MLflow nor Prometheus answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.gating import approve_now
from support.program import Program
from support.repositories import PERSON
from support.worlds import WORKSPACE, World, settle, stable
from tidegate import errors
from tidegate.adapters.git import GitRepository
from tidegate.ports import Draft

NOBODY = WORKSPACE.replace(":5000", ":1").replace(":9090", ":1")
PIN = "models/digits/production.yaml"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 serves."""
    world = World(tmp_path / "git", workspace=NOBODY)
    settle(world)
    return world


@pytest.fixture
def tidegate(world: World, tmp_path: Path) -> Program:
    return Program(world.bare, tmp_path)


def opened(world: World, files: dict[str, str | None]) -> int:
    repository = GitRepository(world.bare, identity=PERSON)
    head = repository.write_commit(repository.head() or "", files, "a change", world.clock.at)
    repository.move_branch("alice/change", head, None)
    draft = Draft(branch="alice/change", head=head, title="a change", body="", author="@alice")
    return world.ports.forge.create(draft, world.clock.at).number


def test_a_pull_request_that_waits_is_no_failure(world: World, tidegate: Program) -> None:
    number = opened(world, {PIN: None})
    dry = tidegate("approve", str(number), "--dry-run")
    assert world.ports.forge.proposal(number).check is None
    ran = tidegate("approve", str(number))
    assert (ran.code, ran.out) == (errors.FINE, dry.out)
    assert ran.out == f"#{number} pending: needs an approval by @dana: {PIN}\n"
    approve_now(world, number, "@dana")
    ran = tidegate("approve", str(number), "--format", "json")
    head = world.ports.forge.proposal(number).head
    check = {"head": head, "state": "passed", "summary": f"approved by @dana: {PIN}"}
    assert json.loads(ran.out) == {"number": number, "check": check, "why": ""}


def test_the_event_of_a_workflow_names_the_pull_request(world: World, tidegate: Program, tmp_path: Path) -> None:
    number = opened(world, {PIN: None})
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": number}}), encoding="utf-8")
    names = {"GITHUB_EVENT_NAME": "pull_request_review", "GITHUB_EVENT_PATH": str(event)}
    ran = replace(tidegate, variables=names)("approve", "--event")
    assert (ran.code, ran.out.split(":")[0]) == (errors.FINE, f"#{number} pending")
    event.write_text(json.dumps({"issue": {"number": number}, "comment": {}}), encoding="utf-8")
    ran = replace(tidegate, variables=names)("approve", "--event")
    assert (ran.code, ran.out) == (errors.FINE, "")
    assert "no pull request" in ran.err


def test_what_cannot_be_read_fails(world: World, tidegate: Program) -> None:
    number = opened(world, {"models/digits/model.yaml": "spec: {"})
    ran = tidegate("approve", str(number))
    assert (ran.code, ran.out.split(":")[0]) == (errors.FINDINGS, f"#{number} failed")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="neither a number nor an event"),
        pytest.param(["7", "--event"], id="both"),
        pytest.param(["--event"], id="an event outside of a workflow"),
        pytest.param(["999"], id="no such pull request"),
        pytest.param(["0"], id="no number"),
    ],
)
def test_wrong_use(arguments: list[str], world: World, tidegate: Program) -> None:
    ran = tidegate("approve", *arguments)
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")


def test_a_proposal_of_ours_that_cannot_be_judged_waits(world: World, tidegate: Program) -> None:
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2 and _open(world) is not None, approving=False)
    number = _open(world)
    ran = tidegate("approve", str(number))
    assert (ran.code, ran.out.split(":")[0]) == (errors.FINE, f"#{number} pending")


def _open(world: World) -> int | None:
    return next((p.number for p in world.ports.forge.proposals() if p.state.value == "open"), None)
