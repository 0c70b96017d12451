"""Every action.yml: what GitHub's own parser says of it, and that inputs and outputs mean what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from actions.third_party import KNOWN
from support.workflow_runner.engine import BadFile, Engine
from tidegate.action.__main__ import NAMES
from tidegate.action.job import Job, Ran
from tidegate.action.runner import Runner
from tidegate.cli.program import program

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"command": ROOT, **{path.parent.name: path.parent for path in ROOT.glob("actions/*/action.yml")}}
EVERY = pytest.mark.parametrize("name", sorted(FOLDERS))
LOCKS = {"validate": "lean", "render": "lean", "plan": "plan"}
"""What they install that do not ask every server."""


def definition(engine: Engine, name: str) -> dict[str, Any]:
    return engine.action(FOLDERS[name] / "action.yml")


def test_every_action_has_its_module_and_its_page() -> None:
    assert sorted(FOLDERS) == sorted(NAMES)
    assert [name for name, folder in FOLDERS.items() if not (folder / "README.md").is_file()] == []


def test_githubs_parser_refuses_what_is_no_action(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text("name: x\ndescription: y\nruns: {using: composite, steps: [{run: z}]}\n")
    with pytest.raises(BadFile, match="Required property is missing: shell"):
        engine.action(tmp_path / "action.yml")


@EVERY
def test_inputs_are_described_optional_and_have_a_default(engine: Engine, name: str) -> None:
    for key, entry in definition(engine, name)["inputs"].items():
        assert re.fullmatch("[a-z]+(-[a-z]+)*", key)
        assert entry["description"].endswith(".")
        assert entry["required"] is False
        assert "default" in entry


@EVERY
def test_inputs_reach_the_program_as_variables_and_no_script(engine: Engine, name: str) -> None:
    found = definition(engine, name)
    *others, run = found["runs"]["steps"]
    passed = {f"INPUT_{key.upper().replace('-', '_')}": {"expression": f"inputs.{key}"} for key in found["inputs"]}
    assert run["env"] == {"VENV": {"expression": "steps.find.outputs.venv"}, **passed}
    assert run["run"] == f'"$VENV/bin/python" -I -m tidegate.action {name}'
    assert "inputs." not in str(others)
    assert [step["run"] for step in others if "run" in step and not isinstance(step["run"], str)] == []


@EVERY
def test_each_is_installed_in_the_same_four_steps(engine: Engine, name: str) -> None:
    script = "actions/install.sh" if name == "command" else "../install.sh"
    lock = LOCKS.get(name, "full")
    steps = definition(engine, name)["runs"]["steps"][:-1]
    entry = {"path": {"expression": "steps.find.outputs.venv"}, "key": {"expression": "steps.find.outputs.key"}}
    assert [step.get("run") or step["with"] for step in steps] == [
        f'"$GITHUB_ACTION_PATH/{script}" find {lock}',
        entry,
        f'"$GITHUB_ACTION_PATH/{script}" {lock}',
        entry,
    ]


@EVERY
def test_actions_of_others_are_known_and_pinned_to_a_commit_with_its_version(engine: Engine, name: str) -> None:
    text = (FOLDERS[name] / "action.yml").read_text(encoding="utf-8")
    steps = [step for step in definition(engine, name)["runs"]["steps"] if "uses" in step]
    for step in steps:
        action, _, commit = step["uses"].partition("@")
        known = KNOWN[action]
        assert commit == known.commit
        assert f"uses: {action}@{commit} # {known.version}\n" in text
        assert known.required <= step["with"].keys() <= known.required | known.optional
        if "id" in step:
            asked = set(re.findall(rf"steps\.{step['id']}\.outputs\.([a-z-]+)", text))
            assert asked <= known.outputs


@EVERY
def test_declared_outputs_are_those_that_the_module_writes(engine: Engine, name: str) -> None:
    declared = definition(engine, name)["outputs"]
    written = {*import_module(f"tidegate.action.{name}").OUTPUTS, "exit-code", "outcome"}
    assert declared.keys() == written
    assert all(one["value"] == {"expression": f"steps.run.outputs.{key}"} for key, one in declared.items())


@dataclass(frozen=True, kw_only=True)
class Asked(Job):
    """Writes down which commands an action would run; none of them gets anywhere."""

    commands: list[Sequence[str]] = field(default_factory=list)

    def run(self, words: Sequence[str]) -> Ran:
        self.commands.append(words)
        return Ran(code=2)

    show = run


def asked(name: str, inputs: Mapping[str, str]) -> list[Sequence[str]]:
    environment = {f"INPUT_{key.upper().replace('-', '_')}": value for key, value in inputs.items()}
    job = Asked(environment=environment, runner=Runner({}))
    import_module(f"tidegate.action.{name}").act(job)
    return job.commands


OWN = {(name, key) for name in FOLDERS for key in ("comment", "token", "working-directory")}
"""Inputs that no option of a command takes: whether to comment, what becomes GITHUB_TOKEN, what follows `-C`."""
WORDS = [
    pytest.param("command", {"command": "status --format 'json'"}, ["status", "--format", "json"], id="command"),
    pytest.param("validate", {"paths": "a b.yaml\n\n --c \n"}, ["a b.yaml", "--c"], id="validate-paths"),
    pytest.param("validate", {"changed-since": "--x"}, ["--changed-since=--x"], id="validate-changed-since"),
    pytest.param("validate", {"sarif-file": "out.sarif"}, ["--format=sarif"], id="validate-sarif-file"),
    pytest.param("plan", {"models": "churn\n-x"}, ["churn", "-x"], id="plan-models"),
    pytest.param("plan", {"base": "origin/x"}, ["--base=origin/x"], id="plan-base"),
    pytest.param("plan", {"head": "HEAD~1"}, ["--head=HEAD~1"], id="plan-head"),
    pytest.param("plan", {"allow-trainings": "3"}, ["--allow-trainings=3"], id="plan-allow-trainings"),
    pytest.param("train", {"model": "churn"}, ["churn"], id="train-model"),
    pytest.param("train", {"wait": "true"}, ["--wait"], id="train-wait"),
    pytest.param("train", {"candidate": "HEAD"}, ["--candidate=HEAD"], id="train-candidate"),
    pytest.param("train", {"dry-run": "true"}, ["--dry-run"], id="train-dry-run"),
    pytest.param("evaluate", {"model": "churn"}, ["churn"], id="evaluate-model"),
    pytest.param("evaluate", {"model": "churn", "version": "3"}, ["--version=3"], id="evaluate-version"),
    pytest.param("evaluate", {"model": "churn", "run": "ab"}, ["--run=ab"], id="evaluate-run"),
    pytest.param("evaluate", {"model": "churn", "candidate": "HEAD"}, ["--candidate=HEAD"], id="evaluate-candidate"),
    pytest.param("backtest", {"model": "churn"}, ["churn"], id="backtest-model"),
    pytest.param("backtest", {"model": "churn", "from": "7d"}, ["--from=7d"], id="backtest-from"),
    pytest.param("backtest", {"model": "churn", "to": "1d"}, ["--to=1d"], id="backtest-to"),
    pytest.param("backtest", {"model": "churn", "step": "30s"}, ["--step=30s"], id="backtest-step"),
    pytest.param("backtest", {"model": "churn", "policy": "HEAD"}, ["--policy=HEAD"], id="backtest-policy"),
    pytest.param("backtest", {"model": "churn", "compare": "HEAD"}, ["--compare=HEAD"], id="backtest-compare"),
    pytest.param("backtest", {"model": "churn", "page": "p.html"}, ["--also=html=p.html"], id="backtest-page"),
    pytest.param("reconcile", {"dry-run": "true"}, ["--dry-run"], id="reconcile-dry-run"),
    pytest.param("render", {"model": "churn"}, ["churn"], id="render-model"),
    pytest.param("render", {"check": "true"}, ["--check"], id="render-check"),
    pytest.param("approve", {"number": "7"}, ["7"], id="approve-number"),
    pytest.param("approve", {"dry-run": "true"}, ["--dry-run", "--event"], id="approve-dry-run"),
]


@pytest.mark.parametrize(("name", "inputs", "words"), WORDS)
def test_every_input_reaches_a_real_option(name: str, inputs: Mapping[str, str], words: list[str]) -> None:
    first = asked(name, inputs)[0]
    assert set(words) <= set(first)
    parent = click.Context(program, **program.context_settings)  # a command remembers how its help is asked for
    command = program.get_command(parent, first[0])
    assert command is not None
    command.make_context(first[0], list(first[1:]), parent=parent)


def test_no_input_is_left_out_of_that_table(engine: Engine) -> None:
    inputs = {(name, key) for name in FOLDERS for key in definition(engine, name)["inputs"]}
    shown = {(str(case.values[0]), key) for case in WORDS for key in dict(case.values[1])}  # type: ignore[call-overload]
    assert inputs - OWN == shown
