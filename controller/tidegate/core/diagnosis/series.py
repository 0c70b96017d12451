"""Whether the series that an objective reads are there: with our labels, scraped often enough, once, and not too many.

What is asked is `judging.queries`' text without a version; how counters are read is `judging.counts`'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from statistics import median

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity
from tidegate.core.judging.doubts import replicas
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.quantity import show_duration
from tidegate.core.workspace import MetricLabels

LONGEST_QUESTION = timedelta(hours=12)
"""A selector is asked for in pieces of at most this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One counter of an objective in one environment, as Prometheus shows it now.

    `bare` is what the person's own selector finds without our labels, asked where `found` is empty. `number` is the
    pattern of a version's label.
    """

    who: str
    selector: str
    resolution: timedelta
    found: Sampled | Unread
    bare: Sampled | Unread | None = None
    labels: MetricLabels = field(default_factory=MetricLabels)
    number: str = "([0-9]+)"


NO_SERIES = Rule(
    id="no-series",
    severity=Severity.WARNING,
    title="An objective reads a series that is not there",
    why="A version serves there, and nothing counts its events: it cannot be judged, and holds.",
    fix="have the serving program emit it, have Prometheus scrape it, or correct the selector in model.yaml",
)
LABELS_MISSING = Rule(
    id="series-without-labels",
    title="A series does not say whose it is",
    why="The labels of model, environment and version tell the arms of a rollout apart. Without them a canary's events "
    "are nobody's.",
    fix="have the serving program or Prometheus' relabelling set them, or name yours as metrics.labels in "
    "tidegate.yaml",
)
TOO_COARSE = Rule(
    id="scrape-interval",
    title="Scraped too seldom for the resolution",
    why="A cell needs two scrapes or more, to tell what happened in it. Otherwise nothing is judged: the resolution is "
    "shorter than two scrapes.",
    fix="scrape these targets more often (scrape_interval), or raise rollout.analysis.resolution",
)
REPLICAS = Rule(
    id="replicas-counted-twice",
    title="Each event is counted by several Prometheus servers",
    why="Replicas that scrape the same targets show every event more than once. Twice the events look like twice the "
    "evidence, so nothing is judged by them: the reading is `several series`.",
    fix="ask an address that deduplicates (Thanos: --query.replica-label; Mimir: HA tracker), or one replica",
)
TOO_MANY = Rule(
    id="query-limit",
    severity=Severity.WARNING,
    title="A question is larger than Prometheus lets it be",
    why="Raw samples are read, twelve hours at a time. Beyond --query.max-samples Prometheus refuses, and the reading "
    "is missing.",
    fix="raise --query.max-samples, scrape less often, or drop labels that nothing reads",
)

RULES = (NO_SERIES, LABELS_MISSING, TOO_COARSE, REPLICAS, TOO_MANY)


def examine(watched: Watched, most_samples: int | None) -> Iterator[Remark]:
    """All about one counter. `most_samples` is what Prometheus lets a query load, None where it does not tell."""
    found = watched.found
    if isinstance(found, Unread):
        silent = found.why is Why.UNREACHABLE
        yield unseen(f"the series of {watched.who}", Unknown(why=str(found), silent=silent))
        return
    if not found.series:
        yield from _absent(watched)
        return
    complaints = [
        *_unlabelled(watched, found),
        *_coarse(watched, found),
        *_repeated(watched, found),
        *_large(watched, found, most_samples),
    ]
    yield from complaints or [Fine(what=f"{watched.who} is measured")]


def _absent(watched: Watched) -> Iterator[Remark]:
    if isinstance(watched.bare, Sampled) and watched.bare.series:
        carried = sorted({name for series in watched.bare.series for name in series.labels})
        names = (watched.labels.model, watched.labels.environment)
        wanted = ", ".join(name for name in names if name) or watched.labels.version
        what = f"{watched.who}: series are there, and none with the labels of {watched.selector} ({wanted})"
        fix = f"they carry: {', '.join(carried)}. {LABELS_MISSING.fix[0].upper()}{LABELS_MISSING.fix[1:]}"
        yield LABELS_MISSING.broken(what, fix)
    else:
        yield NO_SERIES.broken(f"{watched.who}: Prometheus has no samples of {watched.selector}")


def _unlabelled(watched: Watched, found: Sampled) -> Iterator[Remark]:
    name = watched.labels.version
    values = [series.labels.get(name, "") for series in found.series]
    if not all(values):
        yield LABELS_MISSING.broken(f"{watched.who}: series of {watched.selector} have no label {name}")
    elif strange := [value for value in values if not re.fullmatch(watched.number, value)]:
        what = f"{watched.who}: the label {name} is {strange[0]!r}, and no number of the registry"
        yield LABELS_MISSING.broken(what)


def interval(found: Sampled) -> timedelta | None:
    """The usual time between two scrapes; None where no series was scraped twice."""
    gaps = [b - a for series in found.series for (a, _), (b, _) in pairwise(series.samples)]
    return timedelta(seconds=median(gaps)) if gaps else None


def _coarse(watched: Watched, found: Sampled) -> Iterator[Remark]:
    every = interval(found)
    # The same tenth for jitter as counts.too_coarse leaves.
    if every is not None and 2 * every > 1.1 * watched.resolution:
        seen, needed = show_duration(every), show_duration(watched.resolution / 2)
        what = f"{watched.who} is scraped every {seen}; its resolution needs {needed} or less"
        yield TOO_COARSE.broken(what)


def _repeated(watched: Watched, found: Sampled) -> Iterator[Remark]:
    if (name := replicas(found)) is not None:
        yield REPLICAS.broken(f"{watched.who}: the same series comes once for each value of the label {name}")


def _large(watched: Watched, found: Sampled, most: int | None) -> Iterator[Remark]:
    every = interval(found)
    if most is None or not every:
        return
    needed = round(len(found.series) * (LONGEST_QUESTION / every))
    if needed > most:
        what = f"{watched.who} has {len(found.series):,} series"
        what += f": {needed:,} samples in twelve hours, and {most:,} may be read"
        yield TOO_MANY.broken(what)
