"""A transition: one change of one pin file, with its key, its branch and the files that change.

Same inputs, same key, same branch (I2). Kinds of people (`pin`, `hold`, …) are transitions too, made by their verbs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tidegate.core.judging.verdict import Verdict
from tidegate.core.pin import Pin, Stamp, digest


class Kind(Enum):
    """What a transition does. The first six are decided, the others asked for by people.

    `render` changes no version: it brings the rendered file to what a person wrote into the pin file.
    """

    PROMOTE = "promote"
    ADVANCE = "advance"
    FINISH = "finish"
    REVERT = "revert"
    RETRAIN = "retrain"
    RENDER = "render"
    PIN = "pin"
    ROLLBACK = "rollback"
    HOLD = "hold"
    RESUME = "resume"
    UNREJECT = "unreject"
    RESTART = "restart"
    OVERRIDE = "override"


DECIDED = frozenset({Kind.PROMOTE, Kind.ADVANCE, Kind.FINISH, Kind.REVERT, Kind.RETRAIN, Kind.RENDER})

_BRANCH = re.compile(r"tidegate/(?P<model>[^/]+)/(?P<environment>[^/]+)/(?P<kind>[a-z]+)-(?P<key>k[0-9a-f]{16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one pin file. `after` is stamped. `needs_person` asks for an approval whatever its kind.

    `reasons` are sentences; `verdict` is what the judges said, for the proposal's body. `adopts` is the open
    proposal that already carries this key; `closes` are proposals of ours that must be closed first.
    """

    model: str
    environment: str
    kind: Kind
    before: Pin | None
    after: Pin
    reasons: tuple[str, ...]
    needs_person: bool = False
    verdict: Verdict | None = None
    adopts: int | None = None
    closes: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        assert self.after.transition is not None, "a transition's pin is stamped"
        return self.after.transition.key

    @property
    def branch(self) -> str:
        return branch_name(self.model, self.environment, self.kind, self.key)


def moves(kind: Kind, environment: str, before: Pin | None, after: Pin) -> str:
    """What a transition changes, whatever it follows from: a veto of it outlives other changes of the file."""
    moved = after.canary or (before.canary if before and kind is Kind.REVERT else None)
    version = moved.pin.version if moved else after.stable.version if after.stable else 0
    if kind is Kind.REVERT and before is not None and before.canary is None and before.stable is not None:
        version = before.stable.version
    return f"{kind.value} {environment} {version} {after.canary.weight if after.canary else 1:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What a proposal's branch name says."""

    model: str
    environment: str
    kind: Kind
    key: str


def branch_name(model: str, environment: str, kind: Kind, key: str) -> str:
    return f"tidegate/{model}/{environment}/{kind.value}-{key}"


def parse_branch(name: str) -> Branch | None:
    """The parts of a branch name of ours, or None for any other branch."""
    match = _BRANCH.fullmatch(name)
    if match is None or match["kind"] not in {kind.value for kind in Kind}:
        return None
    return Branch(model=match["model"], environment=match["environment"], kind=Kind(match["kind"]), key=match["key"])


def mark(kind: Kind, before: Pin | None, attempt: int = 1) -> Stamp:
    """The stamp of a transition from `before`, its key still open: `pin.stamped` fills it in."""
    return Stamp(kind=kind.value, before=digest(before), attempt=attempt, key="")
