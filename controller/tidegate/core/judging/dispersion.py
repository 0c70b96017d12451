"""How clustered bad events are, measured on stable before a rollout: what log-likelihoods are divided by.

Only what happened before the stage began counts, so that every pass measures the same. What is measured between targets
of one version is what shows between two versions: how unevenly bad events fall on those that are alike. What swings for
all of them at once is nobody's cluster. Of late labels the same is told from step to step. Estimator and figures:
docs/judgement.md, docs/late-labels.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from tidegate.core.judging.age_buckets import AgeBucket
from tidegate.core.judging.counts import Frame, by_target, instant, written
from tidegate.core.judging.tracking import Tracked, known_since
from tidegate.core.judging.verdict import Question, Tally
from tidegate.core.manifest import Rollout
from tidegate.core.quantity import show_duration

HISTORY = timedelta(hours=6)

BLOCKS = (timedelta(minutes=5), timedelta(hours=1))
"""Retries show within minutes. Users that stay with a target have their own luck, which shows over the longer ones."""

_BLOCKS = 6
"""Fewer of one length are left to chance."""

_BAD_EVENTS, _BAD_CELLS = 50, 12
"""Fewer of them, or all in fewer cells, say little of clusters."""

Alike: TypeAlias = Sequence[Tally]
"""What ought to have one bad rate: targets in the same block of time, or neighbouring cells of one target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """All squared deviations, and all variances that independent events would have, in so many groups of what ought to
    be alike: targets in blocks of time that are `over` so long, or (None) cells and their neighbours."""

    over: timedelta | None
    groups: int
    deviations: float
    variances: float

    @property
    def figure(self) -> float:
        """Not the mean of each group's own ratio: where a group has few bad events, its rate and its deviation come
        from the same cluster, and that mean is too small."""
        return self.deviations / self.variances if self.variances else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What was measured of one version: its bad events, in how many cells of how many, at how many targets. Of late
    labels, which no target has of its own, cells are steps. There are no `excesses` where that is too little."""

    version: int
    since: datetime
    until: datetime
    bad: float
    bad_cells: int
    cells: int
    targets: int = 0
    excesses: tuple[Excess, ...] = ()

    @property
    def few(self) -> str:
        """Why it says little of clusters; empty where it says enough."""
        if self.bad < _BAD_EVENTS:
            return f"too few are bad: {self.bad:.10g} of the {_BAD_EVENTS} that it takes"
        if self.bad_cells < _BAD_CELLS:
            return f"those that are bad came at too few times: {self.bad_cells} of the {_BAD_CELLS} that it takes"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """What log-likelihoods are divided by: the figure that was measured on `basis`, or the policy's, and why."""

    figure: float
    basis: Basis | None = None
    by_policy: str = ""

    @property
    def measured(self) -> bool:
        return not self.by_policy


def divisor(series: Tracked, question: Question, stage: Frame) -> Dispersion:
    """What log-likelihoods are divided by, by series of what every pass reads (`retention`).

    Less than six hours of stable tell too little of what takes long to show: then the policy's is the least.
    """
    policy, start = question.rollout.dispersion, measured_from(question)
    if question.reference is None or start is None:
        return Dispersion(figure=policy, by_policy=_why_never(question))
    known = known_since(series.totals[question.reference])
    if known > start.timestamp() - stage.resolution:
        return Dispersion(figure=policy, by_policy=_known_late(question.reference, known))
    found = measured(series, question.reference, replace(stage, start=start.timestamp(), now=stage.start))
    return _by(found, policy if start > question.since - HISTORY else 1.0, policy)


def divisor_of_labels(found: Basis, policy: float) -> Dispersion:
    """The same for late labels. The policy's is the least: there are fewer steps to measure labels in than cells."""
    return _by(found, policy, policy)


def _by(found: Basis, least: float, policy: float) -> Dispersion:
    """The policy's figure where too little was measured, or less than the `least`, which is the policy's then."""
    if found.few:
        return Dispersion(figure=policy, basis=found, by_policy=found.few)
    figure = largest(found.excesses)
    if figure < least:
        why = f"it is the least here, and {figure:g} was measured"
        return Dispersion(figure=policy, basis=found, by_policy=why)
    return Dispersion(figure=figure, basis=found)


def measured_from(question: Question) -> datetime | None:
    """Since when bad events of the reference are measured: for six hours at most, and once it was stable and surely
    deployed, as git tells. None where that is less than an hour, or nobody tells."""
    if question.reference is None or question.reference_since is None:
        return None
    deployed = question.reference_since + question.rollout.progress_deadline
    start = max(question.since - HISTORY, deployed)
    return start if question.since - start >= BLOCKS[-1] else None


def stable_throughout(reference_since: datetime | None, measured_from: datetime, rollout: Rollout) -> bool:
    """Whether git tells that the reference was stable in all of the time that is measured. Taking it over may have
    lasted until `progressDeadline`."""
    return reference_since is not None and reference_since + rollout.progress_deadline <= measured_from


