"""Walks through an episode instant by instant: what would have been decided, set against what really happened.

After each real transition the replay starts anew from what really was. Which rollouts there are says `episodes`, what
a pass at one instant would have decided `passes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidegate.core.observed import PinChange
from tidegate.core.replay.episodes import Ending, Episode
from tidegate.core.replay.moves import happened, move_of, same_move
from tidegate.core.replay.passes import Passes, Rules, Stopped
from tidegate.core.replay.past import Past, Policy
from tidegate.core.replay.report import Agreement, Move, Part, Replay, Span, State
from tidegate.core.replay.spans import Spans, said
from tidegate.core.transition import Transition

POINTS = 480
"""About so many instants of an episode are kept for its charts."""

_GIT = timedelta(seconds=1)
"""Git keeps whole seconds: what was merged then was decided within that second."""

_LOOKS_UP = 512
"""So many instants go by between two questions whether it is enough."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def replay(episode: Episode, past: Past, rules: Rules) -> Replay:
    """One episode under one policy. Raises Stopped when it is enough before its end."""
    every = max((episode.end - episode.start) // rules.step // POINTS, 1)
    walked: list[tuple[_Walked, Passes]] = []
    for stretch in _stretches(episode, past):
        passes = Passes((stretch.environment, stretch.known), past, rules, every)
        walked.append((_walked(stretch, passes), passes))
    if rules.enough(episode.end):
        raise Stopped
    return Replay(
        policy=rules.policy.name,
        parts=tuple(found.part for found, _ in walked),
        spans=tuple(span for found, _ in walked for span in found.spans),
        points=tuple(point for _, passes in walked for point in passes.points),
        budgets={name: budget for _, passes in walked for name, budget in passes.budgets.items()},
        tuned=_tuned(episode, rules.policy),
    )


def _tuned(episode: Episode, policy: Policy) -> str:
    """A policy that is younger than the episode may have been made to fit it."""
    since = policy.since.get(episode.environment)
    if since is None or since <= episode.entered:
        return ""
    return f"It may have been tuned on this rollout: {policy.name} is younger ({since:%Y-%m-%d %H:%M})."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """From one real state to the next: the first `known` changes of the pin file stand, until one more comes (`real`;
    None: none comes)."""

    environment: str
    known: int
    since: datetime
    until: datetime
    real: PinChange | None


def _stretches(episode: Episode, past: Past) -> Iterator[_Stretch]:
    history = past.histories[episode.environment]
    starts = [(episode.first, episode.start)] if episode.start < episode.entered else []
    starts += [(place + 1, history[place].at) for place in range(episode.first, episode.last + 1)]
    # The change by which somebody put another rollout in its place is the first one of that other episode.
    behind = episode.last + (episode.ending is Ending.REPLACED)
    for known, since in starts:
        real = history[known] if known <= behind else None
        until = real.at if real else episode.end
        if since < until:
            yield _Stretch(environment=episode.environment, known=known, since=since, until=until, real=real)


@dataclass(frozen=True, slots=True)
class _Decided:
    """A transition and its instant."""

    transition: Transition
    at: datetime

    @property
    def move(self) -> Move:
        return move_of(self.transition, self.at)


@dataclass(frozen=True, slots=True)
class _Walked:
    """What came of one stretch."""

    part: Part
    spans: list[Span]


def _walked(stretch: _Stretch, passes: Passes) -> _Walked:
    """One stretch, up to the first transition that needs nobody. What needs a person leaves everything as it is."""
    spans = Spans(passes.rules.step, stretch.until)
    asked: list[_Decided] = []
    decided: _Decided | None = None
    for number, at in enumerate(_grid(stretch, passes.rules.step)):
        if number % _LOOKS_UP == 0 and passes.rules.enough(at):
            raise Stopped
        decision = passes.at(at)
        if isinstance(decision, Transition):
            if not decision.needs_person:
                decided = _Decided(decision, at)
                spans.unknown_from(at)
                break
            asked.append(_Decided(decision, at))
        spans.told(decision, at)
    else:
        decided = _closing(stretch, passes, asked)
    return _Walked(_part(stretch, passes, asked, decided), spans.found)


def _grid(stretch: _Stretch, step: timedelta) -> Iterator[datetime]:
    """Multiples of the step since the Unix epoch, so that two backtests look at the same instants."""
    at = _EPOCH + ((stretch.since - _EPOCH) // step + 1) * step
    while at < stretch.until:
        yield at
        at += step


def _closing(stretch: _Stretch, passes: Passes, asked: list[_Decided]) -> _Decided | None:
    """What was decided at the very instant at which something really happened."""
    real = stretch.real
    if real is None:
        return None
    decision = passes.at(real.at, merging=True)
    if not isinstance(decision, Transition):
        later = passes.at(real.at + _GIT, merging=True)
        if not isinstance(later, Transition) or not same_move(later.after, real.pin):
            passes.last = decision
            return None
        decision = later
    found = _Decided(decision, real.at)
    if not decision.needs_person:
        return found
    asked.append(found)
    return None


def _part(stretch: _Stretch, passes: Passes, asked: list[_Decided], decided: _Decided | None) -> Part:
    history = passes.past.histories[stretch.environment]
    truly = happened(passes.past.model, stretch.environment, history, stretch.known) if stretch.real else None
    instead = "" if decided else said(passes.last)[1]
    return Part(
        since=stretch.since,
        until=stretch.until,
        agreement=Agreement.PERSON if truly and truly.by_person else _agreement(stretch, passes, asked, decided),
        decided=decided.move if decided else None,
        asked=asked[0].move if asked else None,
        happened=truly,
        instead=instead,
    )


def _agreement(stretch: _Stretch, passes: Passes, asked: list[_Decided], decided: _Decided | None) -> Agreement:
    """The replay against what the loop really did."""
    real = stretch.real.pin if stretch.real else None
    if decided is not None:
        return Agreement.SAME if same_move(decided.transition.after, real) else Agreement.DIFFERENT
    if said(passes.last)[0] is State.UNREAD:
        return Agreement.UNREAD
    if stretch.real is None or any(same_move(one.transition.after, real) for one in asked):
        return Agreement.SAME
    return Agreement.DIFFERENT
