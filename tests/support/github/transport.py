"""HTTP/1.1 over loopback: from a socket to an Incoming request, and from an Answer back to the socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from support.github.faults import Cut
from support.github.routing import Answer

_PLAIN = {"Content-Type": "application/json; charset=utf-8", "X-GitHub-Request-Id": "FAKE"}
_EMPTY = {204, 304}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An HTTP request as it came in; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> str:
        return urlsplit(self.target).query


class Server(ThreadingHTTPServer):
    """A loopback server; `handle` answers, and what breaks in it is added to `broken`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, handle: Callable[[Incoming], Answer], broken: list[str]) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.handle = handle
        self.broken = broken

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""

    def answer(self, incoming: Incoming) -> Answer:
        try:
            return self.handle(incoming)
        except Cut:
            raise
        except Exception as error:  # noqa: BLE001  a broken fake must end the test, not the connection
            self.broken.append(f"{incoming.method} {incoming.target}: {type(error).__name__}: {error}")
            return Answer(status=500, body={"message": f"The fake broke: {error}"})


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._respond()

    def _respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        incoming = Incoming(method=self.command, target=self.path, headers=headers, body=self._body(headers))
        try:
            self._send(self.server.answer(incoming))
        except Cut:
            self.close_connection = True

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, given: Answer) -> None:
        content = given.raw
        if content is None:
            content = b"" if given.body is None else json.dumps(given.body).encode()
        self.send_response(given.status)
        for name, value in {**_PLAIN, **given.headers}.items():
            self.send_header(name, value)
        if given.status not in _EMPTY:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if given.status not in _EMPTY and self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Quiet: `FakeGitHub.calls` is the log."""
