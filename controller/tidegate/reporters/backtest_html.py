"""A backtest as one page that needs nothing but itself: no script, no network, light and dark.

Its content security policy allows its own style and nothing else; the charts are `backtest_charts`'.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from tidegate.core.quantity import show_duration
from tidegate.core.replay import wording
from tidegate.core.replay.report import Agreement, Backtest, EpisodeReport, Part, Replay, State
from tidegate.reporters.backtest_charts import Colours, chart
from tidegate.reporters.backtest_figures import counted
from tidegate.reporters.backtest_style import STYLE
from tidegate.reporters.printable import printable
from tidegate.reporters.svg import tag, words

_COLOURS = 8
_BADGES = {
    Agreement.SAME: "same",
    Agreement.DIFFERENT: "differs",
    Agreement.PERSON: "person",
    Agreement.UNREAD: "unread",
}
_ALWAYS = (Agreement.SAME, Agreement.DIFFERENT)
"""Counted also where none went so."""


def document(report: Backtest) -> str:
    """The whole page."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    title = words(f"{report.model}: backtest")
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        f'<meta name="color-scheme" content="light dark"><title>{title}</title><style>{STYLE}</style>'
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{_body(report)}\n</main></body></html>\n'
    )


def _body(report: Backtest) -> str:
    colours = _colours(report)
    parts = [
        tag("header", tag("p", "Tidegate backtest", class_="kind"), tag("h1", words(report.model)), *_top(report)),
        *(_section(place, one, colours) for place, one in enumerate(report.episodes)),
        _cannot(report),
    ]
    return "\n".join(parts)


def _top(report: Backtest) -> Iterator[str]:
    yield tag("p", words(wording.headline(report).partition(": ")[2]), class_="headline")
    yield tag("p", words(wording.scope(report)), class_="scope")
    if said := wording.silence(report):
        yield tag("p", words(said), class_="note unread")
    if said := wording.coarse(report):
        yield tag("p", words(said), class_="note")
    if not report.episodes:
        yield tag("p", wording.NOTHING_FOUND)
        return
    for name in report.policies:
        if len(report.policies) > 1:
            yield tag("p", words(f"Policy: {name}"), class_="by")
        yield tag("ul", *_cards(report, name), class_="cards")
    yield tag("nav", tag("ol", *_contents(report)), aria_label="Rollouts")


def _cards(report: Backtest, policy: str) -> Iterator[str]:
    count = len(report.episodes)
    yield _card(str(count), "rollout" if count == 1 else "rollouts", "")
    for agreement, what in wording.WENT.items():
        found = report.count(policy, agreement)
        if found or agreement in _ALWAYS:
            yield _card(str(found), what, agreement.value if found else "")
    replays = (replay for one in report.episodes for replay in one.replays if replay.policy == policy)
    decisions = sum(replay.ticks for replay in replays)
    yield _card(f"{decisions:,}", "decision replayed" if decisions == 1 else "decisions replayed", "")


def _card(figure: str, what: str, class_: str) -> str:
    return tag("li", tag("strong", figure), tag("span", words(what)), class_=f"card {class_}".strip())


def _contents(report: Backtest) -> Iterator[str]:
    for place, one in enumerate(report.episodes):
        title = tag("a", words(wording.title(one.episode)), href=f"#e{place}")
        yield tag("li", *map(_badge, one.replays), title)


def _badge(replay: Replay) -> str:
    """What came of it; who points at it is told by which policy."""
    by = printable(f"by {replay.policy}")
    return tag("span", _BADGES[replay.agreement], class_=f"badge {replay.agreement.value}", title=by)


def _section(place: int, one: EpisodeReport, colours: Colours) -> str:
    badges = "".join(_badge(replay) for replay in one.replays)
    notes = [tag("p", words(note), class_=class_) for note, class_ in _notes(one)]
    drawn = tag("div", chart(one, colours, f"e{place}"), class_="wide", tabindex=0)
    return tag(
        "section",
        tag("h2", badges, tag("span", words(wording.title(one.episode)))),
        *notes,
        tag("figure", drawn, tag("figcaption", *_legend(one, colours))),
        _table(one),
        *(_shares(replay, colours, named=len(one.replays) > 1) for replay in one.replays),
        id=f"e{place}",
    )


