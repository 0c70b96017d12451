"""I9: what the loop decided live, tick by tick, a backtest decides again on the same readings at the same instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.backtests import archive_of, backtested
from support.fed_worlds import FedWorld
from support.prometheus_server import PrometheusServer
from support.rollouts import STEP, Play
from support.worlds import MANIFEST, Behaviour, World, stable
from tidegate.core.outcome import Decision
from tidegate.core.replay.episodes import Ending
from tidegate.core.replay.report import Agreement, EpisodeReport, Replay, State
from tidegate.core.replay.spans import cause_of, said
from tidegate.core.transition import Kind, Transition
from tidegate.reconcile import reconcile

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

Told = dict[datetime, tuple[State, str]]


def nothing_else(_: World) -> None: ...


def degrades_on_probation(world: World) -> None:
    if stable(world) == 2:
        world.service.behaviours[2].slow = 0.7


def scrapes_stop_for_a_while(world: World) -> None:
    since = world.pin().canary
    world.service.down = since is not None and since.weight == 0.5 and (world.clock.at.minute % 3) == 0


def loads_at_last(world: World) -> None:
    if world.pin().retried == 2:
        world.service.behaviours[2] = Behaviour()


def a_person_sets_the_weight(world: World) -> None:
    pin, path = world.pin(), "models/digits/production.yaml"
    if pin.canary is not None and pin.canary.weight == 0.25 and world.clock.at.second == 0:
        text = (world.show(path) or "").replace("weight: 25%", "weight: 30%")
        clone = world.clone()
        clone.commit({path: text}, "more of it", at=world.clock.at)
        clone.push("HEAD:main")


def played(
    world: World, second: Behaviour, meanwhile: Callable[[World], None], passes: int = 48
) -> dict[datetime, Decision]:
    """A rollout of version 2 behind version 1, and what the loop decided about production at each pass."""
    play, decided = Play(second), {}
    for _ in range(passes):
        play.people(world)
        meanwhile(world)
        world.wait(STEP)
        report = reconcile(world.ports)
        if report.decisions:
            decided[world.clock.at] = report.decisions[0].environments["production"]
    return decided


def replayed_ticks(replay: Replay, step: timedelta) -> Told:
    """What the replay says of each tick that it knows something of."""
    found: Told = {}
    for span in replay.spans:
        for number in range(span.ticks):
            if span.state is not State.UNKNOWN:
                found[span.since + number * step] = (span.state, span.cause)
    return found


def live_ticks(decided: dict[datetime, Decision]) -> Told:
    return {at: (said(one)[0], cause_of(said(one)[1])) for at, one in decided.items()}


def agrees(one: EpisodeReport, decided: dict[datetime, Decision], step: timedelta = STEP) -> None:
    """Fails where a replay says anything else of a tick than the loop did."""
    live, (replay,) = live_ticks(decided), one.replays
    assert {part.agreement for part in replay.parts} <= {Agreement.SAME, Agreement.PERSON}, replay
    for at, told in replayed_ticks(replay, step).items():
        assert live[at] == told, at
    for part in replay.parts:
        if part.decided is not None and part.happened is not None and part.agreement is Agreement.SAME:
            assert part.decided.at == part.happened.at
            transition = decided[part.decided.at]
            assert isinstance(transition, Transition)
            assert (transition.kind, transition.reasons) == (part.decided.kind, part.decided.reasons)


@pytest.mark.parametrize(
    ("second", "meanwhile", "kinds"),
    [
        pytest.param(Behaviour(), nothing_else, "promote advance finish", id="a-healthy-version-goes-all-the-way"),
        pytest.param(Behaviour(slow=0.6), nothing_else, "promote revert", id="a-worse-one-is-reverted"),
        pytest.param(
            Behaviour(), degrades_on_probation, "promote advance finish revert", id="one-that-degrades-goes-back"
        ),
        pytest.param(
            Behaviour(loads=("staging",)), loads_at_last, "promote revert", id="one-that-never-served-is-tried-again"
        ),
        pytest.param(
            Behaviour(), scrapes_stop_for_a_while, "promote advance finish", id="gaps-hold-in-both"
        ),
        pytest.param(
            Behaviour(), a_person_sets_the_weight, "promote advance finish", id="a-person-s-weight-is-where-both-go-on"
        ),
    ],
)  # fmt: skip
def test_i9_live_and_backtest_decide_the_same_at_the_same_instants(
    tmp_path: Path, second: Behaviour, meanwhile: Callable[[World], None], kinds: str
) -> None:
    world = World(tmp_path, manifest=MANIFEST)
    decided = played(world, second, meanwhile)
    report = backtested(world, step=STEP)
    rollouts = [one for one in report.episodes if one.episode.version == 2]
    assert rollouts
    for one in rollouts:
        agrees(one, decided)
    happened = [move.kind for move in rollouts[0].happened if not move.by_person]
    assert happened == [Kind(kind) for kind in kinds.split()]


DRIFT = """\
    drift: {
      value: 'max(feature_drift{model="{{ model }}", environment="{{ environment }}", version="{{ version }}"})',
      maximum: 0.2, for: 1m
    }
