"""The adapter on a real Prometheus, and on answers that no Prometheus gives."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.prometheus_server import PrometheusServer
from tidegate.adapters.prometheus import Access, Prometheus
from tidegate.core.judging.reading import Sampled, Unread, Why

pytestmark = pytest.mark.contract

HOUR = timedelta(hours=1)
PATIENCE = timedelta(seconds=0.3)


@pytest.fixture(scope="session")
def now(prometheus: PrometheusServer) -> datetime:
    """A whole second of the server's time: samples are written before it."""
    found = Prometheus(prometheus.url).now()
    assert isinstance(found, datetime)
    return found.replace(microsecond=0)


def read(server: PrometheusServer, selector: str, end: datetime, span: timedelta = HOUR) -> Sampled:
    found = Prometheus(server.url).samples(selector, end - span, end)
    assert isinstance(found, Sampled), found
    return found


class TestRealPrometheus:
    def test_now_is_the_server_s_own_time(self, now: datetime) -> None:
        assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)

    def test_raw_samples_come_back_with_their_own_times(self, prometheus: PrometheusServer, now: datetime) -> None:
        start = now.timestamp()
        samples = tuple((start - 60 + 15.001 * index, float(value)) for index, value in enumerate([0, 3, 1, 1.5]))
        prometheus.write([({"__name__": "raw_total", "version": "1", "path": 'a"\\b'}, samples)])
        (series,) = read(prometheus, 'raw_total{version="1"}', now).series
        assert series.labels == {"__name__": "raw_total", "version": "1", "path": 'a"\\b'}
        assert [value for _, value in series.samples] == [0, 3, 1, 1.5]
        assert [at for at, _ in series.samples] == pytest.approx([at for at, _ in samples], abs=0.001)

    @pytest.mark.parametrize("beyond", [0, 400, 600], ids=["on-the-sample", "rounded-down", "rounded-up"])
    def test_adjoining_windows_share_no_sample_and_lose_none(
        self, prometheus: PrometheusServer, now: datetime, beyond: int
    ) -> None:
        times = [now.timestamp() - 20 + step for step in (0, 10, 10.001, 20)]
        name = f"edge_{beyond}_total"
        prometheus.write([({"__name__": name}, [(at, index) for index, at in enumerate(times)])])
        middle = now - timedelta(seconds=10) + timedelta(microseconds=beyond)
        pieces = [
            read(prometheus, name, middle, middle - now + timedelta(seconds=20)),
            read(prometheus, name, now, now - middle),
        ]
        assert [value for piece in pieces for _, value in piece.series[0].samples] == [1, 2, 3]

    def test_a_gap_is_left_as_it_is(self, prometheus: PrometheusServer, now: datetime) -> None:
        times = [now.timestamp() - before for before in (3000, 2985, 60, 45)]
        prometheus.write([({"__name__": "gap_total"}, [(at, 1.0) for at in times])])
        assert [at for at, _ in read(prometheus, "gap_total", now).series[0].samples] == times

    def test_every_series_behind_a_selector_comes(self, prometheus: PrometheusServer, now: datetime) -> None:
        at = now.timestamp() - 1
        prometheus.write([({"__name__": "many_total", "version": str(n)}, [(at, n)]) for n in range(5)])
        found = read(prometheus, 'many_total{version=~"1|3"}', now)
        assert {series.labels["version"] for series in found.series} == {"1", "3"}

    def test_no_series_is_an_answer(self, prometheus: PrometheusServer, now: datetime) -> None:
        assert read(prometheus, "nobody_writes_this", now).series == ()

    def test_special_values_are_numbers(self, prometheus: PrometheusServer, now: datetime) -> None:
        prometheus.write([({"__name__": "special"}, [(now.timestamp() - 1, float("inf"))])])
        assert read(prometheus, "special", now).series[0].samples[0][1] == float("inf")

    def test_a_bad_query_is_an_error_in_prometheus_words(self, prometheus: PrometheusServer, now: datetime) -> None:
        found = Prometheus(prometheus.url).samples("requests_total{", now - HOUR, now)
        assert isinstance(found, Unread)
        assert found.why is Why.ERROR
        assert "bad_data" in found.words
        assert "parse error" in found.words

    def test_I3_a_killed_server_is_unreachable_and_comes_back(self, tmp_path: Path) -> None:
        server = PrometheusServer(tmp_path)
        server.start()
        try:
            adapter = Prometheus(server.url, timeout=timedelta(seconds=5))
            assert isinstance(adapter.now(), datetime)
            server.stop(signal.SIGKILL)
            found = adapter.now()
            assert isinstance(found, Unread)
            assert (found.why, server.url in found.words) == (Why.UNREACHABLE, True)
            assert "refused" in found.words
            server.start()
            assert isinstance(adapter.now(), datetime)
        finally:
            server.stop()


Answer = tuple[int, dict[str, str], bytes]
Serve = Callable[[Answer], str]
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}


