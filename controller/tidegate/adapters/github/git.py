"""What the forge needs of git: branches that move by compare-and-swap, and commits to look at.

The REST interface deletes and moves branches without asking where they are, and shows at most 300 changed files; git
does neither. `adapters.git.remote` satisfies this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Git(Protocol):
    def head(self, branch: str = "main") -> str | None:
        """Where a branch points now, asked of GitHub's git."""
        ...

    def move_branch(self, branch: str, new: str | None, expected: str | None) -> None: ...
    def have(self, commits: Iterable[str]) -> frozenset[str]:
        """Those of these commits that can be read here, fetched where they were not."""
        ...

    def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """The paths in which two commits do not merge."""
        ...

    def brought_by(self, commit: str, main: str) -> str | None:
        """The commit of main's first-parent history that brought another one; None while main does not have it."""
        ...

    def diff(self, base: str, head: str) -> str:
        """What `head` changes since it left `base`."""
        ...
