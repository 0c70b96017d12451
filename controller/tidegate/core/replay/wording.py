"""Every sentence of a backtest, whatever it is printed as. What others wrote is in them: reporters escape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tidegate.core.manifest import Model
from tidegate.core.quantity import show_duration
from tidegate.core.replay.episodes import Ending, Episode
from tidegate.core.replay.report import Agreement, Backtest, EpisodeReport, Move, Part, Replay, State

NOTHING_FOUND = "No rollout entered an environment in this time: there is nothing to replay."
CANNOT = "What a replay cannot know"
UNKNOWN = "Behind a decision that was made otherwise, or sooner, nobody knows what would have been read."

WENT = {
    Agreement.SAME: "decided as it happened",
    Agreement.DIFFERENT: "decided otherwise",
    Agreement.PERSON: "changed by a person",
    Agreement.UNREAD: "unread",
}
_CANNOT = (
    "proposals of people, and vetoes: a replay finds none open",
    "approvals: what waits for a person is shown as asked",
    "the workspace's limits: how much of them other models used up is not recorded",
    "digests: the bytes of then are not there to be hashed",
    "clocks: how far they were apart then is not recorded",
    "trainings and gates: a version is known from its first pin on",
    "rendered files: whether they said what the pin files said",
)


def cannot(model: Model) -> tuple[str, ...]:
    """The guards that a replay knows nothing of."""
    return (*_CANNOT, *_of_this_model(model))


def _of_this_model(model: Model) -> Iterator[str]:
    if any(environment.late for environment in model.environments):
        yield "late labels that came behind probation: a rollout is replayed to its end"
    if model.depends_on:
        yield f"dependencies: whether {', '.join(model.depends_on)} had settled then is not looked up"


def headline(report: Backtest) -> str:
    """What came of it, in one line."""
    if not report.episodes:
        return f"{report.model}: no rollout to replay"
    count = len(report.episodes)
    rollouts = f"{count} rollout{'s' if count > 1 else ''}"
    named = len(report.policies) > 1
    said = [(f"{name}: " if named else "") + _went(report, name) for name in report.policies]
    return f"{report.model}: {rollouts}; {'; '.join(said)}"


def _went(report: Backtest, policy: str) -> str:
    """How many went which way; `unread` are those of which nobody can say that they were decided as they happened."""
    every = len(report.episodes)
    counts = {words: report.count(policy, agreement) for agreement, words in WENT.items()}
    found = {words: count for words, count in counts.items() if count}
    if len(found) == 1:
        (words,) = found
        return words if every == 1 else f"all {words}"
    return ", ".join(f"{count} {words}" for words, count in found.items())


def scope(report: Backtest) -> str:
    """What was replayed, and how."""
    by = " and ".join(f"policy {name}{_place(report, name)}" for name in report.policies)
    left = f"; {report.passed_over} older ones are left out" if report.passed_over else ""
    return (
        f"Rollouts entered from {instant(report.since)} to {instant(report.until)} UTC, decided every "
        f"{show_duration(report.step)} by {by}{left}."
    )


def _place(report: Backtest, policy: str) -> str:
    """Names of commits move, and mean one thing here and another at origin."""
    commit = report.commits.get(policy, "")
    return f" ({commit[:12]})" if commit and not commit.startswith(policy) else ""


def silence(report: Backtest) -> str:
    """That a server did not answer, and what that leaves open; empty where it did."""
    return f"Not all could be read: {report.unreachable}." if report.unreachable else ""


def coarse(report: Backtest) -> str:
    """That the step is longer than a rollout; empty where none is so short."""
    lasting = (one for one in report.episodes if one.episode.start < one.episode.end)
    count = sum(not any(replay.spans for replay in one.replays) for one in lasting)
    if not count:
        return ""
    which = "this rollout" if len(report.episodes) == 1 else f"{count} of these rollouts"
    return (
        f"The step of {show_duration(report.step)} is longer than {which}: only the instants at which something "
        "happened were decided. Give a shorter --step."
    )


def title(episode: Episode) -> str:
    """One rollout: which version, where, when, and how it ended."""
    lasted = show_duration(episode.end - episode.entered)
    ending = episode.ending.value
    if episode.ending is Ending.ENTERED:
        return f"{episode.environment}, version {episode.version}: {instant(episode.entered)}, {ending} at 100%"
    return f"{episode.environment}, version {episode.version}: {instant(episode.entered)}, {ending} after {lasted}"


def really(part: Part) -> str:
    """What really happened at the end of a part."""
    if part.happened is None:
        return "nothing more"
    number = f" (#{part.happened.proposal})" if part.happened.proposal else ""
    return f"{part.happened.words}{number}"


def answer(part: Part) -> str:
    """What the replay says of a part."""
    match part.agreement:
        case Agreement.SAME:
            return _same(part)
        case Agreement.DIFFERENT:
            return _different(part)
        case Agreement.PERSON:
            wanted = f"; the replay: {_wanted(part)}" if part.decided or part.asked else ""
            return f"a person acted{wanted}"
        case Agreement.UNREAD:
            return f"unread: {part.instead}"


def _same(part: Part) -> str:
    if part.happened is None:
        return f"nothing: {part.instead}" if part.asked is None else _wanted(part)
    if part.decided is None:
        assert part.asked is not None, "the same was decided, or asked of a person"
        return f"the same: asked at {clock(part.asked.at, part.happened.at)}"
    return f"the same, {show_duration(part.sooner)} sooner; unknown until then" if part.sooner else "the same"


def _different(part: Part) -> str:
    if part.decided is None and part.asked is None:
        return f"held: {part.instead}"
    return _wanted(part)


def _wanted(part: Part) -> str:
    """The transition that the replay wanted, why, and what is not known behind it."""
    move = part.decided or part.asked
    assert move is not None, "the replay wanted something"
    return f"{move.words} at {clock(move.at, part.until)}{_why(move)}; {_behind(part)}"


def _why(move: Move) -> str:
    return f" ({'; '.join(move.reasons)})" if move.reasons else ""


def _behind(part: Part) -> str:
    return "a person would have been asked" if part.decided is None else "unknown after"


def first_difference(replay: Replay) -> str:
    """The first decision that is not what happened; empty where none is."""
    part = replay.difference
    at = part.differs_at if part else None
    if part is None or at is None:
        return ""
    move = part.decided or part.asked
    wanted = f"{move.words}{_why(move)}; {_behind(part)}" if move else f"held: {part.instead}"
    truly = f"{really(part)} at {clock(part.happened.at, at)}" if part.happened else "nothing happened"
    return f"First difference at {instant(at)}: {wanted}. Really: {truly}."


def unread(replay: Replay) -> str:
    """How long history was missing, why, and what that leaves open; empty where none was."""
    if not replay.unread:
        return ""
    lasted = f"Unread for {show_duration(_lasted(replay, State.UNREAD))}"
    if any(replay.unread_at_the_end(part) for part in replay.parts):
        return f"{lasted}: {replay.unread}. Nobody can say what would have been decided then."
    return f"{lasted} on the way, but read again before anything was decided: {replay.unread}."


def shares(replay: Replay) -> Iterator[tuple[str, float]]:
    """What held, and the share of the ticks."""
    for cause, share in replay.shares().items():
        if share >= 0.0005:
            yield cause, share


def held(replay: Replay) -> str:
    """How often each reason held, in one line."""
    found = ", ".join(f"{cause} {share:.1%}" for cause, share in shares(replay))
    return f"{replay.ticks:,} decisions: {found}" if found else ""


def unknown(replay: Replay) -> timedelta:
    """How long of it nobody knows."""
    return _lasted(replay, State.UNKNOWN)


def _lasted(replay: Replay, state: State) -> timedelta:
    return sum((span.until - span.since for span in replay.spans if span.state is state), timedelta(0))


def between(report: EpisodeReport) -> Iterator[str]:
    """Where the second policy would have decided otherwise than the first."""
    if len(report.replays) < 2:
        return
    first, second = report.replays[:2]
    for one, other in zip(first.parts, second.parts, strict=True):
        if decision(one) != decision(other):
            yield f"until {instant(one.until)}: {first.policy}: {answer(one)}; {second.policy}: {answer(other)}"


def decision(part: Part) -> tuple[object, ...]:
    """What a part comes to, without reasons and their figures: two policies that say the same of it are equal here."""
    move = part.decided or part.asked
    return (part.agreement, move.words, move.at) if move else (part.agreement, None, None)


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def clock(at: datetime, other: datetime) -> str:
    """The time of day; with its date where that is another one's."""
    return f"{at:%H:%M:%S}" if at.date() == other.date() else instant(at)


def moved(move: Move) -> str:
    """A transition with its instant."""
    return f"{instant(move.at)} {move.words}"
