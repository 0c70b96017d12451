"""The digits example on real parts: its training program, model server and traffic, MLflow and git."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sklearn.datasets import load_digits

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
TRAINING = EXAMPLE / "models" / "digits" / "training"
ALGORITHMS = ("logistic", "svm", "committee")
MINIMUM, MAX_DROP, OBJECTIVE = 0.90, 0.01, 0.100  # of model.yaml; seconds
UNSEEN = load_digits().data[4::5].tolist()

pytestmark = pytest.mark.timeout(120)  # the first test pays for MLflow and three trainings


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A registered version: its accuracy at the gate, and the bytes of what it logged."""

    version: int
    accuracy: float
    artifact: int


def eventually(look: Callable[[], Any], *, within: float = 30.0) -> Any:
    """What `look` returns once it is true; fails when that takes too long."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of every program under test: this interpreter first, no telemetry, own home."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[str]:
    """The address of an MLflow server on sqlite."""
    folder = tmp_path_factory.mktemp("mlflow")
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    settings = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(folder / "artifacts"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "mlflow.server.fastapi_app:app"],
            cwd=folder,
            env=environment | settings,
            stdout=log,
            stderr=log,
        )
    eventually(lambda: answers(f"{url}/health"))
    yield url
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="module")
def trained(registry: str, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    """Each algorithm trained through the contract and registered, in this order: versions 1, 2 and 3."""
    from mlflow import MlflowClient  # a second, which collecting the tests need not pay

    client = MlflowClient(registry)
    client.create_registered_model("digits")
    folder = tmp_path_factory.mktemp("training")
    with ThreadPoolExecutor() as threads:
        runs = list(threads.map(lambda algorithm: train(client, algorithm, folder, environment), ALGORITHMS))
    return {algorithm: register(client, run) for algorithm, run in zip(ALGORITHMS, runs, strict=True)}


def train(client: Any, algorithm: str, folder: Path, environment: dict[str, str]) -> str:
    """The run that the training program was given, as a launcher would give it."""
    parameters = folder / f"{algorithm}.json"
    parameters.write_text(json.dumps({"algorithm": algorithm}))
    run = str(client.create_run("0").info.run_id)
    contract = {
        "MLFLOW_TRACKING_URI": client.tracking_uri,
        "MLFLOW_RUN_ID": run,
        "TIDEGATE_PARAMETERS": str(parameters),
        "TIDEGATE_SEED": "7",
    }
    subprocess.run(["python", "train.py"], cwd=TRAINING, env=environment | contract, check=True, timeout=60)
    return run


def register(client: Any, run_id: str) -> Trained:
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert model.name == "model"
    version = client.create_model_version("digits", model.artifact_location, run_id=run_id, model_id=model.model_id)
    files = (file for file in Path(model.artifact_location).rglob("*") if file.is_file())
    return Trained(
        version=int(version.version),
        accuracy=run.data.metrics["accuracy"],
        artifact=sum(file.stat().st_size for file in files),
    )


def test_better_version_passes_the_gates_against_the_first(trained: dict[str, Trained]) -> None:
    assert MINIMUM <= trained["logistic"].accuracy < trained["svm"].accuracy


def test_bad_version_passes_the_gates_against_the_better_one(trained: dict[str, Trained]) -> None:
    assert trained["committee"].accuracy >= max(MINIMUM, trained["svm"].accuracy - MAX_DROP)


def test_what_training_logs_is_small(trained: dict[str, Trained]) -> None:
    assert max(version.artifact for version in trained.values()) < 25e6


class Deployment:
    """A bare repository with rendered route files, and a model server that follows it."""

    def __init__(self, folder: Path, registry: str, environment: dict[str, str]) -> None:
        self._environment = environment
        self._clone = folder / "clone"
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(folder / "origin"), cwd=folder)
        self._git("clone", "--quiet", str(folder / "origin"), str(self._clone), cwd=folder)
        self._git("checkout", "--quiet", "-b", "main")
        self.port = free_port()
        program = [
            sys.executable,
            str(EXAMPLE / "serving" / "model_server.py"),
            "--repository",
            str(folder / "origin"),
        ]
        flags = ["--branch", "main", "--registry", registry, "--port", str(self.port)]
        self.process = subprocess.Popen([*program, *flags], env=environment, start_new_session=True)

    def route(self, *routes: tuple[int, float], environment: str = "production") -> None:
        """Commit the route file that says (version, weight)."""
        entries = "".join(
            f'  - {{version: {version}, source: "models:/digits/{version}", weight: {weight}}}\n'
            for version, weight in routes
        )
        head = f"kind: Route\nmodel: digits\nenvironment: {environment}\nroutes:\n"
        self.commit(f"rendered/{environment}/digits.yaml", head + entries)

    def commit(self, path: str, text: str) -> None:
        target = self._clone / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self._git("add", path)
        self._git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", path)
        self._git("push", "--quiet", "origin", "main")

    def ask(self, row: list[float], environment: str = "production") -> tuple[int, dict[str, Any], float]:
        """Status, answer and seconds of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        started = time.monotonic()
        try:
            connection.request("POST", f"/{environment}/digits/predict", json.dumps({"rows": [row]}))
            response = connection.getresponse()
            return response.status, json.loads(response.read()), time.monotonic() - started
        finally:
            connection.close()

    def metrics(self) -> dict[str, float]:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        return {name: float(value) for name, _, value in (ln.rpartition(" ") for ln in lines if ln[0] != "#")}

    def ready(self, environment: str = "production") -> set[int]:
        """The versions that the server calls ready there."""
        pattern = rf'model_ready{{environment="{environment}",model="digits",version="(\d+)"}}'
        return {int(found[1]) for name in self.metrics() if (found := re.fullmatch(pattern, name))}

    def requests(self, version: int, code: int, environment: str = "production") -> float:
        labels = f'code="{code}",environment="{environment}",model="digits",version="{version}"'
        return self.metrics().get(f"http_requests_total{{{labels}}}", -1)

    def processes(self) -> set[int]:
        """Every process of the server's session."""
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,sid=,stat="], check=True, capture_output=True, text=True
        ).stdout
        rows = (line.split() for line in listing.splitlines())
        return {int(row[0]) for row in rows if len(row) == 3 and row[1] == str(self.process.pid) and row[2][0] != "Z"}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        eventually(lambda: not self.processes())

    def _git(self, *arguments: str, cwd: Path | None = None) -> None:
        subprocess.run(["git", *arguments], cwd=cwd or self._clone, env=self._environment, check=True, timeout=30)


