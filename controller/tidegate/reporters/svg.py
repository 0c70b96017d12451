"""Drawings in SVG, written by hand: elements, scales, ticks. Colours are classes, so that a page's style decides.

Not here: what is drawn (`backtest_charts`).
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tidegate.reporters.printable import printable

Point = tuple[float, float]

_SECONDS, _MINUTES = (1, 2, 5, 10, 15, 30), (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400)
_STEPS = [*(timedelta(seconds=s) for s in _SECONDS), *(timedelta(minutes=m) for m in _MINUTES)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tag(name: str, *inside: str, **attributes: object) -> str:
    """An element. Attributes are escaped, children are not; `class_` is `class`, other underscores are dashes."""
    written = "".join(f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key != "viewBox" else key


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else html.escape(str(value))


def words(text: str) -> str:
    """Text as it stands between tags: others may have written it."""
    return html.escape(printable(text), quote=False)


def line(points: Iterable[Point], class_: str) -> str:
    """One stroke through the points; a dot where there is only one."""
    known = list(points)
    if not known:
        return ""
    if len(known) == 1:
        return tag("path", d=f"M{known[0][0]:.1f} {known[0][1]:.1f}h0", class_=f"{class_} dot")
    return tag("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in known), class_=class_)


def area(points: Sequence[Point], floor: float, class_: str) -> str:
    """What lies between the points and the floor."""
    if len(points) < 2:
        return ""
    through = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return tag("path", d=f"M{points[0][0]:.1f} {floor:.1f}L{through}L{points[-1][0]:.1f} {floor:.1f}Z", class_=class_)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from bottom to top, linear or logarithmic; what lies outside is drawn at the edge."""

    low: float
    high: float
    top: float
    height: float
    logarithmic: bool = False

    def y(self, value: float) -> float:
        low, high, at = (self._bent(v) for v in (self.low, self.high, min(max(value, self.low), self.high)))
        return self.top + self.height * (1 - (at - low) / (high - low or 1))

    def _bent(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.logarithmic else value


class TimeAxis:
    """Time from left to right in stretches, each on a scale of its own: an hour of steps is seen beside a day after it.

    A stretch is as wide as a power of its length; none is narrower than a share of the whole.
    """

    POWER, LEAST = 0.4, 0.08

    def __init__(self, edges: Sequence[datetime], left: float, width: float) -> None:
        lengths = [max((b - a).total_seconds(), 1.0) ** self.POWER for a, b in pairwise(edges)]
        widened = [max(length / sum(lengths), self.LEAST) for length in lengths]
        self.edges, self.left, self.right = list(edges), left, left + width
        self._at = [left]
        for share in widened:
            self._at.append(self._at[-1] + width * share / sum(widened))

    def x(self, at: datetime) -> float:
        for place, (since, until) in enumerate(pairwise(self.edges)):
            if at <= until or place == len(self.edges) - 2:
                inside = min(max((at - since) / (until - since), 0.0), 1.0)
                return self._at[place] + inside * (self._at[place + 1] - self._at[place])
        return self.left

    def ticks(self, apart: float = 62.0) -> Iterator[tuple[float, datetime]]:
        """Where an instant is written: the edges that have room, and round times between them."""
        taken: list[float] = []
        for x, at in [*zip(self._at, self.edges, strict=True), *self._round(apart)]:
            if all(abs(x - other) >= apart for other in taken):
                taken.append(x)
                yield x, at

    def _round(self, apart: float) -> Iterator[tuple[float, datetime]]:
        for place, (since, until) in enumerate(pairwise(self.edges)):
            width = self._at[place + 1] - self._at[place]
            step = next((s for s in _STEPS if width * (s / max(until - since, _STEPS[0])) >= apart), None)
            at = _EPOCH + ((since - _EPOCH) // step + 1) * step if step else until
            while step and at < until:
                yield self.x(at), at
                at += step


def label(top: float, title: str, *under: str) -> str:
    """What a panel shows, left of it: a line each. A long one is clipped, and told in full to who points at it."""
    lines = (_clipped(text, x=0, y=top + 24 + 13 * place, class_="tick under") for place, text in enumerate(under))
    return "".join((_clipped(title, x=0, y=top + 10, class_="label"), *lines))


def _clipped(text: str, longest: int = 19, **attributes: object) -> str:
    if len(text) <= longest:
        return tag("text", words(text), **attributes)
    return tag("text", tag("title", words(text)), words(f"{text[: longest - 1]}…"), **attributes)


def floor(axis: TimeAxis, y: float) -> str:
    """The line that a panel stands on."""
    return tag("line", x1=axis.left, y1=y, x2=axis.right, y2=y, class_="floor")


def level(axis: TimeAxis, scale: Scale, value: float, told: str) -> Iterator[str]:
    """A dashed line across a panel, with its value on the left."""
    y = scale.y(value)
    yield tag("text", words(told), x=axis.left - 8, y=y + 3.5, class_="tick end")
    yield tag("line", x1=axis.left, y1=y, x2=axis.right, y2=y, class_="limit")
