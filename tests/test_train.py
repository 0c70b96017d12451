"""Training from commits, end to end: real git, real MLflow, real processes; only the clock is ours."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

import pytest
import requests

from support.mlflow_server import free_port
from support.repositories import OURS, Clone, new_bare
from support.training_program import PROGRAM
from tidegate.adapters.git import GitRepository
from tidegate.adapters.launchers.local import LocalLauncher
from tidegate.adapters.mlflow import MlflowRegistry, MlflowRuns, MlflowServer
from tidegate.core.launch_record import LaunchState, vouched
from tidegate.core.manifest import Data, Gate, Lease, Model, Training
from tidegate.core.observed import ModelVersion, TrainingState
from tidegate.core.observed import Training as Progress
from tidegate.errors import OutsideSystem, Refused, WrongUse
from tidegate.evaluate import evaluate
from tidegate.steps.trainings import all_records, inputs_of, key_at, progress_of, records_of
from tidegate.train import TrainingPorts, collect, collect_candidate, train, train_candidate

pytestmark = [pytest.mark.contract, pytest.mark.timeout(120)]

GOOD: Mapping[str, Any] = {"metrics": {"auc": 0.9}, "model": "w1"}
T = TypeVar("T")


def poll(look: Callable[[], T | None], seconds: float = 60) -> T:
    give_up = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert seen, "waited in vain"
    return seen


@dataclass(frozen=True)
class Works:
    """One models repository, one model in it, and everything that training talks to."""

    folder: Path
    uri: str
    bare: Path
    name: str

    @property
    def repository(self) -> GitRepository:
        return GitRepository(self.bare, identity=OURS)

    @property
    def main(self) -> str:
        head = self.repository.head()
        assert head is not None
        return head

    @property
    def ports(self) -> TrainingPorts:
        """New adapters each time, as a new process would have them."""
        server = MlflowServer(self.uri)
        return TrainingPorts(
            repository=self.repository,
            runs=MlflowRuns(server),
            registry=MlflowRegistry(server),
            launcher=self.launcher,
            work=self.folder / "work",
        )

    @property
    def launcher(self) -> LocalLauncher:
        return LocalLauncher(self.folder / "work", self.uri)

    def model(self, parameters: Mapping[str, Any] = GOOD, *, lease: float = 60, **changes: Any) -> Model:
        training = Training(
            source="training",
            command=("python", "train.py"),
            lease=Lease(deadline=timedelta(seconds=lease)),
            parameters=parameters,
        )
        return Model(
            name=self.name, folder="models/churn", owners=(), environments=(), registry_name=self.name,
            training=replace(training, **changes), gates=(Gate(metric="auc", minimum=0.8),),
        )  # fmt: skip

    def key(self, model: Model) -> str:
        return key_at(self.repository, self.main, model)

    def ended(self, model: Model) -> Progress:
        """Train, and collect until it is over."""
        train(model, self.main, self.ports, now())
        return poll(lambda: over(collect(model, self.key(model), self.ports, now())))

    def mlflow_runs(self) -> list[dict[str, Any]]:
        server = MlflowServer(self.uri)
        found = server.look("experiments/get-by-name", {"experiment_name": self.name})
        if found is None:
            return []
        search = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 100}
        return [run["info"] for run in server.ask("POST", "runs/search", search).get("runs", ())]


def now() -> datetime:
    return datetime.now(UTC)


def over(progress: Progress) -> Progress | None:
    return None if progress.state is TrainingState.RUNNING else progress


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


FILES = {
    "models/churn/training/train.py": PROGRAM,
    "models/churn/requirements.lock": "mlflow==3\n",
    "models/churn/model.yaml": "kind: Model\n",
    "shared/features.py": "WIDTH = 3\n",
    "unrelated/notes.md": "hello\n",
}


@pytest.fixture
def works(tmp_path: Path, mlflow_uri: str) -> Iterator[Works]:
    made = Works(tmp_path, mlflow_uri, new_bare(tmp_path, FILES), f"churn-{uuid4().hex[:8]}")
    yield made
    made.launcher.stop()
    poll(lambda: not made.launcher.running())


def pushed(works: Works, files: Mapping[str, str | None]) -> None:
    clone = Clone.of(works.bare, works.folder / f"clone-{uuid4().hex[:6]}")
    clone.commit(files)
    clone.push()


def test_a_commit_becomes_a_registered_version_with_its_lineage(works: Works) -> None:
    model = works.model()
    progress = works.ended(model)
    key = works.key(model)
    assert (progress.state, progress.version, progress.key) == (TrainingState.SUCCEEDED, 1, key)
    (version,) = works.ports.registry.versions(works.name)
    assert version.digest == works.ports.registry.digest(works.name, 1)
    (record,) = records_of(works.repository, key)
    assert (record.state, record.run_id, record.artifact_digest) == (
        LaunchState.REGISTERED, version.run_id, version.digest,
    )  # fmt: skip
    assert vouched([record], version) == key
    run = works.ports.runs.run(version.run_id)
    assert run is not None
    assert run.status == "FINISHED"
    assert run.tags["mlflow.source.git.commit"] == run.tags["tidegate.commit"] == works.main


def test_I2_training_again_starts_nothing(works: Works) -> None:
    model = works.model()
    first = works.ended(model)
    assert train(model, works.main, works.ports, now()) == first
    assert collect(model, first.key, works.ports, now()) == first
    assert len(works.mlflow_runs()) == len(works.ports.registry.versions(works.name)) == 1


def test_I2_an_unrelated_commit_trains_nothing(works: Works) -> None:
    model = works.model(environment="requirements.lock", include=("shared",))
    before = works.key(model)
    pushed(works, {"unrelated/notes.md": "other\n", "models/churn/production.yaml": "kind: Pin\n"})
    assert works.key(model) == before


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("models/churn/training/train.py", id="the-program"),
        pytest.param("shared/features.py", id="shared-code"),
        pytest.param("models/churn/requirements.lock", id="the-lock-file"),
    ],
)
def test_a_commit_that_the_program_sees_has_another_key(works: Works, path: str) -> None:
    model = works.model(environment="requirements.lock", include=("shared",))
    before = works.key(model)
    pushed(works, {path: "changed = 1\n"})
    assert works.key(model) != before


def test_the_program_sees_source_and_include_and_its_contract(works: Works) -> None:
    program = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from shared.features import WIDTH\n"
        "tree = Path(os.environ['TIDEGATE_PARAMETERS']).parent / 'tree'\n"
        "files = sorted(str(file.relative_to(tree)) for file in tree.rglob('*') if file.is_file())\n"
        "files = [file for file in files if '__pycache__' not in file]\n"
        "names = ('TIDEGATE_SEED', 'TIDEGATE_DATA_BIG_EVENTS', 'MLFLOW_RUN_ID')\n"
        "Path(sys.argv[1]).write_text(json.dumps([files, sys.argv[2:], WIDTH, [os.environ[name] for name in names],"
        " json.loads(Path(os.environ['TIDEGATE_PARAMETERS']).read_text()),"
        " Path(os.environ['TIDEGATE_CHECKPOINT']).is_dir()]))\n"
    )
    pushed(works, {"models/churn/training/train.py": program})
    out = works.folder / "seen.json"
    parameters = {"depth": 3, "kind": "tree"}
    model = works.model(
        parameters, include=("shared",), seed=7, data=(Data(name="big-events", uri="s3://b/e", digest="sha256:1"),),
        command=("python", "train.py", str(out), "--depth={{ parameters.depth }}", "{{parameters.kind}}"),
    )  # fmt: skip
    progress = works.ended(model)
    files, arguments, width, variables, seen, checkpoint = json.loads(out.read_text())
    assert files == ["models/churn/training/train.py", "shared/features.py"]
    assert (arguments, width, seen, checkpoint) == (["--depth=3", "tree"], 3, parameters, True)
    assert variables == ["7", "s3://b/e", progress.run_id]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        pytest.param({"fail": True}, ["failed (exit 1)", "no such column: tenure"], id="a-command-that-fails"),
        pytest.param({"model": "w1"}, ["logged no metrics"], id="no-metrics"),
        pytest.param({"metrics": {"auc": 0.9}}, ["logged no model named `model`", "training {"], id="no-model"),
    ],
)
def test_I14_a_training_that_went_wrong_says_why_and_registers_nothing(
    works: Works, parameters: dict[str, Any], words: list[str]
) -> None:
    model = works.model(parameters)
    progress = works.ended(model)
    assert progress.state is TrainingState.FAILED
    assert all(word in progress.words for word in words)
    assert "hunter2" not in progress.words
    assert [run["status"] for run in works.mlflow_runs()] == ["FAILED"]
    assert works.ports.registry.versions(works.name) == ()
    assert train(model, works.main, works.ports, now()).state is TrainingState.FAILED
    assert len(works.mlflow_runs()) == 1


def test_I13_a_command_that_hangs_is_ended_by_its_lease(works: Works) -> None:
    pids = works.folder / "pids"
    progress = works.ended(works.model({"hang": str(pids)}, lease=3))
    assert progress.state is TrainingState.FAILED
    assert "ran past its lease and was killed" in progress.words
    assert [run["status"] for run in works.mlflow_runs()] == ["FAILED"]
    group = [int(pid) for pid in pids.read_text().split()]
    assert not any(map(alive, group if sys.platform == "linux" else group[:2]))


def test_gates_keep_a_candidate_out_until_the_gates_change(works: Works) -> None:
    model = works.model({**GOOD, "metrics": {"auc": 0.7}})
    progress = works.ended(model)
    assert (progress.state, progress.words) == (TrainingState.GATED, "auc 0.7 < minimum 0.8")
    assert works.ports.registry.versions(works.name) == ()
    again = collect(model, progress.key, works.ports, now())
    assert again == progress
    looser = replace(model, gates=(Gate(metric="auc", minimum=0.6),))
    assert collect(looser, progress.key, works.ports, now()).version == 1
    assert len(works.mlflow_runs()) == 1


def test_a_candidate_is_held_against_the_champion(works: Works) -> None:
    works.ended(works.model())
    (champion,) = works.ports.registry.versions(works.name)
    gates = (Gate(metric="auc", max_drop=0.005),)
    worse = replace(works.model({"metrics": {"auc": 0.89}, "model": "w2"}), gates=gates)
    train(worse, works.main, works.ports, now())
    judged = poll(lambda: over(collect(worse, works.key(worse), works.ports, now(), champion)))
    assert judged.state is TrainingState.GATED
    assert "against the champion's 0.9" in judged.words
    report = evaluate(worse, judged.run_id or "", champion, works.ports.runs)
    assert (report.passed, report.champion) == (False, 1)
    assert evaluate(worse, champion, champion, works.ports.runs).passed
    with pytest.raises(WrongUse, match="has no run"):
        evaluate(worse, "0" * 32, None, works.ports.runs)


def test_I13_a_killed_supervisor_costs_an_attempt_and_no_more(works: Works) -> None:
    pids = works.folder / "pids"
    model = works.model({"hang": str(pids)}, lease=600)
    launched = train(model, works.main, works.ports, now())
    poll(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    (supervisor,) = works.launcher.running().values()
    os.kill(supervisor, signal.SIGKILL)
    command, child, stray = (int(pid) for pid in pids.read_text().split())
    poll(lambda: not alive(command) and not alive(child))
    os.kill(stray, signal.SIGKILL)
    assert collect(model, launched.key, works.ports, now()).state is TrainingState.RUNNING
    after = now() + timedelta(seconds=700)
    assert collect(model, launched.key, works.ports, after).state is TrainingState.RUNNING
    second = train(model, works.main, works.ports, after)
    assert (second.state, second.attempt) == (TrainingState.RUNNING, 2)
    works.launcher.stop()
    last = poll(lambda: over(collect(model, launched.key, works.ports, after)))
    assert (last.state, last.attempt, last.words) == (TrainingState.FAILED, 2, "the run was stopped")
    assert train(model, works.main, works.ports, after) == last
    assert [run["status"] for run in works.mlflow_runs()] == ["FAILED", "FAILED"]


def test_I2_two_launches_at_once_train_once(works: Works) -> None:
    counted = works.folder / "counted"
    program = "import sys; open(sys.argv[1], 'a').write('x')"
    pushed(works, {"models/churn/training/train.py": program})
    model = works.model(command=("python", "train.py", str(counted)))
    script = (
        "import pickle, sys\n"
        "from test_train import Works, now\n"
        "from tidegate.train import train\n"
        "works, model = pickle.load(sys.stdin.buffer)\n"
        "sys.stdin.buffer.close()\n"
        "print(train(model, works.main, works.ports, now()).run_id)"
    )

    def launch(_: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script], input=pickle.dumps((works, model)), stdout=subprocess.PIPE, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        )  # fmt: skip
        return done.stdout.decode().strip()

    with ThreadPoolExecutor(3) as pool:
        run_ids = set(pool.map(launch, range(3)))
    assert len(run_ids) == 1
    poll(lambda: over(collect(model, works.key(model), works.ports, now())))
    assert counted.read_text() == "x"
    others = [run for run in works.mlflow_runs() if run["run_id"] not in run_ids]
    assert all(run["status"] == "KILLED" for run in others)


def test_I14_mlflow_down_at_launch_leaves_nothing_half_made(works: Works) -> None:
    model = works.model()
    away = replace(works, uri=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(OutsideSystem, match=r"start it, or correct registry\.uri"):
        train(model, works.main, away.ports, now())
    assert records_of(works.repository, works.key(model)) == ()
    assert not (works.folder / "work").exists()
    assert works.ended(model).version == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"source": "trainings"}, "models/churn/trainings does not exist", id="no-such-source"),
        pytest.param({"include": ("lib",)}, "lib does not exist", id="no-such-include"),
        pytest.param({"command": ("python", "{{ parameters.x }}")}, "names parameters.x", id="no-such-parameter"),
    ],
)
def test_I14_a_manifest_that_cannot_be_trained_is_refused_before_anything_is_made(
    works: Works, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        train(works.model(**changes), works.main, works.ports, now())
    assert works.mlflow_runs() == []


def test_a_run_that_somebody_deleted_is_lost_at_its_lease(works: Works) -> None:
    pushed(works, {"models/churn/training/train.py": "import time; time.sleep(600)"})
    model = works.model(lease=600)
    launched = train(model, works.main, works.ports, now())
    requests.post(
        f"{works.uri}/api/2.0/mlflow/runs/delete", json={"run_id": launched.run_id}, timeout=5
    ).raise_for_status()
    works.launcher.stop()
    poll(lambda: not works.launcher.running(), seconds=20)
    after = now() + timedelta(seconds=700)
    assert collect(model, launched.key, works.ports, now()).attempt == 1
    assert collect(model, launched.key, works.ports, after).state is TrainingState.RUNNING
    assert train(model, works.main, works.ports, after).attempt == 2


# Logs a figure and a model over plain HTTP: the crash points below train some twenty times.
QUICK = """
import json, os, urllib.request
uri, run = os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_RUN_ID"]
def send(method, path, body):
    request = urllib.request.Request(uri + path, body, {"Content-Type": "application/json"}, method=method)
    urllib.request.urlopen(request)
