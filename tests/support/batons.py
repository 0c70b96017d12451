"""Several controllers in threads of which one runs at a time. A baton passes at every port call, to whom a seed says.

Same seed, same order of calls: a race that a test finds is there again the next time.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any


class Baton:
    """Who may run now."""

    def __init__(self, seed: int, runners: int) -> None:
        self._random = random.Random(seed)
        self._running = list(range(runners))
        self._changed = threading.Condition()
        self._holder = self._random.choice(self._running)
        self._local = threading.local()

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Every port call waits for its turn first."""
        self._pass_on()
        return call()

    def run(self, works: Sequence[Callable[[], None]]) -> list[BaseException]:
        """Run all of them, and answer what escaped from them."""
        escaped: list[BaseException] = []
        threads = [
            threading.Thread(target=self._one, args=(runner, work, escaped), daemon=True)
            for runner, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a controller hangs"
        return escaped

    def _one(self, runner: int, work: Callable[[], None], escaped: list[BaseException]) -> None:
        self._local.runner = runner
        self._wait_for_turn()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test judges what it is
            escaped.append(error)
        finally:
            with self._changed:
                self._running.remove(runner)
                if self._running:
                    self._give_away()

    def _pass_on(self) -> None:
        with self._changed:
            self._give_away()
        self._wait_for_turn()

    def _give_away(self) -> None:
        self._holder = self._random.choice(self._running)
        self._changed.notify_all()

    def _wait_for_turn(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._holder == self._local.runner, timeout=30), "nobody passes on"
