"""Episodes: the real rollouts of a model, as the histories of its pin files tell them.

An episode begins where there was something to decide (its version was stable in the environments before), and ends
with its probation, or when the version left. What would have been decided meanwhile is `walk`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.manifest import Environment
from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind

Probation = Callable[[PinChange], timedelta]
"""How long probation lasts behind the change that finished a rollout."""

_BACK = (Kind.REVERT.value, Kind.ROLLBACK.value)


class Ending(Enum):
    """How a rollout ended. `entered`: at 100 %, where nothing is judged behind it."""

    ENTERED = "entered"
    FINISHED = "finished"
    REVERTED = "reverted"
    REMOVED = "removed"
    REPLACED = "replaced"
    OPEN = "under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One version's way through one environment. `first` and `last` are the places of its changes in the history.

    `entered` is when it was merged, `finished` when it became stable after its steps (None: never).
    """

    environment: str
    version: int
    start: datetime
    entered: datetime
    end: datetime
    ending: Ending
    first: int
    last: int
    finished: datetime | None = None
    policy: str | None = None


def episodes(
    environment: Environment, histories: Mapping[str, Sequence[PinChange]], probation: Probation, now: datetime
) -> Iterator[Episode]:
    """The rollouts of one environment, oldest first. `histories` are without changes of layout alone."""
    history = histories[environment.name]
    free = None
    for place, change in enumerate(history):
        entering = _entering(_pin(history, place - 1), change)
        if entering is None:
            continue
        found = _followed(environment.name, entering, history, place, probation)
        found = _cut(found, now)
        ready = _ready(entering, environment.after, histories, change.at)
        before = [at for at in (ready, free, history[place - 1].at if place else None) if at is not None]
        free = found.end
        yield replace(found, start=min(max(before), change.at)) if ready is not None else found


def _pin(history: Sequence[PinChange], place: int) -> Pin:
    return (history[place].pin if place >= 0 else None) or Pin()


def _entering(before: Pin, change: PinChange) -> VersionPin | None:
    """The version that this change brought in: a new canary, or a new stable version that was no canary before."""
    after = change.pin or Pin()
    kind = after.transition.kind if after.transition else ""
    if kind in _BACK:
        return None
    if after.canary is not None:
        known = before.canary is not None and before.canary.pin == after.canary.pin
        return None if known and kind != Kind.RESTART.value else after.canary.pin
    new = after.stable is not None and after.stable != before.stable
    finished = before.canary is not None and before.canary.pin == after.stable
    returned = after.stable == before.previous and before.stable is not None
    return after.stable if new and not finished and not returned else None


def _followed(
    name: str, version: VersionPin, history: Sequence[PinChange], place: int, probation: Probation
) -> Episode:
    """The episode that began at a place, followed to its end; without its way there."""
    entry = history[place]
    found = Episode(
        environment=name,
        version=version.version,
        start=entry.at,
        entered=entry.at,
        end=entry.at,
        ending=Ending.ENTERED,
        first=place,
        last=place,
        policy=entry.pin.policy if entry.pin else None,
    )
    if entry.pin is None or entry.pin.canary is None:
        return found
    for index in range(place + 1, len(history)):
        pin, at = _pin(history, index), history[index].at
        if pin.canary is not None and pin.canary.pin == version and not _restarted(pin):
            continue
        if pin.stable == version:
            return _on_probation(replace(found, finished=at, last=index), version, history, probation)
        if pin.canary is not None:
            return replace(found, end=at, ending=Ending.REPLACED, last=index - 1)
        return replace(found, end=at, ending=_gone(pin), last=index)
    return replace(found, end=datetime.max.replace(tzinfo=entry.at.tzinfo), ending=Ending.OPEN, last=len(history) - 1)


def _restarted(pin: Pin) -> bool:
    return pin.transition is not None and pin.transition.kind == Kind.RESTART.value


def _gone(pin: Pin) -> Ending:
    """Whether the loop took it out, or a person."""
    kind = pin.transition.kind if pin.transition else ""
    return Ending.REVERTED if kind == Kind.REVERT.value else Ending.REMOVED


def _on_probation(found: Episode, version: VersionPin, history: Sequence[PinChange], probation: Probation) -> Episode:
    """To the end of probation; a version held back gives up its share by one more change behind it."""
    assert found.finished is not None, "called with a finished rollout"
    end = found.finished + probation(history[found.last])
    last = found.last
    for index in range(found.last + 1, len(history)):
        pin, at = _pin(history, index), history[index].at
        held_back = _pin(history, index - 1).holdback is not None
        if at >= end and not (held_back and pin.stable == version and pin.canary is None):
            break
        if pin.stable != version:
            return replace(found, end=at, ending=_gone(pin), last=index)
        if pin.canary is not None:
            return replace(found, end=at, ending=Ending.REPLACED, last=last)
        last, end = index, max(end, at)
    return replace(found, end=end, ending=Ending.FINISHED, last=last)


def _ready(
    version: VersionPin, after: Sequence[str], histories: Mapping[str, Sequence[PinChange]], entered: datetime
) -> datetime | None:
    """Since when the version was stable in every environment before this one; None where it is in none of them."""
    found = [at for name in after if (at := _stable_since(version, histories.get(name, ()), entered)) is not None]
    return max(found, default=None)


def _stable_since(version: VersionPin, history: Sequence[PinChange], by: datetime) -> datetime | None:
    since = None
    for change in history:
        if change.at > by:
            break
        stable = change.pin.stable if change.pin else None
        since = (since or change.at) if stable == version else None
    return since


def _cut(episode: Episode, now: datetime) -> Episode:
    """As far as it has come by now."""
    return episode if episode.end <= now else replace(episode, end=now, ending=Ending.OPEN)
