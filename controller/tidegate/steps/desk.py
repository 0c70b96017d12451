"""What it takes to propose and to approve: one state of main, and the ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tidegate.core.workspace import Workspace
from tidegate.ports import Clock, Forge, Repository, Target
from tidegate.steps.desired import DesiredReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The state that is judged (`main` is its commit, `workspace` its rules), and where proposals go."""

    repository: Repository
    forge: Forge
    reader: DesiredReader
    targets: Mapping[str, Target]
    workspace: Workspace
    main: str
    clock: Clock

    @property
    def now(self) -> datetime:
        """The instant of the write at hand."""
        return self.clock.now()
