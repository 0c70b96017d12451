"""What the judges say of one episode at any instant of it: each stage is read once, up to its end, and what a pass
would have read is cut out of that. Error budgets of then are `past_budgets`' work.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.core.grounds import by_bounds_alone
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.judging.retention import read_since
from tidegate.core.judging.verdict import Counters, Question, Stage, Verdict
from tidegate.core.manifest import Model
from tidegate.core.replay.episodes import Episode
from tidegate.core.replay.past import Era, Past
from tidegate.core.siblings import elsewhere, of_sibling, siblings, siblings_since
from tidegate.steps.deciding import scope_of
from tidegate.steps.measure import asks_before, measure
from tidegate.steps.past import Archive, past_of
from tidegate.steps.past_samples import PastSamples, behind, samples_between

AFTER = timedelta(seconds=1)
"""So much is read beyond an instant: git knows it by whole seconds."""

_INSTANT = timedelta(milliseconds=1)
"""Prometheus knows no shorter time."""

_DOUBTFUL = (Why.SEVERAL, Why.NAN, Why.NATIVE)
"""Why samples that are there count nothing. What came later in a stage was no doubt before it came."""


class PastReadings:
    """The verdicts on one episode's versions. What is edited in the middle of a stage (labels of the workspace,
    objectives that are not frozen) is read anew from there on."""

    def __init__(self, episode: Episode, past: Past, samples: PastSamples) -> None:
        self._episode, self._past, self._samples = episode, past, samples
        self._stages: dict[object, _Stage] = {}

    def verdict(self, environment: str, question: Question, at: datetime) -> Verdict:
        place = environment, question.stage, question.subject, question.reference
        stage = self._stages.get(place)
        if stage is None or not stage.is_about(question, at):
            stage = self._stages[place] = self._stage(stage, environment, question, at)
        return stage.at(at)

    def _stage(self, known: _Stage | None, environment: str, question: Question, at: datetime) -> _Stage:
        scope = scope_of_then(self._past, environment, at)
        if known is not None and known.holds(question, scope, at):
            return known.asked(question)
        return _Stage(question, scope, self._samples, self._last(question, at) + AFTER)

    def _last(self, question: Question, at: datetime) -> datetime:
        """When nothing more will be asked of the stage."""
        episode = self._episode
        if at <= episode.entered:
            return episode.entered
        over = episode.finished if question.stage is Stage.CANARY else None
        return max(over or episode.end, at)


def scope_of_then(past: Past, environment: str, at: datetime) -> Scope:
    """Whose series were meant at an instant."""
    era = past.era(at)
    return scope_of(era.model, environment, era.workspace)


class _Stage:
    """One stage, read up to an instant. The time before probation is read only where a verdict asks for it, as live."""

    def __init__(self, question: Question, scope: Scope, samples: PastSamples, until: datetime) -> None:
        self._first, self._scope, self._samples, self._until = question, scope, samples, until
        self._question = question
        self._alone = _Reading(question, scope, samples.by(until), before=False)
        self._beside: _Reading | None = None

    def is_about(self, question: Question, at: datetime) -> bool:
        """Whether this very question was asked last: it is another object wherever anything may have changed."""
        return question is self._question and at <= self._until

    def holds(self, question: Question, scope: Scope, at: datetime) -> bool:
        """Whether what was read answers this question as well."""
        same = scope == self._scope and _to_be_read(question) == _to_be_read(self._first)
        return same and question.since >= self._first.since and at <= self._until

    def asked(self, question: Question) -> _Stage:
        self._question = question
        return self

    def at(self, at: datetime) -> Verdict:
        verdict = self._alone.at(self._question, at)
        if not asks_before(self._question, verdict):
            return verdict
        if self._beside is None:
            self._beside = _Reading(self._first, self._scope, self._samples.by(self._until), before=True)
        return self._beside.at(self._question, at)


class _Reading:
    """Everything that was read of a stage for a question, and the verdicts of any instant by it."""

    def __init__(self, question: Question, scope: Scope, samples: PastSamples, *, before: bool) -> None:
        assert samples.until is not None, "read as of an instant"
        self._first, self._scope, self._before = question, scope, before
        found = self._read(samples)
        # Where Prometheus does not tell its time, every reading says so at any instant.
        self._whole = replace(found, now=max(found.now, samples.until))
        self._clean = self._before_doubts(samples, samples.until) if _doubtful(found) else None
        self._judged: tuple[Counters, Question, Judged] | None = None

    def at(self, question: Question, at: datetime) -> Verdict:
        counters = self._whole if self._clean is None or self._clean.now < at else self._clean
        if question.since != self._first.since:  # it looks back so far, and no further
            return judge(question, between(counters, question, at))
        known = self._judged
        if known is None or known[0] is not counters or (known[1] is not question and known[1] != question):
            known = self._judged = counters, question, Judged(question, counters)
        return known[2].at(at)

    def _read(self, samples: PastSamples) -> Counters:
        return measure(self._first, self._scope, samples, throughout=True, before=self._before)

    def _before_doubts(self, samples: PastSamples, doubtful: datetime) -> Counters | None:
        """What was read by the last instant at which nothing was doubtful yet; None where all of it always was."""
        known, found = self._first.since, None
        while doubtful - known > _INSTANT:
            middle = known + (doubtful - known) / 2
            counters = self._read(samples.by(middle))
            if _doubtful(counters):
                doubtful = middle
            else:
                known, found = middle, counters
        return found


def _doubtful(counters: Counters) -> bool:
    return any(isinstance(each, Unread) and each.why in _DOUBTFUL for each in _of_samples(counters))


def _of_samples(counters: Counters) -> Iterator[Sampled | Unread | None]:
    for readings in counters.objectives.values():
        yield from (readings.bad, readings.total)
    yield counters.ready


def _to_be_read(question: Question) -> tuple[object, ...]:
    """What of a question says what is read, besides its versions and since when."""
    return (
        question.objectives,
        question.values,
        question.together,
        question.rollout,
        question.version_label,
        question.held_back,
    )


class PastSiblings:
    """The other models on the same serving, as main had them then, judged over the last of the time of a version that
    breaches on probation."""

    def __init__(self, episode: Episode, archive: Archive, samples: PastSamples) -> None:
        self._episode, self._archive, self._samples = episode, archive, samples
        self._pasts: dict[str, Past] = {}
        self._counters: dict[object, Counters] = {}

    def failing(self, environment: str, question: Question, verdict: Verdict, at: datetime) -> str | None:
        """Those that breached as well, where they were enough to say that the cause was elsewhere."""
        ground = by_bounds_alone(verdict)
        if ground is None:
            return None
        lately = replace(question, since=siblings_since(question, ground, at))
        model = self._past(self._archive.model).era(at).model
        pasts = {past.era(at).model.name: past for past in map(self._past, self._archive.others())}
        found: dict[str, Verdict] = {}
        for other, there in siblings((past.era(at).model for past in pasts.values()), model, environment):
            past = pasts[other.name]
            stable = _stable(past, environment, at)
            if stable is not None:
                same = of_sibling(there, stable, lately)
                found[other.name] = judge(same, self._read(same, question.since, past.era(at), at))
        return elsewhere(found) or None

    def _past(self, model: Model) -> Past:
        if model.name not in self._pasts:
            archive = self._archive.of(model)
            self._pasts[model.name] = past_of(archive, archive.histories(self._episode.end), self._episode.start)
        return self._pasts[model.name]

    def _read(self, question: Question, since: datetime, era: Era, at: datetime) -> Counters:
        """What a pass would have read at an instant; all of it `since` probation began is read at once."""
        read = era.model.name, era.commit, question.subject
        if read not in self._counters:
            scope, until = scope_of(era.model, self._episode.environment, era.workspace), self._episode.end + AFTER
            whole = replace(question, since=since)
            counters = measure(whole, scope, self._samples.by(until), throughout=True)
            self._counters[read] = replace(counters, now=max(counters.now, until))
        return between(self._counters[read], question, at)


def _stable(past: Past, environment: str, at: datetime) -> int | None:
    """The version that main pinned as stable at an instant."""
    history = past.histories.get(environment, ())
    place = bisect_left(history, at, key=lambda change: change.at)
    pin = history[place - 1].pin if place else None
    return pin.stable.version if pin and pin.stable else None


def between(counters: Counters, question: Question, at: datetime) -> Counters:
    """The counters as a pass at an instant would have read them: from as early as it reads on, nothing later."""
    since = behind(read_since(question))

    def cut(reading: Sampled | Unread) -> Sampled | Unread:
        return reading if isinstance(reading, Unread) else samples_between(reading, since, at)

    objectives = {
        name: replace(
            each,
            bad=cut(each.bad),
            total=cut(each.total),
            squares=None if each.squares is None else cut(each.squares),
        )
        for name, each in counters.objectives.items()
    }
    ready = None if counters.ready is None else cut(counters.ready)
    up = None if counters.up is None else cut(counters.up)
    return replace(counters, now=at, objectives=objectives, ready=ready, up=up)
