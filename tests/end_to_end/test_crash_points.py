"""A controller dies at any moment of a rollout, and one that knows nothing comes after it: the same end (I1, I2).

First in process on a frozen clock, at every port call of every pass. A read leaves what the write before it left,
which is asserted for each read; so it is enough to go on to the end from each state that a write leaves.
Then with real processes and `kill -9` at sampled moments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.crashes import WRITES, Died, Mortal, handed
from support.rollouts import BETTER, STEP, WORSE, Copied, End, Play, go_on, one_pass, refs
from support.tapes import Controller, Taped, controllers
from support.worlds import World
from tidegate.reconcile import reconcile

pytestmark = pytest.mark.timeout(300)

State = tuple[str, Mapping[str, int]]


def state_of(world: World) -> State:
    """All that outlives a process."""
    return refs(world), world.registry.aliases("digits")


@dataclass(frozen=True)
class Moment:
    """One pass of the undisturbed rollout: the world just before it, its port calls as they began (a merge calls others
    while it lasts), and the states before and after each."""

    world: Copied
    calls: tuple[str, ...]
    before: tuple[State, ...]
    after: tuple[State, ...]

    @property
    def writes(self) -> list[int]:
        return [place for place, name in enumerate(self.calls) if name in WRITES]


@dataclass(frozen=True)
class Recording:
    """The undisturbed rollout."""

    moments: tuple[Moment, ...]
    end: End

    @property
    def writing(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.writes]


class Watch:
    """Writes down each call of a port as it begins, with the states around it."""

    def __init__(self, world: World) -> None:
        self._world, self._latest = world, state_of(world)
        self.calls: list[str] = []
        self.before: list[State] = []
        self.after: dict[int, State] = {}

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        place = len(self.calls)
        self.calls.append(name)
        self.before.append(self._latest)
        answer = call()
        self._latest = self.after[place] = state_of(self._world)
        return answer


Record = Callable[[Play], Recording]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    @cache
    def recorded(play: Play) -> Recording:
        folder = tmp_path_factory.mktemp("undisturbed")
        world = World(folder / "world")
        moments = tuple(passes(world, play, folder))
        return Recording(moments=moments, end=go_on(world, play))

    return recorded


def passes(world: World, play: Play, folder: Path) -> Iterator[Moment]:
    while not play.over(world):
        play.people(world)
        world.wait(STEP)
        before = Copied(world, folder / world.clock.at.isoformat())
        watch = Watch(world)
        one_pass(handed(world, watch))
        after = tuple(watch.after[place] for place in range(len(watch.calls)))
        yield Moment(world=before, calls=tuple(watch.calls), before=tuple(watch.before), after=after)


def die(world: World, place: int, *, after: bool = False) -> None:
    with pytest.raises(Died):
        one_pass(handed(world, Mortal(dies_at=place, after=after)))


def die_at_each(world: World, places: Sequence[int]) -> None:
    """Die at calls that change nothing, one pass after another."""
    mortal = Mortal()
    ports = handed(world, mortal)
    for place in places:
        mortal.calls.clear()
        mortal.dies_at = place
        with pytest.raises(Died):
            one_pass(ports)


ROLLOUT = (
    "version-1-into-staging",
    "version-1-asks-for-production",
    "version-1-into-production",
    "version-2-into-staging",
    "version-2-asks-for-production",
    "version-2-into-production-as-canary",
    "version-2-to-the-next-weight",
    "version-2-becomes-stable",
)
"""The passes of the better version's rollout that write something, in order."""


EVERY_WRITING_PASS = [
    *(pytest.param(BETTER, place, id=name) for place, name in enumerate(ROLLOUT)),
    # Up to its canary the worse version's rollout is the better one's, call by call.
    pytest.param(WORSE, 6, id="version-2-is-worse-and-goes-back"),
]


def test_every_pass_that_writes_is_put_to_the_test(record: Record) -> None:
    assert len(record(BETTER).writing) == len(ROLLOUT)
    assert len(record(WORSE).writing) == 7
    assert record(BETTER).end.merged[-1] == "finish production"
    assert record(WORSE).end.merged[-1] == "revert production"


def test_I2_a_pass_that_writes_nothing_may_die_anywhere(record: Record, tmp_path: Path) -> None:
    quiet = [moment for moment in record(BETTER).moments if not moment.writes]
    assert quiet
    for number, moment in enumerate(quiet):
        world = Copied(moment.world, tmp_path / str(number))
        die_at_each(world, range(len(moment.calls)))
        assert state_of(world) == state_of(moment.world)


@pytest.mark.parametrize(("play", "pass_"), EVERY_WRITING_PASS)
def test_I2_a_death_at_a_read_leaves_what_the_write_before_it_left(
    record: Record, play: Play, pass_: int, tmp_path: Path
) -> None:
    moment = record(play).writing[pass_]
    reads = [place for place in range(len(moment.calls)) if place not in moment.writes]
    assert all(moment.after[place] == moment.before[place] for place in reads)
    world = Copied(moment.world, tmp_path / "untouched")
    die_at_each(world, [place for place in reads if place < moment.writes[0]])
    assert state_of(world) == state_of(moment.world)
    for place in (place for place in reads if place - 1 in moment.writes):  # the first read after each write
        world = Copied(moment.world, tmp_path / str(place))
        die(world, place)
        assert state_of(world) == moment.before[place], f"died at call {place}, {moment.calls[place]}"


@pytest.mark.parametrize(("play", "pass_"), EVERY_WRITING_PASS)
def test_I2_a_death_before_or_after_any_write_leads_to_the_same_end(
    record: Record, play: Play, pass_: int, tmp_path: Path
) -> None:
    recording = record(play)
    moment = recording.writing[pass_]
    seen: list[State] = []
    for place in moment.writes:
        for after in (False, True):
            world = Copied(moment.world, tmp_path / f"{place}-{after}")
            die(world, place, after=after)
            state = state_of(world)
            assert state == (moment.after[place] if after else moment.before[place])
            if state in seen:
                continue
            seen.append(state)
            assert go_on(world, play) == recording.end, f"died {'after' if after else 'before'} {moment.calls[place]}"


KILLS = (1, 1, 2, 1, 1, 2, 1, 1)
"""How often to kill in each of the passes that have something to write: ten times in all."""


def test_I2_killed_ten_times_a_real_process_comes_to_the_same_end(record: Record, tmp_path: Path) -> None:
    world = Taped(tmp_path)
    moments = random.Random(20260302)
    kills = iter(KILLS)
    killed = 0
    world.next_step(BETTER)
    with controllers(tmp_path, 1) as running:
        while not BETTER.over(world):
            for _ in range(next(kills, 0) if is_due(world) else 0):
                running[0].wait_for("begins", world.step)
                running[0].kill_in(moments.uniform(0, 0.15))
                running[0] = Controller(tmp_path)
                killed += 1
            running[0].wait_for("done", world.step)
            world.next_step(BETTER)
    assert killed == sum(KILLS)
    assert go_on(world, BETTER) == record(BETTER).end


def is_due(world: World) -> bool:
    return any(decision.transitions() for decision in reconcile(world.ports, dry_run=True).decisions)
