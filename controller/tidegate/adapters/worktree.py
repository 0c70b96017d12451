"""The files of a checkout as they lie on disk: git says which there are, the disk what they hold.

Without git every file below the folder counts. Not here: commits (`git`), and what the files mean.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from tidegate.core.listing import LINK, MODULE, Listing, Unfit
from tidegate.errors import OutsideSystem, WrongUse

MAXIMUM_BYTES = 4_000_000
_HASHED_BYTES = 64_000_000
"""Larger files are told apart by size and time instead: data lies in many a work tree."""
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
# What git tells its hooks about the repository in which somebody commits: `git rev-parse --local-env-vars`.
_OF_ANOTHER = frozenset(
    f"GIT_{name}"
    for name in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "CONFIG", "CONFIG_COUNT", "CONFIG_PARAMETERS", "DIR"),
        *("GRAFT_FILE", "IMPLICIT_WORK_TREE", "INDEX_FILE", "NO_REPLACE_OBJECTS", "OBJECT_DIRECTORY", "PREFIX"),
        *("REPLACE_REF_BASE", "SHALLOW_FILE", "WORK_TREE"),
    )
)
_QUIET = ("-c", "diff.autoRefreshIndex=false")
"""`git diff` would write the index anew, whatever GIT_OPTIONAL_LOCKS says."""
_TRACKED = ("ls-files", "--stage", "-z")
_TOUCHED = ("diff-files", "--name-only", "-z", "--no-ext-diff")
_UNKNOWN = ("ls-files", "--others", "--exclude-standard", "-z")


class WorkTree:
    """A checkout by its root. git begins to list it at once, and works while we load."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.in_git = (root / ".git").exists()
        listings = (_TRACKED, _TOUCHED, _UNKNOWN)
        self._asked = [_git(root, arguments) for arguments in listings] if self.in_git else []

    def listing(self) -> Listing:
        """Every file; ignored ones do not count. Raises OutsideSystem when git does not answer."""
        return self._listing

    @cached_property
    def _listing(self) -> Listing:
        if not self.in_git:
            return Listing(tracked="", loose=dict.fromkeys(_below(self.root), ""))
        answers = [(process, *process.communicate()) for process in self._asked]
        tracked, touched, unknown = (self._answer(*answer) for answer in answers)
        if MODULE in tracked:
            tracked = "\0".join(line for line in tracked.split("\0") if not line.startswith(f"{MODULE} "))
        return Listing(tracked=tracked, loose={path: self._blob(path) for path in _split(touched + unknown)})

    def changed_since(self, ref: str) -> frozenset[str]:
        """Paths that differ between the work tree and where HEAD left `ref`, or that git does not know.

        Raises WrongUse for a ref that is none here.
        """
        if not self.in_git or ref.startswith("-"):
            raise WrongUse(f"{ref!r} is no commit of a git repository here")
        base = self._words("merge-base", ref, "HEAD")
        names = self._words("diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", base.strip())
        return frozenset(path for path in names.split("\0") if path) | self.listing().loose.keys()

    def read(self, path: str) -> bytes | Unfit | None:
        """The file's bytes, or why it is not read; None where there is none.

        Pipes and devices are not opened, links lead nowhere outside.
        """
        place = f"{self.root}/{path}"
        try:
            descriptor = self._opened(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Unfit("unreadable-file", f"the file cannot be read: {error.strerror}")
        if descriptor is None:
            return Unfit("symlink-leaves-repository", "the symbolic link leads out of the repository")
        try:
            return _content(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self, place: str) -> int | None:
        """A descriptor, None for a link that leads outside."""
        try:
            return os.open(place, _READ | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        real = Path(os.path.realpath(place))
        return os.open(real, _READ) if self._holds(real) else None

    def _holds(self, real: Path) -> bool:
        """Whether a place without links is one of the repository's files; what is git's own is not."""
        return real.is_relative_to(self.root) and not real.is_relative_to(self.root / ".git")

    def text(self, path: str) -> str | None:
        """The file as text, to be shown; None where it cannot be."""
        raw = self.read(path)
        return raw.decode(errors="replace") if isinstance(raw, bytes) else None

    def digest(self, path: str) -> str | None:
        """`sha256:…` over a file's bytes; None where it cannot be read, leaves the repository, or is too large."""
        place = self.root / path
        try:
            if not self._holds(place.resolve()) or not place.is_file():
                return None
            if place.stat().st_size > _HASHED_BYTES:
                return None
            with place.open("rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        except (OSError, RuntimeError):
            return None

    def _blob(self, path: str) -> str | None:
        """What tells the file's bytes from others; None when there is no such file."""
        place = self.root / path
        try:
            status = place.lstat()
            if stat.S_ISDIR(status.st_mode):
                return None  # another repository inside this one
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
                return f"{stat.S_IFMT(status.st_mode):o}"  # a pipe would keep us waiting for its other end
            if status.st_size > _HASHED_BYTES:
                return f"{status.st_size}-{status.st_mtime_ns}"
            if stat.S_ISLNK(status.st_mode):
                return f"{LINK} {place.readlink()}"
            raw = place.read_bytes()
        except OSError:
            return None
        return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()

    def _words(self, *arguments: str) -> str:
        process = _git(self.root, arguments)
        output, words = process.communicate()
        if process.returncode:
            raise WrongUse(f"git {' '.join(arguments)}: {os.fsdecode(words).strip()}; name a commit that is here")
        return os.fsdecode(output)

    def _answer(self, process: subprocess.Popen[bytes], output: bytes, words: bytes) -> str:
        if process.returncode:
            raise OutsideSystem(f"git does not list {self.root}: {os.fsdecode(words).strip()}")
        return os.fsdecode(output)


def _content(descriptor: int) -> bytes | Unfit:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return Unfit("unreadable-file", "this is no regular file")
    if status.st_size > MAXIMUM_BYTES:
        return Unfit("too-large", f"the file has {status.st_size:,} bytes, more than {MAXIMUM_BYTES:,}")
    return os.read(descriptor, status.st_size)


def _git(root: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *_QUIET, *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    environment: Mapping[str, str] = {**inherited, **_ENVIRONMENT}
    try:
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise OutsideSystem(f"git cannot be started: {error.strerror}; install git 2.38 or newer") from None


def _split(words: str) -> list[str]:
    """Paths that git prints. One with a slash at its end is another repository inside this one."""
    return [path for path in words.split("\0") if path and not path.endswith("/")]


def root_of(folder: Path) -> Path:
    """The top of the checkout around a folder; without git the nearest folder with a workspace, else the folder.

    Raises WrongUse for what is no folder.
    """
    try:
        start = folder.resolve()
    except (OSError, RuntimeError):  # a link to itself
        start = folder
    if not os.path.isdir(start):  # noqa: PTH112 - Path.is_dir raises for names beyond all length
        raise WrongUse(f"{folder} is no folder")
    for sign in (".git", "tidegate.yaml"):
        for place in (start, *start.parents):
            if (place / sign).exists():
                return place
    return start


def _below(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = Path(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in sorted(files))
