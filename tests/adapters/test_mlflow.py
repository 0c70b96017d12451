"""The MLflow adapter against a real server: runs, bytes, versions, aliases, and every way not to answer."""

from __future__ import annotations

import hashlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from support.mlflow_server import free_port
from tidegate.adapters.mlflow import MlflowRegistry, MlflowRuns, MlflowServer, digest_of
from tidegate.errors import OutsideSystem, Refused, WrongUse

pytestmark = pytest.mark.contract

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TAGS = {"tidegate.key": "k0123456789abcdef", "tidegate.commit": "c" * 40}


@pytest.fixture
def server(mlflow_uri: str) -> MlflowServer:
    return MlflowServer(mlflow_uri)


@pytest.fixture
def runs(server: MlflowServer) -> MlflowRuns:
    return MlflowRuns(server)


@pytest.fixture
def registry(server: MlflowServer) -> MlflowRegistry:
    return MlflowRegistry(server)


@pytest.fixture
def name() -> str:
    return f"churn-{uuid4().hex[:8]}"


def trained(server: MlflowServer, weights: str = "w1") -> str:
    """A run that logged a model, through MLflow's own client."""
    from mlflow import MlflowClient

    run_id = MlflowRuns(server).create("training", "run", {}, AT)
    client = MlflowClient(tracking_uri=server.uri)
    experiment = client.get_run(run_id).info.experiment_id
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_text("flavors: {}\n")
        (Path(folder) / "data").mkdir()
        (Path(folder) / "data" / "weights.txt").write_text(weights)
        logged = client.create_logged_model(experiment, name="model", source_run_id=run_id)
        client.log_model_artifacts(logged.model_id, folder)
        client.finalize_logged_model(logged.model_id, "READY")
    return run_id


def test_a_run_is_created_read_and_ended(server: MlflowServer, runs: MlflowRuns) -> None:
    run_id = runs.create("churn", "k1-1", {"tidegate.key": "k1"}, AT)
    for metric, value in (("auc", 0.9), ("odd", "NaN")):
        server.ask("POST", "runs/log-metric", {"run_id": run_id, "key": metric, "value": value, "timestamp": 1})
    run = runs.run(run_id)
    assert run is not None
    assert (run.status, run.tags["tidegate.key"], run.metrics["auc"]) == ("RUNNING", "k1", 0.9)
    assert run.metrics["odd"] != run.metrics["odd"]
    runs.end(run_id, "FAILED", {"tidegate.exit": "3"}, AT)
    ended = runs.run(run_id)
    assert ended is not None
    assert (ended.status, ended.tags["tidegate.exit"]) == ("FAILED", "3")


def test_a_run_that_is_not_there_is_none_and_may_be_ended(runs: MlflowRuns) -> None:
    assert runs.run("0" * 32) is None
    assert runs.model_digest("0" * 32) is None
    runs.end("0" * 32, "FAILED", {"a": "b"}, AT)


def test_a_deleted_run_is_no_run(server: MlflowServer, runs: MlflowRuns) -> None:
    run_id = runs.create("churn", "r", {}, AT)
    server.ask("POST", "runs/delete", {"run_id": run_id})
    assert runs.run(run_id) is None
    runs.end(run_id, "FAILED", {"a": "b"}, AT)


def test_one_experiment_is_made_by_many_at_once(server: MlflowServer) -> None:
    experiment = f"e-{uuid4().hex}"
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: MlflowRuns(MlflowServer(server.uri)).create(experiment, "r", {}, AT), range(6)))
    assert len(set(made)) == 6
    assert {server.ask("GET", "runs/get", {"run_id": run})["run"]["info"]["experiment_id"] for run in made} == {
        server.ask("GET", "experiments/get-by-name", {"experiment_name": experiment})["experiment"]["experiment_id"]
    }


def test_a_run_without_a_model_has_no_digest(runs: MlflowRuns) -> None:
    assert runs.model_digest(runs.create("churn", "r", {}, AT)) is None