def measured(series: Tracked, version: int, history: Frame) -> Basis:
    """Of a version's bad events in these cells."""
    targets = [cells for cells in by_target(series, version, history) if any(tally.total > 0 for tally in cells)]
    bad = [sum(tally.bad for tally in alike) for alike in zip(*targets, strict=True)]
    found = Basis(
        version=version,
        since=instant(history.first * history.resolution),
        until=instant(history.last * history.resolution),
        bad=sum(bad),
        bad_cells=sum(each > 0 for each in bad),
        cells=len(bad),
        targets=len(targets),
    )
    return found if found.few else replace(found, excesses=excesses(targets, history.resolution))


def _why_never(question: Question) -> str:
    if question.reference is None:
        return "no other version serves beside it, or served before"
    if question.reference_since is None:
        return f"the pin file does not tell since when version {question.reference} was stable"
    shortest, deadline = (show_duration(each) for each in (BLOCKS[-1], question.rollout.progress_deadline))
    return f"version {question.reference} was stable for less than {shortest}, and the {deadline} to deploy it, before"


def _known_late(version: int, known: float) -> str:
    return f"version {version} is {f'known only since {written(known)}' if math.isfinite(known) else 'not known'}"


def of_labels(buckets: Iterable[AgeBucket], version: int, steps: range, step: float) -> Basis:
    """Of a version's labels that came in these steps, each so many seconds long.

    In each age bucket a step with labels is held against those on either side of it. What deviates in several buckets
    of one step counts together: whoever leaves is a wrong prediction of every age.
    """
    deviations: dict[int, float] = {}
    variances: dict[int, float] = {}
    bad: dict[int, float] = {}
    for bucket in buckets:
        known = sorted((step, tally) for step, tally in bucket.labels[version].items() if step in steps)
        for (_, before), (at, tally), (_, after) in zip(known, known[1:], known[2:], strict=False):
            around = before + after
            together = tally + around
            rate = together.bad / together.total
            deviations[at] = deviations.get(at, 0.0) + tally.bad - tally.total * rate
            variance = rate * (1 - rate) * tally.total * around.total / together.total
            variances[at] = variances.get(at, 0.0) + variance
            bad[at] = bad.get(at, 0.0) + tally.bad
    found = Basis(
        version=version,
        since=instant((steps.start - 1) * step),
        until=instant((steps.stop - 1) * step),
        bad=sum(bad.values()),
        bad_cells=sum(each > 0 for each in bad.values()),
        cells=len(bad),
    )
    seen, expected = sum(each**2 for each in deviations.values()), sum(variances.values())
    excess = Excess(over=None, groups=len(deviations), deviations=seen, variances=expected)
    return found if found.few else replace(found, excesses=(excess,))


def largest(found: Iterable[Excess]) -> float:
    """As people read it: to a hundredth. Never below 1: no history proves that bad events keep apart."""
    return round(max([1.0, *(excess.figure for excess in found)]), 2)


def excesses(targets: Sequence[Sequence[Tally]], resolution: float) -> tuple[Excess, ...]:
    """Of cells by target: between targets in blocks of each length, or of one target between neighbouring cells."""
    if len(targets) == 1:
        return (_excess(_beside_neighbours(targets[0]), None),)
    lengths = [max(round(block.total_seconds() / resolution), 1) for block in BLOCKS]
    told = [length for length in dict.fromkeys(lengths) if len(targets[0]) >= _BLOCKS * length]
    return tuple(_excess(_by_block(targets, length), timedelta(seconds=length * resolution)) for length in told)


def _excess(groups: Iterable[Alike], over: timedelta | None) -> Excess:
    number, seen, expected = 0, 0.0, 0.0
    for alike in groups:
        number += 1
        bad, total = sum(tally.bad for tally in alike), sum(tally.total for tally in alike)
        rate = bad / total if total else 0.0
        # What is bad or not has its square in itself; shares of a range vary less.
        variance = (sum(tally.squares for tally in alike) or bad) / total - rate**2 if total else 0.0
        for tally in alike:
            seen += (tally.bad - tally.total * rate) ** 2
            expected += tally.total * variance * (1 - tally.total / total) if total else 0.0
    return Excess(over=over, groups=number, deviations=seen, variances=expected)


def _beside_neighbours(cells: Sequence[Tally]) -> Iterator[Alike]:
    """Each cell and those on either side of it together: a rate that rises or falls steadily is no cluster."""
    for index in range(1, len(cells) - 1):
        yield cells[index], cells[index - 1] + cells[index + 1]


def _by_block(targets: Sequence[Sequence[Tally]], length: int) -> Iterator[Alike]:
    """The targets beside each other, in blocks of so many cells."""
    for start in range(0, len(targets[0]), length):
        yield [_sum(cells[start : start + length]) for cells in targets]


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        bad=sum(tally.bad for tally in tallies),
        total=sum(tally.total for tally in tallies),
        squares=sum(tally.squares for tally in tallies),
    )
