"""A repository of models as it lies on a person's disk, and `validate` run on it within this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.repositories import Clone, Files, git
from tidegate import bundled
from tidegate.adapters.memory import FolderMemory
from tidegate.adapters.worktree import WorkTree
from tidegate.core.pin import NOTHING_BEFORE, Pin, Stamp, content, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.remembered import Seen
from tidegate.core.yaml.splice import dump
from tidegate.validate import Ports, Report, Scope, validate

SETTINGS = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
registry: {uri: "http://127.0.0.1:5000"}
prometheus: {url: "http://127.0.0.1:9090"}
approvals:
  production: {from: ["@dana"]}
"""
MANIFEST = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: NAME, owners: ["@dana"]}
spec:
  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 5m}
  objectives:
    availability: {preset: http-availability, target: 99.5%}
  serving: {target: {kind: file, ready: model_ready}}
  environments:
    staging: {}
    production: {approval: required}
"""


def model(name: str, folder: str = "models") -> dict[str, str]:
    """The files of one model about which there is nothing to say."""
    place = f"{folder}/{name}"
    return {
        f"{place}/model.yaml": MANIFEST.replace("NAME", name),
        f"{place}/requirements.lock": "numpy==2.1.0\n",
        f"{place}/training/train.py": "print(1)\n",
    }


def pin_file(name: str, environment: str = "staging", version: int = 12) -> str:
    """As a finished rollout leaves it."""
    pin = Pin(stable=VersionPin(version=version, digest="sha256:" + "12" * 32))
    stamp = Stamp(kind="finish", before=NOTHING_BEFORE, attempt=1, key="")
    return dump(content(stamped(name, environment, pin, stamp)))


def workspace(*names: str) -> dict[str, str]:
    """The files of a workspace with these models."""
    return {"tidegate.yaml": SETTINGS} | {path: text for name in names for path, text in model(name).items()}


@dataclass
class Checkout:
    """A work tree with real git behind it, and the folder of what `validate` remembers."""

    folder: Path
    memory: Path

    @classmethod
    def at(cls, place: Path, files: Files) -> Checkout:
        """Below `place`; the files are its first commit."""
        folder = place / "checkout"
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        checkout = cls(folder.resolve(), place / "memory")
        checkout.clone.commit(files)
        return checkout

    @property
    def clone(self) -> Clone:
        return Clone(self.folder)

    def write(self, files: Files) -> None:
        for path, text in files.items():
            self.clone.write(path, text)

    def remove(self, path: str) -> None:
        """Whatever it is: a file, a link or a folder with all that it holds."""
        place = self.folder / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()

    def ports(self, version: str = "1", *, remember: bool = True) -> Ports:
        return Ports(
            tree=WorkTree(self.folder),
            schemas=bundled.schemas,
            spread=in_this_process,
            version=version,
            name="checkout",
            memory=FolderMemory(self.memory) if remember else None,
        )

    def cached(self, scope: Scope | None = None) -> Report:
        """A run that remembers, and uses what was remembered."""
        return validate(self.ports(), scope or Scope())

    def fresh(self, scope: Scope | None = None) -> Report:
        """A run that remembers nothing."""
        return validate(self.ports(remember=False), scope or Scope())

    def named(self, *paths: str) -> Report:
        return self.cached(Scope(paths=paths))


Edit = Callable[[Checkout], None]


def in_this_process(work: object, items: Sequence[str], least: int) -> list[Seen]:
    assert callable(work)
    seen: list[Seen] = work(items)
    return seen


def told(report: Report) -> set[tuple[str, str]]:
    """Where which rule is broken."""
    return {(finding.path, finding.rule) for finding in report.findings}