Deploy = Callable[[], Deployment]


@pytest.fixture(scope="module")
def deploy(
    tmp_path_factory: pytest.TempPathFactory,
    registry: str,
    environment: dict[str, str],
    trained: dict[str, Trained],
) -> Iterator[Deploy]:
    """Starts one more deployment; all are stopped in the end."""
    assert [trained[algorithm].version for algorithm in ALGORITHMS] == [1, 2, 3]
    with ExitStack() as started:

        def start() -> Deployment:
            deployment = Deployment(tmp_path_factory.mktemp("deployment"), registry, environment)
            started.callback(deployment.stop)
            eventually(lambda: answers(f"http://127.0.0.1:{deployment.port}/healthz"))
            return deployment

        yield start


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    """One server for the tests that only route and ask."""
    return deploy()


def test_place_without_routes_is_not_found(deployment: Deployment) -> None:
    assert deployment.ask(UNSEEN[0], "elsewhere")[0] == 404


def test_weights_split_the_requests_and_metrics_count_them_by_version(deployment: Deployment) -> None:
    deployment.route((1, 75), (2, 25), environment="split")
    eventually(lambda: deployment.ready("split") == {1, 2})
    counts = [deployment.requests(version, code, "split") for version in (1, 2) for code in (200, 500)]
    assert counts == [0, 0, 0, 0]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda row: deployment.ask(row, "split"), UNSEEN + UNSEEN[:41]))

    assert {status for status, _, _ in answers} == {200}
    versions = Counter(answer["version"] for _, answer, _ in answers)
    assert 60 <= versions[2] <= 140, "400 requests at 25 %: four and a half standard deviations about 100"
    assert deployment.requests(1, 200, "split") == versions[1]
    assert deployment.requests(2, 200, "split") == versions[2]

    deployment.route((2, 100), environment="split")
    eventually(lambda: deployment.ready("split") == {2})
    assert {deployment.ask(row, "split")[1]["version"] for row in UNSEEN[:20]} == {2}


