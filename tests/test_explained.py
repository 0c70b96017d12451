"""What a pass decided can be looked into: in its proposals, folded, and by `status --explain` at any time."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from support.worlds import Behaviour, World, settle, stable
from tidegate.core.observed import Proposal, ProposalState
from tidegate.core.transition import Kind, parse_branch


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 serves for hours, and version 2 is its canary."""
    world = World(tmp_path)
    settle(world)
    world.wait(timedelta(hours=2))
    return world


def proposed(world: World, kind: Kind) -> Proposal:
    every = ((proposal, parse_branch(proposal.branch)) for proposal in world.ports.forge.proposals())
    return next(p for p, b in every if b and b.kind is kind and b.environment == "production" and p.number > 2)


def folded(proposal: Proposal) -> str:
    return proposal.body.partition("<summary>How it was judged</summary>")[2].partition("</details>")[0]


def test_a_promotion_shows_the_budget_that_lets_it_enter(world: World) -> None:
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    text = folded(proposed(world, Kind.PROMOTE))
    assert "error budget availability: " in text
    assert "query  last_over_time(errors_total{" in text


def test_a_promotion_that_waits_keeps_what_it_showed(world: World) -> None:
    """Its budget is asked for when it is proposed, and when somebody approved: not at every pass between."""
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2)
    for _ in range(8):
        world.tick()
    waiting = proposed(world, Kind.PROMOTE)
    assert waiting.state is ProposalState.OPEN
    assert "error budget availability: " in folded(waiting)
    for _ in range(25):
        world.tick()
    again = world.ports.forge.proposal(waiting.number)
    assert again.body == waiting.body


def test_an_advance_shows_what_cleared_it(world: World) -> None:
    world.train(2)
    world.until(lambda: stable(world) == 2, passes=100)
    text = folded(proposed(world, Kind.ADVANCE))
    assert "version 2 as canary beside 1, since " in text
    assert "inside      e-value " in text
    assert "query  requests_total{" in text


def test_a_revert_shows_the_cells_that_proved_it(world: World) -> None:
    world.train(2, Behaviour(errors=0.3))
    world.until(lambda: world.pin().rejects(2), passes=100)
    text = folded(proposed(world, Kind.REVERT))
    assert "objective availability (revert): worse" in text
    assert "\n  counts      45 of 150 bad (30.0000%), beside 0.9 of 450 bad (0.2000%)\n" in text
    assert "cells with a bad event" in text
    assert "burn rate   ×" in text
    assert re.search(r"\n  dispersion  .*\n    (the policy's, because|version 1 from) ", text)
