"""The repository's workflow files, as far as they bear on proposals: what starts them, which jobs they have, and which
of the repository's settings they read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.core.yaml.document import read
from tidegate.errors import InvalidManifest

FOLDER = ".github/workflows"

_OF_A_CHANGE = {"pull_request", "pull_request_review", "pull_request_review_comment"}
"""Events whose runs are on a pull request's own merge commit, not on main."""
_VARIABLE = re.compile(r"\bvars\.(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """`triggers` are event names; `filtered` those of them that only some paths start; `jobs` names as checks show
    them. `environments` are those of jobs that run us, `variables` the names that expressions read."""

    path: str
    triggers: frozenset[str]
    filtered: frozenset[str]
    jobs: frozenset[str]
    runs_tidegate: bool
    environments: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()

    @property
    def is_of_pulls(self) -> bool:
        """Whether pull requests start it on what they hold."""
        return bool(self.triggers & _OF_A_CHANGE)


def parse(path: str, text: str) -> Workflow | None:
    """None for a file that is no workflow: GitHub itself says so to whoever pushed it."""
    try:
        data = read(text, path).data
    except InvalidManifest:
        return None
    if not isinstance(data, dict):
        return None
    # Other readers of YAML take the key `on` for a truth value, and so do files that they wrote.
    events = _events(data.get("on", data.get(True)))
    return Workflow(
        path=path,
        triggers=frozenset(events),
        filtered=frozenset(name for name, settings in events.items() if _is_filtered(settings)),
        jobs=frozenset(_jobs(data.get("jobs"))),
        runs_tidegate="tidegate" in text.lower(),
        environments=frozenset(_environments(data.get("jobs"))),
        variables=frozenset(_VARIABLE.findall(text)),
    )


def of_check(name: str, workflows: Iterable[Workflow]) -> Workflow | None:
    """The workflow whose job reports a check of this name."""
    return next((workflow for workflow in workflows if name in workflow.jobs), None)


def _events(written: object) -> Mapping[str, Any]:
    match written:
        case str():
            return {written: None}
        case list():
            return {str(name): None for name in written}
        case dict():
            return {str(name): settings for name, settings in written.items()}
        case _:
            return {}


def _is_filtered(settings: object) -> bool:
    return isinstance(settings, dict) and bool({"paths", "paths-ignore"} & settings.keys())


def _jobs(jobs: object) -> Iterable[str]:
    if not isinstance(jobs, dict):
        return
    for key, job in jobs.items():
        name = job.get("name") if isinstance(job, dict) else None
        yield str(name or key)


def _environments(jobs: object) -> Iterable[str]:
    """Of jobs that run us. Names that stand in the file: what an expression yields is not known."""
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if isinstance(job, dict) and _runs_us(job.get("steps")):
            written = job.get("environment")
            name = written.get("name") if isinstance(written, dict) else written
            if isinstance(name, str) and "${{" not in name:
                yield name


def _runs_us(steps: object) -> bool:
    found = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return any("tidegate" in f"{step.get('uses')} {step.get('run')}".lower() for step in found)
