"""Paths as people write them in our files: relative, with slashes, and never out of the repository.

Whether there is a file of that path is not known here.
"""

from __future__ import annotations

import posixpath
import re

LONGEST = 4096
"""As Linux has it (PATH_MAX): no file has a longer path."""
_UP = "goes up by `..`"
_UNFIT = re.compile(r"[\\\0-\x1f\x7f]")


def stray(path: str) -> str | None:
    """Why the path may lead out of the repository; None where it stays inside."""
    if len(path) > LONGEST:
        return f"has more than {LONGEST:,} characters"
    if path.startswith("/"):
        return "is absolute"
    if path.startswith("~"):
        return "begins in a home folder"
    if path[1:2] == ":":
        return "begins with a drive letter"
    if _UNFIT.search(path):
        return "holds a backslash or a control character"
    return _UP if ".." in path and ".." in path.split("/") else None


def stray_from(folder: str, path: str) -> str | None:
    """As `stray`, for a path that may go up from its folder as long as it stays in the repository."""
    why = stray(path)
    return why if why != _UP or f"{joined(folder, path)}/".startswith("../") else None


def inside(value: object) -> str:
    """A path that stays inside the repository, below the folder it is relative to. Raises ValueError for others."""
    path = str(value)
    if why := stray(path):
        raise ValueError(f"{path!r} leaves the repository: it {why}")
    if is_here(path):
        raise ValueError(
            "a folder of its own is needed: the manifest's would hold the pin files, so that each promotion trains"
        )
    return path.removeprefix("./").rstrip("/")


def is_here(path: str) -> bool:
    """Whether a path that stays inside means the very folder that it is relative to."""
    return not path.strip("./") and posixpath.normpath(path) == "."


def joined(folder: str, path: str) -> str:
    """The path from the repository's root; `""` is the root itself."""
    if path and "/" not in path and not path.startswith("."):
        return f"{folder}/{path}" if folder else path
    found = posixpath.normpath(posixpath.join(folder, path))
    return "" if found == "." else found


def covers(folder: str, path: str) -> bool:
    """Whether a path is the folder or lies in it; both from the root, as `joined` gives them."""
    return folder in ("", path) or path.startswith(f"{folder}/")
