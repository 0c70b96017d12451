"""A real MLflow server on sqlite for tests: a process of its own on a free loopback port, in one folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

_START_SECONDS = 50


class MlflowServer:
    """Started at once by uvicorn (2 s; `mlflow server` needs 5 s); `stop` leaves no process behind."""

    def __init__(self, folder: Path, port: int | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "mlflow.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(self.port),
             "mlflow.server.fastapi_app:app"],
            env={**os.environ, **_settings(folder), **(environment or {})},
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait(self) -> MlflowServer:
        """Poll until it answers a question about experiments: it makes its database at the first one, not at its start,
        which takes longer on a busy machine than anybody waits for an answer."""
        first = f"{self.uri}/api/2.0/mlflow/experiments/get?experiment_id=0"
        give_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up and self._process.poll() is None:
            try:
                if requests.get(first, timeout=_START_SECONDS).ok:
                    return self
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(f"MLflow did not start:\n{(self.folder / 'mlflow.log').read_text()[-2000:]}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _settings(folder: Path) -> dict[str, str]:
    """What `mlflow server` itself hands to its workers (mlflow/server/constants.py, 3.17)."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder / 'mlflow.db'}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
