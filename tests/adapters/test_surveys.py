"""What doctor sees of a real Prometheus, a real MLflow and a real clone, and of servers in odd moods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from support.mlflow_server import MlflowServer as Server
from support.mlflow_server import free_port
from support.prometheus_server import PrometheusServer
from support.replies import replying
from support.repositories import OURS, Clone, git, new_bare
from tidegate.adapters.git.survey import CloneSurvey
from tidegate.adapters.mlflow import MlflowServer, MlflowSurvey
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.diagnosis.checkout import CheckoutFacts
from tidegate.core.diagnosis.metrics import PrometheusFacts, Rejected
from tidegate.core.diagnosis.registry import Refusal, RegistryFacts, TurnedAway
from tidegate.core.diagnosis.remark import Unknown

pytestmark = pytest.mark.contract


@dataclass(frozen=True)
class Clock:
    """Ours, which may be wrong by so much."""

    wrong: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong


NOBODY = f"http://127.0.0.1:{free_port()}"
NOW = {"status": "success", "data": {"resultType": "scalar", "result": [0, "1800000000"]}}


def test_prometheus_tells_its_version_retention_and_limit(prometheus: PrometheusServer) -> None:
    found = Prometheus(prometheus.url).survey(Clock())
    assert isinstance(found, PrometheusFacts)
    assert isinstance(found.version, str)
    assert found.version[0] in "23"
    assert found.retention == timedelta(days=36_500)
    assert found.most_samples == 50_000_000
    assert abs(found.ahead) < timedelta(seconds=10)


def test_a_clock_of_ours_that_is_slow_sees_prometheus_ahead(prometheus: PrometheusServer) -> None:
    found = Prometheus(prometheus.url).survey(Clock(wrong=timedelta(hours=-1)))
    assert isinstance(found, PrometheusFacts)
    assert abs(found.ahead - timedelta(hours=1)) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("words", "retention"),
    [
        pytest.param("15d", timedelta(days=15), id="days"),
        pytest.param("1y or 10GiB", timedelta(days=365), id="time-or-size"),
        pytest.param("2w1d", timedelta(days=15), id="two-units"),
        pytest.param("512MiB", None, id="size-alone"),
    ],
)
def test_retention_is_read_in_each_form(words: str, retention: timedelta | None) -> None:
    told = json.dumps({"status": "success", "data": {"storageRetention": words}})
    with replying({"/api/v1/query": (200, json.dumps(NOW)), "/api/v1/status/runtimeinfo": (200, told)}) as url:
        found = Prometheus(url).survey(Clock())
    assert isinstance(found, PrometheusFacts)
    assert found.retention == retention


@pytest.mark.parametrize("reply", [(404, "not here"), (200, '{"status": "success", "data": {}}')], ids=["404", "empty"])
def test_what_another_server_of_that_api_does_not_tell_is_unknown(reply: tuple[int, str]) -> None:
    with replying({"/api/v1/query": (200, json.dumps(NOW))}, otherwise=reply) as url:
        found = Prometheus(url).survey(Clock())
    assert isinstance(found, PrometheusFacts)
    assert all(isinstance(fact, Unknown) for fact in (found.version, found.retention, found.most_samples))


def test_a_prometheus_that_is_not_there_is_silent_and_one_that_denies_us_is_not() -> None:
    silent = Prometheus(NOBODY).survey(Clock())
    assert isinstance(silent, Unknown)
    assert silent.silent
    with replying({}, otherwise=(401, "")) as url:
        denied = Prometheus(url).survey(Clock())
    assert isinstance(denied, Rejected)
    assert "check auth" in denied.words


def test_mlflow_tells_its_version_and_serves_artifacts(mlflow_uri: str) -> None:
    found = MlflowSurvey(MlflowServer(mlflow_uri), None).survey(Clock())
    assert isinstance(found, RegistryFacts)
    assert isinstance(found.version, str)
    assert found.version.startswith("3.")
    assert (found.store, found.proxied) == ("mlflow-artifacts", True)
    assert isinstance(found.unreadable, Unknown)


def registered(uri: str, *, files: bool) -> str:
    """The name of a registered model whose version 1 has files, or none."""
    from mlflow import MlflowClient

    server, name = MlflowServer(uri), f"churn-{uuid4().hex[:8]}"
    client = MlflowClient(tracking_uri=uri)
    run = client.create_run("0")
    if files:
        client.log_text(run.info.run_id, "flavors: {}\n", "model/MLmodel")
    server.ask("POST", "registered-models/create", {"name": name})
    source = f"{run.info.artifact_uri}/model"
    server.ask("POST", "model-versions/create", {"name": name, "source": source, "run_id": run.info.run_id})
    return name


def test_the_files_of_a_pinned_version_are_looked_for(mlflow_uri: str) -> None:
    server = MlflowServer(mlflow_uri)

    def unreadable(name: str, version: int) -> object:
        found = MlflowSurvey(server, (name, version)).survey(Clock())
        assert isinstance(found, RegistryFacts)
        return found.unreadable

    there, empty = registered(mlflow_uri, files=True), registered(mlflow_uri, files=False)
    assert unreadable(there, 1) is None
    assert f"version 1 of {empty}" in str(unreadable(empty, 1))
    assert str(unreadable(there, 2)).endswith(f"has no version 2 of {there}, which is pinned")


def test_an_mlflow_that_serves_no_artifacts_says_so(tmp_path: Path) -> None:
    server = Server(tmp_path, environment={"_MLFLOW_SERVER_SERVE_ARTIFACTS": "false",
                                           "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path / "artifacts")})  # fmt: skip
    try:
        found = MlflowSurvey(MlflowServer(server.wait().uri), None).survey(Clock())
    finally:
        server.stop()
    assert isinstance(found, RegistryFacts)
    assert (found.store, found.proxied) == ("", False)


def test_a_refused_host_name_is_named(mlflow_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = MlflowServer(mlflow_uri)
    monkeypatch.setitem(server._session.headers, "Host", "mlflow.models.svc")
    found = MlflowSurvey(server, None).survey(Clock())
    assert found == TurnedAway(address=mlflow_uri, host=mlflow_uri.removeprefix("http://"), how=Refusal.HOST)


@pytest.mark.parametrize(
    ("reply", "how"),
    [
        pytest.param((401, "sign in"), Refusal.SIGN_IN, id="no-sign-in"),
        pytest.param((403, '{"message": "no"}'), Refusal.DENIED, id="no-permission"),
        pytest.param((200, "<html>"), Refusal.NOT_MLFLOW, id="a-web-page"),
    ],
)
def test_each_way_of_being_turned_away_is_told_apart(reply: tuple[int, str], how: Refusal) -> None:
    with replying({}, otherwise=reply) as url:
        found = MlflowSurvey(MlflowServer(url), None).survey(Clock())
    assert isinstance(found, TurnedAway)
    assert found.how is how


def test_an_mlflow_that_is_not_there_is_silent() -> None:
    found = MlflowSurvey(MlflowServer(NOBODY), None).survey(Clock())
    assert isinstance(found, Unknown)
    assert found.silent


def test_an_mlflow_that_tells_nothing_is_no_bug() -> None:
    with replying({"/api/2.0/mlflow/experiments/get": (200, "{}")}) as url:
        found = MlflowSurvey(MlflowServer(url), None).survey(Clock())
    assert isinstance(found, RegistryFacts)
    assert all(isinstance(fact, Unknown) for fact in (found.version, found.store, found.proxied))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = Clone.of(new_bare(tmp_path / "git", {"README.md": "models\n"}), tmp_path / "clone")
    clone.commit({"README.md": "more\n"})
    clone.git("config", "user.email", "dana@acme.example")
    return clone


def surveyed(folder: Path) -> CheckoutFacts:
    return CloneSurvey(folder, OURS).survey(Clock())


def test_a_clone_of_a_folder_needs_nothing_fetched(clone: Clone, tmp_path: Path) -> None:
    found = surveyed(clone.folder)
    assert isinstance(found.git, str)
    assert found.git[0].isdigit()
    assert (found.shallow, found.fetched) == (False, True)
    assert found.origin == clone.git("remote", "get-url", "origin")
    assert (found.author, found.identity) == ("dana@acme.example", OURS)


def test_a_clone_of_a_server_needs_the_launch_records(clone: Clone) -> None:
    clone.git("remote", "set-url", "origin", "https://dana:hunter2@git.example/acme/models.git")
    before = surveyed(clone.folder)
    assert (before.fetched, before.origin) == (False, "https://git.example/acme/models.git")
    clone.git("config", "--add", "remote.origin.fetch", "+refs/tidegate/*:refs/tidegate/*")
    assert surveyed(clone.folder).fetched


def test_a_shallow_clone_is_seen_to_be_one(clone: Clone, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{clone.folder}", str(tmp_path / "shallow"))
    assert surveyed(tmp_path / "shallow").shallow


def test_a_clone_without_origin_says_so(clone: Clone) -> None:
    clone.git("remote", "remove", "origin")
    assert surveyed(clone.folder).origin is None
