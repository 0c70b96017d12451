"""What the help says, word for word, and that asking for it loads nothing but click."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

from support.program import CONTROLLER
from tidegate import __version__
from tidegate.cli.program import SECTIONS, program

COMMANDS = [name for commands in SECTIONS.values() for name in commands]
PULL = ["list", "show", "diff", "approve", "merge", "close", "reopen", "comment"]


def _help(*words: str) -> str:
    result = CliRunner().invoke(program, [*words, "--help"], prog_name="tidegate", terminal_width=100)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS), *(("pull", name) for name in PULL)])
def test_the_help_is_as_reviewed(words: tuple[str, ...], golden: Callable[[str, str], None]) -> None:
    golden(f"help/{'-'.join(('tidegate', *words))}.txt", _help(*words))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_under_its_name(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize(
    "name", ["init", "train", "reconcile", "pin", "rollback", "hold", "resume", "unreject", "restart-rollout", "retry"]
)
def test_what_writes_can_be_tried_dry(name: str) -> None:
    assert "--dry-run" in _help(name)


def test_help_loads_no_command_and_no_library_but_click() -> None:
    asked = "import sys; from tidegate.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=CONTROLLER, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"git", "jsonschema", "ruamel", "ruamel.yaml", "requests", "mlflow", "rich", "tidegate.wiring"}
    assert {name for name in loaded if name.startswith("tidegate.cli.")} == {
        "tidegate.cli.program",
        "tidegate.cli.session",
    }


def test_the_version_is_the_package_s() -> None:
    assert CliRunner().invoke(program, ["--version"]).output == f"{__version__}\n"


def test_the_command_line_s_modules_are_the_commands_or_shared() -> None:
    shared = {"__init__", "program", "session", "crash", "choice", "also", "asking", "passes"}
    shared |= {"pass_report", "pull_report"}
    modules = {path.stem for path in (CONTROLLER / "tidegate" / "cli").glob("*.py")}
    assert modules - shared == {name.replace("-", "_") for name in COMMANDS}
