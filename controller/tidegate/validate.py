"""All findings of a workspace's files; what was found before and cannot have changed is not looked for again.

A folder is the unit: a manifest and the pin files beside it. Its findings depend on its own files, on the answers to
what its checks asked about other paths, and on what the key takes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tidegate.core.finding import Finding, Severity
from tidegate.core.listing import Index, Listing, above, changed
from tidegate.core.remembered import SETTINGS, Remembered, Seen, decode, encode, members_in, remembering
from tidegate.errors import WrongUse
from tidegate.steps.look import Look

if TYPE_CHECKING:
    from tidegate.ports import WorkTree

    Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]

_FEW = 20
"""So few folders are rather inspected again the next time than written down now."""
_MANY = 500
"""So many changed paths are no small change: everything is looked at anew."""
_WORTH_A_PROCESS = 100
"""Folders that take as long to inspect as a process takes to start."""


class Memory(Protocol):
    """Bytes by name, which may be forgotten at any time."""

    def recall(self, name: str) -> bytes | None: ...
    def keep(self, name: str, content: bytes) -> None: ...


class Spread(Protocol):
    """Does work over items on as many cores as there are; the results come in the order of the items."""

    def __call__(self, work: Callable[[Sequence[str]], list[Seen]], items: Sequence[str], least: int) -> list[Seen]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is asked for: `paths` are files and folders from the root, all of them when empty.

    `since` is a ref: only folders that differ from where HEAD left it.
    """

    paths: tuple[str, ...] = ()
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings in the order of files and lines. `checked` counts files, `inspected` the folders looked into."""

    findings: tuple[Finding, ...]
    checked: int
    inspected: int

    @property
    def failed(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a run works with. `version` stands for the program with its rules and schemas; `name` for the checkout."""

    tree: WorkTree
    schemas: Callable[[], Schemas]
    spread: Spread
    version: str
    name: str
    memory: Memory | None = None


def validate(ports: Ports, scope: Scope) -> Report:
    """Look at all files in scope. Raises WrongUse for paths and refs that are not there."""
    run = _Run(ports, frozenset(scope.paths))
    state, inspected = run.of_named() if scope.paths else run.of_everything()
    checked = sum(state.files.values())
    return Report(findings=state.told(_folders(ports, scope, state)), checked=checked, inspected=inspected)


def _folders(ports: Ports, scope: Scope, state: Remembered) -> Collection[str] | None:
    """Those whose findings are told; None for all, also when the workspace's settings changed."""
    paths = ports.tree.changed_since(scope.since) if scope.since is not None else {SETTINGS}
    return None if SETTINGS in paths else state.near(paths)


class _Run:
    """One look at one state of the files, with what is remembered of another."""

    def __init__(self, ports: Ports, named: frozenset[str]) -> None:
        self._ports = ports
        self._named = named
        self._content = ports.tree.read(SETTINGS)
        self._look = Look(ports.tree, ports.schemas, self._content, named)

    def of_named(self) -> tuple[Remembered, int]:
        """The folders of the paths that were named, without what all models say together: the others are not read.

        Nothing is remembered, and nothing of it is used.
        """
        self._look.load()
        self._look.places = listing = self._ports.tree.listing()
        for path in self._named:
            if path and not listing.has(path):
                raise WrongUse(f"{path or '.'} is not there, or git ignores it")
        folders = {path for path in self._named if not listing.is_file(path)}
        below = self._below(folders, listing) if folders else set()
        beside = {path.rpartition("/")[0] for path in self._named - folders}
        return self._anew(beside | below, Listing(tracked=""))

    def _below(self, places: set[str], listing: Listing) -> set[str]:
        """Our folders among these and all that lie in them."""
        index = self._index(listing)
        return {one for one in index.folders if not places.isdisjoint(above(one)) and self._look.is_ours(one)}

    def of_everything(self) -> tuple[Remembered, int]:
        """What is true now, and how many folders were inspected to know it."""
        before = self._recalled()
        self._look.load()
        self._look.places = now = self._ports.tree.listing()
        paths = changed(before.listing, now) if before else frozenset()
        links = now.links()
        if before and not paths and not links:
            return before, 0
        misled = before.misled(paths, self._look) | before.near(links) if before else frozenset()
        if before and SETTINGS not in misled and len(paths) <= _MANY:
            state, inspected = self._renewed(before, paths, misled)
        else:
            index = self._index(now)
            state, inspected = self._anew((folder for folder in index.folders if self._look.is_ours(folder)), now)
        if self._ports.memory and inspected > _FEW:
            self._ports.memory.keep(self._ports.name, encode(replace(state, listing=now)))
        return state, inspected

    def _recalled(self) -> Remembered | None:
        raw = self._ports.memory.recall(self._ports.name) if self._ports.memory else None
        return decode(raw, self._key) if raw else None

    @cached_property
    def _key(self) -> str:
        return hashlib.sha256(f"{self._ports.version}\0{self._content!r}".encode()).hexdigest()

    def _index(self, listing: Listing) -> Index:
        self._look.places = index = Index(listing)
        return index

    def _anew(self, folders: Iterable[str], listing: Listing) -> tuple[Remembered, int]:
        seen = self._inspected(sorted(folders))
        state = remembering(self._key, listing, {SETTINGS: self._look.settings(), **seen})
        clashes = [] if self._named else self._look.clashes(members_in(state.members))
        return replace(state, clashes=clashes), len(seen)

    def _renewed(self, before: Remembered, paths: Collection[str], misled: Collection[str]) -> tuple[Remembered, int]:
        """What was remembered, with the folders above the changed paths and the misled ones looked at again."""
        own = {path.rpartition("/")[0] for path in paths}
        holding = {place for path in paths for place in above(path) if self._look.has(f"{place}/model.yaml")}
        places = (own | holding | set(misled)) - {SETTINGS}
        seen = self._inspected(sorted(place for place in places if self._look.is_ours(place)))
        state = before.renewed(places, seen)
        clashes = before.clashes
        if state.members != before.members or any(clash["path"] in paths for clash in clashes):
            clashes = self._look.clashes(members_in(state.members))
        return replace(state, clashes=clashes), len(seen)

    def _inspected(self, folders: Sequence[str]) -> dict[str, Seen]:
        self._look.begin()
        seen = self._ports.spread(self._look.folders, folders, _WORTH_A_PROCESS)
        return dict(zip(folders, seen, strict=True))
