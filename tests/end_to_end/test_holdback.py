"""A whole rollout with a holdback: the version before it still serves a little on probation, and is the measure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from support.backtests import backtested
from support.rollouts import STEP
from support.worlds import MANIFEST, Behaviour, World, settle, stable
from tidegate.core.observed import Proposal, ProposalState
from tidegate.core.replay.report import Agreement
from tidegate.core.transition import Kind, parse_branch

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

HELD_BACK = MANIFEST.replace("probation: {duration: 5m}", "probation: {duration: 5m, holdback: 10%}")
SLOWER = Behaviour(slow=0.08)
"""Eight times as many slow answers as before, and inside the objective, which allows a tenth."""


def on_probation(folder: Path, manifest: str) -> World:
    """Version 2 has just finished."""
    world = World(folder, manifest)
    settle(world)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    return world


def reverts(world: World) -> list[Proposal]:
    every = ((proposal, parse_branch(proposal.branch)) for proposal in world.ports.forge.proposals())
    return [proposal for proposal, branch in every if branch is not None and branch.kind is Kind.REVERT]


def test_a_version_that_is_worse_than_the_one_held_back_goes_back(tmp_path: Path) -> None:
    world = on_probation(tmp_path, HELD_BACK)
    assert world.routes()["production"] == {2: 0.9, 1: 0.1}
    world.service.behaviours[2] = SLOWER
    world.until(lambda: stable(world) == 1, approving=False)
    (proposal,) = reverts(world)
    assert (proposal.title, proposal.state) == ("digits/production: revert 2, back to 1", ProposalState.MERGED)
    assert "latency is worse than previous (×8.0): stable 130 of 1620 bad (8.00%), previous 2 of 180" in proposal.body
    assert "beside the version before it, which is held back: cleared" in proposal.body, "availability is as it was"
    assert [entry.reason for entry in world.pin().rejected] == ["latency ×8.0"]
    assert (world.pin().holdback, world.routes()["production"]) == (None, {1: 1.0})
    (replay,) = backtested(world, step=STEP).episodes[-1].replays
    assert replay.agreement is Agreement.SAME


@pytest.mark.parametrize(
    ("manifest", "behaviours"),
    [
        pytest.param(HELD_BACK, {1: SLOWER, 2: SLOWER}, id="both-are-worse-at-once"),
        pytest.param(
            HELD_BACK, {1: Behaviour(slow=0.3), 2: Behaviour(slow=0.3)}, id="both-breach-the-objective-at-once"
        ),
        pytest.param(MANIFEST, {2: SLOWER}, id="nothing-is-held-back-to-compare-with"),
    ],
)
def test_nobody_goes_back_where(tmp_path: Path, manifest: str, behaviours: Mapping[int, Behaviour]) -> None:
    """And behind probation the version before gives up its share."""
    world = on_probation(tmp_path, manifest)
    world.service.behaviours |= behaviours
    for _ in range(12):
        world.tick()
    assert (stable(world), reverts(world)) == (2, [])
    assert (world.pin().holdback, world.routes()["production"]) == (None, {2: 1.0, 1: 0.0})
