"""Servers whose certificate a company's own CA signed: refused with the setting to make, and taken with it alone."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.certificates import Authority, authority, door
from support.github.server import FakeGitHub
from support.github_worlds import NAME
from support.mlflow_server import MlflowServer
from support.outbound import TOKEN, a_day, app, github_with_models, refusals, session_at, without_settings
from support.program import Program
from support.prometheus_server import PrometheusServer
from support.repositories import Clone
from support.worlds import WORKSPACE
from tidegate import errors
from tidegate.adapters.mlflow import MlflowServer as Mlflow
from tidegate.adapters.prometheus import Access, Prometheus
from tidegate.core.judging.reading import Unread
from tidegate.errors import OutsideSystem

pytestmark = pytest.mark.contract
FIX = "name a file with your CA's certificate in REQUESTS_CA_BUNDLE"


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)


@pytest.fixture
def private(tmp_path: Path) -> Authority:
    return authority(tmp_path / "ca")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_with_models(tmp_path) as github:
        yield github


@pytest.fixture
def server(github: FakeGitHub, private: Authority) -> Iterator[str]:
    """The address of GitHub behind a certificate of the private CA."""
    with door(private, port_of(github.url)) as opened:
        yield opened.url


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def hashed(private: Authority, folder: Path) -> Path:
    """A folder of certificates as OpenSSL looks them up (`openssl rehash`)."""
    folder.mkdir()
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(private.certificate)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (folder / f"{name}.0").write_bytes(private.certificate.read_bytes())
    return folder


def test_an_unknown_ca_is_refused_with_the_setting_to_make(
    server: str, github: FakeGitHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rest, git = refusals(session_at(server), tmp_path / "mirror.git")
    with pytest.raises(OutsideSystem) as of_an_app:
        session_at(server, app(github)).token()
    for said in (rest, git, str(of_an_app.value)):
        assert "certificate" in said
        assert said.rstrip(")").endswith(FIX)
        assert TOKEN not in said
    assert TOKEN not in caplog.text
    assert github.calls == []


def test_one_setting_is_enough_for_rest_graphql_app_tokens_and_git(
    server: str, github: FakeGitHub, private: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(private.certificate))
    a_day(session_at(server, app(github)), tmp_path / "mirror.git")


def test_the_setting_may_name_a_folder_of_certificates(
    server: str, github: FakeGitHub, private: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hashed(private, tmp_path / "certificates")))
    a_day(session_at(server, app(github)), tmp_path / "mirror.git")


def test_a_bundle_that_is_not_there_is_named(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    rest, git = refusals(session_at(server), tmp_path / "mirror.git")
    assert "/nowhere/ca.pem" in rest
    assert "REQUESTS_CA_BUNDLE" in rest
    assert "REQUESTS_CA_BUNDLE" in git


@pytest.mark.parametrize("command", [("status",), ("reconcile", "--once"), ("doctor",)], ids=lambda words: words[0])
def test_3_a_command_says_it_without_a_traceback_or_the_token(
    server: str, github: FakeGitHub, tmp_path: Path, command: tuple[str, ...]
) -> None:
    clone = Clone.of(github.repository(NAME).path, tmp_path / "clone")
    clone.write("tidegate.yaml", WORKSPACE)
    clone.git("remote", "set-url", "origin", f"{server}/{NAME}.git")
    named = {"GITHUB_SERVER_URL": server, "GITHUB_API_URL": f"{server}/api/v3", "TIDEGATE_GITHUB_TOKEN": TOKEN}
    ran = Program(clone.folder, tmp_path, named)(*command)
    assert ran.code == errors.OUTSIDE, ran
    assert FIX in ran.out + ran.err
    assert TOKEN not in ran.out + ran.err


def test_prometheus_and_mlflow_are_refused_with_the_same_words(
    prometheus: PrometheusServer, mlflow_server: MlflowServer, private: Authority
) -> None:
    with door(private, prometheus.port) as readings, door(private, mlflow_server.port) as registry:
        unread = Prometheus(readings.url).now()
        with pytest.raises(OutsideSystem) as refused:
            Mlflow(registry.url).call("GET", "registered-models/search", {})
        with pytest.raises(OutsideSystem) as unreadable:
            Mlflow(registry.url).require_files("mlflow-artifacts:/1/model")
    assert isinstance(unread, Unread)
    for said in (unread.words, str(refused.value), str(unreadable.value)):
        assert f"its certificate is not trusted: unable to get local issuer certificate; {FIX}" in said


def test_the_same_setting_does_for_prometheus_mlflow_and_its_artifacts(
    prometheus: PrometheusServer, mlflow_server: MlflowServer, private: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(private.certificate))
    with door(private, prometheus.port) as readings, door(private, mlflow_server.port) as registry:
        assert not isinstance(Prometheus(readings.url).now(), Unread)
        ours = Mlflow(registry.url)
        assert "experiments" in ours.call("POST", "experiments/search", {"max_results": 1})
        before = len(registry.came)
        with pytest.raises(OutsideSystem, match="there are no files at"):
            ours.require_files("mlflow-artifacts:/nothing/is/here")
        assert len(registry.came) > before, "mlflow's own client went through the door"


def test_an_authority_in_tidegate_yaml_goes_before_the_setting(
    prometheus: PrometheusServer, private: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = authority(tmp_path / "another")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(another.certificate))
    with door(private, prometheus.port) as opened:
        assert isinstance(Prometheus(opened.url).now(), Unread)
        named = Access(authority=str(private.certificate))
        assert not isinstance(Prometheus(opened.url, named, timedelta(seconds=10)).now(), Unread)
