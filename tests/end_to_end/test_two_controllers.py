"""Two controllers on one repository: one proposal for each transition, and nothing lost (I2).

First interleaved at every port call, as a seed says; then two real processes in a tight loop. And a controller and a
person: what is pushed behind its back does not merge (I4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.batons import Baton
from support.crashes import handed
from support.repositories import Clone, git
from support.rollouts import BETTER, STEP, WORSE, Copied, End, Play, SharedShelf, go_on, one_pass
from support.tapes import Taped, controllers
from support.worlds import Clock, World, stable
from tidegate.core.observed import ProposalState
from tidegate.errors import TidegateError

Alone = Mapping[Play, End]


@dataclass
class Race:
    """One pass of each of two controllers that know nothing of each other. Their clocks differ, so that no two commits
    are the same by chance."""

    world: World
    overwritten: set[str] = field(default_factory=set)

    def run(self, seed: int) -> list[BaseException]:
        """What escaped from them."""
        baton = Baton(seed, runners=2)

        def around(name: str, call: Callable[[], Any]) -> Any:
            watched = partial(self._watched, call) if name == "move_branch" else call
            return baton.around(name, watched)

        first, second = (handed(self.world, around) for _ in range(2))
        second = replace(second, clock=Clock(self.world.clock.at + timedelta(seconds=1)))
        return baton.run([partial(one_pass, first), partial(one_pass, second)])

    def _watched(self, call: Callable[[], Any]) -> Any:
        """Nobody may move a branch that the other has made."""
        before = branches(self.world)
        try:
            return call()
        finally:
            after = branches(self.world)
            self.overwritten |= {name for name in before if after.get(name, before[name]) != before[name]}


def branches(world: World) -> dict[str, str]:
    lines = git(world.bare, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/tidegate").splitlines()
    return dict(line.split(" ") for line in lines)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 1 everywhere."""
    world = World(tmp_path_factory.mktemp("settled"))
    while stable(world) != 1:
        BETTER.people(world)
        world.wait(STEP)
        one_pass(world.ports)
    return world


@pytest.fixture(scope="module")
def alone(settled: World, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """How one controller alone ends each play."""
    folder = tmp_path_factory.mktemp("alone")
    return {play: go_on(Copied(settled, folder / str(number)), play) for number, play in enumerate((BETTER, WORSE))}


@pytest.mark.parametrize("seed", range(20))
def test_I2_interleaved_controllers_make_one_proposal_for_each_transition(
    settled: World, alone: Alone, seed: int, tmp_path: Path
) -> None:
    play = (BETTER, WORSE)[seed % 2]
    world = Copied(settled, tmp_path / "world")
    world.registry = SharedShelf(named=dict(world.registry.named), found=world.registry.found)
    race = Race(world)
    for number in range(60):
        if play.over(world):
            break
        play.people(world)
        world.wait(STEP)
        escaped = race.run(100 * seed + number)
        assert all(isinstance(error, TidegateError) for error in escaped), escaped
    assert not race.overwritten
    world.ports = world.connect()
    assert go_on(world, play) == alone[play]


def test_I2_F12_two_processes_in_a_tight_loop_make_one_proposal_for_each_transition(tmp_path: Path) -> None:
    world = Taped(tmp_path)
    world.next_step(BETTER)
    with controllers(tmp_path, 2) as both:
        while not BETTER.over(world):
            for controller in both:
                controller.wait_for("done", world.step)
            world.next_step(BETTER)
    end = go_on(world, BETTER)
    assert end.merged == (*ENTRIES, *ENTRIES, "advance production", "finish production")


ENTRIES = ("promote staging", "promote production")


def test_I4_a_commit_pushed_between_check_and_merge_does_not_merge(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.train(1)
    world.wait(STEP)
    theirs = Clone.of(world.bare, tmp_path / "theirs")

    def around(name: str, call: Callable[[], Any]) -> Any:
        if name == "merge":
            (branch,) = branches(world)
            theirs.git("fetch", "--quiet", "origin", branch)
            theirs.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
            theirs.commit({"models/digits/training/train.py": "print('mine')\n"}, "while you looked away")
            theirs.push(f"HEAD:{branch}")
        return call()

    before = git(world.bare, "rev-parse", "main")
    one_pass(handed(world, around))
    assert git(world.bare, "rev-parse", "main") == before
    (proposal,) = world.ports.forge.proposals()
    assert proposal.state is ProposalState.OPEN
