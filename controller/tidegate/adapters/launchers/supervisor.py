"""The supervisor of one local training run: `python -m tidegate.adapters.launchers.supervisor SPEC.json`.

It stands alone: whoever launched it may die. It starts the command in its own process group, ends the group at the
lease (I13), tells MLflow how the run ended, and removes the checkout. Starting the same run twice runs it once.

Three processes: the first one forks and ends; the supervisor watches; a guard waits on a pipe that closes when the
supervisor dies, however that happens, and then kills the command's group.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from requests import PreparedRequest

_GRACE_SECONDS = 3.0
"""Between TERM and KILL."""
_REPORT_DELAYS = (0.5, 1, 2, 4, 8, *[15] * 38)
"""About ten minutes: how long MLflow may be away at the end of a run."""
_GONE = (400, 404)
"""What MLflow says of a run that somebody deleted: nobody waits for its end."""
_TAIL_LINES, _TAIL_CHARACTERS, _TAIL_BYTES = 40, 4000, 1 << 16
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_CREDENTIAL = re.compile(
    r"(?i)(?P<kept>\w+://)[^/\s@]+@"
    r"|(?P<name>(?:authorization|password|secret|token|api[-_]?key)\w*\s*[:=]\s*)(?:bearer |basic )?\S+"
)

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How the command ended: an exit code, `signal N`, `lease`, `stopped` or `cannot start`."""

    exit: str
    note: str = ""

    @property
    def status(self) -> str:
        return "FINISHED" if self.exit == "0" else "FAILED"


class _StoppedError(Exception):
    """SIGTERM reached the supervisor."""


def main(arguments: list[str]) -> int:
    """Fork the supervisor, and return once it has taken the run or found it taken."""
    spec: Spec = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    ready, told = os.pipe()
    if os.fork():
        os.close(told)
        return 0 if os.read(ready, 1) else 1
    os.close(ready)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _supervise(spec, told)
    except _StoppedError:
        return 1
    return 0


def _supervise(spec: Spec, told: int) -> None:
    lock = _claim(spec)
    os.write(told, b"1")
    os.close(told)
    try:
        if lock is not None:
            end = _ended(spec, lock)
            _report(spec, end)
    finally:
        if lock is not None or json.loads(_started(spec).read_text())["checkout"] != spec["checkout"]:
            shutil.rmtree(spec["checkout"], ignore_errors=True)


def _started(spec: Spec) -> Path:
    return Path(spec["run"]) / "started"


