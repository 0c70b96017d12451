"""Why a selector finds nothing although its metric is there: the condition that no series of the metric meets.

Prometheus is not asked again for each condition: our own labels are compared here, a person's patterns are not read
(they are Go's), and what values there are is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tidegate.core import promql
from tidegate.core.judging.reading import Series
from tidegate.core.promql import Matcher

_TOLD = 8
"""So many names or values are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLabel:
    """A label that no series of the metric has, which has `carried`; whether it is one of ours."""

    label: str
    ours: bool
    carried: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoValue:
    """What no series of the metric shows, what is shown in its place, and whether it is a label of ours."""

    wanted: str
    there: str
    ours: bool = False


def metric(selector: str) -> str | None:
    """The name of the metric that is selected, None for a selector without one."""
    read = promql.read(selector)
    if isinstance(read, promql.Unread) or len(read.selectors) != 1:
        return None
    return read.selectors[0].name or None


def gap(selector: str, ours: Mapping[str, str], series: Sequence[Series]) -> NoLabel | NoValue:
    """What lacks among the series of the selector's metric; `ours` are our labels with patterns for their values."""
    carried = {name for each in series for name in each.labels if name != "__name__"}
    theirs = _theirs(selector, ours)
    for label in (*ours, *(matcher.label for matcher in theirs if not _absence_meets(matcher))):
        if label not in carried:
            return NoLabel(label=label, ours=label in ours, carried=_told(carried))
    left = series
    for label, pattern in ours.items():
        fitting = [each for each in left if re.fullmatch(pattern, each.labels.get(label, ""))]
        if not fitting:
            return NoValue(wanted=_condition(label, pattern), there=_values(label, left), ours=True)
        left = fitting
    wanted = ",".join(f'{each.label}{each.operator}"{each.value}"' for each in theirs)
    labels = dict.fromkeys(each.label for each in theirs if each.label in carried)
    told = [_values(label, left) if len(labels) == 1 else f"{label} {_values(label, left)}" for label in labels]
    return NoValue(wanted=wanted or selector, there="; ".join(told))


def _condition(label: str, pattern: str) -> str:
    """One of ours is a plain text, unless it ends in any number."""
    plain = re.sub(r"\\(.)", r"\1", pattern)
    return f'{label}="{plain}"' if re.fullmatch(pattern, plain) else f'{label}=~"{pattern}"'


def _theirs(selector: str, ours: Mapping[str, str]) -> list[Matcher]:
    read = promql.read(selector)
    if isinstance(read, promql.Unread):
        return []
    found = (matcher for one in read.selectors for matcher in one.matchers if matcher.label not in ours)
    return sorted(found, key=lambda matcher: (matcher.label, matcher.operator, matcher.value))


def _absence_meets(matcher: Matcher) -> bool:
    """Whether a series without the label fits; where nobody can tell, it does."""
    empty = matcher.value == ""
    if matcher.operator in ("=~", "!~"):
        try:
            empty = re.fullmatch(matcher.value, "") is not None
        except re.error:
            return True
    return empty == (matcher.operator in ("=", "=~"))


def _values(label: str, series: Iterable[Series]) -> str:
    return _told({value for each in series if (value := each.labels.get(label, ""))})


def _told(words: Collection[str]) -> str:
    some = sorted(words)
    more = f" and {len(some) - _TOLD} more" if len(some) > _TOLD else ""
    return ", ".join(some[:_TOLD]) + more
