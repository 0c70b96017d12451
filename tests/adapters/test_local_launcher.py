"""The local launcher and its supervisor: real processes, a real MLflow, and nothing left running."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
import requests

from support.mlflow_server import MlflowServer as RealServer
from support.mlflow_server import free_port
from tidegate.adapters.launchers.local import LocalLauncher
from tidegate.adapters.launchers.supervisor import tail
from tidegate.adapters.mlflow import MlflowRuns, MlflowServer
from tidegate.errors import OutsideSystem
from tidegate.ports import Launch, Run

pytestmark = pytest.mark.contract

T = TypeVar("T")

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = [os.getpid()]
if len(sys.argv) > 1:
    for away in (False, True):
        child = subprocess.Popen([sys.executable, __file__], start_new_session=away, stdout=subprocess.PIPE)
        child.stdout.readline()
        pids.append(child.pid)
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(" ".join(map(str, pids)))
    os.replace(sys.argv[1] + ".new", sys.argv[1])
print("ready", flush=True)
time.sleep(600)
"""


def poll(look: Callable[[], T], seconds: float = 30) -> T:
    give_up = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert seen, "waited in vain"
    return seen


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


class Bench:
    """A launcher with its own folder, and programs to launch."""

    def __init__(self, work: Path, uri: str) -> None:
        self.work, self.uri = work, uri
        self.launcher = LocalLauncher(work, uri, {"MLFLOW_TRACKING_TOKEN": lambda: "t0ps3cret"})
        self.runs = MlflowRuns(MlflowServer(uri))

    def launch(self, program: str, *arguments: str, lease: float = 60, **environment: str) -> Launch:
        launch = self.prepared(program, *arguments, lease=lease, **environment)
        self.launcher.launch(launch)
        return launch

    def prepared(self, program: str, *arguments: str, lease: float = 60, **environment: str) -> Launch:
        name = f"k{uuid4().hex[:16]}-1"
        now = datetime.now(UTC)
        return Launch(
            name=name,
            run_id=self.runs.create("launcher", name, {}, now),
            folder=self.checkout(name, program),
            command=("python", "program.py", *arguments),
            environment=environment,
            deadline=now + timedelta(seconds=lease),
        )

    def checkout(self, name: str, program: str) -> Path:
        folder = self.work / "checkouts" / f"{name}-{uuid4().hex[:6]}" / "tree"
        folder.mkdir(parents=True)
        (folder / "program.py").write_text(program)
        return folder

    def ended(self, launch: Launch) -> Run:
        def over() -> Run | None:
            run = self.runs.run(launch.run_id)
            return run if run and "tidegate.exit" in run.tags else None

        run = poll(over)
        assert run is not None
        poll(lambda: not self.launcher.running())
        return run


@pytest.fixture
def bench(tmp_path: Path, mlflow_uri: str) -> Iterator[Bench]:
    made = Bench(tmp_path / "work", mlflow_uri)
    yield made
    made.launcher.stop()
    poll(lambda: not made.launcher.running())


def test_a_command_that_ends_well_finishes_its_run(bench: Bench) -> None:
    launch = bench.launch("print('trained')")
    run = bench.ended(launch)
    assert (run.status, run.tags["tidegate.exit"], run.tags["tidegate.log"]) == ("FINISHED", "0", "trained")
    assert list((bench.work / "checkouts").iterdir()) == []
    assert (bench.work / "runs" / launch.name / "log").read_text() == "trained\n"


def test_another_python_may_be_the_one_that_trains(bench: Bench, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "python").write_text(f'#!/bin/sh\necho theirs\nexec {sys.executable} "$@"\n')
    (theirs / "python").chmod(0o755)
    bench.launcher = LocalLauncher(bench.work, bench.uri, programs=str(theirs))
    run = bench.ended(bench.launch("print('trained')"))
    assert (run.status, run.tags["tidegate.log"]) == ("FINISHED", "theirs\ntrained")


