"""The files of a checkout as they lie on disk: git says which there are, the disk what they hold.

Without git every file below the folder counts. Not here: commits (`git`), and what the files mean.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from tidegate.core.listing import Listing, Unfit
from tidegate.errors import OutsideSystem, WrongUse

MAXIMUM_BYTES = 4_000_000
_HASHED_BYTES = 64_000_000
"""Larger files are told apart by size and time instead: data lies in many a work tree."""
_SETTLED_NANOSECONDS = 2_000_000_000
"""A folder that changed this shortly before we looked may change again within one tick of the file system's clock."""
_MANY = 200
"""Paths to ask git about by name: beyond, it looks everywhere."""
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
_TRACKED = ("ls-files", "--stage", "-z")
_TOUCHED = ("diff-files", "--name-only", "-z", "--no-ext-diff")
_UNKNOWN = ("ls-files", "--others", "--exclude-standard", "-z")


class WorkTree:
    """A checkout by its root. git begins to list it at once, and works while we load."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.in_git = (root / ".git").exists()
        self._began = time.time_ns()
        self._asked = [_git(root, arguments) for arguments in (_TRACKED, _TOUCHED)] if self.in_git else []

    @cached_property
    def _git_knows(self) -> tuple[str, list[str]]:
        """What git tracks, as it says it, and which of that may differ on disk."""
        tracked, touched = (self._answer(process) for process in self._asked)
        return tracked, _split(touched)

    def listing(self, before: Listing | None = None) -> Listing:
        """Every file; ignored ones do not count. Raises OutsideSystem when git does not answer.

        With a listing from before, only folders that gained or lost an entry since then are searched for files that git
        does not know: looking into every folder takes longer than all the rest.
        """
        if not self.in_git:
            return Listing(tracked="", loose=dict.fromkeys(_below(self.root), ""))
        tracked, touched = self._git_knows
        unknown = self._unknown() if before is None else self._unknown_since(before, tracked)
        loose = {path: self._blob(path) for path in (*touched, *unknown)}
        return Listing(tracked=tracked, loose=loose, times=before.times if before else {})

    def times(self, folders: Iterable[str]) -> Mapping[str, int]:
        """When these folders last gained or lost an entry. A change that git's look could have missed is no answer."""
        stamps = {folder: self._changed_at(folder) for folder in folders}
        return {folder: at for folder, at in stamps.items() if at and at < self._began - _SETTLED_NANOSECONDS}

    def _unknown(self, *paths: str) -> list[str]:
        return _split(self._answer(_git(self.root, (*_UNKNOWN, "--", *paths))))

    def _unknown_since(self, before: Listing, tracked: str) -> list[str]:
        now = Listing(tracked=tracked, loose=before.loose)
        stirred = [folder for folder, at in before.times.items() if self._changed_at(folder) != at]
        new = [place for folder in stirred for place in self._strange(folder, now)]
        if len(new) > _MANY:
            return self._unknown()
        kept = [path for path in before.loose if f"\t{path}\0" not in tracked and (self.root / path).exists()]
        return [*kept, *(self._unknown(*new) if new else ())]

    def _strange(self, folder: str, known: Listing) -> list[str]:
        """Entries of a folder that nobody has seen."""
        try:
            names = {place.name for place in (self.root / folder).iterdir()}
        except OSError:
            return []
        return [f"{folder}/{name}" if folder else name for name in names - known.entries(folder)]

    def _changed_at(self, folder: str) -> int | None:
        try:
            return os.stat(f"{self.root}/{folder}").st_mtime_ns  # noqa: PTH116 - ten thousand times a run
        except OSError:
            return None

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
        return os.open(real, _READ) if real.is_relative_to(self.root) else None

    def text(self, path: str) -> str | None:
        """The file as text, to be shown; None where it cannot be."""
        raw = self.read(path)
        return raw.decode(errors="replace") if isinstance(raw, bytes) else None

    def digest(self, path: str) -> str | None:
        """`sha256:…` over a file's bytes; None where it cannot be read, leaves the repository, or is too large."""
        place = self.root / path
        try:
            if not place.resolve().is_relative_to(self.root) or not place.is_file():
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
            if status.st_size > _HASHED_BYTES:
                return f"{status.st_size}-{status.st_mtime_ns}"
            raw = os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()
        except OSError:
            return None
        return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()

    def _words(self, *arguments: str) -> str:
        process = _git(self.root, arguments)
        output, words = process.communicate()
        if process.returncode:
            raise WrongUse(f"git {' '.join(arguments)}: {os.fsdecode(words).strip()}; name a commit that is here")
        return os.fsdecode(output)

    def _answer(self, process: subprocess.Popen[bytes]) -> str:
        output, words = process.communicate()
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
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    environment: Mapping[str, str] = {**os.environ, **_ENVIRONMENT}
    try:
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise OutsideSystem(f"git cannot be started: {error.strerror}; install git 2.38 or newer") from None


def _split(words: str) -> list[str]:
    return [path for path in words.split("\0") if path]


def root_of(folder: Path) -> Path:
    """The top of the checkout around a folder; without git the nearest folder with a workspace, else the folder.

    Raises WrongUse for what is no folder.
    """
    start = folder.resolve()
    if not start.is_dir():
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
