"""How long the program takes to start, against its libraries alone: figures for docs/benchmarks.md.

Commands take turns, so that what else the machine does falls on all of them alike. The workspace is a clone in which
one model is settled, as the tests make it; no server answers, and none is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from support.repositories import ISOLATED, OURS  # noqa: E402 - tests is no package that is installed
from support.worlds import World, settle  # noqa: E402

LIBRARIES = ("-c", "import click, ruamel.yaml, jsonschema, git")
COMMANDS = {
    "libraries": LIBRARIES,
    "tidegate --help": ("-m", "tidegate", "--help"),
    "tidegate status": ("-m", "tidegate", "status"),
}


def starts(times: int) -> dict[str, float]:
    """Median seconds of each command."""
    with TemporaryDirectory() as name:
        world = World(Path(name) / "git")
        settle(world)
        environment = _environment(Path(name))
        taken: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(times + 1):  # the first turn warms the disk's cache
            for command, arguments in COMMANDS.items():
                taken[command].append(_seconds(arguments, world.clone().folder, environment))
    return {command: median(seconds[1:]) for command, seconds in taken.items()}


def _seconds(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _environment(home: Path) -> dict[str, str]:
    """As an installed program has it: compiled once, in the first turn, and nothing of the caller's own settings."""
    paths = {"PYTHONPATH": str(ROOT / "controller"), "PYTHONPYCACHEPREFIX": str(home / "compiled"), "HOME": str(home)}
    return {"PATH": os.environ["PATH"], "TIDEGATE_IDENTITY": OURS, **ISOLATED, **paths}
