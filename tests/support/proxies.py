"""A small HTTP proxy as companies have them: CONNECT for TLS, whole addresses for plain HTTP, a password if asked.

It alone knows where its hosts are: a request that goes round it finds nobody.
"""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from support.certificates import Listener, both_ways, served

_PATIENCE_SECONDS = 20
_OWN = ("connection", "proxy-authorization", "proxy-connection", "keep-alive")


@dataclass(slots=True, kw_only=True)
class Proxy:
    """What it carried: `tunnels` are hosts that were connected to, `relayed` requests as `GET /path`."""

    port: int
    password: str | None
    tunnels: list[str] = field(default_factory=list)
    relayed: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        """Its address, with user and password where it wants them."""
        user = f"dana:{self.password}@" if self.password else ""
        return f"http://{user}127.0.0.1:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def proxy(hosts: Mapping[str, int], password: str | None = None) -> Iterator[Proxy]:
    """A proxy that knows these host names, each by its port on 127.0.0.1."""

    class Connection(_Connection):
        ports = hosts

    with Listener(("127.0.0.1", 0), Connection) as listener:
        Connection.proxy = opened = Proxy(port=listener.server_address[1], password=password)
        with served(listener):
            yield opened


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    ports: Mapping[str, int]
    proxy: Proxy

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        if not self._may_pass(host):
            return
        self.proxy.tunnels.append(host)
        with socket.create_connection(("127.0.0.1", self.ports[host]), _PATIENCE_SECONDS) as server:
            self.send_response(200, "Connection established")
            self.end_headers()
            self.wfile.flush()
            both_ways(self.connection, server)
        self.close_connection = True

    def _relay(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self._may_pass(address.hostname or ""):
            return
        self.proxy.relayed.append(f"{self.command} {address.path}")
        target = address.path + (f"?{address.query}" if address.query else "")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        server = http.client.HTTPConnection("127.0.0.1", self.ports[address.hostname or ""], timeout=_PATIENCE_SECONDS)
        server.request(self.command, target, body, headers)
        with server.getresponse() as answer:
            self._answer(answer.status, dict(answer.getheaders()), answer.read())
        server.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _relay  # noqa: N815 - the names that the base class calls

    def _may_pass(self, host: str) -> bool:
        if self.proxy.password is not None and self.headers.get("proxy-authorization") != self._expected():
            self.proxy.refused += 1
            self._answer(407, {"Proxy-Authenticate": 'Basic realm="acme"'}, b"who are you?\n")
            return False
        if host not in self.ports:
            self._answer(502, {}, b"no such host\n")
            return False
        return True

    def _expected(self) -> str:
        return "Basic " + base64.b64encode(f"dana:{self.proxy.password}".encode()).decode()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Quiet: `Proxy` counts."""