send("POST", "/api/2.0/mlflow/runs/log-metric",
     json.dumps({"run_id": run, "key": "auc", "value": 0.9, "timestamp": 1}).encode())
info = json.load(urllib.request.urlopen(uri + "/api/2.0/mlflow/runs/get?run_id=" + run))["run"]["info"]
folder = info["artifact_uri"].removeprefix("mlflow-artifacts:")
send("PUT", "/api/2.0/mlflow-artifacts/artifacts" + folder + "/model/MLmodel", b"flavors: {}")
"""


class DiedError(BaseException):
    """The process is gone; nothing in the product may catch this."""


class Mortal:
    """A port that dies at the call it is told to, before or after the work was done."""

    def __init__(self, port: Any, step: Callable[[], bool], *, after: bool) -> None:
        self._port, self._step, self._after = port, step, after

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            dies = self._step()
            if dies and not self._after:
                _die()
            answer = inner(*arguments, **named)
            return _die() if dies else answer

        return call if callable(inner) else inner


def _die() -> NoReturn:
    raise DiedError


def mortal(ports: TrainingPorts, k: int, *, after: bool) -> tuple[TrainingPorts, list[int]]:
    calls = [0]

    def step() -> bool:
        calls[0] += 1
        return calls[0] == k

    def dying(port: Any) -> Any:
        return Mortal(port, step, after=after)

    wrapped = replace(
        ports,
        repository=dying(ports.repository),
        runs=dying(ports.runs),
        registry=dying(ports.registry),
        launcher=dying(ports.launcher),
    )
    return wrapped, calls


@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [pytest.param(False, id="before-the-work"), pytest.param(True, id="after-the-work")])
def test_I1_dying_at_any_call_and_starting_again_ends_the_same(works: Works, after: bool) -> None:
    """The clock stands still; each k trains another key, dies at its k-th call, and goes on with new adapters."""
    pushed(works, {"models/churn/training/train.py": QUICK})
    died_in: set[str] = set()
    for k in range(1, 40):
        model = replace(works.model({"k": k}), name=f"{works.name}-{k}", registry_name=f"{works.name}-{k}")
        frozen = now()
        ports, calls = mortal(works.ports, k, after=after)
        key = works.key(model)
        phase = "train"
        try:
            train(model, works.main, ports, frozen)
            poll(lambda: not works.launcher.running())
            phase = "collect"
            collect(model, key, ports, frozen)
        except DiedError:
            died_in.add(phase)
        train(model, works.main, works.ports, frozen)
        poll(lambda: not works.launcher.running())
        end = collect(model, key, works.ports, frozen)
        assert (end.state, end.attempt) == (TrainingState.SUCCEEDED, 1), (k, end)
        (record,) = records_of(works.repository, key)
        (version,) = works.ports.registry.versions(model.registry_name)
        assert (record.version, vouched([record], version)) == (version.number, key)
        if calls[0] < k:
            break
    assert calls[0] < k, "the run takes more calls than were tried"
    assert died_in == {"train", "collect"}


def test_the_end_of_a_key_is_read_from_git_alone(works: Works) -> None:
    progress = works.ended(works.model())
    (record,) = records_of(works.repository, progress.key)
    assert progress_of(works.model(), progress.key, record) == progress
    assert inputs_of(works.model(), works.main, works.repository).command == ("python", "train.py")


def judged_candidate(works: Works, model: Model, champion: ModelVersion | None = None) -> Progress:
    train_candidate(model, works.main, works.ports, now())
    key = works.key(model)
    return poll(lambda: over(collect_candidate(model, key, works.ports, now(), champion)))


def test_I12_a_candidate_is_judged_and_never_registered(works: Works) -> None:
    model = works.model()
    ended = judged_candidate(works, model)
    assert (ended.state, ended.version) == (TrainingState.SUCCEEDED, None)
    assert works.ports.registry.versions(works.name) == ()
    assert all_records(works.repository) == ()
    assert key_at(works.repository, works.main, model) == ended.key
    on_main = works.ended(model)
    assert on_main.version == 1
    assert on_main.run_id != ended.run_id


def test_a_candidate_that_a_gate_stops_is_judged_again_by_other_gates(works: Works) -> None:
    strict = replace(works.model(), gates=(Gate(metric="auc", minimum=0.99),))
    assert judged_candidate(works, strict).state is TrainingState.GATED
    assert judged_candidate(works, works.model()).state is TrainingState.SUCCEEDED


def test_what_main_has_trained_is_its_own_candidate_and_stays_as_it_is(works: Works) -> None:
    model = works.model()
    on_main = works.ended(model)
    records = all_records(works.repository)
    strict = replace(model, gates=(Gate(metric="auc", minimum=0.99),))
    assert judged_candidate(works, strict).run_id == on_main.run_id
    assert all_records(works.repository) == records
    assert len(works.mlflow_runs()) == 1
