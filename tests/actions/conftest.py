"""What the tests of the actions share: GitHub's grammar, a checkout as an action gets it, and a runner."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.third_party import Cache
from support.workflow_runner.composite import Machine
from support.workflow_runner.engine import Engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The action's tarball on a runner: what is committed, and no .git."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def machine(engine: Engine, cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """One runner for all tests, so that each installation is made once."""
    return Machine(engine=engine, temporary=tmp_path_factory.mktemp("runner"), stand_ins=cache.stand_ins)
