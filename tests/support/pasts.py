"""main's history made by hand: what people committed and which transitions were merged, each at its instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from support.repositories import OURS, new_bare
from tidegate import bundled
from tidegate.adapters.git import GitRepository
from tidegate.core.pin import Pin, content, stamped
from tidegate.core.transition import Kind, mark
from tidegate.reporters import json
from tidegate.steps.desired import DesiredReader
from tidegate.steps.past import Archive


class Main:
    """One model's main as it grows."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.repository = GitRepository(new_bare(folder, files), identity=OURS)
        self.reader = DesiredReader(self.repository, bundled.schemas())
        self._pins: dict[str, Pin] = {}

    def commit(self, files: Mapping[str, str | None], at: datetime) -> str:
        head = self.repository.head() or ""
        commit = self.repository.write_commit(head, files, "a change", at)
        self.repository.move_branch("main", commit, head)
        return commit

    def transition(self, path: str, kind: Kind, after: Pin, at: datetime) -> None:
        """`path` is the pin file's, without its ending."""
        before = self._pins.get(path)
        pin = stamped("digits", path.rpartition("/")[2], after, mark(kind, before))
        self._pins[path] = pin
        self.commit({f"{path}.yaml": text_of(pin)}, at)

    def pin(self, path: str) -> Pin:
        return self._pins[path]

    def moved(self, path: str, other: str) -> None:
        """A pin file lies elsewhere now: what is merged next goes on there."""
        self._pins[other] = self._pins[path]

    def archive(self, name: str = "digits") -> Archive:
        main = self.repository.head() or ""
        desired = self.reader.read(main)
        others = [each.model for each in desired.models if each.model.name != name]
        return Archive(
            repository=self.repository,
            reader=self.reader,
            main=main,
            model=desired.model(name).model,
            workspace=desired.workspace,
            others=lambda: others,
        )


def text_of(pin: Pin) -> str:
    return json.text(content(pin))
