"""How long the actions take from nothing to a result: figures for docs/actions.md.

The steps of `actions/validate` on the repository template, as a runner starts them: name the environment, install it,
check. Cold installs from the package index, without a cache of pip's own; warm unpacks an archive of what cold made, as
GitHub's cache does once it has sent it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
INSTALL = ROOT / "actions" / "install.sh"
PATH = os.pathsep.join([str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"])
INSTALLER = "uv" if shutil.which("uv", path=PATH) else "pip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Median seconds of the environment, cold and warm, and of the check in it; the megabytes of its archive."""

    cold: float
    warm: float
    check: float
    megabytes: float


@dataclass
class _Taken:
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    check: list[float] = field(default_factory=list)
    bytes: int = 0


def measure(lock: str, times: int) -> Times:
    """The environment of this lock file (`lean` or `full`), and `validate` in it. Raises CalledProcessError."""
    taken = _Taken()
    with TemporaryDirectory() as name:
        workspace = _template(Path(name))
        for turn in range(times):
            _turn(Path(name) / str(turn), workspace, lock, taken)
            shutil.rmtree(Path(name) / str(turn))
    return Times(
        cold=median(taken.cold), warm=median(taken.warm), check=median(taken.check), megabytes=taken.bytes / 1e6
    )


def _template(folder: Path) -> Path:
    workspace = folder / "models"
    shutil.copytree(ROOT / "repo-template", workspace)
    for words in (("init", "--quiet"), ("add", ".")):
        subprocess.run(["git", *words], cwd=workspace, check=True)
    return workspace


def _turn(runner: Path, workspace: Path, lock: str, taken: _Taken) -> None:
    """A job on a fresh runner, and another one that finds the first one's environment in the cache."""
    environment = _environment(runner)
    start = time.perf_counter()
    venv = _named(lock, environment)
    subprocess.run([INSTALL, lock], env=environment, check=True)
    taken.cold.append(time.perf_counter() - start)
    archive = runner / "archive.tar.gz"  # before anything runs that could change it, as the actions do
    with tarfile.open(archive, "w:gz") as writing:
        writing.add(venv, venv.name)
    taken.bytes = archive.stat().st_size
    taken.check.append(_validated(venv, workspace, environment))
    shutil.rmtree(venv)
    start = time.perf_counter()
    _named(lock, environment)
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", venv.parent], check=True)
    subprocess.run([INSTALL, lock], env=environment, check=True)
    taken.warm.append(time.perf_counter() - start)
    taken.check.append(_validated(venv, workspace, environment))


def _environment(runner: Path) -> dict[str, str]:
    runner.mkdir()
    known = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    own = {"PATH": PATH, "HOME": str(runner), "PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1", "RUNNER_TEMP": str(runner)}
    return {**known, **own, "GITHUB_OUTPUT": str(runner / "output")}


def _named(lock: str, environment: Mapping[str, str]) -> Path:
    """The first step; its output is where the environment is to be."""
    subprocess.run([INSTALL, "find", lock], env=environment, check=True)
    lines = Path(environment["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    return Path(next(line.removeprefix("venv=") for line in lines if line.startswith("venv=")))


def _validated(venv: Path, workspace: Path, environment: Mapping[str, str]) -> float:
    start = time.perf_counter()
    command = [venv / "bin" / "python", "-I", "-m", "tidegate.action", "validate"]
    subprocess.run(command, cwd=workspace, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
