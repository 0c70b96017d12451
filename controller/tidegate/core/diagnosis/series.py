"""Whether an objective's counters are there: with our labels, scraped often enough, once, and not too many.

What is asked is `judging.queries`' text without a version; how counters are read is `judging.counts`'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median

from tidegate.core.diagnosis.gaps import NoLabel, NoValue, gap, metric
from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.diagnosis.selectors import Selector
from tidegate.core.finding import Severity
from tidegate.core.judging.doubts import replicas
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.quantity import show_duration

LONGEST_QUESTION = timedelta(hours=12)
"""A selector is asked for in pieces of at most this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One counter of an objective in one environment, as Prometheus shows it now.

    `metric` is all that has the metric's name, asked where `found` is empty; None where that could not be asked.
    """

    wanted: Selector
    found: Sampled | Unread
    metric: Sampled | Unread | None = None


NO_SERIES = Rule(
    id="no-series",
    severity=Severity.WARNING,
    title="An objective reads a series that is not there",
    why="A version serves there, and nothing counts its events: it cannot be judged, and holds.",
    fix="have the serving program emit it, have Prometheus scrape it, or correct the selector in model.yaml",
)
NEVER_BAD = Rule(
    id="bad-never-seen",
    severity=Severity.WARNING,
    title="Nothing shows that a bad event could be seen",
    why="No series matches `bad`. Where none has happened yet that is as it should be; but with a misspelt selector "
    "every version looks healthy, and bad ones go on to serve everybody.",
    fix="correct `bad` in model.yaml; if it is right, and the program makes the series at the first bad event, have it "
    "begin at 0 as it starts",
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

RULES = (NO_SERIES, NEVER_BAD, LABELS_MISSING, TOO_COARSE, REPLICAS, TOO_MANY)

_OTHER_VALUE = (
    "nothing, where no event has come yet; else have the serving program or Prometheus' relabelling set this value, or "
    "say how yours look in metrics.labels of tidegate.yaml"
)


def examine(who: str, counters: Sequence[Watched], most_samples: int | None) -> Iterator[Remark]:
    """All about the counters of one objective. `most_samples` is what Prometheus lets a query load, None where it does
    not tell. It is measured where nothing is amiss with any of them."""
    needed = [each.found for each in counters if not each.wanted.optional]
    counted = all(isinstance(found, Sampled) and found.series for found in needed)
    said = [remark for each in counters for remark in _counter(who, each, most_samples, counted=counted)]
    amiss = [remark for remark in said if not isinstance(remark, Fine)]
    yield from amiss or said or [Fine(what=f"{who} is measured")]


def _counter(who: str, watched: Watched, most: int | None, *, counted: bool) -> Iterator[Remark]:
    found = watched.found
    about = f"{who}: `{watched.wanted.key}`"
    if isinstance(found, Unread):
        yield _unread(about, found)
    elif found.series:
        yield from _unlabelled(about, watched, found)
        yield from _coarse(about, watched, found)
        yield from _repeated(about, found)
        yield from _large(about, found, most)
    elif not watched.wanted.optional:
        yield _absent(about, watched)
    elif counted:  # else nothing can be told of bad events
        yield _no_bad_event(who, about, watched)


def _unread(about: str, found: Unread) -> Remark:
    return unseen(f"the series of {about}", Unknown(why=str(found), silent=found.why is Why.UNREACHABLE))


def _absent(about: str, watched: Watched) -> Remark:
    match _lacking(watched):
        case NoLabel(ours=True) as lack:
            return _not_ours(about, lack)
        case NoValue(ours=True) as lack:
            return NO_SERIES.broken(f"{about} finds nothing: {_words(watched, lack)}", _OTHER_VALUE)
        case lack:
            return NO_SERIES.broken(f"{about} finds nothing: {_words(watched, lack)}")


def _no_bad_event(who: str, about: str, watched: Watched) -> Remark:
    match _lacking(watched):
        case NoLabel(ours=True) as lack:
            return _not_ours(about, lack)
        case NoValue() as lack:
            seen = f"no series with {lack.wanted}; there are: {lack.there}"
            return Fine(what=f"{who} is measured; no bad event seen so far ({seen})")
        case Unread() as why:
            return _unread(about, why)
        case lack:
            return NEVER_BAD.broken(f"{about} finds nothing: {_words(watched, lack)}")


def _lacking(watched: Watched) -> NoLabel | NoValue | Unread | None:
    """Why nothing is found; None where not even the metric is known."""
    if watched.metric is None or isinstance(watched.metric, Unread):
        return watched.metric
    if not watched.metric.series:
        return None
    return gap(watched.wanted.text, watched.wanted.conditions, watched.metric.series)


def _words(watched: Watched, lack: NoLabel | NoValue | Unread | None) -> str:
    name = metric(watched.wanted.text)
    match lack:
        case NoLabel():
            return f"no series of {name} has a label {lack.label}; they have {lack.carried}"
        case NoValue():
            return f"no series of {name} with {lack.wanted}; there are: {lack.there}"
        case None if name is not None:
            return f"Prometheus has no metric {name}"
        case _:
            return f"Prometheus has no samples of {watched.wanted.text}"


def _not_ours(about: str, lack: NoLabel) -> Remark:
    fix = f"they carry: {lack.carried}. {LABELS_MISSING.fix[0].upper()}{LABELS_MISSING.fix[1:]}"
    return LABELS_MISSING.broken(f"{about}: series are there, and none has the label {lack.label}", fix)


def _unlabelled(about: str, watched: Watched, found: Sampled) -> Iterator[Remark]:
    name = watched.wanted.labels.version
    values = [series.labels.get(name, "") for series in found.series]
    if not all(values):
        yield LABELS_MISSING.broken(f"{about}: series of {watched.wanted.text} have no label {name}")
    elif strange := [value for value in values if not re.fullmatch(watched.wanted.number, value)]:
        what = f"{about}: the label {name} is {strange[0]!r}, and no number of the registry"
        yield LABELS_MISSING.broken(what)


def interval(found: Sampled) -> timedelta | None:
    """The usual time between two scrapes; None where no series was scraped twice."""
    gaps = [b - a for series in found.series for (a, _), (b, _) in pairwise(series.samples)]
    return timedelta(seconds=median(gaps)) if gaps else None


def _coarse(about: str, watched: Watched, found: Sampled) -> Iterator[Remark]:
    every = interval(found)
    # The same tenth for jitter as counts.too_coarse leaves.
    if every is not None and 2 * every > 1.1 * watched.wanted.resolution:
        seen, needed = show_duration(every), show_duration(watched.wanted.resolution / 2)
        what = f"{about} is scraped every {seen}; its resolution needs {needed} or less"
        yield TOO_COARSE.broken(what)


def _repeated(about: str, found: Sampled) -> Iterator[Remark]:
    if (name := replicas(found)) is not None:
        yield REPLICAS.broken(f"{about}: the same series comes once for each value of the label {name}")


def _large(about: str, found: Sampled, most: int | None) -> Iterator[Remark]:
    every = interval(found)
    if most is None or not every:
        return
    needed = round(len(found.series) * (LONGEST_QUESTION / every))
    if needed > most:
        what = f"{about} has {len(found.series):,} series"
        what += f": {needed:,} samples in twelve hours, and {most:,} may be read"
        yield TOO_MANY.broken(what)
