"""What a plan replays: as much as there is time for, from a Prometheus that is asked no more once it is silent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from support.backtests import archive_of
from support.rollouts import BETTER, go_on
from support.worlds import Tape, World
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.manifest import Model
from tidegate.steps.past_policies import PastPolicies

GONE = Unread(why=Why.UNREACHABLE, words="connection refused")
SECOND = timedelta(seconds=1)
ROLLOUTS = 2


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A first version and a second one, and what was read of them."""
    world = World(tmp_path_factory.mktemp("world"))
    go_on(world, BETTER)
    return world


def slower(model: Model) -> Model:
    """A changed policy: it bakes twice as long."""
    baked = (replace(e, rollout=replace(e.rollout, bake=2 * e.rollout.bake)) for e in model.environments)
    return replace(model, environments=tuple(baked))


@dataclass
class Watch:
    """A clock on which each look takes some time, and each question, too."""

    at: datetime
    look: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.at += self.look
        return self.at


@dataclass
class Slow(Tape):
    """Each answer takes so long."""

    watch: Watch = field(kw_only=True)
    takes: timedelta = timedelta(0)
    questions: int = 0

    def _asked(self) -> None:
        self.questions += 1
        self.watch.at += self.takes

    def now(self) -> datetime | Unread:
        self._asked()
        return super().now()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        self._asked()
        return super().samples(selector, start, end)


def slow(world: World, takes: timedelta = timedelta(0), unread: Unread | None = None) -> Slow:
    return Slow(world.service, world.clock, unread, watch=Watch(world.clock.at), takes=takes)


def test_a_changed_policy_is_set_against_mains(world: World) -> None:
    metrics, archive = slow(world), archive_of(world)
    found = PastPolicies(metrics, metrics.watch).by_two(archive, slower(archive.model))
    assert (found.rollouts, found.unread, found.hurried) == (ROLLOUTS, "", False)
    assert {one.environment for one in found.differing} == {"production"}


def test_a_prometheus_that_does_not_answer_is_asked_once_for_all_models(world: World) -> None:
    metrics, archive = slow(world, unread=GONE), archive_of(world)
    policies = PastPolicies(metrics, metrics.watch)
    found = [policies.by_two(archive, slower(archive.model)) for _ in range(3)]
    assert {one.unread for one in found} == {"unreachable: connection refused"}
    assert metrics.questions == 1


def test_the_limit_of_time_is_one_for_all_models(world: World) -> None:
    metrics, archive = slow(world), archive_of(world)
    policies = PastPolicies(metrics, metrics.watch)
    first = policies.by_two(archive, slower(archive.model))
    metrics.watch.at += 16 * SECOND
    second = policies.by_two(archive, slower(archive.model))
    assert (first.rollouts, second.rollouts) == (ROLLOUTS, 0)
    assert second.unread == "no time was left: past rollouts get 15s of a plan"


def test_a_slow_prometheus_is_not_asked_beyond_the_limit(world: World) -> None:
    """At three seconds an answer the limit falls into the reading of one rollout: that one is left out."""
    metrics, archive = slow(world, takes=3 * SECOND), archive_of(world)
    began = metrics.watch.at
    found = PastPolicies(metrics, metrics.watch).by_two(archive, slower(archive.model))
    assert metrics.watch.at - began <= 18 * SECOND
    assert found.rollouts < ROLLOUTS
    assert (found.unread, found.rollouts + found.older) == ("", ROLLOUTS)


def test_the_limit_holds_in_the_middle_of_a_rollout_that_was_read(world: World) -> None:
    """What takes its time is deciding, tick by tick."""
    metrics, archive = slow(world), archive_of(world)
    metrics.watch.look = timedelta(seconds=3)
    found = PastPolicies(metrics, metrics.watch).by_two(archive, slower(archive.model))
    assert (found.rollouts, found.older, found.unread) == (0, ROLLOUTS, "")
