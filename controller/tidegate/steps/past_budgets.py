"""Error budgets as a pass of the past counted them: read once for the time in which a version waited to enter.

A live pass counts what is known, also where Prometheus is younger than the window. A replay must tell that from what
retention has taken away since: then nobody knows what the pass counted, and the budget is unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tidegate.core.judging.budget import LEAD, STEP, Budget, last_instant
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.manifest import Environment
from tidegate.core.observed import PinChange
from tidegate.core.replay.episodes import Episode
from tidegate.core.replay.past import Past
from tidegate.steps.budgets import budgets, may_be_spent
from tidegate.steps.past_readings import AFTER, scope_of_then
from tidegate.steps.past_samples import PastSamples

_LOOKS = timedelta(hours=1)
"""So far apart are the instants at which samples from before the window are looked for: it may be years."""


class PastBudgets:
    """The budgets of one episode at any instant of it. Only the last answer is kept: between two fixed instants they do
    not move, and a version may wait for weeks."""

    def __init__(self, episode: Episode, past: Past, samples: PastSamples) -> None:
        self._episode, self._past, self._samples = episode, past, samples
        self._known: tuple[object, tuple[Budget, ...]] | None = None

    def at(self, environment: Environment, history: Sequence[PinChange], at: datetime) -> tuple[Budget, ...]:
        """With this history of its pin file."""
        if not may_be_spent(history, at):
            return ()
        asked = (environment, scope_of_then(self._past, environment.name, at), last_instant(at))
        if self._known is None or self._known[0] != asked:
            self._known = asked, self._counted(environment, asked[1], history, at)
        return self._known[1]

    def _counted(
        self, environment: Environment, scope: Scope, history: Sequence[PinChange], at: datetime
    ) -> tuple[Budget, ...]:
        ends = self._episode.entered if at <= self._episode.entered else self._episode.end
        samples = self._samples.by(at, ahead=ends + AFTER)
        since = _served_since(history) + max(environment.rollout.progress_deadline, LEAD)
        return tuple(_unless_lost(each, samples, since) for each in budgets(environment, scope, samples))


def _served_since(history: Sequence[PinChange]) -> datetime:
    """When main first wanted something served there; called where something is."""
    return next(change.at for change in history if change.pin is not None and change.pin.stable is not None)


def _unless_lost(found: Budget, samples: PastSamples, since: datetime) -> Budget:
    """The budget, or that its window is not known whole although something served there in all of it, from `since` on.
    Where Prometheus has samples from before the window, it never had those that are missing."""
    if found.unread is not None:
        return found
    total = found.asked[1]
    begins = _multiple(found.until - found.objective.window - LEAD, STEP)
    known = _first(samples.answers(total, begins, found.until, STEP))
    if known is None or known <= max(begins + STEP, since):
        return found
    before = samples.answers(total, _multiple(min(since, begins), _LOOKS), _multiple(begins, _LOOKS), _LOOKS)
    if isinstance(before, Unread):
        return replace(found, unread=before)
    if before.series:
        return found
    words = f"total events are known only since {known:%Y-%m-%d %H:%M}, its window began {begins + LEAD:%Y-%m-%d %H:%M}"
    return replace(found, unread=Unread(why=Why.HISTORY_LOST, words=words))


def _first(read: Sampled | Unread) -> datetime | None:
    first = None if isinstance(read, Unread) else min((s.samples[0][0] for s in read.series), default=None)
    return None if first is None else datetime.fromtimestamp(first, UTC)


def _multiple(at: datetime, of: timedelta) -> datetime:
    """The last multiple since the Unix epoch up to an instant."""
    step = of.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // step * step, UTC)
