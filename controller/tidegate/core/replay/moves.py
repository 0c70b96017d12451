"""Transitions as people tell them: what the replay decided, what really happened, and whether the two are the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin, is_ours
from tidegate.core.quantity import show_share
from tidegate.core.replay.report import Move
from tidegate.core.transition import DECIDED, Kind, Transition
from tidegate.core.wording import title


def move_of(transition: Transition, at: datetime) -> Move:
    """What the replay decided."""
    return Move(
        at=at,
        kind=transition.kind,
        words=_words(transition),
        reasons=transition.reasons,
        weight=_weight(transition.after),
        needs_person=transition.needs_person,
    )


def happened(model: str, environment: str, history: Sequence[PinChange], place: int) -> Move:
    """What the change at a place of the history did. By a person: edited, brought back, asked for by a verb, rendered
    behind an edit."""
    change, before = history[place], history[place - 1].pin if place else None
    after = change.pin or Pin()
    kind = _kind(model, environment, history, place)
    words = _by_hand(after) if kind is None else _words_of(model, environment, kind, before, after)
    return Move(
        at=change.at,
        kind=kind,
        words=words,
        weight=_weight(after),
        by_person=kind not in DECIDED or kind is Kind.RENDER,
        proposal=change.proposal,
        commit=change.commit,
    )


def same_move(one: Pin, other: Pin | None) -> bool:
    """Whether two pin files serve the same and reject the same, whatever they say of why and by which policy."""
    return other is not None and _serving(one) == _serving(other)


def _serving(pin: Pin) -> tuple[object, ...]:
    return pin.stable, pin.canary, pin.holdback, frozenset(entry.version for entry in pin.rejected)


def _kind(model: str, environment: str, history: Sequence[PinChange], place: int) -> Kind | None:
    """The transition that wrote this file; None where a person edited it, or brought an older one back."""
    pin = history[place].pin
    if pin is None or pin.transition is None or not is_ours(model, environment, pin):
        return None
    earlier = (change.pin.transition for change in history[:place] if change.pin)
    if any(stamp is not None and stamp.key == pin.transition.key for stamp in earlier):
        return None
    return Kind(pin.transition.kind) if pin.transition.kind in {kind.value for kind in Kind} else None


def _words_of(model: str, environment: str, kind: Kind, before: Pin | None, after: Pin) -> str:
    return _words(Transition(model=model, environment=environment, kind=kind, before=before, after=after, reasons=()))


def _words(transition: Transition) -> str:
    """A proposal's title without model and environment: `advance 12 to 50%`."""
    return title(transition).removeprefix(f"{transition.model}/{transition.environment}: ")


def _by_hand(after: Pin) -> str:
    stable = f"stable {after.stable.version}" if after.stable else "no stable version"
    canary = f", canary {after.canary.pin.version} at {show_share(after.canary.weight)}" if after.canary else ""
    return f"set by hand: {stable}{canary}"


def _weight(pin: Pin) -> float | None:
    return pin.canary.weight if pin.canary else None
