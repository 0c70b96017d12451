"""On GitHub too: a controller dies after any request that changed something, or races another; the same end (I1, I2).

One undisturbed rollout is recorded; each of its passes that writes is played again from a copy of the whole GitHub.
A request that changes nothing leaves what the one before it left, so it is enough to die after those that may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.batons import Baton
from support.crashes import Died
from support.github.server import FakeGitHub
from support.github_hub import CopiedHub, Hub, Seen, copied_github, handed_requests, is_write, seen
from support.rollouts import BETTER, STEP, WORSE, Play, go_on, one_pass
from support.worlds import Clock
from tidegate.errors import TidegateError

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]
PASSES = 9
RACES = int(os.environ.get("TIDEGATE_RACES", "50"))
"""Schedules of two controllers that are tried; `make race` tries more."""


@dataclass
class Mortal:
    """Counts requests that may change something, and dies after one of them: done, and no answer seen."""

    dies_after: int | None = None
    writes: list[str] = field(default_factory=list)

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if is_write(name):
            self.writes.append(name)
            if len(self.writes) - 1 == self.dies_after:
                raise Died
        return answer


@dataclass(frozen=True)
class Moment:
    """The world just before a pass that writes, its writes, and what an undisturbed pass comes to."""

    hub: Hub
    writes: tuple[str, ...]
    after: Seen


@contextmanager
def again(hub: Hub, folder: Path) -> Iterator[CopiedHub]:
    """The same world once more, on a GitHub of its own."""
    clock = Clock(hub.clock.at)
    with copied_github(hub.github, folder / "github", clock) as github:
        yield CopiedHub(hub, folder / "hub", github, clock)


@dataclass
class Recorder:
    """Plays on, and keeps a copy of the world before each pass that writes."""

    folder: Path
    stack: ExitStack
    moments: list[Moment] = field(default_factory=list)

    def play(self, hub: Hub, play: Play) -> None:
        mortal = Mortal()
        ports = handed_requests(hub, mortal)
        while not play.over(hub):
            play.people(hub)
            hub.wait(STEP)
            before = self.copy(hub)
            mortal.writes.clear()
            one_pass(ports)
            if any(name.startswith("git push") for name in mortal.writes):
                settle(hub)
                self.moments.append(Moment(hub=before, writes=tuple(mortal.writes), after=seen(hub)))

    def copy(self, hub: Hub) -> Hub:
        self.folder = self.folder / "next"
        return self.stack.enter_context(again(hub, self.folder))


def settle(hub: Hub) -> None:
    """One more pass of a process that knows nothing, at the same instant."""
    hub.ports = hub.connect()
    one_pass(hub.ports)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Moment]]:
    folder, clock = tmp_path_factory.mktemp("hub"), Clock()
    with ExitStack() as stack:
        github = stack.enter_context(FakeGitHub(folder / "github", now=clock.now))
        better = Recorder(tmp_path_factory.mktemp("better"), stack)
        better.play(Hub(folder, github, clock), BETTER)
        # Up to its canary the worse version's rollout is the better one's.
        worse = Recorder(tmp_path_factory.mktemp("worse"), stack)
        canary = worse.copy(better.moments[-2].hub)
        canary.service.behaviours[2] = WORSE.second
        worse.play(canary, WORSE)
        yield [*better.moments, worse.moments[-1]]


def test_every_pass_that_writes_is_put_to_the_test(moments: list[Moment]) -> None:
    assert len(moments) == PASSES
    assert moments[-2].after.pulls[-1] == "tidegate/digits/production/finish merged"
    assert moments[-1].after.pulls[-1] == "tidegate/digits/production/revert merged"


@pytest.mark.parametrize("pass_", range(PASSES))
def test_I2_a_death_after_any_request_leads_to_the_same_end(moments: list[Moment], pass_: int, tmp_path: Path) -> None:
    moment = moments[pass_]
    for place, name in enumerate(moment.writes):
        with again(moment.hub, tmp_path / str(place)) as hub:
            with pytest.raises(Died):
                one_pass(handed_requests(hub, Mortal(dies_after=place)))
            settle(hub)
            assert seen(hub) == moment.after, f"died after {name}"


@pytest.mark.parametrize("seed", range(RACES))
def test_I2_two_controllers_make_one_pull_request_for_each_transition(
    moments: list[Moment], seed: int, tmp_path: Path
) -> None:
    moment = moments[seed % PASSES]
    with again(moment.hub, tmp_path) as hub:
        baton = Baton(seed, runners=2)
        escaped = baton.run([partial(one_pass, handed_requests(hub, baton.around)) for _ in range(2)])
        assert all(isinstance(error, TidegateError) for error in escaped), escaped
        settle(hub)
        assert seen(hub) == moment.after


def test_I2_after_a_death_the_rollout_goes_on_to_its_end(moments: list[Moment], tmp_path: Path) -> None:
    moment = moments[3]
    with again(moment.hub, tmp_path) as hub:
        with pytest.raises(Died):
            one_pass(handed_requests(hub, Mortal(dies_after=len(moment.writes) // 2)))
        hub.ports = hub.connect()
        assert go_on(hub, BETTER).merged[-1] == "finish production"
