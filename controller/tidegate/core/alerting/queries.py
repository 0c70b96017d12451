"""PromQL of the recording rules: bad events over all events, from the counters of one model in one environment.

Unlike the judge, who differences raw samples (`counts`), rules use `rate` and `increase`: what these extrapolate is in
both parts of a ratio. Which rules there are is said in `alerting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tidegate.core.dialects import escaped, version_pattern
from tidegate.core.judging.queries import Scope, indicator
from tidegate.core.manifest import Objective

_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The selectors of one objective, for all versions. `counted` selects good events where `inverted`, else bad ones.

    `version` is the label that tells versions apart, "" where there is none. Where its values say more than the number,
    `number` is a pattern with that in a group, recorded under the label `known_as`. As for the judge, absent bad events
    are none, and absent good ones no data: a selector that finds nothing would make every event a bad one.
    """

    counted: str
    total: str
    inverted: bool
    version: str
    known_as: str
    number: str

    def ratio(self, window: timedelta) -> str:
        """The share of bad events in the window; no value without events."""
        counted, total = (f"sum(rate({selector}[{span(window)}]))" for selector in (self.counted, self.total))
        if self.inverted:
            return f"clamp_min(\n  1 - (\n    {counted}\n    /\n    ({total} > 0)\n  ),\n  0\n)"
        return f"(\n  {counted}\n  or\n  0 * {total}\n)\n/\n({total} > 0)"

    def bad_events(self, window: timedelta) -> str:
        """Bad events of each version in the window."""
        counted, total = self._increase(self.counted, window), self._increase(self.total, window)
        if not self.inverted:
            return f"{counted}\nor\n0 * {total}"
        good = f"(\n    {counted}\n    or\n    0 * {total}\n  )"
        return f"clamp_min(\n  {total}\n  -\n  {good},\n  0\n)\nand on ()\n{counted}"

    def events(self, window: timedelta) -> str:
        """All events of each version in the window, whenever it is known which of them were bad."""
        total = self._increase(self.total, window)
        return f"{total}\nand on ()\n{self._increase(self.counted, window)}" if self.inverted else total

    def presence(self) -> str:
        """Some value while the counters are there, none else."""
        return f"(count({self.total}) and count({self.counted}))" if self.inverted else f"count({self.total})"

    def _increase(self, selector: str, window: timedelta) -> str:
        by = f" by ({self.version}) " if self.version else ""
        summed = f"sum{by}(increase({selector}[{span(window)}]))"
        if self.version == self.known_as:
            return summed
        renamed = f'label_replace({summed}, "{self.known_as}", "$1", "{self.version}", "{escaped(self.number)}")'
        return f"sum by ({self.known_as}) ({renamed})"


def counters(objective: Objective, scope: Scope) -> Counters:
    """The objective's selectors with the labels of model and environment. Raises ValueError for no plain selector."""
    asked, labels = indicator(objective, scope, None), scope.dialect(objective)
    return Counters(
        counted=asked.bad,
        total=asked.total,
        inverted=objective.bad is None,
        version=labels.version,
        known_as=scope.labels.version,
        number=version_pattern(labels, scope.place),
    )


def over_period(bad_events: str, events: str, period: timedelta) -> str:
    """The sum of recorded bad events over the sum of all of them: a quiet hour weighs little, as it should."""
    summed = (f"sum(sum_over_time({series}[{span(period)}]))" for series in (bad_events, events))
    return "{}\n/\n({} > 0)".format(*summed)


def at(name: str, labels: Mapping[str, str]) -> str:
    """The selector of a recorded series with these labels."""
    matchers = ",".join(f'{label}="{escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{matchers}}}"


def span(length: timedelta) -> str:
    """A duration as PromQL writes it: `30d`, `1h30m`; without weeks, because nobody calls thirty days `4w2d`."""
    rest, words = length // timedelta(milliseconds=1), []
    for unit, milliseconds in _MILLISECONDS.items():
        count, rest = divmod(rest, milliseconds)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words)


def number(value: Fraction | float) -> str:
    """A figure without the noise of binary fractions: `14.4`, `0.999`."""
    return f"{round(float(value), 12):.12g}"
