"""The local launcher: a training run as processes of this machine, watched by a detached supervisor.

What lives under `work`: `checkouts/` (clean trees, removed by the supervisor), `runs/<name>/` (lock, log) and
`checkpoints/<key>/`; whatever was not written to for a day goes at the next launch. The supervisor is supervisor.py.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import tidegate
from tidegate.errors import OutsideSystem
from tidegate.ports import Launch

_KEPT_SECONDS = 24 * 3600
_START_SECONDS = 30
# What a program needs to run at all; the rest of the caller's environment stays out, for the sake of its secrets.
_PASSED_ON = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip


class LocalLauncher:
    """ports.Launcher. Launching the same name twice starts it once, from however many processes.

    `launch.folder` is the working directory of the command; it lies in a checkout below `work/checkouts`, which the
    launcher takes over. `credentials` (by MLflow's variable names) reach the program by environment, never by file.
    Without `programs`, folders as PATH has them, `python` is the interpreter that runs Tidegate.
    """

    def __init__(
        self,
        work: Path,
        tracking_uri: str,
        credentials: Mapping[str, Callable[[], str]] | None = None,
        programs: str | None = None,
    ) -> None:
        self._work = work.resolve()
        self._tracking_uri = tracking_uri
        self._credentials = credentials or {}
        self._programs = programs or str(Path(sys.executable).parent)

    def launch(self, launch: Launch) -> None:
        self._sweep()
        run = self._work / "runs" / launch.name
        run.mkdir(parents=True, exist_ok=True, mode=0o700)
        checkout = self._checkout(launch)
        spec = checkout / "launch.json"
        spec.write_text(json.dumps(self._spec(launch, run, checkout)), encoding="utf-8")
        self._start(launch.name, run, spec)

    def running(self) -> Mapping[str, int]:
        """Names of the runs that are still watched, with their supervisors' process ids."""
        started = {file.parent: json.loads(file.read_text()) for file in self._work.glob("runs/*/started")}
        return {run.name: int(note["pid"]) for run, note in started.items() if _is_locked(run / "lock")}

    def stop(self) -> None:
        """Ask every supervisor to end its run now: each kills its group, says so to MLflow if it can, and leaves."""
        for pid in self.running().values():
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue

    def _start(self, name: str, run: Path, spec: Path) -> None:
        """The process started here forks the supervisor and ends at once, so that no zombie waits for us."""
        with (run / "supervisor.log").open("ab") as log:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "tidegate.adapters.launchers.supervisor", str(spec)],
                    # `-m` looks in the working directory first: the package is found though it is not installed.
                    cwd=Path(tidegate.__file__).parents[1],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    timeout=_START_SECONDS, start_new_session=True, check=False,
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as error:
                raise OutsideSystem(f"the local launcher could not start {name}: {type(error).__name__}") from None
        if done.returncode:
            raise OutsideSystem(
                f"the local launcher could not start {name} (exit {done.returncode}); see {run}/supervisor.log"
            )

    def _spec(self, launch: Launch, run: Path, checkout: Path) -> dict[str, object]:
        """What the supervisor must know; it lies in a file, so it holds no secret, only their names."""
        contract = {"MLFLOW_TRACKING_URI": self._tracking_uri, "MLFLOW_RUN_ID": launch.run_id}
        return {
            "run_id": launch.run_id,
            "run": str(run),
            "checkout": str(checkout),
            "folder": str(launch.folder),
            "command": list(launch.command),
            "environment": {**launch.environment, **contract},
            "deadline": launch.deadline.timestamp(),
            "tracking_uri": self._tracking_uri,
            "secrets": list(self._credentials),
        }

    def _environment(self) -> dict[str, str]:
        """What training commands find first comes first; the supervisor is started by its full path."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        path = os.pathsep.join([self._programs, os.environ.get("PATH", os.defpath)])
        return {**passed, "PATH": path, **{name: reveal() for name, reveal in self._credentials.items()}}

    def _checkout(self, launch: Launch) -> Path:
        """The folder to be removed at the end: the one directly below `checkouts`, and never anything else."""
        checkouts = self._work / "checkouts"
        try:
            return checkouts / launch.folder.resolve().relative_to(checkouts).parts[0]
        except (ValueError, IndexError):
            raise OutsideSystem(
                f"the folder {launch.folder} does not lie below {checkouts}; launch from there"
            ) from None

    def _sweep(self) -> None:
        oldest = time.time() - _KEPT_SECONDS
        folders = [folder for room in ("checkouts", "runs", "checkpoints") for folder in self._work.glob(f"{room}/*")]
        aged = [folder for folder in folders if folder.stat().st_mtime < oldest]
        busy = {name.partition("-")[0] for name in self.running()} if aged else set()
        for folder in aged:
            if folder.name.partition("-")[0] not in busy:
                shutil.rmtree(folder, ignore_errors=True)


def _is_locked(path: Path) -> bool:
    """Whether a supervisor lives: process ids are used again, a lock ends with the process that took it."""
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
