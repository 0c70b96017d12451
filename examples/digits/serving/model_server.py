"""Serves the versions that the route files on main name, by weight, and exports what happened.

    POST /<environment>/<model>/predict   {"rows": [[...]]} -> {"version": N, "predictions": [...]}
    GET  /metrics                         Prometheus text: requests, latency and readiness by version
    GET  /healthz

It follows git and the registry, and knows nothing of Tidegate but the shape of a route file.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from replica import Failed, Gone, Replica, Rows, finish, prepare
from routes import Place, Route, RouteFiles, Routes

POLL = 0.25  # seconds between looks at the branch
LOAD_AGAIN = 2.0  # seconds before a version that failed is loaded anew
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

log = logging.getLogger("model_server")


class Unavailable(Exception):
    """No routed version can answer; `version` is the one that should have."""

    def __init__(self, version: int, code: int, reason: str) -> None:
        super().__init__(reason)
        self.version, self.code = version, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Routes and replicas at one moment; replaced as a whole, so that no request sees half a change."""

    routes: Routes
    replicas: Mapping[str, Replica]  # by source: environments share a loaded version

    def ready(self) -> Iterator[tuple[Place, Route]]:
        """What is both routed and loaded."""
        for place, routes in self.routes.items():
            for route in routes:
                if self.replicas[route.source].ready:
                    yield place, route

    def choose(self, place: Place) -> tuple[Route, Replica]:
        """By weight among those that are ready; raises Unavailable, or KeyError if nothing is routed."""
        routes = [route for route in self.routes[place] if route.weight > 0]
        if not routes:
            raise KeyError(place)
        ready = [route for route in routes if self.replicas[route.source].ready]
        if ready:
            route = random.choices(ready, [route.weight for route in ready])[0]
            return route, self.replicas[route.source]
        heaviest = max(routes, key=lambda route: route.weight)
        failure = self.replicas[heaviest.source].failure
        raise Unavailable(heaviest.version, 500 if failure else 503, failure or "no version is ready")


