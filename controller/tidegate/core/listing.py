"""Which files a work tree holds, and what tells one content of a file from another: as git lists them.

`tracked` is what `git ls-files --stage -z` prints, less submodules. It is kept as text: thirty thousand files are
compared with the run before, and searched, without taking their lines apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LINK, MODULE = "120000", "160000"
"""Modes of a symbolic link, and of a submodule, which is no file. A loose link has mode and target for an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """`loose` maps files that differ from git's index, or that it does not know, to their blob id now; None: gone."""

    tracked: str
    loose: Mapping[str, str | None] = field(default_factory=dict)

    def paths(self) -> frozenset[str]:
        """Every file that is there, by its path from the root."""
        gone = {path for path, blob in self.loose.items() if blob is None}
        return frozenset((set(_files(self.tracked)) | self.loose.keys()) - gone)

    def has(self, path: str) -> bool:
        """Whether there is a file or folder of this path. For a few questions; `Index` answers many."""
        below = f"{path}/"
        loose = {name: blob for name, blob in self.loose.items() if name == path or name.startswith(below)}
        if any(blob is not None for blob in loose.values()) or (path not in loose and f"\t{path}\0" in self.tracked):
            return True
        return any(name not in loose for name in self._starting(below))

    def is_file(self, path: str) -> bool:
        return self.loose[path] is not None if path in self.loose else f"\t{path}\0" in self.tracked

    def links(self) -> frozenset[str]:
        """The symbolic links among the files: what they mean may change while they stay the same."""
        loose = {path for path, blob in self.loose.items() if blob and blob.startswith(f"{LINK} ")}
        if f"\0{LINK} " not in f"\0{self.tracked}":
            return frozenset(loose)
        lines = (line for line in self.tracked.split("\0") if line.startswith(f"{LINK} "))
        return frozenset(loose.union(line.partition("\t")[2] for line in lines))

    def inside(self, folder: str) -> tuple[str, ...]:
        """The files right in a folder (`""` is the root), in order."""
        start = f"{folder}/" if folder else ""
        found = {path for path in self._starting(start) if "/" not in path[len(start) :]}
        for path, blob in self.loose.items():
            if blob is None:
                found.discard(path)
            elif path.rpartition("/")[0] == folder:
                found.add(path)
        return tuple(sorted(found))

    def _starting(self, start: str) -> Iterator[str]:
        place = self.tracked.find(f"\t{start}")
        while place >= 0:
            end = self.tracked.find("\0", place)
            yield self.tracked[place + 1 : end]
            place = self.tracked.find(f"\t{start}", end)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a file is not read: the rule that it breaks, in words."""

    rule: str
    message: str


class Index:
    """The same answers as `Listing.has` and `Listing.inside`, for thousands of questions."""

    def __init__(self, listing: Listing) -> None:
        self._folders: dict[str, list[str]] = {}
        for path in sorted(listing.paths()):
            self._folders.setdefault(path.rpartition("/")[0], []).append(path)
        self._all = listing.paths() | set(_ancestors(self._folders))

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that holds a file itself."""
        return tuple(self._folders)

    def has(self, path: str) -> bool:
        return path in self._all

    def inside(self, folder: str) -> tuple[str, ...]:
        return tuple(self._folders.get(folder, ()))


def changed(before: Listing, now: Listing) -> frozenset[str]:
    """The paths whose content, kind or presence differs."""
    loose = {path for path, _ in before.loose.items() ^ now.loose.items()}
    if before.tracked == now.tracked:
        return frozenset(loose)
    lines = set(before.tracked.split("\0")) ^ set(now.tracked.split("\0"))
    return frozenset(loose | {line.partition("\t")[2] for line in lines if line})


def above(path: str) -> Iterator[str]:
    """The path itself and every folder above it, the root last."""
    yield path
    while path:
        path = path.rpartition("/")[0]
        yield path


def _files(tracked: str) -> Iterator[str]:
    for line in tracked.split("\0"):
        if line:
            yield line.partition("\t")[2]


def _ancestors(folders: Mapping[str, object]) -> Iterator[str]:
    seen: set[str] = set()
    for folder in folders:
        for place in above(folder):
            if place in seen:
                break
            seen.add(place)
    yield from seen