def _notes(one: EpisodeReport) -> Iterator[tuple[str, str]]:
    for replay in one.replays:
        name = f"{replay.policy}: " if len(one.replays) > 1 else ""
        if said := wording.first_difference(replay):
            yield f"{name}{said}", "note different"
        if said := wording.unread(replay):
            open_ = replay.agreement is Agreement.UNREAD
            yield f"{name}{said}", "note unread" if open_ else "note"
        if replay.tuned:
            yield replay.tuned, "note tuned"


def _legend(one: EpisodeReport, colours: Colours) -> Iterator[str]:
    """What the colours of this chart mean."""
    yield from _curves(one)
    states = {span.state for replay in one.replays for span in replay.spans}
    causes = {span.cause for replay in one.replays for span in replay.spans if span.cause in colours}
    for cause, class_ in colours.items():
        if cause in causes:
            yield _key(f"span {class_}", cause)
    for state in (State.ASKED, State.UNREAD, State.UNKNOWN):
        if state in states:
            yield _key(f"span {state.name.lower()}", state.value)


def _curves(one: EpisodeReport) -> Iterator[str]:
    """Those of the readings, where there are any."""
    read = {objective.name: objective.place for objective in counted(one.replays)}
    if not read:
        return
    yield _key("line canary", f"version {one.episode.version}")
    yield _key("line stable", "stable beside it")
    for name, place in read.items():
        yield _key(f"line o{place}", name)
    yield _key("line limit", "limit")
    yield _key("line needed", "what a revert needs")


def _key(class_: str, what: str) -> str:
    mark = tag(
        "svg", tag("rect", x=0, y=1, width=18, height=10, rx=2, class_=class_), viewBox="0 0 18 12", aria_hidden="true"
    )
    if class_.startswith("line"):
        drawn = tag("path", d="M0 6L18 6", class_=class_)
        mark = tag("svg", drawn, viewBox="0 0 18 12", aria_hidden="true")
    return tag("span", mark, words(what), class_="key")


def _table(one: EpisodeReport) -> str:
    names = [tag("th", words(replay.policy), scope="col") for replay in one.replays]
    head = tag("tr", tag("th", "until", scope="col"), tag("th", "really", scope="col"), *names)
    rows = (_row(place, part, one) for place, part in enumerate(one.replays[0].parts))
    return tag("table", tag("thead", head), tag("tbody", *rows))


def _row(place: int, part: Part, one: EpisodeReport) -> str:
    cells = (
        tag("td", words(wording.answer(replay.parts[place])), class_=replay.parts[place].agreement.value,
            data_by=printable(replay.policy))
        for replay in one.replays
    )  # fmt: skip
    really = tag("td", words(wording.really(part)), data_by="really")
    return tag("tr", tag("td", wording.instant(part.until), class_="at"), really, *cells)


def _shares(replay: Replay, colours: Colours, *, named: bool) -> str:
    """How often each reason held, as bars."""
    title = f"What held, {replay.policy}" if named else "What held"
    rows = [_share(cause, share, colours.get(cause, "asked")) for cause, share in wording.shares(replay)]
    unknown = wording.unknown(replay)
    behind = [tag("p", f"Unknown for {show_duration(unknown)}. {wording.UNKNOWN}", class_="scope")] if unknown else []
    summary = tag("summary", words(f"{title}: {replay.ticks:,} decisions"))
    return tag("details", summary, tag("dl", *rows, class_="shares"), *behind)


def _share(cause: str, share: float, class_: str) -> str:
    bar = tag("rect", x=0, y=0, width=100 * share, height=8, rx=2, class_=f"span {class_}")
    drawn = tag("svg", bar, viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")
    return tag("dt", words(cause)) + tag("dd", drawn, f"{share:.1%}")


def _cannot(report: Backtest) -> str:
    if not report.cannot:
        return ""
    lines = (tag("li", words(line)) for line in report.cannot)
    return tag("footer", tag("h2", wording.CANNOT), tag("ul", *lines))


def _colours(report: Backtest) -> dict[str, str]:
    """One for each reason to hold, the most frequent first."""
    ticks: dict[str, int] = {}
    for span in (span for one in report.episodes for replay in one.replays for span in replay.spans):
        if span.state in (State.HELD, State.NOTHING):
            ticks[span.cause] = ticks.get(span.cause, 0) + span.ticks
    ordered = sorted(ticks, key=lambda cause: (-ticks[cause], cause))
    return {cause: f"c{min(place, _COLOURS - 1)}" for place, cause in enumerate(ordered)}
