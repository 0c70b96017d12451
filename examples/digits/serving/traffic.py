"""Replays rows that no model has seen, at a steady pace, the way users would send them.

Ends on SIGTERM or Ctrl-C, and prints one line of JSON: what was sent and who answered. A server that fails or
is not there yet is counted, not a reason to stop.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

from sklearn.datasets import load_digits

UNSEEN = slice(4, None, 5)  # train.py uses the other four of every five rows
THREADS = 32  # as many requests may be waiting for an answer
PATIENCE = 10.0  # seconds for one answer


class Pace:
    """Hands out one moment after the other; after a stall it goes on from now instead of catching up."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = time.monotonic()
        self._count = 0
        self._lock = threading.Lock()

    def take(self) -> tuple[int, float]:
        """The next request's number, and the seconds to wait before it is sent."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next + self._interval, now - 1)
            self._count += 1
            return self._count - 1, self._next - now


class Traffic:
    """Sends rows from several threads and counts the answers."""

    def __init__(self, url: str, rate: float) -> None:
        rows, digits = load_digits(return_X_y=True)
        bodies = (json.dumps({"rows": [row]}).encode() for row in rows[UNSEEN].tolist())
        self._requests = list(zip(bodies, digits[UNSEEN].tolist(), strict=True))
        self._url = urlsplit(url)
        self._pace = Pace(rate)
        self._lock = threading.Lock()
        self._codes: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()

    def send(self, stop: threading.Event) -> None:
        """One thread's work: send when it is time, over one connection, until told to stop."""
        connection = http.client.HTTPConnection(self._url.netloc, timeout=PATIENCE)
        while True:
            number, wait = self._pace.take()
            if stop.wait(max(wait, 0)):
                connection.close()
                return
            body, digit = self._requests[number % len(self._requests)]
            self._count(_ask(connection, self._url.path, body), digit)

    def summary(self) -> dict[str, object]:
        with self._lock:
            return {
                "sent": self._codes.total(),
                "codes": dict(self._codes),
                "versions": dict(self._versions),
                "wrong": dict(self._wrong),
            }

    def _count(self, answer: tuple[str, dict[str, object]], digit: int) -> None:
        code, said = answer
        with self._lock:
            self._codes[code] += 1
            if code == "200":
                version = str(said["version"])
                self._versions[version] += 1
                self._wrong[version] += said["predictions"] != [digit]


def _ask(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[str, dict[str, object]]:
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return str(response.status), json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        connection.close()  # the next request opens it anew
        return "none", {}


def main() -> None:
    parser = argparse.ArgumentParser(description="Send unseen rows to a model server at a steady pace.")
    parser.add_argument("--url", required=True, help="http://HOST:PORT/ENVIRONMENT/MODEL/predict")
    parser.add_argument("--rate", type=float, default=60.0, help="requests per second")
    arguments = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    traffic = Traffic(arguments.url, arguments.rate)
    threads = [threading.Thread(target=traffic.send, args=(stop,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(traffic.summary()), flush=True)


if __name__ == "__main__":
    main()
