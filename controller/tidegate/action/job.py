"""One run of an action: its inputs, the event, and the program with them. What came of it is `result`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tidegate import errors
from tidegate.action.event import Event, read_event
from tidegate.action.result import Result
from tidegate.action.runner import Runner

_WORDS = {
    errors.FINDINGS: "it says no; the log says why",
    errors.WRONG_USE: "it was called in a wrong way; the log says how to call it",
    errors.OUTSIDE: "a server does not answer; running the job again may help",
    errors.BUG: "a bug of Tidegate; the log has what to report",
    errors.INTERRUPTED: "it was interrupted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One call of the program: its exit code, and stdout where it was kept."""

    code: int
    stdout: str = ""

    @property
    def words(self) -> str:
        return _WORDS.get(self.code, "" if self.code == errors.FINE else f"it ended with exit code {self.code}")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Inputs come as INPUT_<NAME>, which a composite action's `env:` sets; an input left out is empty."""

    environment: Mapping[str, str]
    runner: Runner

    @cached_property
    def event(self) -> Event:
        return read_event(self.environment)

    def text(self, name: str) -> str:
        return self.environment.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()

    def lines(self, name: str) -> list[str]:
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def flag(self, name: str) -> bool:
        match self.text(name):
            case "true":
                return True
            case "false" | "":
                return False
            case other:
                raise errors.WrongUse(f"the input {name} is {other!r}; give 'true' or 'false'")

    def option(self, name: str) -> list[str]:
        """`--name=value`, one word, so that no value is taken for an option; nothing without a value."""
        return [f"--{name}={value}"] if (value := self.text(name)) else []

    def switch(self, name: str) -> list[str]:
        return [f"--{name}"] if self.flag(name) else []

    def run(self, words: Sequence[str]) -> Ran:
        """The program in the folder that `working-directory` names, stdout kept, stderr in the log."""
        with self.runner.stopped_commands():
            done = subprocess.run(
                self._command(words), env=self._own(), stdout=subprocess.PIPE, check=False,
                encoding="utf-8", errors="backslashreplace",
            )  # fmt: skip
        return Ran(code=_code(done.returncode), stdout=done.stdout)

    def show(self, words: Sequence[str]) -> Ran:
        """As `run`, with stdout in the log, too."""
        with self.runner.stopped_commands():
            done = subprocess.run(self._command(words), env=self._own(), check=False)
        return Ran(code=_code(done.returncode))

    def annotate(self, words: Sequence[str]) -> Ran:
        """For a command whose stdout is made of commands for the runner, with all escaped that others wrote."""
        done = subprocess.run(
            self._command(words), env=self._own(), stderr=subprocess.PIPE, check=False,
            encoding="utf-8", errors="backslashreplace",
        )  # fmt: skip
        self.runner.untrusted(done.stderr)
        return Ran(code=_code(done.returncode))

    def skipped(self, words: str) -> Result:
        """Nothing is done, and that is fine: the notice says why."""
        self.runner.notice("Tidegate", words)
        return Result(code=errors.FINE, words=words, skipped=True)

    def _command(self, words: Sequence[str]) -> list[str]:
        folder = self.text("working-directory")
        return [sys.executable, "-I", "-m", "tidegate", *([f"--repository={folder}"] if folder else []), *words]

    def _own(self) -> dict[str, str]:
        """The environment without the inputs; the token has the name that the program knows."""
        kept = {name: value for name, value in self.environment.items() if not name.startswith("INPUT_")}
        return {**kept, "GITHUB_TOKEN": token} if (token := self.text("token")) else kept


def _code(returned: int) -> int:
    """A process that a signal ended has -number; a shell, and so the runner, says 128 + number."""
    return returned if returned >= 0 else 128 - returned
