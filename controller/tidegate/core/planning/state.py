"""The facts that a plan is made from: one model as two commits have it, and what is known around it. Data only;
`tidegate.plan` reads it from git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tidegate.core.launch_record import LaunchRecord
from tidegate.core.manifest import Model
from tidegate.core.observed import PinChange, Training
from tidegate.core.pin import Pin
from tidegate.core.planning.plan import Flight
from tidegate.core.training_key import Inputs
from tidegate.core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered file: what the pin file asks for (None without one), and what stands in git (None: no file)."""

    path: str
    wanted: str | None
    found: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One model at one commit. `inputs` is None where it is not trained, or its source is not there.

    `pins` and `rendered` are by environment; a pin file that cannot be read is in `pins` no more than one that is not
    there.
    """

    model: Model
    inputs: Inputs | None = None
    pins: Mapping[str, Pin] = field(default_factory=dict)
    rendered: Mapping[str, Rendered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One model before and after (None: not there), and what is known of it.

    `files` are the paths of its folder, old and new, and of its rendered files that exist after the change; `changed`
    the paths that the change touches anywhere. `record` is the last launch of the training key after the change (before
    it, where the model is gone), and `progress` what it means. `histories` are those of changed pin files, before the
    change.
    """

    before: State | None
    after: State | None
    workspace: Workspace
    now: datetime
    changed: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    progress: Training | None = None
    record: LaunchRecord | None = None
    flights: Mapping[str, Flight] = field(default_factory=dict)
    histories: Mapping[str, tuple[PinChange, ...]] = field(default_factory=dict)
    dependants: tuple[str, ...] = ()

    @property
    def either(self) -> State:
        """The state after the change, the one before it where the model is gone."""
        state = self.after or self.before
        assert state is not None, "facts are about a model"
        return state
