"""Controllers that are processes of their own, on the folder of a `World`: real git and the local forge, and a tape.

The tape is a JSON file with what the clock, Prometheus and the registry say; the test writes it, the controllers read
it anew for every pass. They make one pass after the other, as fast as they can: `python -m support.tapes FOLDER`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import monotonic

from support.rollouts import STEP, Play, one_pass
from support.worlds import Clock, Service, Shelf, Tape, World
from tidegate.core.observed import ModelVersion
from tidegate.errors import TidegateError

PATIENCE_SECONDS = 30.0


class ShelfOnDisk(Shelf):
    """The registry's aliases as files, so that several processes see them; its versions come from the tape."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def aliases(self, name: str) -> Mapping[str, int]:
        texts = {file.name: file.read_text(encoding="utf-8") for file in self._folder.iterdir()}
        return {alias: int(text) for alias, text in texts.items() if text}

    def set_alias(self, name: str, alias: str, number: int) -> None:
        (self._folder / alias).write_text(str(number), encoding="utf-8")

    def delete_alias(self, name: str, alias: str) -> None:
        (self._folder / alias).write_text("", encoding="utf-8")


class Taped(World):
    """A world that writes its tape after each step."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.registry = ShelfOnDisk(folder / "aliases")
        self.ports = self.connect()
        self.step = 0

    def next_step(self, play: Play) -> int:
        """People do what they do, time goes by, and the controllers may see it. Returns the step's number."""
        play.people(self)
        self.wait(STEP)
        self.step += 1
        tape = {
            "step": self.step,
            "now": self.clock.at.isoformat(),
            "samples": [[*series, found] for series, found in self.service.samples.items()],
            "versions": [asdict(version) for version in self.registry.found.values()],
        }
        new = self.folder / "tape.new"
        new.write_text(json.dumps(tape, default=datetime.isoformat), encoding="utf-8")
        new.replace(self.folder / "tape.json")
        return self.step


class Played(World):
    """A world as a tape tells it: what a controller's process has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare = folder / "models.git"
        self.clock = Clock()
        self.service = Service()
        self.metrics = Tape(self.service, self.clock)
        self.registry = ShelfOnDisk(folder / "aliases")
        self.ports = self.connect()

    def read_tape(self) -> int:
        tape = json.loads((self.folder / "tape.json").read_text(encoding="utf-8"))
        self.clock.at = datetime.fromisoformat(tape["now"])
        self.service.samples = {
            (name, place, version): [(at, value) for at, value in found]
            for name, place, version, found in tape["samples"]
        }
        dated = [{**one, "created_at": datetime.fromisoformat(one["created_at"])} for one in tape["versions"]]
        self.registry.found = {one["number"]: ModelVersion(**one) for one in dated}
        return int(tape["step"])


class Controller:
    """A controller's process, as its test sees it. It says when it begins a pass on a step, and when it is done."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", "support.tapes", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        self._said = b""

    def wait_for(self, word: str, step: int) -> None:
        """Wait until it said `begins` or `done` of this step."""
        wanted = f"{word} {step}\n".encode()
        assert self._process.stdout is not None
        until = monotonic() + PATIENCE_SECONDS
        with DefaultSelector() as selector:
            selector.register(self._process.stdout, EVENT_READ)
            while wanted not in self._said:
                assert selector.select(until - monotonic()), f"never {word} {step}"
                new = os.read(self._process.stdout.fileno(), 65536)
                assert new, f"the controller ended with {self._process.wait()}"
                self._said = self._said[-100:] + new

    def kill_in(self, seconds: float) -> None:
        """kill -9, so long from now."""
        try:
            ended = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            raise AssertionError(f"the controller ended by itself with {ended}")

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def controllers(folder: Path, number: int) -> Iterator[list[Controller]]:
    """So many controllers at once, gone at the end. Whoever kills one puts another in its place."""
    running = [Controller(folder) for _ in range(number)]
    try:
        yield running
    finally:
        for controller in running:
            controller.kill()


def main(folder: Path) -> None:
    """Pass after pass, until nobody listens."""
    world = Played(folder)
    while True:
        step = world.read_tape()
        print("begins", step, flush=True)
        try:
            one_pass(world.ports)
        except TidegateError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        print("done", step, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
