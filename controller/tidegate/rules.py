"""Prometheus rules for the objectives that main wants, as groups and as files in a folder.

What the rules are is decided in `core.alerting.alerts`. Loading them into Prometheus is up to whoever runs it.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.core import promql
from tidegate.core.alerting import rule_file
from tidegate.core.alerting.alerts import Group, group
from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Environment, Model, Objective
from tidegate.core.workspace import MetricLabels
from tidegate.errors import Refused, WrongUse

SUFFIX = ".rules.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """One model's groups, or the findings for want of which it has none."""

    model: str
    groups: tuple[Group, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that is not as it should be; `text` is None for one that should not be there."""

    path: Path
    text: str | None
    there: bool

    def __str__(self) -> str:
        return f"remove {self.path}" if self.text is None else f"write {self.path}"

    def finding(self) -> Finding:
        """The same as a finding of a check."""
        what = "is not there" if not self.there else "is not what main's objectives ask for"
        message = what if self.text is not None else "belongs to no objective on main"
        return _finding(str(self.path), "drift", message, "`tidegate rules -o` writes and removes these files")


def rules(names: MetricLabels, models: Sequence[Model]) -> tuple[Ruled, ...]:
    """The rules of these models in every environment. A model with a finding has none: half would look whole."""
    seen = Counter(model.name for model in models)
    return tuple(_ruled(names, model) if seen[model.name] == 1 else _clashing(model) for model in models)


def _clashing(model: Model) -> Ruled:
    """Prometheus refuses a whole file for a group that is there twice."""
    message = f"the name {model.name!r} is another model's, too"
    hint = "give each model a name of its own"
    return Ruled(model=model.name, findings=(_finding(model.manifest_path, "model-name-twice", message, hint),))


def _ruled(names: MetricLabels, model: Model) -> Ruled:
    groups: list[Group] = []
    findings: list[Finding] = []
    for environment in model.environments:
        for objective in (each for each in environment.objectives if each.mean is None):
            try:
                groups.append(_sound(group(model, environment, objective, names)))
            except ValueError as error:
                findings.append(_unfit(model, environment, objective, error))
    return Ruled(model=model.name, groups=() if findings else tuple(groups), findings=tuple(findings))


def _sound(made: Group) -> Group:
    """Prometheus refuses a whole file for one expression. Raises ValueError where it surely would."""
    for rule in made.rules:
        found = promql.read(rule.expression)
        if isinstance(found, promql.Unread) and found.sure:
            raise ValueError(found.why)
    return made


def _unfit(model: Model, environment: Environment, objective: Objective, error: ValueError) -> Finding:
    message = f"objective {objective.name!r} in {environment.name} has no rules: {error}"
    return _finding(model.manifest_path, "selector", message, "correct its selectors, or `metrics.labels`")


def _finding(path: str, rule: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, path=path, line=1, column=1, message=message, hint=hint)


def changes(ruled: Sequence[Ruled], folder: Path, *, whole: bool) -> tuple[Change, ...]:
    """What to write into the folder, and remove from it. `whole`: these are all models there are.

    Raises Refused where a file of that name is not ours, WrongUse for what is no folder or cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise WrongUse(f"{folder} is no folder")
    sound = [one for one in ruled if not one.findings]
    wanted = {folder / f"{one.model}{SUFFIX}": rule_file.text(one.groups) if one.groups else None for one in sound}
    spoken_for = {folder / f"{one.model}{SUFFIX}" for one in ruled}
    try:
        changed = [change for path, text in wanted.items() for change in _changed(path, text)]
        orphans = [path for path in _ours(folder) if path not in spoken_for] if whole else []
    except OSError as error:
        raise WrongUse(f"{error.filename or folder} cannot be read: {error.strerror}") from None
    return (*changed, *(Change(path=path, text=None, there=True) for path in orphans))


def _changed(path: Path, text: str | None) -> Iterator[Change]:
    there = path.is_symlink() or path.exists()
    ours = there and _is_ours(path)
    if there and not ours and text is not None:
        raise Refused(
            f"{path} was not written by `tidegate rules`, and is left alone; move it away, or name another folder"
        )
    if ours and text is None:
        yield Change(path=path, text=None, there=True)
    if text is not None and not (ours and path.read_bytes() == text.encode()):
        yield Change(path=path, text=text, there=there)


def _ours(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob(f"*{SUFFIX}")) if _is_ours(path))


def _is_ours(path: Path) -> bool:
    """Whether its first line says so."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.readline().rstrip(b"\r\n") == rule_file.HEADER.encode()


def carry_out(change: Change) -> None:
    """Write the file in one go (Prometheus may read it at any moment), or remove it. Raises WrongUse when it cannot."""
    try:
        if change.text is None:
            change.path.unlink(missing_ok=True)
        else:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(change.path, change.text)
    except OSError as error:
        raise WrongUse(f"{change.path} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    # Named so that neither a glob for rule files nor a later run takes it for one.
    handle, unfinished = tempfile.mkstemp(prefix=".tidegate-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(unfinished).chmod(0o644)  # Prometheus runs as somebody else
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
