"""The root action's steps really run: installed from a checkout without .git, on a workspace, with hostile inputs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import tidegate
from actions.composite import Job, load
from tidegate import errors

ROOT = Path(__file__).resolve().parents[2]
ACTION = load(ROOT / "action.yml")

# Installing asks the package index once for the whole module.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A runner that has the action's tarball: what is committed, and no .git."""
    folder = tmp_path_factory.mktemp("runner")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / "action" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "action" / name)
    (folder / "temp").mkdir()
    return Job(action=folder / "action", workspace=folder, temporary=folder / "temp")


@pytest.fixture
def job(runner: Job, tmp_path: Path) -> Job:
    return replace(runner, workspace=tmp_path)


def test_no_expression_stands_in_a_script() -> None:
    assert [step["run"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []


def test_every_input_is_described_and_has_a_default() -> None:
    assert [name for name, entry in ACTION["inputs"].items() if not ("default" in entry and entry["description"])] == []


def pinned(lock: str) -> set[tuple[str, str]]:
    """Name and version of every library in a lock file."""
    return set(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_lock_file_holds_what_the_program_asks_for_at_the_versions_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split("[<>=]", each)[0].lower().replace(".", "-") for each in project["dependencies"]}
    installed = pinned("actions/requirements.lock")
    assert asked - {name for name, _ in installed} == set()
    assert installed - pinned("requirements/dev.lock") == set()


def test_it_runs_the_program_of_its_own_checkout(job: Job) -> None:
    ended = job.run(command="--version")
    assert ended.code == errors.FINE, ended.said
    assert ended.said.strip() == tidegate.__version__
    assert ended.outputs == {"exit-code": "0"}


def test_it_installs_once_a_job(job: Job) -> None:
    job.run(command="--version")
    (before,) = [each.stat().st_mtime_ns for each in job.temporary.glob("tidegate-*/.complete")]
    job.run(command="--version")
    (after,) = [each.stat().st_mtime_ns for each in job.temporary.glob("tidegate-*/.complete")]
    assert after == before


def test_words_are_split_as_a_person_quotes_them(job: Job) -> None:
    ended = job.run(command="init 'two words'")
    assert ended.code == errors.FINE, ended.said
    assert (job.workspace / "two words" / "tidegate.yaml").is_file()


def test_the_exit_code_is_the_steps_own_and_an_output(job: Job) -> None:
    ended = job.run()  # `status`, in a folder that is no repository
    assert (ended.code, ended.outputs["exit-code"]) == (errors.WRONG_USE, "2")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("status; touch pwned", "No such command 'status;'", id="a-semicolon"),
        pytest.param("status\ntouch pwned", "unexpected extra argument", id="a-line-break"),
        pytest.param("$(touch pwned)", "No such command '$(touch'", id="a-command-substitution"),
        pytest.param("`touch pwned`", "No such command '`touch'", id="backticks"),
        pytest.param("'$(touch pwned)'", "No such command '$(touch pwned)'", id="a-quoted-substitution"),
        pytest.param("status x > pwned", "unexpected extra argument", id="a-redirection"),
        pytest.param("status '", "cannot be split into words", id="an-open-quote"),
    ],
)
def test_a_hostile_command_is_words_and_never_a_shells_text(job: Job, command: str, said: str) -> None:
    ended = job.run(command=command)
    assert (ended.code, ended.outputs["exit-code"]) == (errors.WRONG_USE, "2")
    assert said in ended.said
    assert not list(job.workspace.iterdir())


def test_nothing_in_the_workspace_is_imported(job: Job) -> None:
    for name in ("click.py", "os.py", "shlex.py", "subprocess.py", "tidegate.py"):
        (job.workspace / name).write_text("raise SystemExit('imported from the workspace')\n", encoding="utf-8")
    ended = replace(job, variables={"PYTHONPATH": str(job.workspace / "nowhere")}).run(command="--version")
    assert (ended.code, ended.said.strip()) == (errors.FINE, tidegate.__version__)


def test_a_machine_without_python_is_told_what_to_do(job: Job, tmp_path: Path) -> None:
    tools, temporary = tmp_path / "bin", tmp_path / "temp"
    tools.mkdir()
    temporary.mkdir()
    for name in ("bash", "cat", "cksum", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    ended = replace(job, temporary=temporary, variables={"PATH": str(tools)}).run(command="--version")
    assert (ended.code, ended.outputs["exit-code"]) == (errors.OUTSIDE, "")
    assert "Python 3.11 or newer is needed" in ended.said
