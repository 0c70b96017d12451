"""Rendered files as main's pin files want them, and how the ones on main differ: drift and orphans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Model
from tidegate.errors import InvalidManifest
from tidegate.ports import Repository, Target
from tidegate.steps.desired import Desired, DesiredReader

ROOT = "rendered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Main:
    """What main says, and where it is read."""

    desired: Desired
    repository: Repository
    reader: DesiredReader
    targets: Mapping[str, Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One rendered file: as it should be, and as main has it (None: not there)."""

    path: str
    wanted: str
    found: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Every rendered file, with the findings of a check: drift, orphans, and pin files that cannot be read."""

    files: tuple[Rendered, ...]
    findings: tuple[Finding, ...]


def render(main: Main, models: Sequence[Model]) -> Rendering:
    """Render these models from main's pin files alone; environments without one have no file."""
    files: list[Rendered] = []
    findings: list[Finding] = [finding for error in main.desired.unreadable for finding in error.findings]
    for model in models:
        for environment in model.environments:
            try:
                files += _file(model, environment.name, main)
            except InvalidManifest as error:
                findings += error.findings
    unclear = bool(findings)
    findings += (_drift(file) for file in files if file.found != file.wanted)
    # What cannot be read may be what a file was rendered from: then nothing is called an orphan.
    if not unclear and len(models) == len(main.desired.models):
        findings += _orphans(files, main)
    return Rendering(files=tuple(files), findings=tuple(findings))


def _file(model: Model, environment: str, main: Main) -> Iterator[Rendered]:
    pin_path, commit = model.pin_path(environment), main.desired.commit
    text = main.repository.read(commit, pin_path)
    if text is None:
        return
    pin = main.reader.pin(text, pin_path)
    target = main.targets[model.environment(environment).target.kind]
    path = target.path(model, environment)
    found = main.repository.read(commit, path)
    yield Rendered(path=path, wanted=target.render(model, environment, pin), found=found)


def _drift(file: Rendered) -> Finding:
    what = "is not on main" if file.found is None else "is not what the pin file says"
    return _finding("drift", file.path, what, "take the text that `tidegate render` prints")


def _orphans(files: Sequence[Rendered], main: Main) -> Iterator[Finding]:
    wanted = {file.path for file in files}
    for path in main.repository.paths(main.desired.commit, (ROOT,)):
        if path not in wanted:
            yield _finding("orphan", path, "belongs to no pin file on main", "delete it")


def _finding(rule: str, path: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, path=path, line=1, column=1, message=message, hint=hint)
