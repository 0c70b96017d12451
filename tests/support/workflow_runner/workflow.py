"""Runs a whole workflow as GitHub does: jobs in the order of their needs, conditions, matrices, outputs, permissions
and environments. Grammar and expressions are GitHub's own (`engine`), composite actions run for real (`composite`).

Not here: which event starts a workflow, triggers and concurrency; what stands in for the actions of others is given.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.workflow_runner.composite import Job, Machine, read_outputs

_PINNED = re.compile(r"(?P<name>[^@]+)@[0-9a-f]{40}")
_SUCCESS = {"expression": "success()"}
_SHELLS = {"bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"), None: ("bash", "-e")}
Contexts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Here:
    """Where a step of an action of others stands: the job's workspace, and the `github` context."""

    workspace: Path
    github: Mapping[str, Any]


Stand = Callable[[Here, Mapping[str, str]], dict[str, str]]
"""What stands in for an action of others: its inputs to its outputs."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an owner sets: variables, secrets by environment, the branch to which an environment is limited, and how a
    job's token with these permissions is made."""

    variables: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]]
    limited: Mapping[str, str]
    token: Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, kw_only=True)
class Site:
    """The machine that runs jobs: where our own actions lie, and the folder below which jobs get theirs."""

    machine: Machine
    actions: Path
    owner: str
    stands: Mapping[str, Stand]
    variables: Mapping[str, str]
    folder: Path