def _claim(spec: Spec) -> int | None:
    """Take the run, once and for ever: None when it was started before, even if that supervisor is dead."""
    lock = os.open(Path(spec["run"]) / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    while not _locked(lock) and not _started(spec).exists():
        time.sleep(0.02)
    if _started(spec).exists():
        os.close(lock)
        return None
    note = _started(spec).with_suffix(".new")
    note.write_text(json.dumps({"pid": os.getpid(), "checkout": spec["checkout"]}))
    note.replace(_started(spec))
    return lock


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ended(spec: Spec, lock: int) -> End:
    """Run the command to its end, whatever that is; afterwards nothing of it runs."""
    _adopt_orphans()
    guard, pipe = _guard(lock)
    process = None
    try:
        process = _start(spec)
        os.write(pipe, b"%d\n" % process.pid)
        code = _wait(process, spec["deadline"])
        end = End(exit="lease") if code is None else End(exit=str(code) if code >= 0 else f"signal {-code}")
    except OSError as error:
        end = End(exit="cannot start", note=f"{spec['command'][0]}: {error.strerror}")
    except _StoppedError:
        end = End(exit="stopped")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if process is not None:
            _end_group(process.pid)
        _end_children(sparing=guard)
        os.write(pipe, b"done\n")
        os.close(pipe)
        os.waitpid(guard, 0)
    return end


def _start(spec: Spec) -> subprocess.Popen[bytes]:
    with (Path(spec["run"]) / "log").open("wb") as log:
        return subprocess.Popen(
            spec["command"],
            cwd=spec["folder"],
            env={**os.environ, **spec["environment"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """The exit code, or None at the deadline. The wall clock is read again and again: a laptop may sleep meanwhile."""
    while (left := deadline - time.time()) > 0:
        try:
            return process.wait(timeout=min(left, 1.0))
        except subprocess.TimeoutExpired:
            continue
    return None


def _end_group(group: int) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        give_up = time.monotonic() + _GRACE_SECONDS
        if not _signal(group, sign):
            return
        while time.monotonic() < give_up and _signal(group, 0):
            _reap(-group)
            time.sleep(0.02)


def _signal(group: int, sign: int) -> bool:
    """Whether anything of the group was left to be signalled (macOS says EPERM where only zombies are)."""
    try:
        os.killpg(group, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _reap(which: int) -> None:
    try:
        while os.waitpid(which, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _adopt_orphans() -> None:
    """On Linux what left the command's group still becomes our child when its parent ends, and is ended with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_children(sparing: int) -> None:
    """Kill what left the group (Linux). The list is read anew: killing a parent brings us its children."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    give_up = time.monotonic() + _GRACE_SECONDS
    while listed.exists() and time.monotonic() < give_up:
        children = [int(pid) for pid in listed.read_text().split() if int(pid) != sparing]
        if not children:
            return
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _guard(lock: int) -> tuple[int, int]:
    """A process that outlives us just long enough to kill the group we named; also on macOS, unlike PDEATHSIG."""
    told, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(pipe)
        os.close(lock)
        os.setsid()
        _stand_guard(told)
    os.close(told)
    return pid, pipe


def _stand_guard(told: int) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    words = b""
    while chunk := os.read(told, 64):
        words += chunk
    *_, last = words.split() or [b"done"]
    if last != b"done":
        _signal(int(last), signal.SIGKILL)
    os._exit(0)


def _report(spec: Spec, end: End) -> None:
    """Tell MLflow, trying again while it is away; who was told to stop tries once."""
    if end.exit != "stopped":
        signal.signal(signal.SIGTERM, _stop)
    for delay in () if end.exit == "stopped" else _REPORT_DELAYS:
        if _told(spec, end):
            return
        time.sleep(delay)
    _told(spec, end)


def _told(spec: Spec, end: End) -> bool:
    """The exit tag is written last: who sees it knows that everything else is there."""
    import requests

    note = "\n".join(filter(None, [end.note, tail(Path(spec["run"]) / "log", _secrets(spec))]))
    base = f"{spec['tracking_uri'].rstrip('/')}/api/2.0/mlflow/runs/"
    ending = {"status": end.status, "end_time": round(time.time() * 1000)}
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("set-tag", {"key": "tidegate.log", "value": note}),
        ("update", ending),
        ("set-tag", {"key": "tidegate.exit", "value": end.exit}),
    )
    try:
        for path, body in calls:
            answer = requests.post(base + path, json={"run_id": spec["run_id"], **body}, auth=_sign, timeout=5)
            if answer.status_code in _GONE:
                break
            answer.raise_for_status()
    except requests.RequestException as error:
        print(f"MLflow does not take the end of {spec['run_id']}: {type(error).__name__}", file=sys.stderr)
        return False
    return True


def _sign(request: PreparedRequest) -> PreparedRequest:
    """Sign in by the variables that MLflow's own client reads."""
    from requests.auth import HTTPBasicAuth

    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        request.headers["Authorization"] = f"Bearer {token}"
    elif user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        HTTPBasicAuth(user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))(request)
    return request


def _secrets(spec: Spec) -> list[str]:
    return [value for name in spec["secrets"] if name != "MLFLOW_TRACKING_USERNAME" and (value := os.environ.get(name))]


def tail(log: Path, secrets: list[str]) -> str:
    """The log's last lines, without what looks like a credential and without those we know (I11)."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _CREDENTIAL.sub(lambda found: f"{found['kept'] or found['name']}***{'@' if found['kept'] else ''}", text)
    return "\n".join(text.splitlines()[-_TAIL_LINES:])[-_TAIL_CHARACTERS:]


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _StoppedError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
