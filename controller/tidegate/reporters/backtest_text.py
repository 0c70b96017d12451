"""A backtest as text for a terminal: every rollout, what happened, and what each policy would have done."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.quantity import show_duration
from tidegate.core.replay import wording
from tidegate.core.replay.report import Backtest, EpisodeReport, Replay
from tidegate.reporters.printable import printable

_INDENT = "  "


def lines(report: Backtest) -> Iterator[str]:
    """The report, line by line. No line begins with what others wrote."""
    yield f"Backtest of {printable(wording.headline(report))}"
    yield printable(wording.scope(report))
    if not report.episodes:
        yield wording.NOTHING_FOUND
        return
    if said := wording.coarse(report):
        yield said
    for one in report.episodes:
        yield ""
        yield from _episode(one)
    yield ""
    yield f"{wording.CANNOT}:"
    yield from (f"{_INDENT}- {printable(line)}" for line in report.cannot)


def _episode(one: EpisodeReport) -> Iterator[str]:
    yield f"Rollout in {printable(wording.title(one.episode))}"
    if one.episode.start == one.episode.entered:
        yield f"{_INDENT}{wording.instant(one.episode.entered)} really: {printable(one.happened[0].words)}"
    for place, part in enumerate(one.replays[0].parts):
        yield f"{_INDENT}{wording.instant(part.until)} really: {printable(wording.really(part))}"
        for replay in one.replays:
            yield f"{_INDENT * 2}by {printable(replay.policy)}: {printable(wording.answer(replay.parts[place]))}"
    for replay in one.replays:
        yield from _under(replay)


def _under(replay: Replay) -> Iterator[str]:
    if replay.tuned:
        yield f"{_INDENT}{printable(replay.tuned)}"
    if said := wording.unread(replay):
        yield f"{_INDENT}by {printable(replay.policy)}: {printable(said)}"
    if held := wording.held(replay):
        yield f"{_INDENT}by {printable(replay.policy)}, {printable(held)}"
    if unknown := wording.unknown(replay):
        yield f"{_INDENT}by {printable(replay.policy)}, unknown for {show_duration(unknown)}"
