"""Which series an objective reads: a person's selector with the labels of one model, environment and its versions.

The text made here is what Prometheus is asked and what a proposal prints. Asking is `measure`'s work; what counts as
bad is worked out in `counts`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from tidegate.core.manifest import Objective
from tidegate.core.workspace import MetricLabels

# Prometheus' own grammar, as far as a plain selector needs it: a name, then matchers whose strings may hold braces.
_SELECTOR = re.compile(
    r"""\s*(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)?
        \s*(?:\{(?P<matchers>(?:[^"'`{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*)\})?\s*""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose series are meant. `ready` selects the gauge that is 1 for every version that is loaded, if there is one."""

    model: str
    environment: str
    labels: MetricLabels = field(default_factory=MetricLabels)
    ready: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """The two selectors of one objective. `bad` selects good events where the objective counts those."""

    bad: str
    total: str


def indicator(objective: Objective, scope: Scope, versions: Collection[int] | None) -> Indicator:
    """What an event objective asks Prometheus, of all versions when None are named.

    Raises ValueError for text that is no plain selector.
    """
    labels = _matchers(scope, versions)
    if objective.histogram is not None and objective.under is not None:
        bucket = [*labels, f'le=~"{bucket_pattern(objective.under)}"']
        return Indicator(
            bad=_spliced(objective.histogram, bucket, suffix="_bucket"),
            total=_spliced(objective.histogram, labels, suffix="_count"),
        )
    counted = objective.bad or objective.good
    if counted is None or objective.total is None:
        raise ValueError(f"objective {objective.name} needs bad or good and total, or histogram and under")
    return Indicator(bad=_spliced(counted, labels), total=_spliced(objective.total, labels))


def readiness(scope: Scope, versions: Collection[int]) -> str | None:
    """The selector of the readiness gauge, None when the target has none. Raises ValueError like `indicator`."""
    return None if scope.ready is None else _spliced(scope.ready, _matchers(scope, versions))


def targets_up(targets: Collection[tuple[str, str]]) -> str:
    """The selector of `up` for scrape targets given as (job, instance)."""
    jobs = _any_of({job for job, _ in targets})
    instances = _any_of({instance for _, instance in targets})
    return f'up{{job=~"{jobs}",instance=~"{instances}"}}'


def bucket_pattern(bound: timedelta) -> str:
    """A pattern for `le` that matches this bound however a client library prints it: 1, 1.0, 0.1, 0.10, 5e-05.

    Go prints the shortest form and switches to an exponent below 1e-4 and from 1e+06 on; Python and Java keep `.0`.
    """
    seconds = Decimal(bound // timedelta(microseconds=1)).scaleb(-6).normalize()
    plain = format(seconds, "f")
    patterns = [_zeros_follow(plain)]
    exponent = seconds.adjusted()
    if exponent < -4 or exponent >= 6:
        mantissa = format(seconds.scaleb(-exponent).normalize(), "f")
        sign = "-" if exponent < 0 else "[+]?"
        patterns.append(f"{_zeros_follow(mantissa)}[eE]{sign}0?{abs(exponent)}")
    return "|".join(patterns)


def _zeros_follow(number: str) -> str:
    whole, point, fraction = number.partition(".")
    return f"{whole}[.]{fraction}0*" if point else f"{whole}([.]0*)?"


def _matchers(scope: Scope, versions: Collection[int] | None) -> list[str]:
    """Label matchers of the scope. A label that the workspace names "" is one that its series do not carry."""
    names = scope.labels
    wanted = ((names.model, scope.model), (names.environment, scope.environment))
    matchers = [f'{name}="{escaped(value)}"' for name, value in wanted if name]
    if versions is None:
        return matchers
    return [*matchers, f'{names.version}=~"{"|".join(str(version) for version in sorted(versions))}"']


def _spliced(selector: str, matchers: Sequence[str], suffix: str = "") -> str:
    """The person's own text with our matchers after theirs."""
    match = _SELECTOR.fullmatch(selector)
    if match is None or not (match["name"] or match["matchers"]):
        raise ValueError(f'{selector!r} is not a plain selector such as requests_total{{code=~"5.."}}')
    if suffix and not match["name"]:
        raise ValueError(f"{selector!r} names no histogram")
    theirs = (match["matchers"] or "").strip().removesuffix(",").rstrip()
    return f"{match['name'] or ''}{suffix}{{{','.join([*([theirs] if theirs else []), *matchers])}}}"


def _any_of(values: Collection[str]) -> str:
    return "|".join(escaped(re.escape(value)) for value in sorted(values))


def escaped(value: str) -> str:
    """The value as it stands between double quotes in PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