def test_predictions_are_those_of_the_model(deployment: Deployment) -> None:
    deployment.route((2, 100))
    eventually(lambda: deployment.ready() == {2})
    digits = load_digits().target[4::5].tolist()
    right = [deployment.ask(row)[1]["predictions"] == [digit] for row, digit in zip(UNSEEN, digits, strict=True)]
    assert sum(right) / len(right) > 0.95


def test_slow_version_breaks_the_objective_while_stable_keeps_it(deployment: Deployment) -> None:
    deployment.route((2, 50), (3, 50))
    eventually(lambda: deployment.ready() == {2, 3})
    under = 'predict_seconds_bucket{environment="production",le="0.1",model="digits",version="%d"}'
    before = deployment.metrics()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(deployment.ask, UNSEEN[:80]))

    seconds = {version: [took for _, said, took in answers if said["version"] == version] for version in (2, 3)}
    assert median(seconds[2]) < OBJECTIVE < min(seconds[3])
    after = deployment.metrics()
    assert after[under % 3] == before[under % 3]
    assert after[under % 2] - before[under % 2] >= 0.9 * len(seconds[2])


def test_version_that_cannot_load_gets_no_traffic_beside_one_that_can(deployment: Deployment) -> None:
    deployment.route((1, 10), (99, 90))
    eventually(lambda: deployment.ready() == {1})
    assert {deployment.ask(row)[1]["version"] for row in UNSEEN[:20]} == {1}
    assert deployment.requests(99, 500) == -1

    deployment.route((99, 100))
    eventually(lambda: deployment.ask(UNSEEN[0])[0] == 500)
    assert deployment.requests(99, 500) > 0
    assert deployment.ready() == set()


def test_broken_route_file_leaves_the_routes_as_they_are(deployment: Deployment) -> None:
    deployment.route((1, 100))
    deployment.route((2, 100), environment="staging")
    eventually(lambda: (deployment.ready(), deployment.ready("staging")) == ({1}, {2}))
    deployment.commit("rendered/production/digits.yaml", "kind: Route\nroutes: 3\n")
    assert deployment.ask(UNSEEN[0])[1]["version"] == 1
    deployment.route((2, 100))
    eventually(lambda: deployment.ready() == {2})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_server(deploy: Deploy, number: signal.Signals) -> None:
    deployment = deploy()
    deployment.route((2, 50), (3, 50))
    eventually(lambda: deployment.ready() == {2, 3})
    assert len(deployment.processes()) >= 4, "the server, the server of forks, and one for each version"
    deployment.process.send_signal(number)
    assert deployment.process.wait(10) == (-number if number is signal.SIGKILL else 0)
    eventually(lambda: not deployment.processes(), within=5)


def test_traffic_keeps_its_pace_survives_failures_and_counts(deployment: Deployment) -> None:
    url = f"http://127.0.0.1:{deployment.port}/replay/digits/predict"
    command = [sys.executable, str(EXAMPLE / "serving" / "traffic.py"), "--url", url, "--rate", "60"]
    deployment.route((99, 100), environment="replay")
    traffic = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: deployment.requests(99, 500, "replay") > 0)
        deployment.route((1, 100), environment="replay")
        eventually(lambda: deployment.requests(1, 200, "replay") > 0)
        started, before = time.monotonic(), deployment.requests(1, 200, "replay")
        eventually(lambda: deployment.requests(1, 200, "replay") >= before + 120)
        rate = 120 / (time.monotonic() - started)
    finally:
        traffic.terminate()
        summary = json.loads(traffic.communicate(timeout=20)[0])
    assert 50 < rate < 70
    assert summary["sent"] == sum(summary["codes"].values())
    assert summary["codes"]["500"] > 0
    assert summary["versions"] == {"1": summary["codes"]["200"]}
    assert summary["wrong"]["1"] < 0.15 * summary["codes"]["200"]
