"""A spent error budget on a real repository: nothing enters, until it recovers or a listed person lets a version in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from support.program import Program
from support.repositories import git
from support.worlds import MANIFEST, WORKSPACE, Behaviour, World, settle, stable
from tidegate import errors
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.outcome import Hold
from tidegate.reconcile import PassReport

HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 failed for an hour in a budget of a day, and version 2 would mend it."""
    world = World(tmp_path / "world", MANIFEST.replace("target: 95%}", "target: 95%, window: 1d}"))
    settle(world)
    world.wait(2 * HOUR)
    world.service.behaviours[1] = Behaviour(errors=0.5)
    world.wait(HOUR)
    world.service.behaviours[1] = Behaviour()
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2)
    for _ in range(6):
        world.tick()
    return world


def held(report: PassReport) -> Hold:
    """What production waits for."""
    (decided,) = report.decisions
    decision = decided.environments["production"]
    assert isinstance(decision, Hold), decision
    return decision


def entered(world: World) -> bool:
    canary = world.pin().canary
    return canary is not None and canary.pin.version == 2


def test_nothing_enters_on_a_spent_budget_until_it_recovers(world: World) -> None:
    hold = held(world.tick())
    assert "error budget spent: availability" in hold.reason
    assert hold.reason.endswith("; `tidegate override-budget digits production 2` lets it in all the same")
    assert hold.until is not None
    assert 4 * HOUR < hold.until - world.clock.at < 24 * HOUR
    world.wait(hold.until - world.clock.at - HOUR)
    assert "error budget spent" in held(world.tick()).reason
    world.wait(2 * HOUR)
    world.until(lambda: entered(world))


def test_a_listed_person_lets_one_version_in(world: World, tmp_path: Path) -> None:
    tidegate = Program(world.bare, tmp_path / "tidegate")
    ran = tidegate("override-budget", "digits", "production", "2", "--reason", "it mends it", handle="@dana")
    assert ran.code == errors.FINE, ran.err
    assert "merged as" in ran.out
    override = world.pin().override
    assert override is not None
    assert (override.version, override.reason, override.by) == (2, "it mends it", "@dana")
    assert override.digest == f"sha256:{2:064x}"
    world.until(lambda: entered(world))
    assert world.pin().override is None
    entry = git(world.bare, "log", "-1", "--no-merges", "--format=%B", "main", "--", "models/digits/production.yaml")
    assert "promote 2 as canary" in entry
    assert "@dana let version 2 enter on a spent error budget: it mends it" in entry


def test_what_serves_already_need_not_be_let_in(world: World, tmp_path: Path) -> None:
    tidegate = Program(world.bare, tmp_path / "tidegate")
    ran = tidegate("override-budget", "digits", "production", "1", "--reason", "x", handle="@dana")
    assert (ran.code, "serves in production already" in ran.err) == (errors.WRONG_USE, True)


@pytest.mark.parametrize(
    ("workspace", "handle", "waits"),
    [
        pytest.param(WORKSPACE, "@eve", "@dana", id="somebody else waits for one who is listed"),
        pytest.param(
            WORKSPACE.partition("approvals:")[0], "@dana", "nobody is", id="where nobody is listed, nobody may"
        ),
    ],
)
def test_who_is_not_listed_overrides_nothing(tmp_path: Path, workspace: str, handle: str, waits: str) -> None:
    world = World(tmp_path / "world", MANIFEST.replace("approval: required", "approval: none"), workspace)
    world.train(1)
    world.until(lambda: stable(world) == 1)
    world.train(2)
    tidegate = Program(world.bare, tmp_path / "tidegate")
    ran = tidegate("override-budget", "digits", "production", "2", "--reason", "please", handle=handle)
    assert "open;" in ran.out
    assert waits in ran.out
    assert world.pin().override is None


def test_I3_a_budget_that_cannot_be_read_holds(world: World) -> None:
    world.metrics.unread = Unread(why=Why.UNREACHABLE, words="gone")
    assert "cannot observe" in held(world.tick()).reason
