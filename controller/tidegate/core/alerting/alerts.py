"""Prometheus rules for one objective in one environment, as plain data: what is recorded, and what alerts when.

Ratios are of sums over all versions: an objective is about what users see, whichever version answers. Which pairs of
windows work is said in `burn_rate`, the PromQL of counters in `rule_queries`; the file is laid out in `rule_file`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tidegate.core.alerting import wording as alert_wording
from tidegate.core.alerting.burn_rate import Burn, Severity, burns, left_out, outage
from tidegate.core.alerting.queries import Counters, at, counters, number, over_period, span
from tidegate.core.alerting.wording import Place, literal
from tidegate.core.judging.queries import Scope
from tidegate.core.manifest import Effect, Environment, Model, Objective
from tidegate.core.workspace import MetricLabels

# level:metric:operations (prometheus.io/docs/practices/rules). Dashboards hold these names: they are an interface.
EVENTS, BAD_EVENTS = "tidegate:events:increase5m", "tidegate:bad_events:increase5m"
RATIO = "tidegate:bad_events_per_events:ratio_rate"
PERIOD = "tidegate:bad_events_per_events:ratio_period"
BUDGET, REMAINING = "tidegate:error_budget:ratio", "tidegate:error_budget:remaining"
BURNING, ABSENT = "TidegateErrorBudgetBurn", "TidegateAbsent"

_COUNTED = timedelta(minutes=5)
_PATIENCE, _WITHOUT_PAIR = timedelta(minutes=5), timedelta(hours=1)
"""Processes restart, so absence alerts no sooner; and where no pair says how soon it should, an hour later."""
_TAKEN = frozenset({"__name__", "alertname", "le", "objective", "owners", "severity"})
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A series that Prometheus records under `name`."""

    name: str
    expression: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """It fires for every series that the expression has had for as long as `lasting`. The texts are templates."""

    name: str
    expression: str
    lasting: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rules of one objective, evaluated in this order. `remarks`, one printable line each, say what is left out."""

    name: str
    rules: tuple[Recording | Alert, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What one group is about. `labels` are on all of its series, `routing` on its alerts only."""

    place: Place
    objective: Objective
    labels: Mapping[str, str]
    routing: Mapping[str, str]
    counters: Counters

    def series(self, name: str) -> str:
        return at(name, self.labels)


def group(model: Model, environment: Environment, objective: Objective, names: MetricLabels) -> Group:
    """The rules of one objective. Raises ValueError for text that is no plain selector, and for labels that clash."""
    _require_apart(names)
    labels = {
        names.model or "model": model.name,
        names.environment or "environment": environment.name,
        "objective": objective.name,
    }
    routing = _routing(model, {*labels, *_TAKEN})
    subject = _Subject(
        place=Place(model=model.name, environment=environment.name),
        objective=objective,
        labels=labels,
        routing=routing,
        counters=counters(objective, Scope(model=model.name, environment=environment.name, labels=names)),
    )
    working = [burn for burn in burns(objective) if burn.fault is None]
    return Group(
        name=f"tidegate:{model.name}:{environment.name}:{objective.name}",
        rules=(*_recordings(subject, working), *_alerts(subject, working)),
        remarks=(*left_out(objective), *(_unfit(name) for name in model.labels if name not in routing)),
    )


def _require_apart(names: MetricLabels) -> None:
    """One label for two things would make one series of two."""
    taken = set(_TAKEN)
    for name in (names.model, names.environment, names.version):
        if name in taken:
            raise ValueError(f"metrics.labels says {name!r}, which rules need for something else")
        taken |= {name} - {""}


def _routing(model: Model, taken: set[str]) -> Mapping[str, str]:
    """Owners, and those of the model's own labels that Prometheus can carry."""
    fit = {name: value for name, value in model.labels.items() if _LABEL.fullmatch(name) and name not in taken}
    return {**fit, "owners": ",".join(model.owners)} if model.owners else fit


def _unfit(name: str) -> str:
    return f"no label {name!r} on alerts: it is no name for a label of Prometheus, or one that is taken"


def _recordings(subject: _Subject, working: Sequence[Burn]) -> Iterator[Recording]:
    target, recorded = number(subject.objective.target), subject.counters
    bad, total = (subject.series(name) for name in (BAD_EVENTS, EVENTS))
    expressions = {
        BAD_EVENTS: recorded.bad_events(_COUNTED),
        EVENTS: recorded.events(_COUNTED),
        PERIOD: over_period(bad, total, subject.objective.window),
        BUDGET: f"vector(1 - {target})",
        REMAINING: f"1 - {subject.series(PERIOD)} / (1 - {target})",
    }
    for window in sorted({window for burn in working for window in (burn.pair.short, burn.pair.long)}):
        expressions[RATIO + span(window)] = recorded.ratio(window)
    for name, expression in expressions.items():
        yield Recording(name=name, expression=expression, labels=subject.labels)


def _alerts(subject: _Subject, working: Sequence[Burn]) -> Iterator[Alert]:
    for severity in Severity:
        if alike := [burn for burn in working if _severity(burn, subject.objective) is severity]:
            yield _burning(subject, severity, alike)
    yield _absent(subject, working[0] if working else None)


def _severity(burn: Burn | None, objective: Objective) -> Severity:
    """An objective that only informs wakes nobody."""
    if burn is None or objective.effect is Effect.INFORM:
        return Severity.TICKET
    return burn.pair.severity


def _burning(subject: _Subject, severity: Severity, alike: Sequence[Burn]) -> Alert:
    return Alert(
        name=BURNING,
        expression="\nor\n".join(_condition(subject, burn) for burn in alike),
        lasting=timedelta(0),  # the short window is what makes sure that it goes on
        labels=_alert_labels(subject, severity),
        annotations=alert_wording.burning(subject.objective, subject.place, alike),
    )


def _condition(subject: _Subject, burn: Burn) -> str:
    """The long window first: its ratio is the alert's value."""
    limit = f"{number(burn.factor)} * (1 - {number(subject.objective.target)})"
    long, short = (subject.series(RATIO + span(window)) for window in (burn.pair.long, burn.pair.short))
    return f"(\n  {long} > {limit}\n  and\n  {short} > {limit}\n)"


def _absent(subject: _Subject, fastest: Burn | None) -> Alert:
    """Silence weighs as if every event were bad: it alerts when, and as loudly as, the fastest pair would."""
    return Alert(
        name=ABSENT,
        expression=f"{subject.series(PERIOD)}\nunless on ()\n{subject.counters.presence()}",
        lasting=_patience(subject.objective, fastest),
        labels=_alert_labels(subject, _severity(fastest, subject.objective)),
        annotations=alert_wording.absent(subject.objective, subject.place),
    )


def _patience(objective: Objective, fastest: Burn | None) -> timedelta:
    """In whole minutes, because that is how often rules are evaluated."""
    if fastest is None:
        return _WITHOUT_PAIR
    delay = outage(fastest.pair.share, objective.target, objective.window)
    return max(_PATIENCE, -(-delay // timedelta(minutes=1)) * timedelta(minutes=1))


def _alert_labels(subject: _Subject, severity: Severity) -> Mapping[str, str]:
    """Also those that the expression's series have: `promtool check rules` takes alerts without them for duplicates."""
    texts = {**subject.labels, **subject.routing}
    return {**{name: literal(text) for name, text in texts.items()}, "severity": severity.value}
