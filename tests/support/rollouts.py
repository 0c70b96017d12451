"""A whole rollout on a `World`: what people do meanwhile, one pass of the loop, and what must hold at the end.

People are level-triggered as the loop is: what they do next follows from what they see, so that a world can go on
from any state in which a controller left it. Not here: how controllers die or race (crashes.py, batons.py, tapes.py).
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from support.repositories import git
from support.worlds import Behaviour, Shelf, Tape, World, stable
from tidegate.core.observed import ProposalState
from tidegate.core.pin import Pin
from tidegate.core.transition import Branch, parse_branch
from tidegate.project import project
from tidegate.reconcile import Ports, reconcile

STEP = timedelta(seconds=30)
ENVIRONMENTS = ("staging", "production")


@dataclass(frozen=True, eq=False)
class Play:
    """Version 1 goes all the way; then version 2 comes, and goes all the way or is found to be worse."""

    second: Behaviour

    def people(self, world: World) -> None:
        """Somebody trains what is to be trained next, and approves what is open."""
        if not world.registry.found:
            world.train(1)
        elif 2 not in world.registry.found and stable(world) == 1:
            world.train(2, self.second)
        world.approve()

    def over(self, world: World) -> bool:
        return stable(world) == 2 or bool(world.pin().rejected)


BETTER = Play(Behaviour())
WORSE = Play(Behaviour(slow=0.6))


class SharedShelf(Shelf):
    """A registry that two may write at once: to delete what is gone is no error, as with MLflow's adapter."""

    def delete_alias(self, name: str, alias: str) -> None:
        self.named.pop(alias, None)


def one_pass(ports: Ports) -> None:
    """What `tidegate reconcile --once` does when nothing is to be trained."""
    reconcile(ports)
    project(ports.repository, ports.registry, ports.reader)


def go_on(world: World, play: Play, passes: int = 60) -> End:
    """Play to the end from wherever the world is, and one pass further: it must find nothing to do."""
    for _ in range(passes):
        if play.over(world):
            break
        play.people(world)
        world.wait(STEP)
        one_pass(world.ports)
    assert play.over(world), f"not over after {passes} passes: {world.pin()}"
    one_pass(world.ports)
    before = refs(world)
    world.wait(STEP)
    one_pass(world.ports)
    assert refs(world) == before
    return end_of(world)


@dataclass(frozen=True)
class End:
    """What must be the same at the end, whatever happened on the way. Dates, and so commit ids, may differ."""

    pins: Mapping[str, Pin]
    merged: tuple[str, ...]
    aliases: Mapping[str, int]


def end_of(world: World) -> End:
    """The end of a play, found to be tidy: each transition merged once, by one proposal, and nothing left behind."""
    proposals = {proposal.number: proposal for proposal in world.ports.forge.proposals()}
    states = {number: proposal.state for number, proposal in proposals.items()}
    assert set(states.values()) == {ProposalState.MERGED}, states
    branches = {number: branch_of(proposal.branch) for number, proposal in proposals.items()}
    keys = [branch.key for branch in branches.values()]
    assert len(set(keys)) == len(keys), f"more than one proposal for a transition: {branches}"
    assert git(world.bare, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"
    merges = _merges(world)
    assert sorted(merges) == sorted(proposals)
    assert sorted(_keys_on_main(world)) == sorted(keys)
    return End(
        pins={name: _timeless(world.pin(name)) for name in ENVIRONMENTS},
        merged=tuple(f"{branches[number].kind.value} {branches[number].environment}" for number in merges),
        aliases=world.registry.aliases("digits"),
    )


def branch_of(name: str) -> Branch:
    branch = parse_branch(name)
    assert branch is not None, name
    return branch


def _merges(world: World) -> list[int]:
    """Numbers of the proposals that main's first-parent history merged, oldest first."""
    trailer = "--format=%(trailers:key=Tidegate-Proposal,valueonly,separator=%x2C)"
    log = git(world.bare, "log", "--first-parent", "--reverse", trailer, "main")
    return [int(line) for line in log.splitlines() if line]


def _keys_on_main(world: World) -> list[str]:
    """The transition key of every version that a pin file ever had on main."""
    head = world.ports.repository.head()
    assert head is not None
    paths = [f"models/digits/{name}.yaml" for name in ENVIRONMENTS]
    versions = [(path, version) for path in paths for version in world.ports.repository.history(head, path)]
    pins = [world.ports.reader.pin(version.text or "", path) for path, version in versions]
    return [pin.transition.key for pin in pins if pin.transition is not None]


def _timeless(pin: Pin) -> Pin:
    """A pin without what names commits or follows from their ids: people's commits bear the date of the day."""
    return replace(pin, policy=None, transition=None)


def refs(world: World) -> str:
    """Everything that git remembers: objects without a ref are nobody's."""
    return git(world.bare, "for-each-ref", "--format=%(refname) %(objectname)")


class Copied(World):
    """A world as another one is now, in a folder of its own, with fresh adapters. The first one goes on undisturbed."""

    def __init__(self, world: World, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.bare = Path(shutil.copytree(world.bare, folder / "models.git"))
        self.clock = copy.deepcopy(world.clock)
        self.service = copy.deepcopy(world.service)
        self.metrics = Tape(self.service, self.clock)
        self.registry = copy.deepcopy(world.registry)
        self.ports = self.connect()
        self._clone = None
