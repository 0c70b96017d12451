"""Prometheus itself: whether it answers, by which clock, how far back it remembers, and how much it lets be asked.

Whether the series of a model are there is `series`' question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.diagnosis.repository import TOLERANCE
from tidegate.core.finding import Severity
from tidegate.core.judging.counts import LEAD_CELLS
from tidegate.core.judging.dispersion import HISTORY
from tidegate.core.judging.late_labels import step_of
from tidegate.core.manifest import Environment, Model, Objective, Rollout
from tidegate.core.quantity import show_duration

NOT_SET = Unknown(why="no Prometheus is named: set prometheus.url in tidegate.yaml, or TIDEGATE_PROMETHEUS_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Something answers, and not with readings: its words, without credentials."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusFacts:
    """A Prometheus that answers. `ahead`: how far its clock is before ours. `retention` is None where its size alone
    is limited; `most_samples` is what one query may load."""

    address: str
    version: str | Unknown
    ahead: timedelta
    retention: timedelta | Unknown | None
    most_samples: int | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How far back somebody must be able to look, and for what (`churn in production`)."""

    who: str
    span: timedelta


REJECTED = Rule(
    id="prometheus-refuses",
    title="Prometheus does not answer with readings",
    why="Without readings nothing is promoted, advanced or reverted: everything holds.",
    fix="prometheus.url, prometheus.auth and prometheus.headers in tidegate.yaml, or TIDEGATE_PROMETHEUS_URL",
)
CLOCKS_DIFFER = Rule(
    id="prometheus-clock",
    severity=Severity.WARNING,
    title="Prometheus' clock and ours differ",
    why="Readings are judged by its clock, and a rollout begins at the time of a commit, which is ours: a bake begins "
    "too early or too late.",
    fix="have both machines' clocks set by NTP (timedatectl set-ntp true)",
)
RETENTION_BELOW_ROLLOUT = Rule(
    id="retention-below-rollout",
    title="Prometheus forgets before a rollout is judged",
    why="Every pass counts a rollout from six hours before its start, a probation from as long before it as it takes, "
    "and late labels from their `delay` before the rollout until the last one is there. Where any of that is forgotten "
    "nothing is concluded: history lost.",
    fix="start Prometheus with a longer --storage.tsdb.retention.time",
)
RETENTION_BELOW_LONGEST = Rule(
    id="retention-below-longest-rollout",
    severity=Severity.WARNING,
    title="Prometheus forgets before a slow rollout ends",
    why="With little traffic a step may take its whole `maximumDuration`, and `progressDeadline` until it serves. By "
    "the last one the start is forgotten, and the rollout holds.",
    fix="start Prometheus with a longer --storage.tsdb.retention.time, or shorten rollout.maximumDuration",
)
RETENTION_BELOW_WINDOW = Rule(
    id="retention-below-window",
    severity=Severity.WARNING,
    title="Prometheus remembers less than the window of an objective",
    why="Its error budget is counted over less than it says: rules and alerts show more of it than is left, and "
    "versions enter that should not.",
    fix="start Prometheus with a longer --storage.tsdb.retention.time, or shorten the objective's window",
)

RULES = (REJECTED, CLOCKS_DIFFER, RETENTION_BELOW_ROLLOUT, RETENTION_BELOW_LONGEST, RETENTION_BELOW_WINDOW)


def examine(facts: PrometheusFacts | Rejected | Unknown, models: Sequence[Model]) -> Iterator[Remark]:
    match facts:
        case Unknown():
            yield unseen("readings", facts)
        case Rejected():
            yield REJECTED.broken(facts.words)
        case PrometheusFacts():
            yield from _server(facts)
            yield from _retention(facts, models)


def _server(facts: PrometheusFacts) -> Iterator[Remark]:
    if isinstance(facts.version, Unknown):
        yield Fine(what=f"Prometheus at {facts.address} answers")
        yield unseen("Prometheus' version", facts.version)
    else:
        yield Fine(what=f"Prometheus {facts.version} at {facts.address} answers")
    if abs(facts.ahead) > TOLERANCE:
        side = "ahead of" if facts.ahead > timedelta(0) else "behind"
        yield CLOCKS_DIFFER.broken(f"Prometheus' clock is {show_duration(abs(facts.ahead))} {side} ours")
    else:
        yield Fine(what="Prometheus' clock and ours agree")
    if isinstance(facts.most_samples, Unknown):
        yield unseen("how many samples a query may load", facts.most_samples)


def _retention(facts: PrometheusFacts, models: Sequence[Model]) -> Iterator[Remark]:
    kept = facts.retention
    if isinstance(kept, Unknown):
        yield unseen("how long Prometheus keeps samples", kept)
        return
    if kept is None:
        yield unseen("how long Prometheus keeps samples", Unknown(why="its retention is by size alone"))
        return
    least = _longest(models, least_lookback)
    most = _longest(models, most_lookback)
    window = _longest(models, _window)
    if least and kept < least.span:
        yield RETENTION_BELOW_ROLLOUT.broken(_short(kept, least, "to be judged at all"))
    elif most and kept < most.span:
        yield RETENTION_BELOW_LONGEST.broken(_short(kept, most, "if every step takes its longest"))
    if window and kept < window.span:
        yield RETENTION_BELOW_WINDOW.broken(_short(kept, window, "for the window of its objectives"))
    if not any(need and kept < need.span for need in (least, most, window)):
        yield Fine(what=f"Prometheus keeps samples for {show_duration(kept)}")


def _short(kept: timedelta, need: Need, purpose: str) -> str:
    return f"Prometheus keeps {show_duration(kept)}, and {need.who} needs {show_duration(need.span)} {purpose}"


def least_lookback(environment: Environment) -> timedelta:
    """How far back judging looks when every step takes just its bake."""
    return _lookback(environment, environment.rollout.bake)


def most_lookback(environment: Environment) -> timedelta:
    """The same when every step takes all the time that it may."""
    return _lookback(environment, environment.rollout.maximum_duration)


def _lookback(environment: Environment, step: timedelta) -> timedelta:
    """The longest of what is looked back on: a rollout and the hours before it, in which stable's dispersion is
    measured; a probation and as long before it, those hours at least; late labels from before the rollout until the
    last one is there. A version that bakes without a canary has no other beside it."""
    rollout, lead = environment.rollout, LEAD_CELLS * environment.rollout.resolution
    if not environment.canaries:
        return rollout.bake + rollout.progress_deadline + lead
    steps = len(rollout.steps) * (step + rollout.progress_deadline)
    probation, before = rollout.probation.duration, HISTORY if environment.objectives else timedelta(0)
    by_events = max(steps + before, probation + max(probation, before)) + lead
    by_labels = (steps + environment.last_labels + _before_labels(each, rollout) for each in environment.late)
    return max([by_events, *by_labels])


def _before_labels(objective: Objective, rollout: Rollout) -> timedelta:
    """Since when labels are read before a rollout; a step is known by the counters at both of its ends."""
    assert objective.labels is not None, "an objective on late labels"
    return max(objective.labels.delay, HISTORY) + 2 * step_of(objective.labels, rollout)


def _window(environment: Environment) -> timedelta:
    return max((objective.window for objective in environment.objectives), default=timedelta(0))


def _longest(models: Sequence[Model], span: Callable[[Environment], timedelta]) -> Need | None:
    """Whoever needs the longest history; None where nobody is judged by Prometheus."""
    needs = [
        Need(who=f"{model.name} in {environment.name}", span=span(environment))
        for model in models
        for environment in model.environments
        if environment.objectives or environment.late or environment.values
    ]
    return max(needs, key=lambda need: need.span, default=None)