def test_the_digest_is_over_names_and_bytes_and_nothing_stays_behind(
    server: MlflowServer, runs: MlflowRuns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_id = trained(server)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lines = (
        f"{hashlib.sha256(b'flavors: {}' + bytes([10])).hexdigest()}  MLmodel\n"
        f"{hashlib.sha256(b'w1').hexdigest()}  data/weights.txt\n"
    )
    assert runs.model_digest(run_id) == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert list(tmp_path.iterdir()) == []


def test_a_model_logged_by_an_older_client_is_found(server: MlflowServer, runs: MlflowRuns, name: str) -> None:
    from mlflow import MlflowClient

    run_id = runs.create("training", "run", {}, AT)
    client = MlflowClient(tracking_uri=server.uri)
    client.log_text(run_id, "flavors: {}\n", "model/MLmodel")
    digest = runs.model_digest(run_id)
    assert digest is not None
    registry = MlflowRegistry(server)
    assert registry.register(name, run_id, digest, TAGS).number == 1
    assert registry.digest(name, 1) == digest


def test_digest_of_a_folder_knows_every_change(tmp_path: Path) -> None:
    seen = {digest_of(tmp_path)}
    for path, text in (("a", "1"), ("b", "1"), ("a", "2"), ("c/a", "")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
        seen.add(digest_of(tmp_path))
    (tmp_path / "b").rename(tmp_path / "bb")
    seen.add(digest_of(tmp_path))
    assert len(seen) == 6


def test_registering_twice_returns_the_same_version_with_its_lineage(
    server: MlflowServer, registry: MlflowRegistry, runs: MlflowRuns, name: str
) -> None:
    run_id = trained(server)
    digest = runs.model_digest(run_id) or ""
    first = registry.register(name, run_id, digest, TAGS)
    assert registry.register(name, run_id, digest, TAGS) == first
    assert registry.versions(name) == (first,)
    assert (first.number, first.run_id, first.digest) == (1, run_id, digest)
    assert first.training_key == TAGS["tidegate.key"]
    assert registry.digest(name, 1) == digest


def test_I2_registering_at_once_leaves_one_version(server: MlflowServer, runs: MlflowRuns, name: str) -> None:
    run_id = trained(server)
    digest = runs.model_digest(run_id) or ""
    with ThreadPoolExecutor(4) as pool:
        ours = set(
            pool.map(
                lambda _: MlflowRegistry(MlflowServer(server.uri)).register(name, run_id, digest, TAGS).number, range(4)
            )
        )
    assert len(ours) == 1
    assert {version.number for version in MlflowRegistry(server).versions(name)} == ours


def test_versions_of_many_pages_come_in_order(server: MlflowServer, registry: MlflowRegistry, name: str) -> None:
    assert registry.versions(name) == ()
    server.ask("POST", "registered-models/create", {"name": name})
    for _ in range(12):
        server.ask("POST", "model-versions/create", {"name": name, "source": "s3://bucket/key"})
    assert [version.number for version in registry.versions(name)] == list(range(1, 13))
    assert registry.versions(name)[0].digest == ""


def test_aliases_are_set_read_back_and_deleted(server: MlflowServer, registry: MlflowRegistry, name: str) -> None:
    run_id = trained(server)
    registry.register(name, run_id, "sha256:1", TAGS)
    for _ in range(2):
        registry.set_alias(name, "production-canary", 1)
        assert registry.aliases(name) == {"production-canary": 1}
    for _ in range(2):
        registry.delete_alias(name, "production-canary")
        assert registry.aliases(name) == {}


def test_a_name_without_our_tag_is_never_written_to(server: MlflowServer, registry: MlflowRegistry, name: str) -> None:
    server.ask("POST", "registered-models/create", {"name": name})
    server.ask("POST", "model-versions/create", {"name": name, "source": "s3://bucket/key"})
    server.ask("POST", "registered-models/alias", {"name": name, "alias": "staging", "version": "1"})
    for write in (
        lambda: registry.set_alias(name, "production", 1),
        lambda: registry.delete_alias(name, "staging"),
        lambda: registry.register(name, "0" * 32, "sha256:1", TAGS),
    ):
        with pytest.raises(Refused, match=r"to hand it over, set its tag tidegate\.owner to tidegate"):
            write()
    assert registry.aliases(name) == {"staging": 1}
    with pytest.raises(Refused, match="train it first"):
        registry.set_alias(f"{name}-absent", "production", 1)


def test_an_alias_to_a_version_that_is_gone_says_mlflows_words(
    server: MlflowServer, registry: MlflowRegistry, name: str
) -> None:
    registry.register(name, trained(server), "sha256:1", TAGS)
    with pytest.raises(OutsideSystem, match="RESOURCE_DOES_NOT_EXIST"):
        registry.set_alias(name, "production", 9)
    with pytest.raises(OutsideSystem, match=f"no version 9 of {name}"):
        registry.digest(name, 9)


def test_bytes_that_are_gone_have_no_digest(server: MlflowServer, registry: MlflowRegistry, name: str) -> None:
    made = trained(server)
    registry.register(name, made, "sha256:1", TAGS)
    location = server.ask("GET", "model-versions/get-download-uri", {"name": name, "version": "1"})["artifact_uri"]
    path = location.removeprefix("mlflow-artifacts:/")
    for file in ("MLmodel", "data/weights.txt"):
        requests.delete(f"{server.uri}/api/2.0/mlflow-artifacts/artifacts/{path}/{file}", timeout=5).raise_for_status()
    with pytest.raises(OutsideSystem):
        registry.digest(name, 1)


class Answer(BaseHTTPRequestHandler):
    """Something that is not MLflow, or not in the mood."""

    status, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base class calls it so
        return


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    handler = type("Handler", (Answer,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield httpd.server_port
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(200, b"<html>", "answered 200 without JSON; is it an MLflow server", id="a-web-page"),
        pytest.param(401, b"sign in", r"asks for a sign-in \(401\); correct registry.auth", id="no-sign-in"),
        pytest.param(403, b'{"message": "no"}', "denies this account", id="no-permission"),
        pytest.param(403, b"Invalid Host header - possible", "--allowed-hosts", id="refused-host-name"),
        pytest.param(
            500, b'{"error_code": "X", "message": "broken"}', r"failed \(500\): broken; see its log", id="500"
        ),
        pytest.param(503, b"<html>", "answered 503 without JSON", id="503-by-a-proxy"),
        pytest.param(400, b'{"error_code": "BAD", "message": "bad"}', r"refused: bad \(BAD\)", id="refused"),
    ],
)
def test_I11_every_bad_answer_is_a_sentence_without_the_password(status: int, body: bytes, words: str) -> None:
    with answering(status, body) as port, pytest.raises(OutsideSystem, match=words) as raised:
        MlflowRuns(MlflowServer(f"http://dana:hunter2@127.0.0.1:{port}")).run("r")
    assert f"http://127.0.0.1:{port}" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_I14_nobody_there_names_the_address_and_the_next_step() -> None:
    port = free_port()
    with pytest.raises(OutsideSystem, match=r"start it, or correct registry\.uri") as raised:
        MlflowRegistry(MlflowServer(f"http://dana:hunter2@127.0.0.1:{port}")).versions("churn")
    assert f"127.0.0.1:{port}" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_hangs_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OutsideSystem, match=r"did not answer in 0.2 s"):
            MlflowRegistry(MlflowServer(f"http://127.0.0.1:{port}", timeout=0.2)).versions("churn")


def test_a_path_is_no_server() -> None:
    with pytest.raises(WrongUse, match="http"):
        MlflowServer("sqlite:///mlflow.db")


def test_a_refused_host_name_says_how_to_allow_it(server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server._session.headers, "Host", "mlflow.models.svc")
    with pytest.raises(OutsideSystem, match="--allowed-hosts"):
        MlflowRuns(server).run("r")


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        pytest.param({"MLFLOW_TRACKING_TOKEN": "t0"}, "Bearer t0", id="bearer"),
        pytest.param(
            {"MLFLOW_TRACKING_USERNAME": "dana", "MLFLOW_TRACKING_PASSWORD": "x"}, "Basic ZGFuYTp4", id="basic"
        ),
    ],
)
def test_credentials_are_revealed_only_on_the_wire(credentials: dict[str, str], header: str) -> None:
    seen: list[str] = []

    class Handler(Answer):
        body = b"{}"

        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        revealed = {name: (lambda value=value: value) for name, value in credentials.items()}
        server = MlflowServer(f"http://127.0.0.1:{httpd.server_port}", revealed)
        server.ask("GET", "anything", {})
        httpd.shutdown()
        thread.join()
    assert seen == [header]