class Signals:
    """What Prometheus reads, by model, environment and version."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        labels = ("model", "environment", "version")
        self._requests = Counter("http_requests", "Requests answered.", (*labels, "code"), registry=self.registry)
        self._seconds = Histogram(
            "predict_seconds",
            "Time to predict, waiting included.",
            labels,
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._ready = Gauge("model_ready", "Loaded and routed.", labels, registry=self.registry)
        self._announced: set[tuple[str, ...]] = set()

    def announce(self, ready: set[tuple[str, ...]]) -> None:
        """Say which versions are ready now, and no longer mention those that are not."""
        for labels in ready - self._announced:
            self._ready.labels(*labels).set(1)
            self._seconds.labels(*labels)
            for code in ("200", "500"):  # a counter that appears with its first event hides that event
                self._requests.labels(*labels, code)
        for labels in self._announced - ready:
            self._ready.remove(*labels)
        self._announced = ready

    def answered(self, labels: tuple[str, ...], seconds: float) -> None:
        self._requests.labels(*labels, "200").inc()
        self._seconds.labels(*labels).observe(seconds)

    def failed(self, labels: tuple[str, ...], code: int) -> None:
        self._requests.labels(*labels, str(code)).inc()


class Models:
    """The replicas that the routes ask for, and the choice between them."""

    def __init__(self, registry: str, signals: Signals) -> None:
        self._registry = registry
        self._signals = signals
        self._serving = Serving(routes={}, replicas={})
        self._closed: list[Replica] = []
        self._failed_at: dict[str, float] = {}

    def follow(self, routes: Routes) -> None:
        """Load what is newly routed, close what is not routed any more."""
        old = self._serving.replicas
        wanted = {route.source for place in routes.values() for route in place}
        replicas = {source: old.get(source) or Replica(source, self._registry) for source in sorted(wanted)}
        self._serving = Serving(routes=routes, replicas=replicas)
        self._close([old[source] for source in old.keys() - wanted])

    def look(self) -> None:
        """Load again what failed a while ago, and announce what is ready."""
        for source, replica in self._serving.replicas.items():
            if replica.failure is not None and self._patience_is_over(source, replica.failure):
                self._replace(source)
        self._signals.announce({_labels(place, route.version) for place, route in self._serving.ready()})

    def predict(self, place: Place, rows: Rows) -> tuple[int, list[Any]]:
        """The version that answered and its predictions; raises KeyError for a place without routes."""
        while True:
            route, replica = self._serving.choose(place)
            started = time.monotonic()
            try:
                predictions = replica.predict(rows)
            except Gone:
                continue  # closed since it was chosen: choose again
            except Failed as error:
                raise Unavailable(route.version, 500, str(error)) from error
            self._signals.answered(_labels(place, route.version), time.monotonic() - started)
            return route.version, predictions

    def close(self) -> None:
        """End every process, and wait for it."""
        self._close(self._serving.replicas.values())
        for replica in self._closed:
            replica.join()

    def _patience_is_over(self, source: str, failure: str) -> bool:
        now = time.monotonic()
        if source not in self._failed_at:
            log.warning("cannot serve %s", failure)
            self._failed_at[source] = now
        return now - self._failed_at[source] >= LOAD_AGAIN

    def _replace(self, source: str) -> None:
        del self._failed_at[source]
        old = self._serving
        again = {**old.replicas, source: Replica(source, self._registry)}
        self._serving = Serving(routes=old.routes, replicas=again)
        self._close([old.replicas[source]])

    def _close(self, replicas: Iterable[Replica]) -> None:
        closed = list(replicas)
        for replica in closed:
            replica.close()
        self._closed = [replica for replica in self._closed if replica.alive] + closed


class Server(ThreadingHTTPServer):
    """One thread a connection; connections do not outlive the server."""

    request_queue_size = 128

    def __init__(self, port: int, models: Models, signals: Signals) -> None:
        self.models = models
        self.signals = signals
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the library's signature)
        """A client that went away is not worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """The three addresses of the module docstring."""

    server: Server
    protocol_version = "HTTP/1.1"  # keep-alive
    wbufsize = -1  # header and body in one packet: else Nagle and delayed acknowledgement cost 40 ms
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._send(200, generate_latest(self.server.signals.registry), "text/plain; version=0.0.4")
        elif self.path == "/healthz":
            self._send(200, b"ok\n", "text/plain")
        else:
            self._say(404, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.strip("/").split("/"):
            case [environment, model, "predict"]:
                self._predict(Place(environment=environment, model=model), body)
            case _:
                self._say(404, {"error": f"nothing at {self.path}"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Requests are counted, not logged."""

    def _predict(self, place: Place, body: bytes) -> None:
        try:
            rows = json.loads(body)["rows"]
        except (ValueError, TypeError, KeyError):
            self._say(400, {"error": 'expected {"rows": [[...]]}'})
            return
        try:
            version, predictions = self.server.models.predict(place, rows)
        except KeyError:
            self._say(404, {"error": f"no routes for {place.model} in {place.environment}"})
        except Unavailable as error:
            self.server.signals.failed(_labels(place, error.version), error.code)
            self._say(error.code, {"version": error.version, "error": str(error)})
        else:
            self._say(200, {"version": version, "predictions": predictions})

    def _say(self, code: int, answer: dict[str, Any]) -> None:
        self._send(code, json.dumps(answer).encode(), "application/json")

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _labels(place: Place, version: int) -> tuple[str, ...]:
    return (place.model, place.environment, str(version))


def follow(files: RouteFiles, models: Models, stop: threading.Event) -> None:
    """Keep the replicas in step with the branch until told to stop; what cannot be read changes nothing."""
    trouble = ""
    while not stop.is_set():
        try:
            routes = files.changes()
            if routes is not None:
                models.follow(routes)
            trouble = ""
        except (subprocess.CalledProcessError, ValueError) as error:
            if str(error) != trouble:
                trouble = str(error)
                log.warning("routes stay as they are: %s", trouble)
        models.look()
        stop.wait(POLL)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the versions that a repository routes to.")
    parser.add_argument("--repository", type=Path, required=True, help="the bare repository")
    parser.add_argument("--branch", default="main")
    parser.add_argument("--registry", required=True, help="address of the MLflow server")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    prepare()
    signals = Signals()
    models = Models(arguments.registry, signals)
    server = Server(arguments.port, models, signals)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        follow(RouteFiles(arguments.repository, arguments.branch), models, stop)
    finally:
        server.shutdown()
        models.close()
        finish()


if __name__ == "__main__":
    main()