class _Recorder(BaseHTTPRequestHandler):
    """Gives one fixed answer and keeps the headers that it was asked with."""

    answer: Answer = (200, {}, b"")
    asked: list[dict[str, str]]

    def do_POST(self) -> None:
        self.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Tests say nothing on stderr."""


@pytest.fixture
def played() -> Iterator[tuple[str, type[_Recorder]]]:
    """A loopback server that gives one answer to everything: its address, and the handler to set the answer on."""
    handler = type("Handler", (_Recorder,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "why", "words"),
    [
        pytest.param((503, {}, b"Service Unavailable"), Why.UNREACHABLE, "503", id="starting-or-overloaded"),
        pytest.param((502, HTML, b"<html>"), Why.UNREACHABLE, "502", id="a-proxy-without-its-backend"),
        pytest.param((200, HTML, b"<html>sign in</html>"), Why.ERROR, "is the address right", id="a-page"),
        pytest.param((404, HTML, b"no"), Why.ERROR, "404", id="a-wrong-path"),
        pytest.param((401, {}, b""), Why.ERROR, "check auth", id="not-signed-in"),
        pytest.param((403, HTML, b""), Why.ERROR, "check auth", id="not-allowed"),
        pytest.param(
            (302, {"Location": "https://u:secret@sso.example/login?token=secret"}, b""),
            Why.ERROR,
            "https://sso.example/login",
            id="a-sign-in-page-elsewhere",
        ),
        pytest.param(
            (422, JSON, b'{"status":"error","errorType":"execution","error":"too many samples"}'),
            Why.ERROR,
            "execution: too many samples",
            id="a-query-that-failed",
        ),
        pytest.param(
            (200, JSON, b'{"status":"error","errorType":"timeout","error":"expanding series"}'),
            Why.ERROR,
            "timeout: expanding series",
            id="an-error-with-status-200",
        ),
        pytest.param(
            (
                200,
                JSON,
                b'{"status":"success","warnings":["store 2 is down"],"data":{"resultType":"matrix","result":[]}}',
            ),
            Why.PARTIAL,
            "store 2 is down",
            id="half-of-the-data",
        ),
        pytest.param((200, JSON, b'{"status":"success","data":[]}'), Why.ERROR, "is the address right", id="no-data"),
        pytest.param((200, JSON, b'{"status":"success","data":{"result":[1]}}'), Why.ERROR, "as Prometheus", id="odd"),
        pytest.param((200, JSON, b"[]"), Why.ERROR, "as Prometheus", id="not-an-object"),
    ],
)
def test_I3_every_failure_has_its_own_reason(
    played: tuple[str, type[_Recorder]], answer: Answer, why: Why, words: str
) -> None:
    url, handler = played
    handler.answer = answer
    end = datetime(2026, 1, 1, tzinfo=UTC)
    found = Prometheus(url).samples("up", end - HOUR, end)
    assert isinstance(found, Unread)
    assert found.why is why
    assert words in found.words
    assert url in found.words
    assert "secret" not in found.words
    assert isinstance(Prometheus(url).now(), Unread)


def test_a_remark_about_the_query_is_no_missing_data(played: tuple[str, type[_Recorder]]) -> None:
    """`infos` are about how a query is written, such as a name that is no counter's; `warnings` are about its data."""
    url, handler = played
    body = b'{"status":"success","infos":["metric might not be a counter"],"data":{"resultType":"matrix","result":[]}}'
    handler.answer = (200, JSON, body)
    end = datetime(2026, 1, 1, tzinfo=UTC)
    assert Prometheus(url).samples("up", end - HOUR, end) == Sampled(series=(), start=end - HOUR, end=end)


def test_I3_a_server_that_hangs_is_given_up_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found = Prometheus(url, timeout=PATIENCE).now()
    assert isinstance(found, Unread)
    assert found.why is Why.UNREACHABLE
    assert found.words.startswith(f"Prometheus at {url} did not answer within 0.3 s")
    assert "prometheus.timeout" in found.words


def test_an_address_that_does_not_exist_is_unreachable() -> None:
    found = Prometheus("http://prometheus.invalid:9090", timeout=timedelta(seconds=5)).now()
    assert isinstance(found, Unread)
    assert found.why is Why.UNREACHABLE
    assert "http://prometheus.invalid:9090" in found.words


def test_I11_credentials_are_sent_and_never_said(played: tuple[str, type[_Recorder]]) -> None:
    url, handler = played
    handler.answer = (503, {}, b"")
    with_user = url.replace("http://", "http://reader:hunter2@")
    access = Access(headers={"X-Scope-OrgID": "tenant-7"})
    adapter = Prometheus(with_user, access)
    found = adapter.now()
    assert handler.asked[0]["authorization"] == "Basic cmVhZGVyOmh1bnRlcjI="
    assert handler.asked[0]["x-scope-orgid"] == "tenant-7"
    for text in (str(found), repr(found), repr(adapter), repr(access), adapter.address):
        assert "hunter2" not in text
        assert "tenant-7" not in text


def test_a_question_is_asked_once(played: tuple[str, type[_Recorder]]) -> None:
    url, handler = played
    handler.answer = (503, {}, b"")
    Prometheus(url).now()
    assert len(handler.asked) == 1
