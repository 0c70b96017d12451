"""A real Prometheus for the tests, fed by remote write: any sample at any time, readable milliseconds later.

One server serves a whole test session; each test writes label sets of its own.
"""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import cramjam
import pytest
import requests

from tidegate.adapters.system_packages import default_cache, find_prometheus

Written = tuple[Mapping[str, str], Sequence[tuple[float, float]]]
"""Labels (`__name__` among them) and samples (seconds since the epoch, value)."""

_CONFIGURATION = "storage: {tsdb: {out_of_order_time_window: 30d}}\n"
_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class PrometheusServer:
    """A Prometheus on a free loopback port, with its data in `folder`; `configuration` is put behind our own."""

    def __init__(self, folder: Path, *flags: str, configuration: str = "") -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder, self._flags, self._configuration = folder, flags, configuration
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(_CONFIGURATION + self._configuration, encoding="utf-8")
        command = [
            str(find_prometheus(default_cache())),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-remote-write-receiver",
            "--log.level=error",
            *self._flags,
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._until_ready()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL ends it as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(timeout=20)
            self._process = None

    def write(self, series: Sequence[Written]) -> None:
        """Store samples; they can be read when this returns."""
        self._store(b"".join(_field(1, _labelled(labels) + _samples(samples)) for labels, samples in series))

    def write_native(self, labels: Mapping[str, str], observed: Sequence[tuple[float, int]]) -> None:
        """Store a native histogram: times, and so many observations by then. All are of 0, for want of buckets."""
        self._store(_field(1, _labelled(labels) + b"".join(_field(4, _histogram(at, n)) for at, n in observed)))

    def pause(self) -> None:
        """Hang: connections are taken, and nothing is answered until it is stopped for good."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def _store(self, write_request: bytes) -> None:
        body = bytes(cramjam.snappy.compress_raw(write_request))
        answer = requests.post(f"{self.url}/api/v1/write", data=body, headers=_HEADERS, timeout=10)
        if answer.status_code != 204:
            raise AssertionError(f"Prometheus refused the samples: {answer.status_code} {answer.text}")

    def _until_ready(self, patience: timedelta = timedelta(seconds=20)) -> None:
        deadline = time.monotonic() + patience.total_seconds()
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/-/ready", timeout=1).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"Prometheus did not start: {(self._folder / 'log').read_text()[-2000:]}")


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """The session's one Prometheus."""
    server = PrometheusServer(tmp_path_factory.mktemp("prometheus"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# Prometheus' remote write 1.0 (prompb/types.proto): WriteRequest is timeseries = 1, of labels = 1 (sorted by name),
# samples = 2 and histograms = 4.
def _labelled(labels: Mapping[str, str]) -> bytes:
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items())
    )


def _samples(samples: Sequence[tuple[float, float]]) -> bytes:
    # value = 1 is a double (wire type 1), timestamp = 2 a varint of milliseconds.
    return b"".join(
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _milliseconds(at)) for at, value in samples
    )


def _histogram(at: float, count: int) -> bytes:
    # count_int = 1, sum = 3, schema = 4, zero_threshold = 5, zero_count_int = 6, timestamp = 15.
    zeros = b"\x19" + struct.pack("<d", 0.0) + b"\x20\x00" + b"\x29" + struct.pack("<d", 0.001)
    return b"\x08" + _varint(count) + zeros + b"\x30" + _varint(count) + b"\x78" + _milliseconds(at)


def _milliseconds(at: float) -> bytes:
    return _varint(round(at * 1000))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
