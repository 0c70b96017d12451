"""Several models that are about to enter an environment in one pass: error budgets are asked for once for all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from support.worlds import MANIFEST, Behaviour, Shelf, Tape, World
from tidegate.core.judging.reading import Sampled, Unread
from tidegate.core.launch_record import LaunchRecord, LaunchState, encode
from tidegate.core.observed import ModelVersion
from tidegate.steps.trainings import key_at

DAY = re.sub(r"(target: \d+%)}", r"\1, window: 1d}", MANIFEST)


@dataclass
class Alike(Tape):
    """All models have the same series, under their own names. It keeps what it is asked at fixed instants."""

    asked: list[str] = field(default_factory=list)

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        read = super().samples(selector, start, end)
        labels = dict(re.findall(r'(model|environment)=~?"([^"]*)"', selector))
        if isinstance(read, Unread):
            return read
        named = [{**labels, "model": model} for model in labels.get("model", "").split("|")]
        series = (replace(each, labels={**each.labels, **own}) for own in named for each in read.series)
        return replace(read, series=tuple(series))

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        self.asked.append(expression)
        return super().answers(expression, start, end, step)


@dataclass
class Shelves(Shelf):
    """A shelf for each model: their versions differ in their training keys."""

    keys: dict[tuple[str, int], str] = field(default_factory=dict)

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        numbers = (number for model, number in self.keys if model == name)
        return tuple(replace(self.found[number], training_key=self.keys[name, number]) for number in numbers)


class Fleet(World):
    """Models that are all like `digits` and served like it."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__(folder, DAY)
        self.names = names
        self.tape = self.metrics = Alike(self.service, self.clock)
        self.shelves = self.registry = Shelves()
        self.ports = self.connect()

    def train_all(self, number: int) -> None:
        """The same parameter of each is changed in one commit, and their versions are registered."""
        clone = self.clone()
        files: dict[str, str] = {}
        for name in self.names:
            manifest = DAY.replace("name: digits", f"name: {name}").replace("depth: 1}", f"depth: {number}}}")
            files |= {f"models/{name}/model.yaml": manifest, f"models/{name}/training/train.py": "print('trained')\n"}
        clone.commit(files, f"train {number}", at=self.clock.at)
        clone.push("HEAD:main")
        self.service.behaviours[number] = Behaviour()
        for name in self.names:
            self._register(name, number)

    def _register(self, name: str, number: int) -> None:
        main = self.ports.repository.head() or ""
        key = key_at(self.ports.repository, main, self.ports.reader.read(main).model(name).model)
        self.shelves.keys[name, number] = key
        version = ModelVersion(
            number=number,
            digest=f"sha256:{number:064x}",
            training_key=key,
            run_id=f"run{number}",
            created_at=self.clock.at,
        )
        self.shelves.found[number] = version
        record = LaunchRecord(
            model=name,
            key=key,
            attempt=1,
            commit=main,
            run_id=version.run_id,
            deadline=self.clock.at,
            state=LaunchState.REGISTERED,
            artifact_digest=version.digest,
            version=number,
        )
        self.ports.repository.write_record(record.ref, encode(record), None)

    def all_run(self, number: int) -> bool:
        paths = [f"models/{name}/production.yaml" for name in self.names]
        pins = (self.ports.reader.pin(text, path) for path in paths if (text := self.show(path)) is not None)
        serving = [pin.serves() for pin in pins]
        return len(serving) == len(self.names) and all(number in {each.version for each in pin} for pin in serving)


def asked_at_once(folder: Path, names: Sequence[str]) -> list[str]:
    """What is asked when most is, until version 2 of all models is in production."""
    fleet = Fleet(folder, names)
    fleet.train_all(1)
    fleet.until(lambda: fleet.all_run(1))
    fleet.wait(timedelta(hours=3))
    fleet.train_all(2)
    passes: list[list[str]] = []

    def entered() -> bool:
        passes.append(list(fleet.tape.asked))
        fleet.tape.asked.clear()
        return fleet.all_run(2)

    fleet.until(entered)
    return max(passes, key=len)


def test_the_error_budgets_of_five_entries_take_as_many_queries_as_those_of_two(tmp_path: Path) -> None:
    two = asked_at_once(tmp_path / "two", ["digits", "letters"])
    five = asked_at_once(tmp_path / "five", ["digits", "letters", "words", "signs", "marks"])
    assert len(two) == len(five) > 0
