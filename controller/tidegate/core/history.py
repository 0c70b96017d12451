"""What a pin file's history tells: since when something holds, and whether a person set it.

History is first-parent, oldest first; its last entry is what main holds. Trailers and messages do not count: the
file does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from tidegate.core.judging.verdict import WeightChange
from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin, is_ours
from tidegate.core.quantity import VersionPin

# Transitions that leave it as it is whether a person set the versions: walking back goes on behind them.
_NEUTRAL = ("hold", "unreject", "override", "render")


def distinct(history: Sequence[PinChange]) -> tuple[PinChange, ...]:
    """The history without entries that changed layout or comments only."""
    return tuple(reversed([history[index] for index in _backwards(history)]))


def _backwards(history: Sequence[PinChange]) -> Iterator[int]:
    """Where the content changed, from the newest entry back: who asks about now need not walk all that ever was."""
    for index in range(len(history) - 1, -1, -1):
        if not index or history[index].pin != history[index - 1].pin:
            yield index


def set_by_hand(model: str, environment: str, history: Sequence[PinChange]) -> PinChange | None:
    """The change by which a person set the versions that main holds now, or None when the chain of transitions did.

    A file that does not hash to its transition was edited; one whose key was merged before was reverted to. Hand
    changes of weight, rejections or holds alone do not count.
    """
    for index in _backwards(history):
        change = history[index]
        before = history[index - 1].pin if index else None
        if change.pin is None:
            return change if before is not None else None
        if _is_fresh(model, environment, history, index):
            kind = change.pin.transition.kind if change.pin.transition else ""
            if kind in _NEUTRAL:
                continue
            return change if kind == "pin" else None
        if _versions(change.pin) != _versions(before):
            return change
    return None


def _is_fresh(model: str, environment: str, history: Sequence[PinChange], index: int) -> bool:
    """Whether a transition wrote this entry: it hashes to its key, and no earlier entry carries that key."""
    pin = history[index].pin
    if pin is None or pin.transition is None or not is_ours(model, environment, pin):
        return False
    earlier = [change.pin.transition.key for change in history[:index] if change.pin and change.pin.transition]
    return pin.transition.key not in earlier


def override_changes(model: str, environment: str, history: Sequence[PinChange]) -> tuple[PinChange, ...]:
    """The entries since the override that main holds was last given, oldest first; empty without one."""
    override = history[-1].pin.override if history and history[-1].pin else None
    run: list[PinChange] = []
    for index in _backwards(history):
        pin = history[index].pin
        if override is None or pin is None or pin.override != override:
            break
        run.append(history[index])
        if _is_fresh(model, environment, history, index) and pin.transition and pin.transition.kind == "override":
            break
    return tuple(reversed(run))


def rollout_changes(history: Sequence[PinChange]) -> tuple[PinChange, ...]:
    """The entries of the rollout in flight, oldest first: from its entry or last restart; empty without a canary."""
    changes = distinct(history)
    current = _canary(changes[-1].pin) if changes else None
    if current is None:
        return ()
    run: list[PinChange] = []
    for change in reversed(changes):
        if _canary(change.pin) != current:
            break
        run.append(change)
        if change.pin and change.pin.transition and change.pin.transition.kind == "restart":
            break
    return tuple(reversed(run))


def weight_changes(history: Sequence[PinChange]) -> tuple[WeightChange, ...]:
    """When the canary of the rollout in flight got which weight."""
    weights: list[WeightChange] = []
    for change in rollout_changes(history):
        weight = change.pin.canary.weight if change.pin and change.pin.canary else 0.0
        if not weights or weights[-1].weight != weight:
            weights.append(WeightChange(at=change.at, weight=weight))
    return tuple(weights)


def stable_change(history: Sequence[PinChange]) -> PinChange | None:
    """The entry that made the present stable version stable."""
    stable = history[-1].pin.stable if history and history[-1].pin else None
    found: PinChange | None = None
    for change in reversed(history):
        if stable is None or change.pin is None or change.pin.stable != stable:
            break
        found = change
    return found


def finished_at(history: Sequence[PinChange]) -> datetime | None:
    """When a rollout made the present stable version stable; None when it came to be stable in another way."""
    change = stable_change(history)
    if change is None or change.pin is None or change.pin.transition is None:
        return None
    return change.at if change.pin.transition.kind == "finish" else None


def side_by_side(history: Sequence[PinChange]) -> tuple[datetime, datetime | None] | None:
    """Since when and until when the present stable version served beside the previous one: as canary, and while that
    one was held back (None: still is). None where it came to be stable in another way."""
    changes, change = distinct(history), stable_change(history)
    if change is None or change.pin is None or finished_at(history) is None:
        return None
    finish = changes.index(change)
    run = rollout_changes(changes[:finish])
    if not run or _canary(run[-1].pin) != change.pin.stable:
        return None
    dropped = (later.at for later in changes[finish:] if later.pin is None or later.pin.holdback is None)
    return run[0].at, next(dropped, None)


def entry_proposal(history: Sequence[PinChange], version: VersionPin) -> int | None:
    """The proposal by which this version last entered the environment."""
    number: int | None = None
    inside = False
    for change in distinct(history):
        here = change.pin is not None and version in (change.pin.stable, _canary(change.pin))
        if here and not inside:
            number = change.proposal
        inside = here
    return number


def entries_since(history: Sequence[PinChange], since: datetime | None) -> tuple[PinChange, ...]:
    """The entries after `since` that made another version stable."""
    changes = distinct(history)
    entered: list[PinChange] = []
    for before, change in zip((None, *changes), changes, strict=False):
        old = before.pin.stable if before and before.pin else None
        new = change.pin.stable if change.pin else None
        if new is not None and new != old and (since is None or change.at > since):
            entered.append(change)
    return tuple(entered)


def _canary(pin: Pin | None) -> VersionPin | None:
    return pin.canary.pin if pin and pin.canary else None


def _versions(pin: Pin | None) -> tuple[VersionPin | None, ...]:
    return (pin.stable, pin.previous, _canary(pin)) if pin else (None, None, None)
