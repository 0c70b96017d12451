"""A whole pass, in process: what goes wrong with one training stops nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from support.worlds import World
from tidegate.cli import passes
from tidegate.errors import OutsideSystem, Raced, Refused, TidegateError, WrongUse
from tidegate.settings import read_settings
from tidegate.wiring.context import Context


@pytest.mark.parametrize("error", [OutsideSystem, Raced, Refused, WrongUse])
def test_a_training_that_cannot_be_collected_stops_no_pass(
    tmp_path: Path, error: type[TidegateError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> NoReturn:
        raise error("refs/tidegate/runs/k/1 says something else by now")

    world = World(tmp_path)
    context = Context(read_settings(str(world.bare), "dana"))
    model = context.desired().models[0].model
    monkeypatch.setattr(passes, "_unfinished", lambda _: [(model, "k0123456789abcdef")])
    monkeypatch.setattr(passes, "train", fails)
    monkeypatch.setattr(context, "reconcile_ports", lambda: world.ports)
    context.registry = world.registry
    done = passes.run_pass(context)
    assert done.failures == ("digits: refs/tidegate/runs/k/1 says something else by now",)
    assert done.report.main == world.ports.repository.head()
