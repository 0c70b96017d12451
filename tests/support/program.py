"""The program as people run it: a process of its own, with its exit code, stdout and stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.repositories import OURS

CONTROLLER = Path(__file__).resolve().parents[2] / "controller"


@dataclass(frozen=True)
class Ran:
    """How one command ended. No command, however it ends, may show a traceback (I14)."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """`tidegate` in one folder. Nothing of the caller's own settings reaches it."""

    folder: Path
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, handle: str | None = None) -> Ran:
        asked = (*(("--as", handle) if handle else ()), *arguments)
        done = subprocess.run(self.command(*asked), env=self.environment(), capture_output=True, text=True, check=False)
        ran = Ran(code=done.returncode, out=done.stdout, err=done.stderr)
        assert "Traceback" not in ran.out + ran.err, ran
        return ran

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tidegate", "-C", str(self.folder), *arguments]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(CONTROLLER),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "TIDEGATE_WORK": str(self.home / "work"),
            "TIDEGATE_IDENTITY": OURS,
            **self.variables,
        }
