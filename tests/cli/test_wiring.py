"""From addresses and references to adapters: which secret goes where, and that none is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.worlds import WORKSPACE, World
from tidegate.adapters.prometheus import Access
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.workspace import Server
from tidegate.errors import OutsideSystem, WrongUse
from tidegate.settings import Settings
from tidegate.wiring.context import Context, prometheus_access, without_user

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("auth", "access"),
    [
        pytest.param({}, Access(headers={"X-Scope-OrgID": "one"}), id="anyone-and-a-tenant"),
        pytest.param(
            {"basic": {"username": "joe", "password": {"env": "MY_SECRET"}}},
            Access(headers={"X-Scope-OrgID": "one"}, basic=("joe", "hunter2")),
            id="basic",
        ),
        pytest.param(
            {"bearer": {"env": "MY_SECRET"}},
            Access(headers={"X-Scope-OrgID": "one", "Authorization": "Bearer hunter2"}),
            id="bearer",
        ),
        pytest.param(
            {"mtls": {"certificate": "c.pem", "key": "k.pem", "authority": "ca.pem"}},
            Access(headers={"X-Scope-OrgID": "one"}, certificate=("c.pem", "k.pem"), authority="ca.pem"),
            id="mtls",
        ),
    ],
)
def test_I11_each_way_to_sign_in_at_prometheus(
    auth: dict[str, Any], access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "hunter2")
    found = prometheus_access(Server(url=URL, auth=auth, headers={"X-Scope-OrgID": "one"}))
    assert found == access
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "prometheus",
    [
        pytest.param("", id="none-is-named"),
        pytest.param(f'prometheus: {{url: "{URL}", auth: {{bearer: {{env: NOT_SET}}}}}}\n', id="a-secret-is-missing"),
    ],
)
def test_I3_a_prometheus_that_cannot_be_asked_is_a_reading_with_its_reason(prometheus: str, tmp_path: Path) -> None:
    lines = [line for line in WORKSPACE.splitlines(keepends=True) if not line.startswith("prometheus:")]
    world = World(tmp_path, workspace="".join(lines) + prometheus)
    now = Context(_settings(world.bare)).metrics.now()
    assert isinstance(now, Unread)
    assert now.why is Why.ERROR
    assert "prometheus.url" in now.words or "NOT_SET" in now.words


@pytest.mark.parametrize("address", ["localhost:9090", "joe:hunter2@localhost:9090"])
def test_I11_an_address_without_its_scheme_names_the_variable_and_is_not_shown(address: str, tmp_path: Path) -> None:
    settings = replace(_settings(World(tmp_path).bare), prometheus_url=address, registry_uri=address)
    context = Context(settings)
    with pytest.raises(WrongUse, match=r"^TIDEGATE_PROMETHEUS_URL is no address") as metrics:
        context.metrics.now()
    with pytest.raises(WrongUse, match=r"^MLFLOW_TRACKING_URI is no address") as registry:
        context.registry.versions("digits")
    assert "hunter2" not in f"{metrics.value} {registry.value}"


def test_a_plan_goes_on_without_a_prometheus_whose_address_is_none(tmp_path: Path) -> None:
    settings = replace(_settings(World(tmp_path).bare), prometheus_url="localhost")
    now = Context(settings).metrics_within(timedelta(seconds=1)).now()
    assert isinstance(now, Unread)
    assert now.words.startswith("TIDEGATE_PROMETHEUS_URL is no address")


def test_a_prometheus_that_is_down_is_named_with_its_setting_and_the_next_step(tmp_path: Path) -> None:
    settings = replace(_settings(World(tmp_path).bare), prometheus_url="http://joe:hunter2@127.0.0.1:1")
    now = Context(settings).metrics.now()
    assert isinstance(now, Unread)
    assert now.why is Why.UNREACHABLE
    assert now.words.startswith("Prometheus at http://127.0.0.1:1 does not answer (")
    assert now.words.endswith("start it, or correct TIDEGATE_PROMETHEUS_URL")


def test_what_the_file_names_is_corrected_in_the_file(tmp_path: Path) -> None:
    closed = WORKSPACE.replace(":5000", ":1").replace(":9090", ":1")
    context = Context(_settings(World(tmp_path, workspace=closed).bare))
    now = context.metrics.now()
    assert isinstance(now, Unread)
    assert now.words.endswith("start it, or correct prometheus.url in tidegate.yaml")
    with pytest.raises(OutsideSystem, match=r"start it, or correct registry\.uri in tidegate\.yaml$"):
        context.registry.versions("digits")


def test_an_mlflow_that_is_down_is_named_with_its_variable(tmp_path: Path) -> None:
    settings = replace(_settings(World(tmp_path).bare), registry_uri="http://127.0.0.1:1")
    with pytest.raises(OutsideSystem, match=r"start it, or correct MLFLOW_TRACKING_URI$"):
        Context(settings).registry.versions("digits")


def test_a_user_in_the_address_is_kept_apart_from_it() -> None:
    assert without_user("https://joe:hunter2@mlflow.example/a?b=c") == "https://mlflow.example/a?b=c"


def _settings(folder: Path) -> Settings:
    return Settings(folder=folder, handle=None, identity="tidegate@example.org", work=folder / "work")
