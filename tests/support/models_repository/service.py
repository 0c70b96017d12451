"""A made-up service with metrics: it serves what main's route files say, and is scraped by a real Prometheus."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

_RATE = 600.0
"""Requests a second in each environment."""
_FAULTY = 0.3
"""The share of a bad version's requests that fail."""


class Service:
    """Requests and errors by environment and version, counted since the start. `bad` versions answer with errors."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._requests: Counter[tuple[str, int]] = Counter()
        self._errors: Counter[tuple[str, int]] = Counter()
        self._asked = time.monotonic()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self.bad: set[int] = set()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def metrics(self) -> str:
        """What Prometheus scrapes. All that was served since the last scrape was served by what main says now."""
        since, self._asked = self._asked, time.monotonic()
        routes = list(self._routes())
        for environment, version, share in routes:
            served = round(_RATE * share * (self._asked - since))
            self._requests[environment, version] += served
            self._errors[environment, version] += round(served * _FAULTY) if version in self.bad else 0
        loaded = [f"model_ready{{{_labels(environment, version)}}} 1" for environment, version, _ in routes]
        return "\n".join([*loaded, *self._counters()]) + "\n"

    def _counters(self) -> Iterator[str]:
        for (environment, version), total in self._requests.items():
            labels, errors = _labels(environment, version), self._errors[environment, version]
            yield f'http_requests_total{{{labels},code="200"}} {total - errors}'
            yield f'http_requests_total{{{labels},code="500"}} {errors}'
            yield f'predict_seconds_bucket{{{labels},le="0.25"}} {total}'
            yield f'predict_seconds_bucket{{{labels},le="+Inf"}} {total}'
            yield f"predict_seconds_count{{{labels}}} {total}"

    def _routes(self) -> Iterator[tuple[str, int, float]]:
        for environment in ("staging", "production"):
            path = f"main:rendered/{environment}/example.yaml"
            shown = subprocess.run(["git", "show", path], cwd=self._repository, capture_output=True, check=False)
            route = yaml.safe_load(shown.stdout) if shown.returncode == 0 else {"routes": []}
            yield from ((environment, one["version"], one["weight"] / 100) for one in route["routes"])

    def _handler(service: Service) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = service.metrics().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        return Handler


def _labels(environment: str, version: int) -> str:
    return f'model="example",environment="{environment}",version="{version}"'
