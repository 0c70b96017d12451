"""Looks into folders of a checkout: reads their YAML, has it inspected, and notes what was asked about the rest.

What is a finding is the business of `core/inspection.py`; which folders are looked into, that of `validate`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from tidegate.core.finding import Finding, Severity
from tidegate.core.listing import Index, Listing, Unfit, above
from tidegate.core.remembered import SETTINGS, Answer, Plain, Seen, plain

if TYPE_CHECKING:
    from tidegate.core.inspection import Inspector
    from tidegate.core.workspace import Workspace
    from tidegate.ports import WorkTree

    Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]


class Look:
    """At one state of the files. `named` are files that somebody asked for, and which must therefore be ours.

    `content` is that of the workspace's own file.
    """

    def __init__(
        self,
        tree: WorkTree,
        schemas: Callable[[], Schemas],
        content: bytes | Unfit | None,
        named: frozenset[str] = frozenset(),
    ) -> None:
        self._tree = tree
        self._load = schemas
        self._content = content
        self._named = named
        self.places: Listing | Index = Listing(tracked="")

    def has(self, path: str) -> bool:
        return self.places.has(path)

    def digest(self, path: str) -> str | None:
        return self._tree.digest(path) if self.places.has(path) else None

    def is_ours(self, folder: str) -> bool:
        """Whether a folder lies where models do, and holds YAML."""
        return self.is_among_models(folder) and holds_yaml(self.places, folder)

    def is_among_models(self, path: str) -> bool:
        return any(place in self._roots for place in above(path))

    def load(self) -> None:
        """Load the rules: a tenth of a second, in which git may go on listing."""
        import tidegate.core.inspection  # noqa: F401

    def begin(self) -> None:
        """Make what every folder needs; processes that part after this share it."""
        _ = self._inspector

    def folders(self, folders: Sequence[str]) -> list[Seen]:
        return [self._folder(folder) for folder in folders]

    def settings(self) -> Seen:
        """The workspace's own file."""
        return self._settings[0]

    def clashes(self, members: Sequence[Plain]) -> list[Plain]:
        """Findings about all models together, placed in the files that they speak of."""
        from tidegate.core.checks import fleet
        from tidegate.core.inspection import found_in

        faults = fleet.check([fleet.Member(**member) for member in members])
        return plain(found_in(path, self._tree.read(path), fault) for path, fault in faults)

    def _folder(self, folder: str) -> Seen:
        read = {
            path: self._tree.read(path) for path in self.places.inside(folder) if is_yaml(path) and path != SETTINGS
        }
        around = _Around(folder, self)
        inspected = self._inspector.folder({p: raw for p, raw in read.items() if isinstance(raw, bytes)}, around)
        unfit = [_unfit(path, why) for path, why in read.items() if isinstance(why, Unfit)]
        member = asdict(inspected.member) if inspected.member else None
        return Seen(plain([*unfit, *inspected.findings]), member, around.asked, len(read))

    @cached_property
    def _inspector(self) -> Inspector:
        from tidegate.core.inspection import Inspector

        return Inspector(schemas=self._schemas, workspace=self._workspace, named=self._named)

    @cached_property
    def _roots(self) -> frozenset[str]:
        """Where models lie: `models/` and `./models` are `models`, and `.` is the root."""
        return frozenset(posixpath.normpath(folder).removeprefix(".") for folder in self._workspace.models)

    @cached_property
    def _schemas(self) -> Schemas:
        return self._load()

    @property
    def _workspace(self) -> Workspace:
        return self._settings[1]

    @cached_property
    def _settings(self) -> tuple[Seen, Workspace]:
        from tidegate.core.inspection import inspect_settings
        from tidegate.core.workspace import Workspace

        if not isinstance(self._content, bytes):
            unfit = [] if self._content is None else [_unfit(SETTINGS, self._content)]
            return Seen(plain(unfit), None, {}, len(unfit)), Workspace()
        around = _Around(SETTINGS, self)
        findings, workspace = inspect_settings(self._content, self._schemas, around)
        return Seen(plain(findings), None, around.asked, 1), workspace


class _Around:
    """What surrounds a folder, and a note of every question about what lies outside of it."""

    def __init__(self, folder: str, look: Look) -> None:
        self._below = f"{folder}/"
        self._look = look
        self.asked: dict[str, Answer] = {}

    def has(self, path: str) -> bool:
        answer = self._look.has(path)
        if not path.startswith(self._below):
            self.asked.setdefault(path, answer)
        return answer

    def digest(self, path: str) -> str | None:
        answer = self._look.digest(path)
        if not path.startswith(self._below):
            self.asked[path] = answer  # says more than whether it is there
        return answer


def holds_yaml(places: Listing | Index, folder: str) -> bool:
    return any(map(is_yaml, places.inside(folder)))


def is_yaml(path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


def _unfit(path: str, why: Unfit) -> Finding:
    return Finding(rule=why.rule, severity=Severity.ERROR, path=path, line=1, column=1, message=why.message)
