"""Real git repositories for tests: bare ones, clones that people push from, and commits. Nothing of the machine's
own git configuration is seen; identity and dates are fixed.

A test that needs a repository writes `bare = new_bare(tmp_path, {"models/churn/model.yaml": "..."})`; a person's
work is `alice = Clone.of(bare, tmp_path / "alice")`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

OURS = "tidegate@example.org"
PERSON = "alice@example.org"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""When the first commit of `new_bare` was made."""

ISOLATED = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": PERSON,
    "GIT_COMMITTER_NAME": "Alice",
    "GIT_COMMITTER_EMAIL": PERSON,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}

Files = Mapping[str, str | bytes | None]
"""Path to content; None deletes."""


def git(folder: Path, *arguments: str, stdin: bytes = b"", at: datetime = NOON) -> str:
    """What a git command prints, without the last line break. Raises CalledProcessError when it fails."""
    dates = {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**kept, **ISOLATED, **dates}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, input=stdin, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


@dataclass(frozen=True, slots=True)
class Clone:
    """A person's clone of a bare repository, with a work tree."""

    folder: Path

    @classmethod
    def of(cls, bare: Path, folder: Path) -> Clone:
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(folder.parent, "clone", "--quiet", str(bare), str(folder))
        return cls(folder)

    def git(self, *arguments: str, at: datetime = NOON) -> str:
        return git(self.folder, *arguments, at=at)

    def commit(self, files: Files, message: str = "a change", at: datetime = NOON) -> str:
        """The id of a commit of these files on whatever branch is checked out."""
        for path, content in files.items():
            self.write(path, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, content: str | bytes | None) -> None:
        file = self.folder / path
        if content is None:
            file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def push(self, *refspecs: str) -> None:
        self.git("push", "--quiet", "origin", *(refspecs or ("HEAD",)))

    def checkout(self, branch: str, *, new: bool = False) -> None:
        self.git("checkout", "--quiet", *(("-b",) if new else ()), branch)

    def pull(self) -> None:
        self.git("pull", "--quiet", "--ff-only")


def new_bare(folder: Path, files: Files, message: str = "first commit", at: datetime = NOON) -> Path:
    """A bare repository `<folder>/models.git` whose main holds one commit with these files."""
    bare = folder / "models.git"
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    clone = Clone(folder / "first-clone")
    git(folder, "init", "--quiet", "--initial-branch=main", str(clone.folder))
    clone.git("remote", "add", "origin", str(bare))
    clone.commit(files, message, at)
    clone.push("main")
    return bare
