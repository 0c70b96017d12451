"""Two controllers watch the same repository all the time, and Prometheus is killed in the middle of a rollout."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.adapters.system_packages import default_cache, find_prometheus
from tidegate.core.transition import parse_branch
from tidegate.demo import servers as processes
from tidegate.demo.servers import Servers, until
from tidegate.demo.show import Stage, environment_of, set_up, stop_everything, trained
from tidegate.demo.story import ACTS, Player
from tidegate.demo.timeline import Archive
from tidegate.steps.trainings import all_records, key_at, training_state

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    servers = Servers(folder=tmp_path, environment=environment_of(tmp_path))
    try:
        yield set_up(servers, find_prometheus(default_cache()), print)
    finally:
        stop_everything(servers)


def archive_of(stage: Stage) -> Archive:
    context = stage.context
    return Archive(
        model=context.desired().model("digits").model,
        repository=context.repository,
        forge=context.forge,
        reader=context.reader,
        metrics=context.metrics,
    )


def version_of_main(stage: Stage) -> int:
    """What main's training became. Not the count of trainings: of what both controllers register, one goes again."""
    context = stage.context
    desired = context.desired()
    model = desired.model("digits").model
    key = key_at(context.repository, desired.commit, model)
    version = training_state(model, key, all_records(context.repository)).version
    assert version is not None
    return version


def test_I3_two_controllers_and_a_prometheus_that_dies(stage: Stage) -> None:
    processes.start_reconcile(stage.servers, stage.workspace.clone)
    archive = archive_of(stage)
    player = Player(
        workspace=stage.workspace, archive=archive, tell=lambda *_: None, trained=lambda: trained(stage.context)
    )
    player.play(ACTS[0])
    player.begin(ACTS[1])
    second = version_of_main(stage)
    assert until(lambda: ("promote", "production", second) in player.steps(), 180)

    prometheus = next(p for p in stage.servers.started if p.name == "prometheus")
    os.killpg(prometheus.running.pid, signal.SIGKILL)
    prometheus.running.wait()
    log = stage.folder / "logs" / "reconcile.log"
    assert until(lambda: "unreachable" in log.read_text(encoding="utf-8"), 60), log.read_text(encoding="utf-8")
    before = player.steps()
    time.sleep(8)  # longer than the bake that is left: without Prometheus nothing may move in this time
    assert player.steps() == before

    again = processes.start_prometheus_again(stage.servers, prometheus)
    stage.servers.wait(again)
    assert until(lambda: ("finish", "production", second) in player.steps(), 180), log.read_text(encoding="utf-8")

    proposals = archive.forge.proposals()
    keys = Counter(branch.key for p in proposals if (branch := parse_branch(p.branch)) is not None)
    assert set(keys.values()) == {1}
    merged = [row.step for row in archive.happened()]
    assert len(merged) == len(set(merged)) == 6