"""


def drifts_as_canary(world: FedWorld) -> None:
    world.gauged.drift[2] = 0.3


def drifts_on_probation(world: FedWorld) -> None:
    world.gauged.drift[2] = 0.3 if stable(world) == 2 else 0.1


def drifts_for_too_short_a_time(world: FedWorld) -> None:
    """Outside its bound in every third cell, which blocks the way on meanwhile."""
    world.gauged.drift[2] = 0.3 if world.clock.at.minute % 3 == 0 and world.clock.at.second == 0 else 0.1


@pytest.mark.parametrize(
    ("meanwhile", "kinds", "reason"),
    [
        pytest.param(drifts_as_canary, "promote revert", "drift 0.3", id="a-canary"),
        pytest.param(drifts_on_probation, "promote advance finish revert", "drift 0.3", id="on-probation"),
        pytest.param(drifts_for_too_short_a_time, "promote advance finish", None, id="never-for-as-long-as-it-must"),
    ],
)
def test_i9_a_value_outside_its_bound_is_found_at_the_same_instant(
    tmp_path: Path, meanwhile: Callable[[FedWorld], None], kinds: str, reason: str | None
) -> None:
    server = PrometheusServer(tmp_path / "prometheus")
    server.start()
    try:
        world = FedWorld(tmp_path / "world", server, MANIFEST.replace("  rollout:\n", DRIFT + "  rollout:\n"))
        decided = played(world, Behaviour(), lambda _: meanwhile(world))
        (rollout,) = (one for one in backtested(world, step=STEP).episodes if one.episode.version == 2)
    finally:
        server.stop()
    agrees(rollout, decided)
    assert [move.kind for move in rollout.happened] == [Kind(kind) for kind in kinds.split()]
    assert [each.reason for each in world.pin().rejected] == ([] if reason is None else [reason])


def test_i9_a_budget_that_was_spent_then_holds_the_entry_as_it_did_live(tmp_path: Path) -> None:
    """Version 1 fails for an hour, version 2 waits until the window has forgotten it, and then for a person."""
    world = World(tmp_path, MANIFEST.replace("availability: {", "availability: {window: 2h, "))
    slow, decided = timedelta(minutes=10), {}
    world.train(1, Behaviour(errors=0.2))
    for number in range(32):
        if number == 8:
            world.service.behaviours[1] = Behaviour()
            world.train(2)
        if number < 8 or number % 4 == 0:
            world.approve()
        world.wait(slow)
        report = reconcile(world.ports)
        decided[world.clock.at] = report.decisions[0].environments["production"]
    told = backtested(world, step=slow)
    (entry,) = (one for one in told.episodes if (one.episode.environment, one.episode.version) == ("production", 2))
    agrees(entry, decided, slow)
    causes = [span.cause for span in entry.replays[0].spans]
    assert "error budget spent" in causes
    assert any(cause.startswith("waits for a person") for cause in causes)


def test_an_environment_that_main_has_no_more_is_replayed_as_it_was(tmp_path: Path) -> None:
    world = World(tmp_path, MANIFEST)
    decided = played(world, Behaviour(slow=0.6), nothing_else, passes=40)
    clone, folder = world.clone(), "models/digits"
    text = (clone.folder / folder / "model.yaml").read_text(encoding="utf-8")
    without = text.replace("    staging: {}\n    production: {approval: required}\n", "    staging: {}\n")
    assert without != text
    clone.commit(
        {f"{folder}/model.yaml": without, f"{folder}/production.yaml": None}, "staging only", at=world.clock.at
    )
    clone.push("HEAD:main")
    world.wait(STEP)
    found = [one for one in backtested(world, step=STEP).episodes if one.episode.environment == "production"]
    assert [(one.episode.version, one.episode.ending) for one in found] == [(1, Ending.ENTERED), (2, Ending.REVERTED)]
    for one in found:
        agrees(one, decided)


def test_nothing_behind_the_asked_time_is_known(tmp_path: Path) -> None:
    world = World(tmp_path)
    decided = played(world, Behaviour(), nothing_else)
    advance = next(at for at, one in decided.items() if isinstance(one, Transition) and one.kind is Kind.ADVANCE)
    report = backtested(world, step=STEP, until=advance - timedelta(seconds=10))
    last = report.episodes[-1]
    assert (last.episode.ending, last.episode.end) == (Ending.OPEN, advance - timedelta(seconds=10))
    assert [move.kind for move in last.happened] == [Kind.PROMOTE]
    assert last.replays[0].parts[-1].happened is None


def test_retention_that_lost_the_start_is_told_and_never_answered(tmp_path: Path) -> None:
    world = World(tmp_path)
    played(world, Behaviour(), nothing_else)
    keep = world.clock.at - timedelta(minutes=1)
    for name, samples in world.service.samples.items():
        world.service.samples[name] = [sample for sample in samples if sample[0] >= keep.timestamp()]
    report = backtested(world, step=STEP)
    for one in report.episodes:
        assert {part.agreement for part in one.replays[0].parts} == {Agreement.UNREAD}
        assert one.replays[0].unread.startswith("cannot observe")


def test_a_prometheus_that_does_not_answer_is_told(tmp_path: Path) -> None:
    from tidegate.core.judging.reading import Unread, Why

    world = World(tmp_path)
    played(world, Behaviour(), nothing_else, passes=40)
    world.metrics.unread = Unread(why=Why.UNREACHABLE, words="Prometheus does not answer")
    report = backtested(world, step=STEP)
    assert report.unreachable == "unreachable: Prometheus does not answer"
    assert {part.agreement for one in report.episodes for part in one.replays[0].parts} == {Agreement.UNREAD}


def test_a_backtest_reads_what_main_wanted_then(tmp_path: Path) -> None:
    """A manifest that was loosened afterwards changes no replay by the policies of then."""
    world = World(tmp_path)
    played(world, Behaviour(slow=0.6), nothing_else, passes=40)
    clone = world.clone()
    path = "models/digits/model.yaml"
    text = (clone.folder / path).read_text(encoding="utf-8").replace("target: 90%", "target: 10%")
    clone.commit({path: text.replace("falseRevertRate: 1%", "falseRevertRate: 0.001%")}, "loosen", at=world.clock.at)
    clone.push("HEAD:main")
    assert archive_of(world).model.environments[-1].objectives[1].target == 0.1
    report = backtested(world, step=STEP)
    assert not report.count("as it was", Agreement.DIFFERENT)
