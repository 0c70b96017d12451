"""Which commits along first parents changed which file.

One `git log` serves every path, and later commits of the branch extend what is known: a pass costs what was
committed since the last one (I10), not the number of models times the length of the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tidegate.adapters.git.objects import decoded


class Git(Protocol):
    def run(self, *arguments: str) -> bytes: ...
    def ids(self, names: Sequence[str]) -> list[str | None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A commit, its first parent, and the blobs of the files it changed against that (None: no file)."""

    commit: str
    parent: str | None
    changes: Mapping[str, str | None]


@dataclass(slots=True)
class FirstParentLog:
    """The steps of one chain, oldest first, and for each path the places of those that changed it."""

    steps: list[Step] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    versions: dict[str, list[int]] = field(default_factory=dict)

    def of(self, commit: str, path: str) -> list[tuple[str, str | None]]:
        """Commits that changed the file, up to a commit of this chain, with the blob each left."""
        steps = [self.steps[place] for place in self.versions.get(path, ()) if place <= self.place[commit]]
        return [(step.commit, step.changes[path]) for step in steps]

    def newest(self, commit: str, paths: Sequence[str]) -> str | None:
        """The last commit up to a commit of this chain that changed one of these files or folders."""
        end = self.place[commit]
        under = tuple("" if path == "." else f"{path}/" for path in paths)
        changed = (places for path, places in self.versions.items() if path in paths or path.startswith(under))
        last = max((place for places in changed for place in places if place <= end), default=None)
        return None if last is None else self.steps[last].commit

    def below(self, commit: str, prefix: str) -> tuple[str, ...]:
        """Paths with this beginning that some commit up to this one changed."""
        end = self.place[commit]
        return tuple(sorted(p for p, places in self.versions.items() if p.startswith(prefix) and places[0] <= end))

    def extended(self, commit: str, git: Git) -> FirstParentLog:
        """The chain that ends with `commit`; what is known of it already is not read again."""
        known = [step.commit for step in self.steps[-1:] if git.ids([step.commit]) == [step.commit]]
        new = read(git, commit, known)
        joint = new[-1].parent if new else None
        if joint in self.place:
            return self.until(self.place[joint]).with_steps(new)
        return FirstParentLog().with_steps(read(git, commit, ()) if known else new)

    def until(self, place: int) -> FirstParentLog:
        return self if place == len(self.steps) - 1 else FirstParentLog().with_steps(self.steps[place::-1])

    def with_steps(self, newest_first: Sequence[Step]) -> FirstParentLog:
        for step in reversed(newest_first):
            self.place[step.commit] = len(self.steps)
            for path in step.changes:
                self.versions.setdefault(path, []).append(len(self.steps))
            self.steps.append(step)
        return self


def read(git: Git, commit: str, known: Sequence[str]) -> list[Step]:
    """Steps from `commit` along first parents, newest first, as far as what is known already."""
    changes = ("--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent", "-z", "--format=%H %P")
    output = git.run("log", "--first-parent", *changes, commit, *(f"^{sha}" for sha in known), "--")
    steps: list[Step] = []
    changed: dict[str, str | None] = {}
    tokens = iter(decoded(output).split("\0"))
    for token in tokens:
        match token.strip().split(" "):
            case [old_mode, mode, _, blob, _] if old_mode.startswith(":"):
                changed[next(tokens)] = blob if mode.startswith("1") and mode != "160000" else None
            case [sha, *parents] if sha:
                changed = {}
                steps.append(Step(commit=sha, parent=parents[0] if parents else None, changes=changed))
    return steps