@pytest.mark.parametrize(
    ("program", "exit_tag", "words"),
    [
        pytest.param("raise SystemExit(3)", "3", "", id="an-exit-code"),
        pytest.param("1 / 0", "1", "ZeroDivisionError", id="a-traceback"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "signal 9", "", id="killed-by-a-signal"),
    ],
)
def test_a_command_that_fails_fails_its_run(bench: Bench, program: str, exit_tag: str, words: str) -> None:
    run = bench.ended(bench.launch(program))
    assert (run.status, run.tags["tidegate.exit"]) == ("FAILED", exit_tag)
    assert words in run.tags["tidegate.log"]


def test_a_command_that_does_not_exist_is_named(bench: Bench) -> None:
    prepared = bench.prepared("")
    launch = replace(prepared, command=("no-such-tool",))
    bench.launcher.launch(launch)
    run = bench.ended(launch)
    assert (run.status, run.tags["tidegate.exit"]) == ("FAILED", "cannot start")
    assert run.tags["tidegate.log"] == "no-such-tool: No such file or directory"


def test_the_program_sees_the_contract_and_no_other_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    program = "import json, os, sys; print(json.dumps([sys.executable, os.getcwd(), dict(os.environ)]))"
    launch = bench.launch(program, TIDEGATE_SEED="7")
    bench.ended(launch)
    python, folder, seen = json.loads((bench.work / "runs" / launch.name / "log").read_text())
    assert Path(python).parent == Path(sys.executable).parent
    assert Path(folder) == launch.folder
    assert "GITHUB_TOKEN" not in seen
    assert (seen["MLFLOW_TRACKING_URI"], seen["MLFLOW_RUN_ID"]) == (bench.uri, launch.run_id)
    assert (seen["TIDEGATE_SEED"], seen["MLFLOW_TRACKING_TOKEN"]) == ("7", "t0ps3cret")


def test_I11_the_log_that_leaves_the_machine_holds_no_credential(bench: Bench) -> None:
    program = "print('a t0ps3cret, postgres://dana:hunter2@db/x, password=hunter2 and Authorization: Bearer hunter2')"
    run = bench.ended(bench.launch(program))
    assert run.tags["tidegate.log"] == "a ***, postgres://***@db/x, password=*** and Authorization: ***"
    assert "t0ps3cret" not in "".join(
        file.read_text() for file in bench.work.rglob("*") if file.is_file() and file.name != "log"
    )


def test_only_the_last_lines_of_a_long_log_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert tail(log, []).splitlines() == [f"line {number}" for number in range(99_960, 100_000)]
    log.write_text("x" * 100_000)
    assert tail(log, []) == "x" * 4000
    assert tail(tmp_path / "absent", []) == ""


def test_I13_at_its_lease_a_run_ends_with_all_its_processes(bench: Bench, tmp_path: Path) -> None:
    launch = bench.launch(STUBBORN, str(tmp_path / "pids"), lease=2)
    assert poll((tmp_path / "pids").exists)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 3
    assert all(map(alive, pids))
    run = bench.ended(launch)
    assert (run.status, run.tags["tidegate.exit"]) == ("FAILED", "lease")
    assert datetime.now(UTC) >= launch.deadline
    # Only Linux lets a supervisor find those that left the group.
    assert not any(map(alive, pids if sys.platform == "linux" else pids[:2]))


def test_I13_what_a_finished_command_leaves_behind_is_ended(bench: Bench, tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))"
    )
    bench.ended(bench.launch(program, str(tmp_path / "pid")))
    assert not alive(int((tmp_path / "pid").read_text()))


def test_I13_a_killed_supervisor_takes_the_command_with_it(bench: Bench, tmp_path: Path) -> None:
    launch = bench.launch(STUBBORN, str(tmp_path / "pids"))
    poll((tmp_path / "pids").exists)
    command, child, stray = (int(pid) for pid in (tmp_path / "pids").read_text().split())
    os.kill(bench.launcher.running()[launch.name], signal.SIGKILL)
    poll(lambda: not alive(command) and not alive(child))
    os.kill(stray, signal.SIGKILL)
    run = bench.runs.run(launch.run_id)
    assert run is not None
    assert "tidegate.exit" not in run.tags


