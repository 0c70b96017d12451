"""git's own commands on one git directory.

No work tree, no shared index, no hook, and none of the user's configuration: same inputs, same objects.
Not here: what the files mean, and who may write what.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tidegate.adapters.git.objects import GitObject, ObjectReader, Unanswered, decoded, encoded
from tidegate.errors import OutsideSystem, Raced, WrongUse

Moves = Mapping[str, tuple[str | None, str | None]]
"""Ref name to what it must point to now and what it shall point to; None is no such ref."""

TIMEOUT_SECONDS = 120.0
GRACE_SECONDS = 5.0
# What git-check-ref-format(1) forbids would be read as an expression: `main~1` is no branch.
_NO_REF = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//")
_CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.warnAmbiguousRefs=false",
    # So long (in milliseconds) git itself waits for another process's lock before it gives up.
    "core.filesRefLockTimeout=2000",
    "core.packedRefsTimeout=2000",
    "i18n.commitEncoding=UTF-8",
    "log.showRoot=true",
    "merge.renames=true",
)
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitFailed(OutsideSystem):
    """A git command did not do what it was asked; `words` is what it said."""

    def __init__(self, message: str, words: str) -> None:
        self.words = words
        super().__init__(message)


class Plumbing:
    """One git directory. Reads look now and keep nothing; what is written is by our identity."""

    def __init__(self, path: Path, *, identity: str, name: str) -> None:
        self.path = git_directory(path)
        self._who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", name), ("EMAIL", identity))
        }
        self._reader = ObjectReader(lambda: self._start(("cat-file", "--batch-command"), {}))

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        options = [part for setting in _CONFIGURATION for part in ("-c", setting)]
        command = ["git", f"--git-dir={self.path}", *options, *arguments]
        everything = {**os.environ, **_ENVIRONMENT, **self._who, **environment}
        pipe = subprocess.PIPE
        try:
            # A group of its own: what talks to a server is a child of git's, and must end with it.
            return subprocess.Popen(
                command, cwd=self.path, env=everything, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise self._failure(arguments[0], error.strerror or "git was not found") from None

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        accepted: Sequence[int] = (0,),
        seconds: float | None = None,
    ) -> bytes:
        """What the command prints. Raises GitFailed for exit codes that are not `accepted`, and after so many seconds
        (as many as git takes for what is local, unless told)."""
        limit = TIMEOUT_SECONDS if seconds is None else seconds
        process = self._start(arguments, environment or {})
        try:
            output, words = process.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            raise self._failure(arguments[0], f"no end after {limit:g} seconds") from None
        finally:
            _end(process)
        if process.returncode not in accepted:
            raise self._failure(arguments[0], decoded(words).strip() or f"exit code {process.returncode}")
        return bytes(output)

    def _failure(self, command: str, words: str) -> GitFailed:
        if not is_git_directory(self.path):
            return GitFailed(missing(self.path), words)
        step = "is git ≥ 2.38 on PATH, and may this user read and write there?"
        return GitFailed(f"git repository {self.path}: git {command}: {words}; {step}", words)

    def objects(self, names: Sequence[str]) -> list[GitObject | None]:
        """Objects by name (`<id>`, `<commit>:<path>`, a full ref), None where there is none."""
        return self._ask("contents", names)

    def ids(self, names: Sequence[str]) -> list[str | None]:
        """Ids of what has these names now."""
        return [found.id if found else None for found in self._ask("info", names)]

    def _ask(self, verb: str, names: Sequence[str]) -> list[GitObject | None]:
        try:
            answers = self._reader.ask(verb, names)
        except Unanswered:
            raise self._failure("cat-file", "it ended in the middle of an answer") from None
        if None in answers and not is_git_directory(self.path):
            raise self._failure("cat-file", "the repository is gone")
        return answers

    def refs(self, names: Sequence[str]) -> list[str | None]:
        """What full ref names point to now."""
        ids = iter(self.ids([name for name in names if not _NO_REF.search(name)]))
        return [None if _NO_REF.search(name) else next(ids) for name in names]

    def move(self, moves: Moves) -> None:
        """Move all these refs, or none. Raises Raced when one of them is not where it must be.

        A process killed in the middle leaves the first moves done, deletions come last: git renames its lock
        files one by one in the order given (refs/files-backend.c, files_transaction_finish).
        """
        absent = "0" * max(len(value or "") for pair in moves.values() for value in pair)
        lines = [f"update {ref} {new or absent} {old or absent}" for ref, (old, new) in moves.items()]
        transaction = "\n".join(["start", *lines, "prepare", "commit", ""])
        try:
            self.run("update-ref", "--stdin", stdin=encoded(transaction))
        except GitFailed as failure:
            raise self._not_moved(moves, failure) from None

    def _not_moved(self, moves: Moves, failure: GitFailed) -> Exception:
        moved = [ref for ref, now in zip(moves, self.refs(list(moves)), strict=True) if now != moves[ref][0]]
        if moved or "but expected" in failure.words:
            what = ", ".join(moved or moves)
            return Raced(f"{what} in {self.path} moved meanwhile; read again and decide again")
        if ".lock'" in failure.words:
            step = "if no git command is at work there, one was killed: delete that .lock file and try again"
            lock = failure.words.splitlines()[0].rstrip(".")
            return OutsideSystem(f"git repository {self.path} is locked: {lock}; {step}")
        return failure

    def write_blobs(self, texts: Sequence[str]) -> list[str]:
        """Ids of the blobs with these texts, in one command."""
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
            files = [Path(folder) / str(place) for place in range(len(texts))]
            for file, text in zip(files, texts, strict=True):
                file.write_bytes(encoded(text))
            names = "".join(f"{file}\n" for file in files)
            written = self.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=encoded(names))
        return written.decode().split()

    def write_tree(self, base: str | None, files: Mapping[str, str | None]) -> str:
        """The tree of `base` (None: empty) with these files set; None deletes. Executable bits are kept."""
        written = {path: text for path, text in files.items() if text is not None}
        blobs = self.write_blobs(list(written.values())) if written else []
        before = self.entries(base, list(written)) if base and written else {}
        absent = "0" * len(base or "")
        entries = [f"0 {absent}\t{path}\0" for path in files if path not in written and base]
        for path, blob in zip(written, blobs, strict=True):
            executable = path in before and before[path][0] == "100755"
            entries.append(f"{'100755' if executable else '100644'} {blob}\t{path}\0")
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            if base is not None:
                self.run("read-tree", base, environment=index)
            update = ("update-index", "--add", "--remove", "--replace", "-z", "--index-info")
            self.run(*update, stdin=encoded("".join(entries)), environment=index)
            tree = self.run("write-tree", environment=index).decode().strip()
        self._require_written(tree, dict(zip(written, blobs, strict=True)))
        return tree

    def _require_written(self, tree: str, blobs: Mapping[str, str]) -> None:
        """git only warns about paths it does not take (`.git/config`), and leaves them out."""
        found = self.ids([f"{tree}:{path}" for path in blobs])
        for (path, blob), there in zip(blobs.items(), found, strict=True):
            if there != blob:
                raise WrongUse(f"git takes no file at the path {path!r}; choose another")

    def entries(self, commit: str, under: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Mode and id of every file under these paths (none given: of every file)."""
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *under)
        found: dict[str, tuple[str, str]] = {}
        for line in decoded(listing).split("\0")[:-1]:
            described, _, path = line.partition("\t")
            mode, _, identifier = described.split(" ")
            found[path] = (mode, identifier)
        return found

    def write_commit(self, tree: str, parents: Sequence[str], message: str, at: datetime) -> str:
        """A commit of a tree; the same arguments give the same commit. No ref moves."""
        date = f"@{int(at.timestamp())} +0000"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        options = [part for parent in parents for part in ("-p", parent)]
        written = self.run("commit-tree", tree, *options, stdin=encoded(message), environment=dates)
        return written.decode().strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, and all that it started; asked first, so that git takes its locks away."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, how)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=GRACE_SECONDS)


def git_directory(path: Path) -> Path:
    """The git directory at a path: the path itself, or the `.git` of the work tree there."""
    for candidate in (path, path / ".git"):
        if is_git_directory(candidate):
            return candidate.absolute()
    raise OutsideSystem(missing(path))


def is_git_directory(path: Path) -> bool:
    # In a linked work tree `.git` is a file that names the directory (gitrepository-layout(5)).
    return (path / "HEAD").is_file() or (path.name == ".git" and path.is_file())


def missing(path: Path) -> str:
    return f"no git repository answers at {path}; check the address, and that it is mounted and readable"
