"""On GitHub too: a controller dies at any HTTP request, or races another; the same end (I1, I2).

Two undisturbed rollouts are recorded, with the world just before each of their passes. A pass is made again by a
process that starts there; at every HTTP request of it, git's own included, reads as well as writes, the world is
copied before the request does anything, and when it did and nobody has heard of it: GitHub, the registry, and the
files on the controller's machine. That is what a process that dies there leaves behind. A new one starts in each
copy, on the same machine and on one that has no files yet, and must come to what an undisturbed pass comes to.

Copies in which no byte differs from an earlier one are tried once; with TIDEGATE_DEATHS=every (`make race`) all are.
There too the process lives in every pass, and loses the answer of each request that writes; here in the first and last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.batons import Baton
from support.github.routing import Answer
from support.github.server import FakeGitHub
from support.github_hub import Hub, Seen, handed_requests, seen
from support.github_stills import Deaths, Still
from support.rollouts import BETTER, STEP, WORSE, Play, go_on, one_pass
from support.worlds import Clock
from tidegate.errors import OutsideSystem, TidegateError

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
PASSES = 17
RACED = 9
"""Passes that push something: where two controllers can get into each other's way."""
RACES = int(os.environ.get("TIDEGATE_RACES", "50"))
"""Schedules of two controllers that are tried; `make race` tries more."""
EVERY = os.environ.get("TIDEGATE_DEATHS") == "every"


@dataclass(frozen=True)
class Moment:
    """The world just before a pass, whether the pass pushes something, and what it comes to undisturbed."""

    still: Still
    pushes: bool
    after: Seen


@dataclass
class Recorder:
    """Plays on, and keeps the world before each pass."""

    folder: Path
    moments: list[Moment] = field(default_factory=list)

    def play(self, hub: Hub, play: Play) -> None:
        controller = hub.process()
        while not play.over(hub):
            play.people(hub)
            hub.wait(STEP)
            still = Still.of(hub, self.folder / str(len(self.moments)))
            hub.github.forget_calls()
            one_pass(controller)
            pushes = any(call.method == "POST" and call.path.endswith("/git-receive-pack") for call in hub.github.calls)
            one_pass(hub.process())
            self.moments.append(Moment(still=still, pushes=pushes, after=seen(hub)))


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    folder, clock = tmp_path_factory.mktemp("hub"), Clock()
    better, worse = (Recorder(tmp_path_factory.mktemp(name)) for name in ("better", "worse"))
    with FakeGitHub(folder / "github", now=clock.now) as github:
        better.play(Hub(folder, github, clock), BETTER)
    # Up to its canary the worse version's rollout is the better one's.
    canary = [moment for moment in better.moments if moment.pushes][-2].still
    with canary.again(tmp_path_factory.mktemp("canary")) as hub:
        hub.service.behaviours[2] = WORSE.second
        worse.play(hub, WORSE)
    return [*better.moments, worse.moments[-1]]


@pytest.fixture(scope="module")
def raced(moments: list[Moment]) -> list[Moment]:
    return [moment for moment in moments if moment.pushes]


def test_both_rollouts_are_put_to_the_test(moments: list[Moment], raced: list[Moment]) -> None:
    assert len(moments) == PASSES
    assert len(raced) == RACED
    assert raced[-2].after.pulls[-1] == "tidegate/digits/production/finish merged"
    assert raced[-1].after.pulls[-1] == "tidegate/digits/production/revert merged"


def deaths_in(moment: Moment, folder: Path) -> Deaths:
    """Every way to die in this pass."""
    with moment.still.again(folder / "undisturbed") as hub:
        deaths = Deaths(hub, folder / "deaths", every=EVERY)
        hub.github.around = deaths
        one_pass(hub.ports)
    return deaths


@pytest.mark.parametrize("pass_", range(PASSES))
def test_I2_a_death_at_any_request_leads_to_the_same_end(moments: list[Moment], pass_: int, tmp_path: Path) -> None:
    for place, death in enumerate(deaths_in(moments[pass_], tmp_path).found.values()):
        with death.still.again(tmp_path / str(place), same_machine=death.same_machine) as hub:
            one_pass(hub.ports)
            assert seen(hub) == moments[pass_].after, f"died {death.moment}; same machine: {death.same_machine}"
    shutil.rmtree(tmp_path / "deaths")


@dataclass
class Lost:
    """Of one request that writes, the answer is lost on its way: the work is done, and a gateway says 502."""

    place: int
    writes: list[str] = field(default_factory=list)

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name.startswith("GET ") or name.endswith("/git-upload-pack"):
            return answer
        self.writes.append(name)
        return Answer(status=502, raw=b"Bad Gateway") if len(self.writes) - 1 == self.place else answer


@pytest.mark.parametrize("pass_", range(RACED) if EVERY else (0, RACED - 1))
def test_F5_an_answer_lost_after_the_work_leads_to_the_same_end(
    raced: list[Moment], pass_: int, tmp_path: Path
) -> None:
    for place in count():
        with raced[pass_].still.again(tmp_path / str(place)) as hub:
            hub.github.around = lost = Lost(place)
            with suppress(OutsideSystem):
                one_pass(hub.ports)
            if len(lost.writes) <= place:
                break
            one_pass(hub.process())
            assert seen(hub) == raced[pass_].after, f"lost the answer of {lost.writes[place]}"
    assert place > 0


@pytest.mark.parametrize("seed", range(RACES))
def test_I2_two_controllers_make_one_pull_request_for_each_transition(
    raced: list[Moment], seed: int, tmp_path: Path
) -> None:
    moment = raced[seed % RACED]
    with moment.still.again(tmp_path / "again") as hub:
        baton = Baton(seed, runners=2)
        escaped = baton.run([partial(one_pass, handed_requests(hub, baton.around)) for _ in range(2)])
        assert all(isinstance(error, TidegateError) for error in escaped), escaped
        one_pass(hub.ports)
        assert seen(hub) == moment.after


def test_I2_after_a_death_the_rollout_goes_on_to_its_end(raced: list[Moment], tmp_path: Path) -> None:
    found = list(deaths_in(raced[3], tmp_path).found.values())
    with found[len(found) // 2].still.again(tmp_path / "again") as hub:
        assert go_on(hub, BETTER).merged[-1] == "finish production"