def test_I13_a_run_survives_the_death_of_who_launched_it(bench: Bench, tmp_path: Path) -> None:
    launch = bench.prepared(
        "import sys, time; time.sleep(1); open(sys.argv[1], 'w').write('done')", str(tmp_path / "f")
    )
    script = (
        "import os, pickle, signal, sys; from tidegate.adapters.launchers.local import LocalLauncher\n"
        "from pathlib import Path\n"
        "LocalLauncher(Path(sys.argv[1]), sys.argv[2]).launch(pickle.load(sys.stdin.buffer))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(bench.work), bench.uri], input=pickle.dumps(launch), check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert bench.ended(launch).tags["tidegate.exit"] == "0"
    assert (tmp_path / "f").read_text() == "done"


def test_I2_one_name_runs_once_however_often_it_is_launched(bench: Bench, tmp_path: Path) -> None:
    program = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(1)"
    launch = bench.prepared(program, str(tmp_path / "runs"))
    again = [replace(launch, folder=bench.checkout(launch.name, program)) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bench.launcher.launch, [launch, *again]))
    bench.ended(launch)
    bench.launcher.launch(replace(launch, folder=bench.checkout(launch.name, program)))
    poll(lambda: not list((bench.work / "checkouts").iterdir()))
    assert (tmp_path / "runs").read_text() == "x"


def test_a_run_that_is_stopped_says_so_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    launch = bench.launch(STUBBORN, str(tmp_path / "pids"))
    poll((tmp_path / "pids").exists)
    bench.launcher.stop()
    assert bench.ended(launch).tags["tidegate.exit"] == "stopped"
    assert not any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split()[:2])


def test_the_end_is_told_once_mlflow_is_back(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = RealServer(tmp_path / "server", free_port())
    bench = Bench(tmp_path / "work", server.wait().uri)
    launch = bench.launch(
        "import sys, os, time\nwhile os.path.exists(sys.argv[1]): time.sleep(0.05)", str(tmp_path / "on")
    )
    server.stop()
    told = tmp_path / "work" / "runs" / launch.name / "supervisor.log"
    poll(lambda: "does not take the end" in told.read_text())
    server = RealServer(tmp_path / "server", server.port)
    try:
        server.wait()
        assert bench.ended(launch).status == "FINISHED"
    finally:
        server.stop()


def test_what_is_older_than_a_day_goes_at_the_next_launch(bench: Bench) -> None:
    first = bench.launch("print('one')")
    bench.ended(first)
    long_ago = time.time() - 25 * 3600
    stale = bench.checkout("k0000000000000000-1", "")
    for folder in (stale.parent, bench.work / "runs" / first.name):
        os.utime(folder, (long_ago, long_ago))
    second = bench.launch("print('two')")
    bench.ended(second)
    assert [folder.name for folder in (bench.work / "runs").iterdir()] == [second.name]
    assert not stale.exists()


def test_a_checkout_outside_the_launchers_folder_is_refused(bench: Bench, tmp_path: Path) -> None:
    launch = bench.prepared("")
    shutil.copytree(launch.folder, tmp_path / "elsewhere")
    with pytest.raises(OutsideSystem, match="does not lie below"):
        bench.launcher.launch(replace(launch, folder=tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "program.py").exists()


def test_a_supervisor_does_not_wait_for_a_run_that_somebody_deleted(bench: Bench, tmp_path: Path) -> None:
    program = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.05)"
    launch = bench.launch(program, str(tmp_path / "on"))
    deleted = requests.post(f"{bench.uri}/api/2.0/mlflow/runs/delete", json={"run_id": launch.run_id}, timeout=5)
    deleted.raise_for_status()
    (tmp_path / "on").touch()
    poll(lambda: not bench.launcher.running(), seconds=10)
