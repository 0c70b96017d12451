"""The git side of one repository: a bare repository on disk, read and written by git's own plumbing.

What a pull request makes of it is not here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

NOBODY = "0" * 40
P = ParamSpec("P")
R = TypeVar("R")
_HEADS = "refs/heads/"
_CONFIG = """\
[http]
    receivepack = true
[uploadpack]
    allowAnySHA1InWant = true
    allowFilter = true
[receive]
    autogc = false
[gc]
    auto = 0
"""
_SHA = re.compile("[0-9a-f]{40}")
_ISOLATED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def environment() -> dict[str, str]:
    """This process's environment without anything of the machine's own git."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, **_ISOLATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who stands in a commit, and when."""

    name: str
    email: str
    at: datetime

    def as_date(self) -> str:
        return f"{int(self.at.timestamp())} +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as git stores it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a tree."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that differs between two commits."""

    status: str
    path: str
    before: str | None
    sha: str
    added: int
    removed: int
    patch: str


class GitError(Exception):
    """Git said no; the text is git's."""


def remembered(asked: Callable[Concatenate[Git, P], R]) -> Callable[Concatenate[Git, P], R]:
    """What git says of whole SHAs never changes: ask once. Nothing found may be found later, and is asked again."""

    @wraps(asked)
    def answer(git: Git, /, *arguments: P.args, **options: P.kwargs) -> R:
        key = (asked.__name__, arguments, tuple(options.items()))
        if key in git.memory:
            return cast("R", git.memory[key])
        found = asked(git, *arguments, **options)
        if found is not None and all(_SHA.fullmatch(str(argument)) for argument in arguments):
            git.memory[key] = found
        return found

    return answer


