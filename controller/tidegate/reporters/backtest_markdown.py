"""A backtest as Markdown for a job's summary or a comment: what differs on top, each rollout folded."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.replay import wording
from tidegate.core.replay.report import Backtest, EpisodeReport
from tidegate.reporters.markdown import cell

MARKER = "<!-- tidegate:backtest -->"
"""The first line, by which the one comment that is kept up to date is found again."""
LIMIT = 65_535
"""GitHub takes bodies of up to 65,536 characters."""


def document(report: Backtest, limit: int = LIMIT) -> str:
    """The report, with as many rollouts as fit, the newest first."""
    head = f"{MARKER}\n**{cell(wording.headline(report))}**\n\n{cell(wording.scope(report))}\n"
    head += f"\n{cell(said)}\n" if (said := wording.silence(report)) else ""
    head += f"\n{cell(said)}\n" if (said := wording.coarse(report)) else ""
    foot = _cannot(report)
    if not report.episodes:
        return f"{head}\n{wording.NOTHING_FOUND}\n"
    text, left = head, 0
    for one in reversed(report.episodes):
        more = f"\n{episode(one)}\n"
        if len(text) + len(more) + len(foot) + 100 > limit:
            left += 1
            continue
        text += more
    return text + (f"\nLeft out for want of room: {left} rollouts.\n" if left else "") + foot


def episode(one: EpisodeReport) -> str:
    """One rollout: open where a decision differs, else folded."""
    differs = any(replay.difference for replay in one.replays)
    mark = " open" if differs else ""
    names = " | ".join(cell(replay.policy) for replay in one.replays)
    rows = "\n".join(_rows(one))
    notes = "\n".join(f"- {line}" for line in _notes(one))
    return (
        f"<details{mark}><summary>{cell(wording.title(one.episode))}</summary>\n\n"
        f"| until | really | {names} |\n|---|---|{'---|' * len(one.replays)}\n{rows}\n\n{notes}\n\n</details>"
    )


def _rows(one: EpisodeReport) -> Iterator[str]:
    for place, part in enumerate(one.replays[0].parts):
        answers = " | ".join(cell(wording.answer(replay.parts[place])) for replay in one.replays)
        yield f"| {wording.instant(part.until)} | {cell(wording.really(part))} | {answers} |"


def _notes(one: EpisodeReport) -> Iterator[str]:
    for replay in one.replays:
        name = cell(replay.policy)
        if said := wording.first_difference(replay):
            yield f"{name}: {cell(said)}"
        if replay.tuned:
            yield cell(replay.tuned)
        if said := wording.unread(replay):
            yield f"{name}: {cell(said)}"
        if held := wording.held(replay):
            yield f"{name}, {cell(held)}"


def _cannot(report: Backtest) -> str:
    lines = "\n".join(f"- {cell(line)}" for line in report.cannot)
    return f"\n<details><summary>{wording.CANNOT}</summary>\n\n{lines}\n\n</details>\n" if lines else ""
