"""actions/install.sh: what it installs, when a cache may bring it, and what a machine without Python is told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from actions.third_party import Cache
from support.checkouts import workspace
from support.repositories import Clone, new_bare
from support.workflow_runner.composite import Job, Machine, read_outputs
from support.workflow_runner.engine import Engine
from tidegate import errors

ROOT = Path(__file__).resolve().parents[2]

# Installing asks the package index.
pytestmark = pytest.mark.timeout(300)


def pinned(lock: str) -> set[tuple[str, str]]:
    """Name and version of every library in a lock file."""
    return set(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def asked() -> set[str]:
    """The names of the libraries that the program asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[\[<>=]", each)[0].lower().replace(".", "-") for each in project["dependencies"]}


def names(lock: str) -> set[str]:
    return {name for name, _ in pinned(lock)}


def test_the_full_lock_holds_what_the_program_asks_for() -> None:
    assert asked() - names("actions/full.lock") == set()


def test_the_lean_lock_leaves_out_what_only_servers_need() -> None:
    listed = (ROOT / "actions/lean.in").read_text(encoding="utf-8").splitlines()
    wanted = {line.replace(".", "-") for line in listed if not line.startswith("#")}
    assert wanted <= names("actions/lean.lock")
    assert asked() - wanted == {"mlflow-skinny", "prometheus-api-client"}


def test_a_plan_can_ask_prometheus_and_needs_no_more_than_that() -> None:
    assert asked() - names("actions/plan.lock") == {"mlflow-skinny"}
    assert pinned("actions/lean.lock") <= pinned("actions/plan.lock")


@pytest.mark.parametrize("lock", ["lean", "plan", "full"])
def test_versions_are_those_that_are_tested_and_no_registry_is_named(lock: str) -> None:
    assert pinned(f"actions/{lock}.lock") - pinned("requirements/dev.lock") == set()
    assert "://" not in (ROOT / f"actions/{lock}.lock").read_text(encoding="utf-8")


def found(temporary: Path, **variables: str) -> dict[str, str]:
    """The outputs of the first step."""
    temporary.mkdir(exist_ok=True)
    output = temporary / "output"
    environment = {
        "PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(temporary), "GITHUB_OUTPUT": str(output), **variables,
    }  # fmt: skip
    python = shutil.which("python3")
    assert python is not None
    environment["PATH"] = f"{Path(python).parent}:{environment['PATH']}"
    output.write_text("", encoding="utf-8")
    subprocess.run([ROOT / "actions/install.sh", "find", "lean"], env=environment, check=True)
    return read_outputs(output.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("variables", "may"),
    [
        pytest.param({"GITHUB_EVENT_NAME": "push", "GITHUB_REF_TYPE": "branch"}, True, id="a-push"),
        pytest.param({"GITHUB_EVENT_NAME": "pull_request"}, True, id="a-pull-request"),
        pytest.param({"GITHUB_EVENT_NAME": "schedule"}, True, id="a-schedule"),
        pytest.param({"GITHUB_EVENT_NAME": "pull_request_target"}, False, id="a-pull-request-with-mains-rights"),
        pytest.param({"GITHUB_EVENT_NAME": "workflow_run"}, False, id="after-another-workflow"),
        pytest.param({"GITHUB_EVENT_NAME": "issue_comment"}, False, id="a-comment"),
        pytest.param({"GITHUB_EVENT_NAME": "release"}, False, id="a-release"),
        pytest.param({"GITHUB_EVENT_NAME": "push", "GITHUB_REF_TYPE": "tag"}, False, id="a-tag"),
    ],
)
def test_a_cache_is_used_where_no_stranger_can_have_filled_it(
    tmp_path: Path, variables: dict[str, str], may: bool
) -> None:
    assert found(tmp_path, **variables)["cache"] == json.dumps(may)


def test_the_key_changes_with_the_image_and_the_place(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    keys = [found(here)["key"], found(here, ImageOS="ubuntu24")["key"], found(there)["key"], found(here)["key"]]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]


def test_a_warm_cache_brings_it_without_an_index(engine: Engine, checkout: Path, tmp_path: Path) -> None:
    """Two jobs on two machines, one after the other, with the cache between them; the second has no index to ask."""
    clone = Clone.of(new_bare(tmp_path / "origin", workspace("churn")), tmp_path / "models")
    cache, temporary = Cache(tmp_path / "cache"), tmp_path / "temporary"
    cache.folder.mkdir()
    temporary.mkdir()
    machine = Machine(engine=engine, temporary=temporary, stand_ins=cache.stand_ins)
    job = Job(machine=machine, workspace=clone.folder)
    cold = job.run(checkout / "actions/validate")
    assert cold.outputs["outcome"] == "passed", cold.said
    assert len(cache.keys) == 1
    again = job.run(checkout / "actions/validate")
    shutil.rmtree(temporary)
    temporary.mkdir()
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    warm = replace(job, variables=nowhere).run(checkout / "actions/validate")
    assert warm.outputs["outcome"] == "passed", warm.said
    restored, saved = "Restore the installation", "Keep the installation"
    assert [{restored, saved} & set(each.steps) for each in (cold, again, warm)] == [
        {restored, saved},
        set(),
        {restored},
    ]


def test_a_machine_without_python_is_told_what_to_do(machine: Machine, checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    job = Job(machine=machine, workspace=tmp_path, variables={"PATH": str(tools)})
    ended = job.run(checkout / "actions/validate")
    assert (ended.code, ended.outputs["exit-code"], ended.steps) == (errors.OUTSIDE, "", ("Name the installation",))
    assert "Python 3.11 or newer is needed" in ended.said


def test_a_python_without_pip_is_told_what_to_do(machine: Machine, checkout: Path, tmp_path: Path) -> None:
    """Debian's, for one. Its own environment has none either."""
    tools, temporary = tmp_path / "bin", tmp_path / "temporary"
    tools.mkdir()
    temporary.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    subprocess.run(["python3", "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    path = f"{tools}:{tmp_path / 'venv/bin'}"
    job = Job(machine=replace(machine, temporary=temporary), workspace=tmp_path, variables={"PATH": path})
    ended = job.run(checkout / "actions/validate")
    assert (ended.code, ended.outputs["outcome"]) == (errors.OUTSIDE, "")
    assert "has no pip" in ended.said
