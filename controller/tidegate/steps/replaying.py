"""Replays a model's rollouts: readings from Prometheus, once for each stage of a rollout, then `core.replay`.

`backtest` prints what comes of it; `past_policies` sets an old policy against a new one, for `plan`. Writes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.judging.reading import Unread
from tidegate.core.manifest import Model
from tidegate.core.replay.episodes import Episode
from tidegate.core.replay.moves import happened
from tidegate.core.replay.passes import Rules, Stopped
from tidegate.core.replay.past import Past, Policy
from tidegate.core.replay.report import Backtest, EpisodeReport, Move
from tidegate.core.replay.walk import replay
from tidegate.core.replay.wording import cannot
from tidegate.ports import Metrics
from tidegate.steps.past import Archive, Histories, archives, left_out, past_of, rollouts
from tidegate.steps.past_budgets import PastBudgets
from tidegate.steps.past_readings import PastReadings, PastSiblings
from tidegate.steps.past_samples import PastSamples

SHORTEST_STEP, _USUAL_STEP = timedelta(seconds=1), timedelta(minutes=1)
"""From one decision to the next: git knows instants by whole seconds."""

Progress = Callable[[str, float], object]
"""Told what comes next, and which share of all of it is done; a true answer says that it is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is replayed: rollouts entered from `since` to `until`, decided every `step`; the newest `most` of them."""

    since: datetime
    until: datetime
    step: timedelta
    most: int | None = None


def usual_step(model: Model, policies: Sequence[Policy]) -> timedelta:
    """A minute, or as often as any of the judges has something new to judge by: a rollout may take seconds."""
    judged = [*model.environments, *(each for policy in policies for each in policy.environments.values())]
    return max(min([_USUAL_STEP, *(environment.rollout.resolution for environment in judged)]), SHORTEST_STEP)


def replayed(
    archive: Archive, metrics: Metrics, period: Period, policies: Sequence[Policy], progress: Progress
) -> Backtest:
    """Each rollout of the period under each policy, the newest first; older ones are left out when it is enough, and so
    is one in whose middle it is."""
    folders = list(_folders(archive, period))
    found = sorted((each for folder in folders for each in folder.rollouts(period)), key=lambda each: each.order)
    kept = found[-period.most :] if period.most is not None else found
    ends = metrics.now()
    reports: list[EpisodeReport] = []
    for place, each in enumerate(reversed(kept)):
        samples, told = PastSamples(metrics=metrics, ends=ends), _Told(progress, place, len(kept))
        try:
            with _uncollected():
                past = each.folder.past(kept)
                reports.append(_replayed(each, past, samples, _By(policies, period.step, told)))
        except Stopped:
            break
    return Backtest(
        model=archive.model.name,
        since=period.since,
        until=period.until,
        step=period.step,
        policies=tuple(policy.name for policy in policies),
        episodes=tuple(reversed(reports)),
        cannot=(*cannot(archive.model), *(words for each in folders for words in left_out(*each.kept))),
        passed_over=len(found) - len(reports),
        unreachable=str(ends) if isinstance(ends, Unread) else "",
    )


class _Folder:
    """One folder in which the model lay, and its past there: read when the first of its rollouts is replayed, as far
    back as any of them begins."""

    def __init__(self, archive: Archive, histories: Histories) -> None:
        self.kept = archive, histories
        self._past: Past | None = None

    def rollouts(self, period: Period) -> Iterator[_Rollout]:
        archive, histories = self.kept
        until = min(period.until, archive.until or period.until)
        return (_Rollout(episode, self) for episode in rollouts(archive, histories, period.since, until))

    def past(self, replayed: Sequence[_Rollout]) -> Past:
        if self._past is None:
            self._past = past_of(*self.kept, min(each.episode.start for each in replayed if each.folder is self))
        return self._past


def _folders(archive: Archive, period: Period) -> Iterator[_Folder]:
    """The newest first."""
    for each in archives(archive, period.since):
        yield _Folder(each, each.histories(min(period.until, each.until or period.until)))


@dataclass(frozen=True, slots=True)
class _Rollout:
    """An episode, and where its past is."""

    episode: Episode
    folder: _Folder

    @property
    def order(self) -> tuple[datetime, str]:
        return self.episode.entered, self.episode.environment


@dataclass(frozen=True, slots=True)
class _Told:
    """How far one rollout of several has come, for whoever waits."""

    progress: Progress
    place: int
    every: int

    def enough(self, episode: Episode, done: float) -> bool:
        """`done` is the share of this one."""
        words = f"{episode.environment}, version {episode.version}"
        return bool(self.progress(words, (self.place + done) / self.every))


@dataclass(frozen=True, slots=True)
class _By:
    """By what an episode is replayed, and who is told."""

    policies: Sequence[Policy]
    step: timedelta
    told: _Told


def _replayed(rollout: _Rollout, past: Past, samples: PastSamples, by: _By) -> EpisodeReport:
    """Raises Stopped when it is enough."""
    episode, (archive, _) = rollout.episode, rollout.folder.kept
    siblings = PastSiblings(episode, archive, samples)
    replays = []
    for place, policy in enumerate(by.policies):

        def enough(at: datetime, place: int = place) -> bool:
            done = (at - episode.start) / (episode.end - episode.start)
            return by.told.enough(episode, (place + done) / len(by.policies))

        rules = Rules(
            policy=policy,
            step=by.step,
            ask=PastReadings(episode, past, samples).verdict,
            budgets=PastBudgets(episode, past, samples).at,
            sibling=siblings.failing,
            enough=enough,
        )
        replays.append(replay(episode, past, rules))
    return EpisodeReport(episode=episode, happened=_happened(episode, past), replays=tuple(replays))


def _happened(episode: Episode, past: Past) -> tuple[Move, ...]:
    history, model = past.histories[episode.environment], past.model
    places = range(episode.first, episode.last + 1)
    return tuple(happened(model, episode.environment, history, place) for place in places)


@contextmanager
def _uncollected() -> Iterator[None]:
    """A rollout's samples are a million small objects without a cycle among them: looking through them again and again
    took a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