@dataclass
class Ended:
    """How one job ended, of a matrix each one. `result` is GitHub's word."""

    name: str
    result: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A workflow that ran: its name, its title, and every job by its key."""

    name: str
    title: str
    jobs: Mapping[str, list[Ended]]

    def result(self, job: str) -> str:
        return result_of(self.jobs[job])

    @property
    def said(self) -> str:
        return "\n".join(f"== {each.name}: {each.result}\n{each.said}" for jobs in self.jobs.values() for each in jobs)


def result_of(jobs: list[Ended]) -> str:
    """Of a matrix the worst; `skipped` where nothing of it ran."""
    results = {ended.result for ended in jobs}
    return next((word for word in ("failure", "success") if word in results), "skipped")


def run(definition: Mapping[str, Any], github: Mapping[str, Any], settings: Settings, site: Site) -> Run:
    """Run every job that the event asks for; `github` is the context without a token."""
    contexts = {"github": dict(github), "vars": dict(settings.variables), "inputs": {}}
    done: dict[str, list[Ended]] = {}
    for key in _in_order(definition["jobs"]):
        job = definition["jobs"][key]
        done[key] = _JobRun(job, {**contexts, "needs": _needs(job, done)}, settings, site).all(key)
    title = site.machine.engine.text(definition.get("run-name", definition["name"]), contexts)
    return Run(name=definition["name"], title=title, jobs=done)


def _in_order(jobs: Mapping[str, Any]) -> Iterator[str]:
    """Each job behind those that it needs."""
    left = dict(jobs)
    while left:
        key = next(key for key, job in left.items() if not left.keys() & set(_listed(job.get("needs"))))
        del left[key]
        yield key


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _needs(job: Mapping[str, Any], done: Mapping[str, list[Ended]]) -> dict[str, Any]:
    return {
        key: {
            "result": result_of(done[key]),
            "outputs": {name: value for ended in done[key] for name, value in ended.outputs.items()},
        }
        for key in _listed(job.get("needs"))
    }


@dataclass
class _JobRun:
    """One job of a workflow, as many times as its matrix says."""

    definition: Mapping[str, Any]
    contexts: dict[str, Any]
    settings: Settings
    site: Site

    def all(self, key: str) -> list[Ended]:
        results = {need["result"] for need in self.contexts["needs"].values()}
        status = next((word for word in ("failure", "skipped") if word in results), "success")
        if not self._value(self.definition.get("if", _SUCCESS), self.contexts, status):
            return [Ended(name=key, result="skipped")]
        return [self._one(key, matrix) for matrix in self._matrix()]

    def _matrix(self) -> list[dict[str, Any]]:
        axes = (self.definition.get("strategy") or {}).get("matrix") or {}
        values = [self._value(axis, self.contexts) if isinstance(axis, dict) else axis for axis in axes.values()]
        assert all(values), "GitHub refuses an empty matrix"
        return [dict(zip(axes, each, strict=True)) for each in itertools.product(*values)]

    def _one(self, key: str, matrix: Mapping[str, Any]) -> Ended:
        folder = self.site.folder / "-".join([str(len(list(self.site.folder.iterdir()))), key])
        folder.mkdir()
        token = self.settings.token(self.definition.get("permissions", {}))
        contexts = {
            **self.contexts,
            "github": {**self.contexts["github"], "token": token},
            "matrix": matrix,
            "secrets": self._secrets(),
            "runner": {"temp": str(self.site.machine.temporary)},
            "steps": {},
        }
        name = self.site.machine.engine.text(self.definition.get("name", key), contexts)
        return _Steps(self.definition, contexts, self.site, folder, Ended(name=name, result="success")).run()

    def _secrets(self) -> Mapping[str, str]:
        environment = (self.definition.get("environment") or {}).get("name")
        limit = self.settings.limited.get(environment or "")
        assert limit in {None, self.contexts["github"]["ref"]}, (
            f"{environment} is not for {self.contexts['github']['ref']}"
        )
        return self.settings.secrets.get(environment or "", {})

    def _value(self, token: Any, contexts: Contexts, status: str = "success") -> Any:
        return self.site.machine.engine.value(token["expression"], contexts, status)


@dataclass
class _Steps:
    """The steps of one job, one after the other."""

    definition: Mapping[str, Any]
    contexts: dict[str, Any]
    site: Site
    workspace: Path
    ended: Ended

    def run(self) -> Ended:
        for step in self.definition["steps"]:
            condition = step.get("if", _SUCCESS)["expression"]
            if self.site.machine.engine.value(condition, self.contexts, self.ended.result):
                self._step(step)
        outputs = self.definition.get("outputs", {})
        self.ended.outputs = {name: self._text(value) for name, value in outputs.items()}
        return self.ended

    def _step(self, step: Mapping[str, Any]) -> None:
        own = {**self.definition.get("env", {}), **step.get("env", {})}
        environment = {**self.site.variables, **{name: self._text(value) for name, value in own.items()}}
        code, outputs = self._used(step, environment) if "uses" in step else self._ran(step, environment)
        if code and not step.get("continue-on-error"):
            self.ended.result = "failure"
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs, "outcome": "failure" if code else "success"}

    def _used(self, step: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        found = _PINNED.fullmatch(step["uses"])
        assert found, f"{step['uses']} is not pinned"
        inputs = {name: self._text(value) for name, value in step.get("with", {}).items()}
        owner, _, path = found["name"].partition("/tidegate/")
        if owner != self.site.owner:
            here = Here(workspace=self.workspace, github=self.contexts["github"])
            return 0, self.site.stands[found["name"]](here, inputs)
        done = self._job(environment).run(
            self.site.actions / path, **{name.replace("-", "_"): value for name, value in inputs.items()}
        )
        self.ended.said += done.said
        self.ended.summary += done.summary
        return done.code, done.outputs

    def _job(self, environment: Mapping[str, str]) -> Job:
        github = self.contexts["github"]
        return Job(
            machine=self.site.machine,
            workspace=self.workspace,
            event_name=github["event_name"],
            event=github["event"],
            github={name: value for name, value in github.items() if isinstance(value, str)},
            variables=environment,
        )

    def _ran(self, step: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        """As GitHub runs a step with `shell: bash`, and one without a `shell` on Linux."""
        output, temporary = self.workspace.with_suffix(".output"), str(self.site.machine.temporary)
        output.write_text("", encoding="utf-8")
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        files = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": temporary}
        done = subprocess.run(
            [*_SHELLS[step.get("shell")], "-c", self._text(step["run"])],
            cwd=self.workspace,
            env={**kept, "PATH": os.environ["PATH"], **files, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.ended.said += done.stdout
        return done.returncode, read_outputs(output.read_text(encoding="utf-8"))

    def _text(self, token: Any) -> str:
        return self.site.machine.engine.text(token, self.contexts, self.ended.result)
