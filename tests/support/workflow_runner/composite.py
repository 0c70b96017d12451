"""Runs the steps of a composite action as GitHub's runner does: bash with its flags, the runner's files, no INPUT_*.

Steps that `uses:` other actions are not run: what stands in for each is listed, and any other one is an error.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.workflow_runner.engine import Engine

_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_NOT_THE_RUNNERS = ("ACTIONS_", "GITHUB_", "INPUT_", "PYTHON", "RUNNER_", "TIDEGATE_", "VIRTUAL_ENV")

StandIn = Callable[[Mapping[str, str]], dict[str, str]]
"""Inputs of a step that uses another action to its outputs."""


@dataclass(frozen=True)
class Ended:
    """How the action ended: the first failing step's exit code, or 0. `steps` are the names of those that ran."""

    code: int
    outputs: Mapping[str, str]
    said: str
    summary: str
    steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One runner: GitHub's grammar, its temporary folder, and what stands in for other actions, by their names."""

    engine: Engine
    temporary: Path
    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job on one runner: the workspace, the event that started it, and variables of the workflow."""

    machine: Machine
    workspace: Path
    event_name: str = "push"
    event: Mapping[str, Any] = field(default_factory=dict)
    github: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, action: Path, **inputs: str) -> Ended:
        """Run an action from its folder; inputs with `_` for `-`."""
        definition = self.machine.engine.action(action / "action.yml")
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= definition["inputs"].keys(), f"{action.name} has no such input: {given}"
        contexts = {"github": self._github(action), "steps": {}}
        defaults = {name: self._text(one.get("default"), contexts) for name, one in definition["inputs"].items()}
        return _Run(self, action, {**contexts, "inputs": {**defaults, **given}}).steps(definition)

    def _github(self, action: Path) -> dict[str, Any]:
        about = {"token": "a-job-token", "repository": "acme/models", "api_url": "http://127.0.0.1:9/api/v3"}
        return {
            **about, "event_name": self.event_name, "event": self.event, "action_path": str(action), **self.github,
        }  # fmt: skip

    def _text(self, token: Any, contexts: Mapping[str, Any]) -> str:
        return self.machine.engine.text(token, contexts)


@dataclass
class _Run:
    """One run of one action, as it goes from step to step."""

    job: Job
    action: Path
    contexts: dict[str, Any]
    status: str = "success"
    code: int = 0
    said: str = ""
    names: tuple[str, ...] = ()

    @property
    def _engine(self) -> Engine:
        return self.job.machine.engine

    @property
    def _summary(self) -> Path:
        return self.job.machine.temporary / "summary.md"

    def steps(self, definition: Mapping[str, Any]) -> Ended:
        self._summary.write_text("", encoding="utf-8")
        for step in definition["runs"]["steps"]:
            condition = step.get("if", {"expression": "success()"})["expression"]
            if self._engine.value(condition, self.contexts, self.status):
                self._step(step)
        outputs = {name: self._text(one["value"]) for name, one in definition["outputs"].items()}
        summary = self._summary.read_text(encoding="utf-8")
        return Ended(code=self.code, outputs=outputs, said=self.said, summary=summary, steps=self.names)

    def _step(self, step: Mapping[str, Any]) -> None:
        self.names += (self._text(step.get("name")),)
        outputs = self._used(step) if "uses" in step else self._ran(step)
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}

    def _used(self, step: Mapping[str, Any]) -> dict[str, str]:
        name, _, _ = step["uses"].partition("@")
        return self.job.machine.stand_ins[name]({key: self._text(value) for key, value in step["with"].items()})

    def _ran(self, step: Mapping[str, Any]) -> dict[str, str]:
        assert step["shell"] == "bash"
        script, output = self.job.machine.temporary / "step.sh", self.job.machine.temporary / "output"
        script.write_text(self._text(step["run"]), encoding="utf-8")
        output.write_text("", encoding="utf-8")
        own = {name: self._text(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [*_BASH, script], cwd=self.job.workspace, env=self._environment(output) | own, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.said += done.stdout
        if done.returncode:
            self.status, self.code = "failure", self.code or done.returncode
        return read_outputs(output.read_text(encoding="utf-8"))

    def _environment(self, output: Path) -> dict[str, str]:
        event = self.job.machine.temporary / "event.json"
        event.write_text(json.dumps(self.job.event), encoding="utf-8")
        github = {f"GITHUB_{name.upper()}": value for name, value in self.contexts["github"].items() if name != "token"}
        texts = {name: value for name, value in github.items() if isinstance(value, str)}
        machine = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THE_RUNNERS)}
        return {
            **machine, **texts, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self._summary),
            "GITHUB_WORKSPACE": str(self.job.workspace), "RUNNER_TEMP": str(self.job.machine.temporary),
            **self.job.variables,
        }  # fmt: skip

    def _text(self, token: Any) -> str:
        return self._engine.text(token, self.contexts, self.status)


_HEREDOC = re.compile(r"(?P<name>[^=\n]+?)<<(?P<mark>[^\n]+)\n(?P<value>.*?)\n?(?P=mark)\n", re.DOTALL)


def read_outputs(text: str) -> dict[str, str]:
    """As the runner reads GITHUB_OUTPUT (actions/toolkit, file-command): `name=value`, or between delimiters."""
    found: dict[str, str] = {}
    while text:
        if here := _HEREDOC.match(text):
            found[here["name"]], text = here["value"], text[here.end() :]
            continue
        line, _, text = text.partition("\n")
        name, mark, value = line.partition("=")
        assert mark, f"no output: {line!r}"
        found[name] = value
    return found
