"""The routes that main wants: which versions serve each model in each environment, with which weight.

Reads the rendered route files of a branch straight from the bare repository. Loads and serves nothing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One version's part in serving; only the ratio of weights counts."""

    version: int
    source: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a model is served."""

    environment: str
    model: str


Routes = Mapping[Place, tuple[Route, ...]]


class RouteFiles:
    """`rendered/<environment>/<model>.yaml` on one branch of a bare repository."""

    def __init__(self, repository: Path, branch: str) -> None:
        self._repository = repository
        self._branch = branch
        self._commit = ""

    def changes(self) -> Routes | None:
        """The routes, if the branch has moved since the last call that returned them; else None.

        Raises CalledProcessError while the branch cannot be read, ValueError when a file is no route file.
        """
        commit = self._git("rev-parse", "--verify", f"refs/heads/{self._branch}").strip()
        if commit == self._commit:
            return None
        routes = dict(self._read(commit))
        self._commit = commit
        return routes

    def _read(self, commit: str) -> Iterator[tuple[Place, tuple[Route, ...]]]:
        for path in self._git("ls-tree", "-r", "-z", "--name-only", commit, "rendered/").split("\0"):
            if path.endswith(".yaml"):
                yield _parse(path, self._git("show", f"{commit}:{path}"))

    def _git(self, *arguments: str) -> str:
        command = ["git", "--git-dir", str(self._repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _parse(path: str, text: str) -> tuple[Place, tuple[Route, ...]]:
    try:
        data = YAML(typ="safe").load(text)
        place = Place(environment=str(data["environment"]), model=str(data["model"]))
        routes = tuple(
            Route(version=int(entry["version"]), source=str(entry["source"]), weight=float(entry["weight"]))
            for entry in data["routes"]
        )
    except Exception as error:  # whatever is wrong with the file, the last good routes go on serving
        raise ValueError(f"{path} is not a route file: {error}") from error
    return place, routes
