"""Runs the steps of a composite action as GitHub's runner does: bash with its flags, the runner's files, no INPUT_*.

Only the expressions our actions use are understood; any other one is an error, so that no test passes by accident.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.core.yaml.document import read

_EXPRESSION = re.compile(r"\$\{\{ *(?P<words>[^ ]+) *\}\}")
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_NOT_THE_RUNNERS = ("GITHUB_", "INPUT_", "PYTHON", "RUNNER_", "TIDEGATE_", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Ended:
    """How the action ended: the first failing step's exit code, or 0."""

    code: int
    outputs: Mapping[str, str]
    said: str


@dataclass
class Job:
    """One job on one runner: its checkout of the action, its workspace, its temporary folder."""

    action: Path
    workspace: Path
    temporary: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, **inputs: str) -> Ended:
        definition = load(self.action / "action.yml")
        known = {name: entry.get("default", "") for name, entry in definition["inputs"].items()} | inputs
        values = {f"inputs.{name}": value for name, value in known.items()}
        said, code = "", 0
        for step in definition["runs"]["steps"]:
            code, words, outputs = self._step(step, values)
            said += words
            values |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
            if code:
                break
        outputs = {name: evaluated(entry["value"], values) for name, entry in definition["outputs"].items()}
        return Ended(code=code, outputs=outputs, said=said)

    def _step(self, step: Mapping[str, Any], values: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
        assert step["shell"] == "bash"
        script, output = self.temporary / "step.sh", self.temporary / "output"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        own = {name: evaluated(value, values) for name, value in step.get("env", {}).items()}
        environment = self._environment(output) | own
        done = subprocess.run(
            [*_BASH, script], cwd=self.workspace, env=environment, capture_output=True, text=True, check=False
        )
        lines = (line.partition("=") for line in output.read_text(encoding="utf-8").splitlines())
        return done.returncode, done.stdout + done.stderr, {name: value for name, _, value in lines}

    def _environment(self, output: Path) -> dict[str, str]:
        machine = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THE_RUNNERS)}
        return {
            **machine,
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
            **self.variables,
        }


def load(path: Path) -> dict[str, Any]:
    """An action's definition as plain data."""
    data: dict[str, Any] = read(path.read_text(encoding="utf-8"), str(path)).data
    return data


def evaluated(text: str, values: Mapping[str, str]) -> str:
    """The text with its expressions replaced. A step that never ran has empty outputs, as on GitHub."""

    def value(found: re.Match[str]) -> str:
        words = found["words"]
        if words.startswith("steps."):
            return values.get(words, "")
        return values[words]

    replaced = _EXPRESSION.sub(value, text)
    assert "${{" not in _EXPRESSION.sub("", text), f"an expression that is not understood: {text}"
    return replaced
