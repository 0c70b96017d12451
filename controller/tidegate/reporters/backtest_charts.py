"""One replayed rollout as a drawing: weight, decisions and what really happened, above its figures, on one time axis.

The page around it is `backtest_html`'s, the figures `backtest_figures`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from tidegate.core.quantity import show_share
from tidegate.core.replay import wording
from tidegate.core.replay.report import Agreement, EpisodeReport, Move, Part, Replay, Span, State
from tidegate.core.transition import Kind
from tidegate.reporters import backtest_figures as figures
from tidegate.reporters.svg import Scale, TimeAxis, area, floor, label, line, tag, words

WIDTH, LEFT, RIGHT = 1080.0, 158.0, 16.0
_TOP, _GAP = 34.0, 22.0
_MINUTE, _WIDE = timedelta(minutes=1), 84.0
_WEIGHT, _LANE, _READING, _EVIDENCE, _BUDGET = 48.0, 24.0, 70.0, 104.0, 70.0

Colours = Mapping[str, str]
"""The class of each reason to hold, the same in the whole page."""

Draw = Callable[[tuple[float, float]], str]
"""Draws a panel that begins at a height and is so high."""


def chart(one: EpisodeReport, colours: Colours, name: str) -> str:
    """All panels of an episode. `name` is unique in the page."""
    parts = one.replays[0].parts
    axis = TimeAxis([parts[0].since, *(part.until for part in parts)], LEFT, WIDTH - LEFT - RIGHT)
    top, drawn = _TOP, []
    for height, draw in _panels(one, colours, axis):
        drawn.append(draw((top, height)))
        top += height + _GAP
    title = f"{wording.title(one.episode)}: weight, decisions, bad rates, evidence and error budget over time"
    return tag(
        "svg",
        tag("title", words(title), id=f"{name}-title"),
        *_times(axis, top),
        *_marks(one, axis, top - _GAP),
        *drawn,
        viewBox=f"0 0 {WIDTH:g} {top + 8:g}",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="chart",
    )


def _panels(one: EpisodeReport, colours: Colours, axis: TimeAxis) -> Iterator[tuple[float, Draw]]:
    """Each panel's height, and what draws it."""
    yield _WEIGHT, partial(_weight, one, axis)
    for replay in one.replays:
        yield _LANE, partial(_lane, replay, colours, axis)
    counted, names = figures.counted(one.replays), figures.named(one.replays)
    for objective in counted:
        yield _READING, partial(figures.rates, objective, axis)
    judged = [found for replay in one.replays if (found := figures.figures(replay, names))]
    for objectives in judged:
        whose = "e-value" if len(one.replays) == 1 else objectives[0].whose
        yield _EVIDENCE, partial(figures.evidence, objectives, whose, axis)
    alike = bool(counted) and not any(objective.whose for objective in counted)
    for objectives in [counted] if alike else judged:
        yield _BUDGET, partial(figures.budget, objectives, axis)


def _weight(one: EpisodeReport, axis: TimeAxis, place: tuple[float, float]) -> str:
    """The version's share of the traffic as it really was."""
    top, height = place
    y = Scale(0.0, 1.0, top, height)
    steps = list(_steps(one))
    points = [(axis.x(at), y.y(share)) for at, share in steps]
    return tag(
        "g",
        label(top, f"version {one.episode.version}", "share of traffic"),
        floor(axis, top + height),
        area(points, top + height, "area weight"),
        line(points, "line weight"),
        class_="panel",
    )


def _steps(one: EpisodeReport) -> Iterator[tuple[datetime, float]]:
    """Corners of the share over time."""
    share, since = 0.0, one.replays[0].parts[0].since
    yield since, share
    for move in one.happened:
        yield move.at, share
        share = _share(move, one)
        yield move.at, share
    yield one.replays[0].parts[-1].until, share


def _share(move: Move, one: EpisodeReport) -> float:
    if move.weight is not None:
        return move.weight
    gone = move.at == one.episode.end and one.episode.ending.value in ("reverted", "removed")
    return 0.0 if gone else 1.0


