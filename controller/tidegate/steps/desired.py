"""What is desired, read from git at one commit: the workspace and every model, with the last valid text of broken
ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Pin
from tidegate.core.read import Schemas, read_model, read_pin, read_workspace
from tidegate.core.workspace import Workspace
from tidegate.errors import InvalidManifest, WrongUse
from tidegate.ports import Repository

WORKSPACE = "tidegate.yaml"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One model as main wants it. `invalid` holds the findings of main's text when an older one had to be used."""

    model: Model
    invalid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything that one commit wants. `unreadable` are manifests that never were valid, with their findings."""

    commit: str
    workspace: Workspace
    models: tuple[Wanted, ...]
    invalid: str | None = None
    unreadable: tuple[InvalidManifest, ...] = field(default=())

    def model(self, name: str) -> Wanted:
        """The model of this name. Raises WrongUse with the names there are."""
        for wanted in self.models:
            if wanted.model.name == name:
                return wanted
        for error in self.unreadable:
            raise error
        known = ", ".join(wanted.model.name for wanted in self.models) or "none"
        raise WrongUse(f"no model {name!r} in this workspace; there are: {known}")


class DesiredReader:
    """Reads desired states; a text that was read before is not parsed again."""

    def __init__(self, repository: Repository, schemas: Schemas) -> None:
        self._repository = repository
        self._schemas = schemas
        self._models: dict[tuple[str, str, str], Model] = {}
        self._pins: dict[tuple[str, str], Pin] = {}

    def read(self, commit: str) -> Desired:
        """Workspace and models as of a commit. Raises WrongUse without a workspace, InvalidManifest without a
        valid one."""
        text = self._repository.read(commit, WORKSPACE)
        if text is None:
            raise WrongUse(f"no {WORKSPACE} on main: `tidegate init` writes one")
        workspace, invalid = self._last_valid(commit, WORKSPACE, text, self._workspace)
        source = text if invalid is None else ""
        models: list[Wanted] = []
        unreadable: list[InvalidManifest] = []
        for path, manifest in self._manifests(commit, workspace):
            try:
                model, broken = self._last_valid(
                    commit, path, manifest, lambda t, p: self._model(t, p, workspace, source)
                )
                models.append(Wanted(model=model, invalid=broken or invalid))
            except InvalidManifest as error:
                unreadable.append(error)
        return Desired(
            commit=commit,
            workspace=workspace,
            models=tuple(models),
            invalid=invalid,
            unreadable=tuple(unreadable),
        )

    def policy_commit(self, main: str, model: Model, environment: Environment) -> str:
        """The oldest commit since which main wants the same of this environment: other edits do not move it (I2)."""
        paths = (model.manifest_path, WORKSPACE)
        found = commit = self._repository.last_change(main, paths) or main
        while self.environment(commit, model, environment.name) == environment:
            found = commit
            parents = self._repository.commit_info(commit).parents
            before = self._repository.last_change(parents[0], paths) if parents else None
            if before is None:
                break
            commit = before
        return found

    def environment(self, commit: str, model: Model, name: str) -> Environment | None:
        """The environment as a frozen policy commit has it; None when that commit cannot be read that far."""
        there = self.model_at(commit, model)
        return next((e for e in there.environments if e.name == name), None) if there else None

    def model_at(self, commit: str, model: Model) -> Model | None:
        """The model as another commit wants it, None where that commit has no valid one."""
        found = self.both_at(commit, model)
        return found[1] if found else None

    def both_at(self, commit: str, model: Model) -> tuple[Workspace, Model] | None:
        """The workspace and the model as another commit wants them, None where that commit has no valid ones."""
        try:
            workspace = self._repository.read(commit, WORKSPACE)
            manifest = self._repository.read(commit, model.manifest_path)
            if workspace is None or manifest is None:
                return None
            parsed = self._workspace(workspace, WORKSPACE)
            return parsed, self._model(manifest, model.manifest_path, parsed, workspace)
        except (InvalidManifest, WrongUse):  # no valid one, or the commit is gone from a rewritten history
            return None

    def pin(self, text: str, path: str) -> Pin:
        """A pin file. Raises InvalidManifest."""
        if (path, text) not in self._pins:
            self._pins[path, text] = read_pin(text, path, self._schemas)
        return self._pins[path, text]

    def _manifests(self, commit: str, workspace: Workspace) -> Iterator[tuple[str, str]]:
        paths = self._repository.paths(commit, workspace.models)
        manifests = [path for path in paths if path.endswith("/model.yaml")]
        texts = self._repository.read_many(commit, manifests)
        yield from ((path, texts[path]) for path in manifests)

    def _workspace(self, text: str, path: str) -> Workspace:
        return read_workspace(text, path, self._schemas)

    def _model(self, text: str, path: str, workspace: Workspace, source: str) -> Model:
        """`source` is the workspace's text: it stands for its meaning in the memory of what was read."""
        if (path, text, source) not in self._models or not source:
            self._models[path, text, source] = read_model(text, path, self._schemas, workspace)
        return self._models[path, text, source]

    def _last_valid(self, commit: str, path: str, text: str, parse: Callable[[str, str], T]) -> tuple[T, str | None]:
        """Main's text, or the newest valid one before it with main's findings. Raises InvalidManifest when there
        is none."""
        try:
            return parse(text, path), None
        except InvalidManifest as error:
            for version in reversed(self._repository.history(commit, path)):
                try:
                    if version.text is not None:
                        return parse(version.text, path), str(error)
                except InvalidManifest:
                    continue
            raise
