"""Everything that is said to GitHub, Prometheus and MLflow goes by the proxy that the environment names.

The proxy alone knows where `github.test` is: what goes round it finds nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.certificates import authority, door
from support.github.server import FakeGitHub
from support.github_worlds import Ticking
from support.mlflow_server import MlflowServer
from support.outbound import TOKEN, a_day, app, github_with_models, refusals, session_at, without_settings
from support.prometheus_server import PrometheusServer
from support.proxies import proxy
from tidegate.adapters.git.remote import Remote, RemoteRepository
from tidegate.adapters.github import Address, Token
from tidegate.adapters.github.survey import GitHubSurvey
from tidegate.adapters.github_comments import Comments
from tidegate.adapters.mlflow import MlflowServer as Mlflow
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.judging.reading import Unread
from tidegate.errors import OutsideSystem, WrongUse

pytestmark = pytest.mark.contract
SECRET = "hunter2"
ADDRESS = Address(owner="acme", name="models", api="https://github.test", server="https://github.test")


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_with_models(tmp_path) as github:
        yield github


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_plain_http_goes_by_the_proxy_git_too(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with proxy({"github.test": port_of(github.url)}) as between:
        monkeypatch.setenv(name, between.url)
        a_day(session_at("http://github.test", app(github)), tmp_path / "mirror.git")
        assert len(between.relayed) == len(github.calls)
    paths = " ".join(between.relayed)
    assert all(part in paths for part in ("access_tokens", "/api/graphql", "git-upload-pack", "git-receive-pack"))


def test_tls_goes_through_the_proxy_and_one_setting_names_the_ca(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = authority(tmp_path / "ca", "github.test")
    with door(private, port_of(github.url)) as opened, proxy({"github.test": opened.port}) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(private.certificate))
        a_day(session_at("https://github.test", app(github)), tmp_path / "mirror.git")
        assert len(opened.came) == len(between.tunnels) > 1
        assert between.relayed == []
    assert {"POST", "GET", "PATCH"} >= {call.method for call in github.calls} > {"POST"}


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_no_proxy_names_goes_round_it(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with proxy({}) as between:
        monkeypatch.setenv("HTTP_PROXY", between.url)
        monkeypatch.setenv("http_proxy", between.url)
        monkeypatch.setenv(name, "example.org,127.0.0.1")
        a_day(session_at(github.url, app(github)), tmp_path / "mirror.git")
        assert (between.relayed, between.refused) == ([], 0)
    assert github.calls


def test_a_proxy_with_a_password_takes_us_and_nobody_sees_it(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    private = authority(tmp_path / "ca", "github.test")
    with door(private, port_of(github.url)) as opened, proxy({"github.test": opened.port}, SECRET) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(private.certificate))
        session = session_at("https://github.test", app(github))
        a_day(session, tmp_path / "mirror.git")
        assert between.tunnels
    assert SECRET not in caplog.text + repr(session)
    assert not [path for path in (tmp_path / "mirror.git").rglob("*") if path.is_file() and SECRET in _text(path)]


def _text(path: Path) -> str:
    return path.read_text(encoding="latin-1")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        pytest.param("another", "407", id="I11-a-wrong-password"),
        pytest.param(None, "proxy", id="I11-a-proxy-that-is-not-there"),
    ],
)
def test_a_proxy_that_refuses_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, password: str | None, words: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with ExitStack() as stack:
        port = stack.enter_context(proxy({}, password)).port if password else 1
        monkeypatch.setenv("HTTPS_PROXY", f"http://dana:{SECRET}@127.0.0.1:{port}")
        session = session_at("https://github.test")
        rest, git = refusals(session, tmp_path / "mirror.git")
    assert "the proxy does not let it through" in rest
    assert "HTTPS_PROXY" in rest
    assert words in rest.lower()
    assert words in git or "Failed to connect to 127.0.0.1 port 1" in git
    assert not [said for said in (rest, git, caplog.text) if SECRET in said or TOKEN in said]


NO_ADDRESSES = [
    pytest.param("http://dana:hun%0ater2@127.0.0.1:9", id="a-line-break-in-the-password"),
    pytest.param("http://dana:hun/ter2@127.0.0.1:9", id="a-slash-in-the-password"),
    pytest.param("http://dana:hun#ter2@127.0.0.1:9", id="a-hash-in-the-password"),
    pytest.param("http://dana:hun?ter2@127.0.0.1:9", id="a-question-mark-in-the-password"),
    pytest.param("http://dana:hun@ter2@127.0.0.1:9", id="an-at-sign-in-the-password"),
    pytest.param("http://dana:hun ter2@127.0.0.1:9", id="a-space-in-the-password"),
    pytest.param("http://dana:hun\tter2@127.0.0.1:9", id="a-tab-in-the-password"),
    pytest.param("http://dana:hunter2@127.0.0.1:nine", id="a-port-that-is-no-number"),
    pytest.param("http://dana:hunter2@127.0.0.1:99999", id="a-port-that-is-too-high"),
    pytest.param("http://dana:hunter2@[::1:9", id="half-a-bracket"),
    pytest.param("http://dana:hunter2@", id="no-host"),
    pytest.param("http://", id="nothing-but-a-scheme"),
    pytest.param("   ", id="blanks"),
    pytest.param("dana:hunter2@127.0.0.1:9", id="a-user-and-no-scheme"),
    pytest.param("http://dana:hunter2@127.0.0.1:9/path", id="a-path"),
    pytest.param("ftp://dana:hunter2@127.0.0.1:9", id="a-scheme-that-is-no-proxys"),
]


def _by_git(folder: Path) -> None:
    remote = Remote("https://github.test/acme/models.git", folder / "mirror.git", lambda: TOKEN)
    RemoteRepository(remote, identity="ci@example.org").head()


def _by_comment(_: Path) -> None:
    Comments(api="https://github.test", repository="acme/models", token=TOKEN).keep(
        7, "<!-- tidegate -->", "", new=True
    )


CLIENTS = [
    pytest.param(_by_git, id="git"),
    pytest.param(lambda _: session_at("https://github.test").get("/repos/acme/models"), id="github"),
    pytest.param(_by_comment, id="comments"),
    pytest.param(lambda _: GitHubSurvey(ADDRESS, Token(value=TOKEN)).survey(Ticking()), id="doctor"),
    pytest.param(lambda _: Prometheus("https://prometheus.test").now(), id="prometheus"),
    pytest.param(lambda _: Mlflow("https://mlflow.test").response("GET", "/health", {}), id="mlflow"),
]


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_I11_I14_a_proxy_that_is_no_plain_address_is_refused_before_anybody_shows_any_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, ask: Callable[[Path], object]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(WrongUse, match=r"^HTTPS_PROXY is no address of a proxy; .* percent-encoded") as refused:
        ask(tmp_path)
    assert not [part for part in ("hun", "ter2", "dana") if part in str(refused.value)]


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY", "all_proxy"])
def test_I14_the_variable_that_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ask: Callable[[Path], object]
) -> None:
    monkeypatch.setenv(name, f"http://dana:{SECRET}@")
    with pytest.raises(WrongUse, match=f"^{name} is no address of a proxy"):
        ask(tmp_path)


def test_a_wrong_proxy_of_another_scheme_harms_nobody(
    prometheus: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://")
    assert not isinstance(Prometheus(prometheus.url).now(), Unread)


def test_I11_what_git_says_is_cleared_of_the_proxys_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://dana:hunter%212@127.0.0.1:9")
    remote = Remote("https://github.test/acme/models.git", tmp_path / "mirror.git", lambda: TOKEN)
    words = "fatal: no way by http://dana:hunter%212@127.0.0.1:9 (hunter!2)"
    assert str(remote.failure(words, "main")).endswith("main: fatal: no way by http://dana:…@127.0.0.1:9 (…)")


def test_prometheus_and_mlflow_go_by_the_proxy_too(
    prometheus: PrometheusServer, mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = {"prometheus.test": prometheus.port, "127.0.0.2": mlflow_server.port}
    with proxy(hosts, SECRET) as between:
        monkeypatch.setenv("HTTP_PROXY", between.url)
        assert not isinstance(Prometheus("http://prometheus.test").now(), Unread)
        assert Mlflow("http://127.0.0.2").response("GET", "/health", {}).ok
        assert between.relayed == ["POST /api/v1/query", "GET /health"]


def test_I11_a_proxys_password_is_in_no_words_of_prometheus_and_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy({}, "another") as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://dana:{SECRET}@127.0.0.1:{between.port}")
        unread = Prometheus("https://prometheus.test").now()
        assert isinstance(unread, Unread)
        with pytest.raises(OutsideSystem) as refused:
            Mlflow("https://mlflow.test").call("GET", "registered-models/search", {})
        with pytest.raises(OutsideSystem) as unreadable:
            Mlflow("https://mlflow.test").require_files("mlflow-artifacts:/1/model")
    for said in (unread.words, str(refused.value), str(unreadable.value)):
        assert "the proxy does not let it through: Tunnel connection failed: 407" in said
        assert SECRET not in said
