"""How clustered bad events are, measured on stable before a rollout: what log-likelihoods are divided by.

Only what happened before the stage began counts, so that every pass measures the same. What is measured between targets
of one version is what shows between two versions: how unevenly bad events fall on those that are alike. What swings for
all of them at once is nobody's cluster. Of late labels the same is told from step to step. Estimator and figures:
docs/judgement.md, docs/late-labels.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from tidegate.core.judging.age_buckets import AgeBucket
from tidegate.core.judging.counts import Frame, by_target
from tidegate.core.judging.tracking import Tracked, known_since
from tidegate.core.judging.verdict import Question, Tally
from tidegate.core.manifest import Rollout

HISTORY = timedelta(hours=6)

BLOCKS = (timedelta(minutes=5), timedelta(hours=1))
"""Retries show within minutes. Users that stay with a target have their own luck, which shows over the longer ones."""

_BLOCKS = 6
"""Fewer of one length are left to chance."""

_BAD_EVENTS, _BAD_CELLS = 50, 12
"""Fewer of them, or all in fewer cells, say little of clusters."""

Alike: TypeAlias = Sequence[Tally]
"""What ought to have one bad rate: targets in the same block of time, or neighbouring cells of one target."""


def divisor(series: Tracked, question: Question, stage: Frame) -> tuple[float, bool]:
    """What log-likelihoods are divided by, and whether it was measured.

    Less than six hours of stable tell too little of what takes long to show: then the policy's is the least.
    """
    policy = question.rollout.dispersion
    longest = stage.start - HISTORY.total_seconds()
    start = max(longest, question.reference_since.timestamp() if question.reference_since else longest)
    if question.reference is None or stage.start - start < BLOCKS[-1].total_seconds():
        return policy, False
    found = measured(series, question.reference, replace(stage, start=start, now=stage.start))
    if found is None or (start > longest and found < policy):
        return policy, False
    return found, True


def stable_throughout(reference_since: datetime | None, measured_from: datetime, rollout: Rollout) -> bool:
    """Whether git tells that the reference was stable in all of the time that is measured. Taking it over may have
    lasted until `progressDeadline`."""
    return reference_since is not None and reference_since + rollout.progress_deadline <= measured_from


def measured(series: Tracked, version: int, history: Frame) -> float | None:
    """The dispersion of a version's bad events; None where they are few, or the version is known only from later on."""
    if known_since(series.totals[version]) > history.start + history.resolution:
        return None
    targets = [cells for cells in by_target(series, version, history) if any(tally.total > 0 for tally in cells)]
    bad = [sum(tally.bad for tally in alike) for alike in zip(*targets, strict=True)]
    if sum(bad) < _BAD_EVENTS or sum(each > 0 for each in bad) < _BAD_CELLS:
        return None
    return dispersion(targets, history.resolution)


def of_labels(buckets: Iterable[AgeBucket], version: int, steps: range) -> float | None:
    """The dispersion of a version's bad labels that came in these steps; None where they are few.

    In each age bucket a step with labels is held against those on either side of it. What deviates in several buckets
    of one step counts together: whoever leaves is a wrong prediction of every age.
    """
    deviations: dict[int, float] = {}
    variances: dict[int, float] = {}
    bad: dict[int, float] = {}
    for bucket in buckets:
        known = sorted((step, tally) for step, tally in bucket.labels[version].items() if step in steps)
        for (_, before), (step, tally), (_, after) in zip(known, known[1:], known[2:], strict=False):
            around = before + after
            together = tally + around
            rate = together.bad / together.total
            deviations[step] = deviations.get(step, 0.0) + tally.bad - tally.total * rate
            variance = rate * (1 - rate) * tally.total * around.total / together.total
            variances[step] = variances.get(step, 0.0) + variance
            bad[step] = bad.get(step, 0.0) + tally.bad
    if sum(bad.values()) < _BAD_EVENTS or sum(each > 0 for each in bad.values()) < _BAD_CELLS:
        return None
    expected = sum(variances.values())
    return round(max(1.0, sum(each**2 for each in deviations.values()) / expected), 2) if expected else None


def dispersion(targets: Sequence[Sequence[Tally]], resolution: float) -> float:
    """Of cells by target, as people read it: to a hundredth. Never below 1: no history proves that bad events keep
    apart."""
    if len(targets) == 1:
        return round(max(1.0, _excess(_beside_neighbours(targets[0]))), 2)
    lengths = [max(round(block.total_seconds() / resolution), 1) for block in BLOCKS]
    told = [length for length in lengths if len(targets[0]) >= _BLOCKS * length]
    return round(max([1.0, *(_excess(_by_block(targets, length)) for length in told)]), 2)


def _excess(groups: Iterable[Alike]) -> float:
    """All squared deviations over all variances that independent events would have.

    Not the mean of each group's own ratio: where a group has few bad events, its rate and its deviation come from the
    same cluster, and that mean is too small.
    """
    seen = expected = 0.0
    for alike in groups:
        bad, total = sum(tally.bad for tally in alike), sum(tally.total for tally in alike)
        rate = bad / total if total else 0.0
        # What is bad or not has its square in itself; shares of a range vary less.
        variance = (sum(tally.squares for tally in alike) or bad) / total - rate**2 if total else 0.0
        for tally in alike:
            seen += (tally.bad - tally.total * rate) ** 2
            expected += tally.total * variance * (1 - tally.total / total) if total else 0.0
    return seen / expected if expected else 1.0


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
