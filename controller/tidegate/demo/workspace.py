"""The demo's repository and the people in it: a data scientist who edits the manifest, an approver who approves."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate import bundled
from tidegate.core.yaml.document import read
from tidegate.core.yaml.splice import rewrite
from tidegate.demo.servers import tidegate
from tidegate.errors import Refused

EXAMPLE = "examples/digits"
MANIFEST = "models/digits/model.yaml"
APPROVER = "@dana"
_AUTHOR = {"GIT_AUTHOR_NAME": "Dana", "GIT_AUTHOR_EMAIL": "dana@example.org"}
_COMMITTER = {"GIT_COMMITTER_NAME": "Dana", "GIT_COMMITTER_EMAIL": "dana@example.org"}
_ISOLATED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A bare repository and a person's clone of it."""

    bare: Path
    clone: Path
    environment: dict[str, str]

    @classmethod
    def create(cls, folder: Path, environment: dict[str, str]) -> Workspace:
        """Copy the example into a fresh clone; nothing is committed yet."""
        made = cls(bare=folder / "digits.git", clone=folder / "digits", environment=environment)
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(made.bare))
        _git(folder, "clone", "--quiet", str(made.bare), str(made.clone))
        _git(made.clone, "symbolic-ref", "HEAD", "refs/heads/main")
        bundled.copy_tree(EXAMPLE, made.clone)
        return made

    def edit(self, path: str, *keys: str, value: Any) -> None:  # noqa: ANN401 - what YAML can hold
        """Set one value of a YAML file, as a person would: every other byte stays."""
        file = self.clone / path
        text = file.read_text(encoding="utf-8")
        data = read(text, path).data
        inner = data
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        file.write_text(rewrite(text, data, path), encoding="utf-8")

    def commit(self, message: str) -> str:
        """Commit and push everything; a person's push comes on top of what was merged meanwhile."""
        _git(self.clone, "add", "--all")
        _git(self.clone, "commit", "--quiet", "--allow-empty", "--message", message)
        if _git(self.clone, "ls-remote", "origin", "main"):
            _git(self.clone, "pull", "--quiet", "--rebase", "origin", "main")
        _git(self.clone, "push", "--quiet", "origin", "HEAD:main")
        return _git(self.clone, "rev-parse", "HEAD")

    def command(self, *arguments: str, handle: str = "") -> str:
        """Run an ordinary command. Raises Refused with what it said when it fails."""
        done = subprocess.run(
            [*tidegate(self.clone, handle), *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            raise Refused(f"tidegate {' '.join(arguments)} failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_ISOLATED, **_AUTHOR, **_COMMITTER},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise Refused(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
