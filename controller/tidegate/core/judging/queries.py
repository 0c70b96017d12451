"""Which series an objective reads: a person's selector with the labels of one model, environment and its versions.

The text made here is what Prometheus is asked and what a proposal prints. Asking is `measure`'s work; what counts as
bad is worked out in `counts`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from tidegate.core.dialects import Place, escaped, matchers
from tidegate.core.manifest import Objective, Unit
from tidegate.core.workspace import MetricLabels

# Prometheus' own grammar, as far as a plain selector needs it: a name, then matchers whose strings may hold braces.
_SELECTOR = re.compile(
    r"""\s*(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)?
        \s*(?:\{(?P<matchers>(?:[^"'`{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*)\})?\s*""",
    re.VERBOSE | re.DOTALL,
)


_UP = re.compile(r'up\{job=~"(?P<jobs>(?:[^"\\]|\\.)*)",instance=~"(?P<instances>(?:[^"\\]|\\.)*)"\}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose series are meant. `ready` selects the gauge that is 1 for every version that is loaded, if there is one."""

    model: str
    environment: str
    labels: MetricLabels = field(default_factory=MetricLabels)
    ready: str | None = None

    @property
    def place(self) -> Place:
        return Place(model=self.model, environment=self.environment)

    def dialect(self, objective: Objective) -> MetricLabels:
        """The labels of the objective's series: its preset's, else the workspace's."""
        return objective.dialect or self.labels


@dataclass(frozen=True, slots=True)
class Template:
    """A selector without its labels: a person's text, an ending of the name, and what is matched besides."""

    selector: str
    suffix: str = ""
    more: tuple[str, ...] = ()

    def text(self, matchers: Sequence[str]) -> str:
        """Raises ValueError for text that is no plain selector."""
        return _spliced(self.selector, [*matchers, *self.more], self.suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """The two selectors of one objective. `bad` selects good events where the objective counts those.

    `native` selects a histogram under its own name, as only native ones are stored.
    """

    bad: str
    total: str
    native: str | None = None


def indicator(objective: Objective, scope: Scope, versions: Collection[int] | None) -> Indicator:
    """What an event objective asks Prometheus, of all versions when None are named.

    Raises ValueError for text that is no plain selector.
    """
    labels = matchers(scope.dialect(objective), scope.place, versions)
    bad, total = (template.text(labels) for template in templates(objective))
    native = None if objective.histogram is None else Template(objective.histogram).text(labels)
    return Indicator(bad=bad, total=total, native=native)


def templates(objective: Objective) -> tuple[Template, Template]:
    """Of bad (or good) events and of all of them."""
    if objective.histogram is not None and objective.under is not None:
        bound = f'le=~"{bucket_pattern(objective.under, objective.unit)}"'
        return Template(objective.histogram, "_bucket", (bound,)), Template(objective.histogram, "_count")
    counted = objective.mean.sum if objective.mean else objective.bad or objective.good
    if counted is None or objective.total is None:
        raise ValueError(f"objective {objective.name} needs bad or good and total, or histogram and under")
    return Template(counted), Template(objective.total)


def squares(objective: Objective, scope: Scope, versions: Collection[int] | None) -> str | None:
    """The selector of a mean's squares, None where it has none. Raises ValueError like `indicator`."""
    if objective.mean is None or objective.mean.squares is None:
        return None
    return Template(objective.mean.squares).text(matchers(scope.dialect(objective), scope.place, versions))


def late_indicator(objective: Objective, scope: Scope, versions: Collection[int] | None) -> tuple[str, str, str]:
    """The selectors of an objective on late labels: buckets of bad (or good) labels and of all of them, and the counter
    of predictions. Raises ValueError like `indicator`."""
    counted = objective.bad or objective.good
    if counted is None or objective.total is None or objective.labels is None:
        raise ValueError(f"objective {objective.name} needs bad or good, total and labels")
    labels = matchers(scope.dialect(objective), scope.place, versions)
    bad, total = (_spliced(text, labels, suffix="_bucket") for text in (counted, objective.total))
    return bad, total, _spliced(objective.labels.served, labels)


def readiness(scope: Scope, versions: Collection[int]) -> str | None:
    """The selector of the readiness gauge, None when the target has none. Raises ValueError like `indicator`."""
    return None if scope.ready is None else _spliced(scope.ready, matchers(scope.labels, scope.place, versions))


def targets_up(targets: Collection[tuple[str, str]]) -> str:
    """The selector of `up` for scrape targets given as (job, instance)."""
    jobs = _any_of({job for job, _ in targets})
    instances = _any_of({instance for _, instance in targets})
    return f'up{{job=~"{jobs}",instance=~"{instances}"}}'


def targets_of(selector: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The jobs and the instances that `targets_up` wrote into its selector; None for any other selector."""
    match = _UP.fullmatch(selector)
    return None if match is None else (_alternatives(match["jobs"]), _alternatives(match["instances"]))


def kept(selectors: Iterable[str]) -> str:
    """Whether any sample was kept of the hour before an instant: of a target, or behind one of these selectors. What
    was kept then is still there, so that a version of which nothing was seen then did not answer."""
    return " or ".join(f"count(last_over_time({selector}[1h]))" for selector in ("up", *selectors))


def bucket_pattern(bound: timedelta, unit: Unit | None = None) -> str:
    """A pattern for `le` that matches this bound however a client library prints it: 1, 1.0, 0.1, 0.10, 5e-05.

    Go prints the shortest form and switches to an exponent below 1e-4 and from 1e+06 on; Python and Java keep `.0`.
    """
    exponent = -3 if unit is Unit.MILLISECONDS else -6
    amount = Decimal(bound // timedelta(microseconds=1)).scaleb(exponent).normalize()
    plain = format(amount, "f")
    patterns = [_zeros_follow(plain)]
    exponent = amount.adjusted()
    if exponent < -4 or exponent >= 6:
        mantissa = format(amount.scaleb(-exponent).normalize(), "f")
        sign = "-" if exponent < 0 else "[+]?"
        patterns.append(f"{_zeros_follow(mantissa)}[eE]{sign}0?{abs(exponent)}")
    return "|".join(patterns)


def _zeros_follow(number: str) -> str:
    whole, point, fraction = number.partition(".")
    return f"{whole}[.]{fraction}0*" if point else f"{whole}([.]0*)?"


def _spliced(selector: str, matchers: Sequence[str], suffix: str = "") -> str:
    """The person's own text with our matchers after theirs."""
    match = _SELECTOR.fullmatch(selector)
    if match is None or not (match["name"] or match["matchers"]):
        raise ValueError(f'{selector!r} is not a plain selector such as requests_total{{code=~"5.."}}')
    if suffix and not match["name"]:
        raise ValueError(f"{selector!r} names no histogram")
    theirs = (match["matchers"] or "").strip().removesuffix(",").rstrip()
    return f"{match['name'] or ''}{suffix}{{{','.join([*([theirs] if theirs else []), *matchers])}}}"


def _alternatives(text: str) -> frozenset[str]:
    pattern = text.replace("\\\\", "\\")
    return frozenset(re.sub(r"\\(.)", r"\1", each) for each in re.split(r"(?<!\\)\|", pattern))


def _any_of(values: Collection[str]) -> str:
    return "|".join(escaped(re.escape(value)) for value in sorted(values))
