"""What `decide` answers for one environment: nothing to do, a hold with its reason, or a transition to make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from tidegate.core.judging.verdict import Verdict
from tidegate.core.pin import Pin
from tidegate.core.transition import Kind, Transition


class WaitingOn(Enum):
    """What a hold waits for."""

    TIME = "time"
    EVENTS = "events"
    PERSON = "person"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The desired state is reached."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A wish exists and cannot go yet. `degraded` means users are worse off meanwhile; `pages` that somebody must wake.

    `wished` is the transition that would be made; its open proposal stays open.
    """

    reason: str
    waiting_on: WaitingOn
    until: datetime | None = None
    degraded: bool = False
    pages: bool = False
    unknown: bool = False
    wished: Transition | None = None

    def of(self, wished: Transition | None) -> Hold:
        return replace(self, wished=wished)


class Evidence(Enum):
    """What a wish rests on."""

    COMPARISON = "comparison"
    ABSOLUTE = "absolute"
    NEVER_SERVED = "never served"
    DIGEST = "digest"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What should happen if no guard says otherwise: the pin file after it (not yet stamped) and why.

    `evidence` tells what the wish rests on, because some guards stop only some evidence; `objective` names the one that
    was breached or compared, if it was one.
    """

    kind: Kind
    after: Pin
    reasons: tuple[str, ...]
    evidence: Evidence
    objective: str = ""
    needs_person: bool = False
    verdict: Verdict | None = None


Decision = Nothing | Hold | Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDecision:
    """One decision per environment, plus retrain, and proposals of ours that are not due any more (number, why)."""

    model: str
    environments: Mapping[str, Decision]
    retrain: Decision = field(default_factory=Nothing)
    stale: tuple[tuple[int, str], ...] = ()

    def transitions(self) -> tuple[Transition, ...]:
        every = (*self.environments.values(), self.retrain)
        return tuple(decision for decision in every if isinstance(decision, Transition))


class Status(Enum):
    """The one word that `status` shows."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    HELD = "Held"
    UNKNOWN = "Unknown"
    DEGRADED = "Degraded"


def status_of(decision: Decision) -> Status:
    """The word for one environment's decision."""
    match decision:
        case Nothing():
            return Status.HEALTHY
        case Transition():
            return Status.PROGRESSING
        case Hold(degraded=True):
            return Status.DEGRADED
        case Hold(unknown=True):
            return Status.UNKNOWN
        case Hold(waiting_on=WaitingOn.TIME | WaitingOn.EVENTS):
            return Status.PROGRESSING
        case Hold():
            return Status.HELD