def _lane(replay: Replay, colours: Colours, axis: TimeAxis, place: tuple[float, float]) -> str:
    """What a policy says, span by span, and the transitions that it decides."""
    top, height = place
    spans = (_span(span, colours, axis, place) for span in replay.spans)
    moves = (_decision(part, axis, top + height / 2) for part in replay.parts)
    return tag("g", label(top, replay.policy, "decisions"), *spans, *moves, class_="panel")


def _span(span: Span, colours: Colours, axis: TimeAxis, place: tuple[float, float]) -> str:
    left, right = axis.x(span.since), axis.x(span.until)
    said = f"{wording.instant(span.since)} to {wording.clock(span.until, span.since)}: {span.words}"
    title = tag("title", words(said))
    return tag(
        "rect",
        title,
        x=left,
        y=place[0],
        width=max(right - left, 1.0),
        height=place[1],
        rx=3,
        class_=_class(span, colours),
    )


def _class(span: Span, colours: Colours) -> str:
    match span.state:
        case State.UNKNOWN | State.UNREAD:
            return f"span {span.state.name.lower()}"
        case State.ASKED:
            return "span asked"
        case _:
            return f"span {colours[span.cause]}"


def _decision(part: Part, axis: TimeAxis, middle: float) -> str:
    """A diamond where a transition was decided; hollow where a person was asked."""
    found = [(move, "asked" if move is part.asked else "decided") for move in (part.asked, part.decided) if move]
    return "".join(
        _diamond(axis.x(move.at), middle, wording.moved(move), f"move {_kind(move)} {how}") for move, how in found
    )


def _diamond(x: float, y: float, said: str, class_: str) -> str:
    r = 6.5
    corners = f"{x:.1f},{y - r:.1f} {x + r:.1f},{y:.1f} {x:.1f},{y + r:.1f} {x - r:.1f},{y:.1f}"
    return tag("polygon", tag("title", words(said)), points=corners, class_=class_)


def _marks(one: EpisodeReport, axis: TimeAxis, bottom: float) -> Iterator[str]:
    """Lines at what really happened, with a word each, and where a policy would first have gone another way."""
    for move in one.happened:
        x = axis.x(move.at)
        title = tag("title", words(f"really: {wording.moved(move)}"))
        yield tag("line", x1=x, y1=_TOP - 12, x2=x, y2=bottom, class_="real")
        # Without the title of its own the word would be all that is read out.
        yield tag("text", title + words(_short(move)), x=x, y=_TOP - 18, class_=f"mark {_anchor(x)} {_kind(move)}")
    for replay in one.replays:
        part = replay.difference
        if part is not None and part.agreement is Agreement.DIFFERENT and (at := part.differs_at):
            title = tag("title", words(f"{replay.policy}: {wording.first_difference(replay)}"))
            yield tag("line", title, x1=axis.x(at), y1=_TOP - 6, x2=axis.x(at), y2=bottom, class_="differs")


def _anchor(x: float) -> str:
    """Words do not stick out at the right."""
    return "end" if x > WIDTH - RIGHT - 60 else "middle"


def _short(move: Move) -> str:
    """One word for a mark: the weight, or what was done."""
    match move.kind:
        case None:
            return "by hand"
        case Kind.PROMOTE | Kind.ADVANCE if move.weight is not None:
            return show_share(move.weight)
        case Kind.PROMOTE:
            return "100%"
        case _:
            return str(move.kind.value)


def _kind(move: Move) -> str:
    match move.kind:
        case Kind.REVERT | Kind.ROLLBACK:
            return "back"
        case _:
            return "forth"


def _times(axis: TimeAxis, bottom: float) -> Iterator[str]:
    """Time of day below, with the date where it is another one, and with seconds where minutes do not tell them
    apart."""
    date, ticks, form = None, sorted(axis.ticks()), "%H:%M"
    if any(b - a < _MINUTE for (_, a), (_, b) in pairwise(ticks)):
        ticks, form = sorted(axis.ticks(_WIDE)), "%H:%M:%S"
    for x, at in ticks:
        yield tag("line", x1=x, y1=_TOP, x2=x, y2=bottom - _GAP, class_="rule")
        day = f"{at:%b} {at.day} " if at.date() != date else ""
        date = at.date()
        yield tag("text", f"{day}{at:{form}}", x=x, y=bottom + 2, class_=f"tick time {_anchor(x)}")
