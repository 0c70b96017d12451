"""What serving programs expose, scraped by a real Prometheus: `sources/*.prom`, one file a source.

A file holds one or more targets, each behind a line `# target {…}` with the labels that service discovery gives it. Its
figures are what one scrape adds: the page that is served has as many samples of each series as were scraped, with their
own time stamps, so that one real scrape brings a whole history.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SOURCES = Path(__file__).parent / "sources"
SCRAPE = timedelta(seconds=15)
_TARGET = "# target "


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One target of a source: the labels that discovery knows, and the lines of its page."""

    source: str
    labels: Mapping[str, str]
    lines: Sequence[str]

    def page(self, start: datetime, scrapes: int) -> str:
        """Everything that so many scrapes since `start` would have seen."""
        times = [int((start + SCRAPE * number).timestamp() * 1000) for number in range(scrapes)]
        return "".join(
            line + "\n" if line.startswith("#") else _grown(line, times) for line in self.lines if line.strip()
        )


def exposed() -> list[Exposed]:
    """All targets of all sources."""
    return [target for path in sorted(SOURCES.glob("*.prom")) for target in _targets(path)]


@contextmanager
def serving(targets: Sequence[Exposed], start: datetime, scrapes: int) -> Iterator[str]:
    """The targets behind one loopback address, each at `/<its number>`."""
    pages = {f"/{number}": target.page(start, scrapes).encode() for number, target in enumerate(targets)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Page, pages))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(targets: Sequence[Exposed], address: str, relabelling: Mapping[str, Sequence[str]]) -> str:
    """Prometheus' scrape configuration: a job for each source, with the `relabel_configs` that are given for it."""
    jobs = "".join(
        _job(source, targets, address, relabelling) for source in {target.source: None for target in targets}
    )
    return f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}"


def _job(source: str, targets: Sequence[Exposed], address: str, relabelling: Mapping[str, Sequence[str]]) -> str:
    static = [
        {"targets": [address], "labels": {**target.labels, "__metrics_path__": f"/{number}"}}
        for number, target in enumerate(targets)
        if target.source == source
    ]
    rules = ", ".join(relabelling.get(source, ()))
    return f"  - job_name: {source}\n    static_configs: {json.dumps(static)}\n    relabel_configs: [{rules}]\n"


def _targets(path: Path) -> Iterator[Exposed]:
    _, *parts = path.read_text(encoding="utf-8").split(_TARGET)
    for part in parts:
        labels, *lines = part.splitlines()
        yield Exposed(source=path.stem, labels=json.loads(labels), lines=lines)


def _grown(line: str, times: Sequence[int]) -> str:
    """The line once for each scrape, its figure growing."""
    series, _, figure = line.rpartition(" ")
    return "".join(f"{series} {float(figure) * number} {at}\n" for number, at in enumerate(times, start=1))


class _Page(BaseHTTPRequestHandler):
    def __init__(self, pages: Mapping[str, bytes], *arguments: object) -> None:
        self._pages = pages
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = self._pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Tests say nothing on stderr."""