class Git:
    """Plumbing on one bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory: dict[object, object] = {}

    def run(self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**environment(), **(environ or {})},
            input=stdin,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise GitError(done.stderr.decode(errors="replace"))
        return done.stdout

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        return self.run(*arguments, stdin=stdin).decode("utf-8", "replace").rstrip("\n")

    def create(self, branch: str) -> None:
        self.path.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", f"--initial-branch={branch}", ".")
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(_CONFIG)

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Every ref and where it points, read from the files as git keeps them: a process for each would be slow."""
        found = self._packed()
        root = str(self.path)
        for folder, _, names in os.walk(f"{root}/refs"):
            for name in names:
                if not name.endswith(".lock"):
                    found[f"{folder[len(root) + 1 :]}/{name}"] = _first_line(f"{folder}/{name}") or NOBODY
        return {name: found[name] for name in sorted(found) if name.startswith(prefix) and found[name] != NOBODY}

    def _packed(self) -> dict[str, str]:
        packed = self.path / "packed-refs"
        lines = packed.read_text(encoding="utf-8").splitlines() if packed.exists() else []
        return {name: sha for sha, name in (line.split() for line in lines if line[:1] not in "#^")}

    def branches(self) -> dict[str, str]:
        return {name.removeprefix(_HEADS): sha for name, sha in self.refs(_HEADS).items()}

    def branch(self, name: str) -> str | None:
        loose = _first_line(f"{self.path}/{_HEADS}{name}") or ""
        return loose if _SHA.fullmatch(loose) else self._packed().get(f"{_HEADS}{name}")

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag, full ref or SHA names; None when there is none."""
        if branch := self.branch(revision):
            return branch
        if _SHA.fullmatch(revision) and self.kind(revision) == "commit":
            return revision
        for candidate in (f"refs/tags/{revision}", revision):
            with suppress(GitError):
                return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        return None

    @remembered
    def kind(self, sha: str) -> str | None:
        if loose := self._loose(sha):
            return loose[0]
        with suppress(GitError):
            return self.text("cat-file", "-t", sha)
        return None

    def move(self, ref: str, new: str | None, old: str | None = None) -> None:
        """Point a ref elsewhere, or delete it; with `old` only if it still points there."""
        command = ["update-ref", "-d", ref] if new is None else ["update-ref", ref, new]
        self.run(*command, *([old] if old else []))

    @remembered
    def commit(self, sha: str) -> Commit:
        header, _, message = self._content("commit", sha).decode("utf-8", "replace").partition("\n\n")
        fields: dict[str, list[str]] = {}
        for line in header.splitlines():
            key, _, value = line.partition(" ")
            fields.setdefault(key, []).append(value)
        return Commit(
            sha=sha,
            tree=fields["tree"][0],
            parents=tuple(fields.get("parent", ())),
            author=_person(fields["author"][0]),
            committer=_person(fields["committer"][0]),
            message=message.rstrip("\n"),
        )

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person | None = None
    ) -> str:
        by = committer or author
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author.name} <{author.email}> {author.as_date()}"]
        lines += [f"committer {by.name} <{by.email}> {by.as_date()}", "", message]
        return self._write("commit", "\n".join(lines).encode())

    def write_blob(self, content: bytes) -> str:
        return self._write("blob", content)

    def blob(self, sha: str) -> bytes:
        return self._content("blob", sha)

    def _content(self, kind: str, sha: str) -> bytes:
        loose = self._loose(sha)
        return loose[1] if loose else self.run("cat-file", kind, sha)

    def _loose(self, sha: str) -> tuple[str, bytes] | None:
        """Kind and content of an object that lies in a file of its own, read without a process."""
        if not _SHA.fullmatch(sha):
            return None
        try:
            stored = zlib.decompress((self.path / "objects" / sha[:2] / sha[2:]).read_bytes())
        except OSError:
            return None
        header, _, content = stored.partition(b"\0")
        return header.split()[0].decode(), content

    def _write(self, kind: str, content: bytes) -> str:
        """Store an object as git does, in a file of its own."""
        stored = f"{kind} {len(content)}".encode() + b"\0" + content
        sha = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
        file = self.path / "objects" / sha[:2] / sha[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            passing = file.with_name(f"tmp_obj_{sha}")
            passing.write_bytes(zlib.compress(stored))
            passing.replace(file)
        return sha

    @remembered
    def entries(self, tree: str, *, recursive: bool = False) -> list[Entry]:
        options = ["-r", "-t"] if recursive else []
        lines = self.run("ls-tree", "-z", "-l", *options, tree).decode("utf-8", "surrogateescape").split("\0")
        return [_entry(line) for line in lines if line]

    def lookup(self, commit: str, path: str) -> Entry | None:
        if not path:
            return Entry(mode="040000", kind="tree", sha=self.commit(commit).tree, size=None, path="")
        found = self.run("ls-tree", "-z", "-l", commit, "--", path).decode("utf-8", "surrogateescape").rstrip("\0")
        return _entry(found) if found else None

    def write_tree(self, base: str | None, changes: Sequence[tuple[str, str, str | None]]) -> str:
        """A tree made of `base` with (path, mode, blob or tree) set; None deletes."""
        index = self.path / "fake-index"
        environ = {"GIT_INDEX_FILE": str(index)}
        index.unlink(missing_ok=True)
        if base:
            self.run("read-tree", base, environ=environ)
        lines = []
        for path, mode, sha in changes:
            if mode == "040000" and sha:
                self.run("read-tree", f"--prefix={path}/", sha, environ=environ)
            else:
                lines.append(f"0 {NOBODY}\t{path}\n" if sha is None else f"{mode} {sha}\t{path}\n")
        if lines:
            self.run("update-index", "--index-info", stdin="".join(lines).encode(), environ=environ)
        try:
            return self.run("write-tree", environ=environ).decode().strip()
        finally:
            index.unlink(missing_ok=True)

    @remembered
    def is_ancestor(self, old: str, new: str) -> bool:
        if old == new:
            return True
        try:
            self.run("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    @remembered
    def merge_base(self, one: str, other: str) -> str | None:
        try:
            return self.text("merge-base", one, other)
        except GitError:
            return None

    @remembered
    def between(self, base: str, head: str) -> list[str]:
        """Commits of `head` that `base` does not have, oldest first."""
        return self.text("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()

    @remembered
    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge, None when it conflicts."""
        try:
            return self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError:
            return None

    @remembered
    def changes(self, base: str, head: str) -> list[Change]:
        """Files of `head` that differ from the merge base with `base`."""
        start = self.merge_base(base, head) or self.text("hash-object", "-t", "tree", os.devnull)
        raw = self.run("diff", "--raw", "--no-abbrev", "-M", "-z", start, head).decode("utf-8", "surrogateescape")
        parts = iter(raw.split("\0")[:-1])
        return [self._change(start, head, line, parts) for line in parts]

    def _change(self, base: str, head: str, line: str, parts: Iterator[str]) -> Change:
        _, _, _, sha, status = line.split(" ")
        names = [next(parts)]
        if status[0] in "RC":
            names.append(next(parts))
        patch = self.text("diff", "-M", base, head, "--", *names)
        hunks = patch[patch.index("\n@@") + 1 :] if "\n@@" in patch else ""
        body = [each for each in hunks.splitlines() if not each.startswith("@@")]
        return Change(
            status={"A": "added", "D": "removed", "R": "renamed", "C": "copied"}.get(status[0], "modified"),
            path=names[-1],
            before=names[0] if len(names) > 1 else None,
            sha=sha,
            added=sum(each.startswith("+") for each in body),
            removed=sum(each.startswith("-") for each in body),
            patch=hunks,
        )

    def rebased(self, base: str, commits: Sequence[str], committer: Person) -> str | None:
        """These commits replayed on `base` in a passing work tree; None when one does not apply."""
        folder = self.path / "fake-rebase"
        who = {"GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email}
        environ = {**who, "GIT_COMMITTER_DATE": committer.as_date()}
        self.run("worktree", "add", "--quiet", "--detach", str(folder), base)
        inside = Git(folder)
        try:
            inside.run("cherry-pick", "--allow-empty", "--no-ff", *commits, environ=environ)
            return inside.text("rev-parse", "HEAD")
        except GitError:
            return None
        finally:
            shutil.rmtree(folder)
            self.run("worktree", "prune")


def _first_line(file: str) -> str | None:
    """What a ref's file says; None where there is none (git may be replacing it just now)."""
    try:
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123  a Path for each of thousands of refs is slow
            return opened.readline().strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _person(text: str) -> Person:
    who, seconds, _ = text.rsplit(" ", 2)
    name, _, email = who.partition(" <")
    return Person(name=name, email=email.rstrip(">"), at=datetime.fromtimestamp(int(seconds), UTC))


def _entry(line: str) -> Entry:
    front, _, path = line.partition("\t")
    mode, kind, sha, size = front.split()
    return Entry(mode=mode, kind=kind, sha=sha, size=None if size == "-" else int(size), path=path)
