"""One loaded version in a process of its own, so that a slow version cannot slow another.

Requests that wait while the process is busy are predicted together in its next call. Knows nothing of routes,
weights or HTTP.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

Rows = list[list[float]]

BATCH = 32  # requests in one call; bounds how long the first of them waits for the last
STOPPING = 2.0  # seconds a process may take to finish its last call before it is killed

# Imported once, by the server of forks, so that a version starts in a fraction of a second.
_PRELOAD = ["__main__", "mlflow.sklearn", "sklearn.ensemble", "sklearn.pipeline", "sklearn.svm"]

# One thread a process: versions share the machine, and OpenBLAS must not start threads before a fork.
_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}

_processes = multiprocessing.get_context("forkserver")


def prepare() -> None:
    """Start importing what every version needs; call it before the first replica."""
    os.environ.update(_SETTINGS)
    _processes.set_forkserver_preload(_PRELOAD)
    forkserver.ensure_running()


def finish() -> None:
    """Stop what `prepare` started and wait for it; call it after the last replica has ended."""
    # Else it outlives us by half a second; there is no public name for this.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001


class Failed(Exception):
    """The version could not load or could not predict."""


class Gone(Exception):
    """The replica has been closed; another one may answer."""


@dataclass(slots=True)
class _Waiting:
    rows: Rows
    answer: Future[list[Any]] = field(default_factory=Future)


class Replica:
    """A version as it loads, serves and closes. `failure` says why it serves no more."""

    def __init__(self, source: str, registry: str) -> None:
        self.source = source
        self.failure: str | None = None
        self._ready = threading.Event()
        self._closing = False
        self._waiting: list[_Waiting] = []
        self._change = threading.Condition()
        self._pipe, remote = _processes.Pipe()
        self._process = _processes.Process(target=_work, args=(remote, source, registry), daemon=True)
        self._process.start()
        remote.close()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Loaded, and neither failed nor closed."""
        return self._ready.is_set() and self.failure is None and not self._closing

    @property
    def alive(self) -> bool:
        """Its process has not ended yet."""
        return self._thread.is_alive()

    def predict(self, rows: Rows) -> list[Any]:
        """One prediction a row; raises Failed, or Gone when the replica closed before it took the rows."""
        request = _Waiting(rows)
        with self._change:
            if self._closing or self.failure is not None:
                raise Gone(self.source)
            self._waiting.append(request)
            self._change.notify()
        return request.answer.result()

    def close(self) -> None:
        """Take no more requests and end the process after those it has; returns at once."""
        with self._change:
            self._closing = True
            self._change.notify()
        if not self._ready.is_set():
            self._process.terminate()

    def join(self) -> None:
        """Wait until a closed replica's process has ended; kill it when it takes too long."""
        self._thread.join(STOPPING)
        self._process.kill()
        self._process.join()

    def _serve(self) -> None:
        try:
            self._expect_answer()
            self._ready.set()
            while batch := self._next_batch():
                self._answer(batch)
        except (Failed, EOFError, OSError) as error:
            self._fail(str(error) or "the process ended")
        finally:
            self._pipe.close()  # the process reads the end of the pipe, and ends
            self._process.join()

    def _next_batch(self) -> list[_Waiting]:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing)
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            return batch

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            self._pipe.send([row for request in batch for row in request.rows])
            predictions = self._expect_answer()
        except Failed as error:
            self._answer_failed(batch, error)
            return
        except (EOFError, OSError):
            _refuse(batch, Failed("the process ended"))
            raise
        for request in batch:
            own, predictions = predictions[: len(request.rows)], predictions[len(request.rows) :]
            request.answer.set_result(own)

    def _answer_failed(self, batch: list[_Waiting], error: Failed) -> None:
        """One bad request must not fail those that happened to wait beside it."""
        if len(batch) == 1:
            _refuse(batch, error)
            return
        for request in batch:
            self._answer([request])

    def _expect_answer(self) -> list[Any]:
        predictions, failure = self._pipe.recv()
        if failure is not None:
            raise Failed(failure)
        return list(predictions)

    def _fail(self, reason: str) -> None:
        with self._change:
            self.failure = reason
            left, self._waiting = self._waiting, []
        _refuse(left, Failed(reason))


def _refuse(requests: list[_Waiting], error: Failed) -> None:
    for request in requests:
        if not request.answer.done():
            request.answer.set_exception(error)


def _work(pipe: Connection, source: str, registry: str) -> None:
    """The process of one version: load it, then answer until the pipe closes, whoever closed it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which closes the pipe
    try:
        import mlflow.sklearn

        mlflow.set_tracking_uri(registry)
        with tempfile.TemporaryDirectory(prefix="replica-") as folder:
            model = mlflow.sklearn.load_model(source, dst_path=folder)
    except Exception as error:  # noqa: BLE001 (whatever a model raises as it loads, it cannot serve)
        pipe.send(([], f"{source}: {error}"))
        return
    pipe.send(([], None))
    while True:
        try:
            rows = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_predict(model, rows))


def _predict(model: ClassifierMixin, rows: Rows) -> tuple[list[Any], str | None]:
    try:
        return model.predict(rows).tolist(), None
    except Exception as error:  # noqa: BLE001 (whatever a model raises, it is an answer with code 500)
        return [], f"{type(error).__name__}: {error}"
