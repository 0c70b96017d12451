"""The demo's processes: MLflow, Prometheus, the model server, its traffic, and `tidegate reconcile --watch`.

Each in a process group of its own on a free loopback port, with its log in the demo's folder; all of them end with it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tidegate.errors import OutsideSystem

_HOST = "127.0.0.1"
_STARTS_WITHIN = 60.0
_ENDS_WITHIN = 3.0
_PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: models
    static_configs: [{{targets: ["{target}"]}}]
"""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Process:
    """A started process; `ready` is the address that answers once it serves."""

    name: str
    running: subprocess.Popen[bytes]
    log: Path
    address: str = ""
    ready: str = ""


@dataclass
class Servers:
    """Starts processes and ends every one of them, newest first."""

    folder: Path
    environment: Mapping[str, str]
    started: list[Process] = field(default_factory=list)

    def start(self, name: str, command: list[str], *, address: str = "", ready: str = "") -> Process:
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            running = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = Process(name=name, running=running, log=log, address=address, ready=ready)
        self.started.append(process)
        return process

    def wait(self, process: Process) -> None:
        """Until it answers. Raises OutsideSystem with the end of its log when it does not."""
        end = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < end and process.running.poll() is None:
            if _answers(process.ready):
                return
            time.sleep(0.05)
        tail = "\n".join(process.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
        raise OutsideSystem(f"{process.name} at {process.address} did not come up; the end of its log:\n{tail}")

    def stop(self) -> None:
        """TERM to every group, then KILL to what is left."""
        for process in reversed(self.started):
            _signal(process, signal.SIGTERM)
        end = time.monotonic() + _ENDS_WITHIN
        for process in reversed(self.started):
            with suppress(subprocess.TimeoutExpired):
                process.running.wait(max(end - time.monotonic(), 0.1))
            _signal(process, signal.SIGKILL)
            process.running.wait()
        self.started.clear()


def _signal(process: Process, number: signal.Signals) -> None:
    """To the whole group: a leader that ended may have left children."""
    try:
        os.killpg(process.running.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=1) as answer:  # noqa: S310 - our own loopback addresses
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def start_mlflow(servers: Servers) -> Process:
    port, home = free_port(), servers.folder / "mlflow"
    home.mkdir()
    command = [sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination",
        str(home / "artifacts"),
    ]
    address = f"http://{_HOST}:{port}"
    return servers.start("mlflow", command, address=address, ready=f"{address}/health")


def start_prometheus(servers: Servers, program: Path, target: str) -> Process:
    port, home = free_port(), servers.folder / "prometheus"
    home.mkdir()
    config = home / "prometheus.yml"
    config.write_text(_PROMETHEUS.format(target=target.removeprefix("http://")), encoding="utf-8")
    address = f"http://{_HOST}:{port}"
    command = [str(program), f"--config.file={config}", f"--storage.tsdb.path={home}/data"]
    command += [f"--web.listen-address={_HOST}:{port}", "--log.level=warn"]
    return servers.start("prometheus", command, address=address, ready=f"{address}/-/ready")


def start_prometheus_again(servers: Servers, before: Process) -> Process:
    """The same program on the same data and port, after it died."""
    command = [str(word) for word in before.running.args]  # type: ignore[union-attr]
    return servers.start("prometheus", command, address=before.address, ready=before.ready)


def start_model_server(servers: Servers, example: Path, repository: Path, registry: str) -> Process:
    address = f"http://{_HOST}:{free_port()}"
    command = [sys.executable, str(example / "serving" / "model_server.py"), "--repository", str(repository)]
    command += ["--branch", "main", "--registry", registry, "--port", address.rpartition(":")[2]]
    return servers.start("model_server", command, address=address, ready=f"{address}/healthz")


def start_traffic(servers: Servers, example: Path, model_server: str) -> Process:
    url = f"{model_server}/production/digits/predict"
    command = [sys.executable, str(example / "serving" / "traffic.py"), "--url", url, "--rate", "60"]
    return servers.start("traffic", command)


def start_reconcile(servers: Servers, clone: Path) -> Process:
    command = [*tidegate(clone), "reconcile", "--watch", "--interval", "1s"]
    return servers.start("reconcile", command)


def tidegate(clone: Path, handle: str = "") -> list[str]:
    """The ordinary command line, in the demo's clone."""
    person = ["--as", handle] if handle else []
    return [sys.executable, "-m", "tidegate", "-C", str(clone), *person]


def until(reached: Callable[[], bool], seconds: float, every: float = 0.2) -> bool:
    """Look again and again; whether it was reached in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if reached():
            return True
        time.sleep(every)
    return reached()
