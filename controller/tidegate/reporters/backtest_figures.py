"""Figures of the judges over time: bad rates of both versions, evidence against its threshold, error budget.

Drawn from what was said at some instants (`report.Point`); tallies there are sums since the stage began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from tidegate.core.judging.verdict import ObjectiveVerdict, Stage, Tally
from tidegate.core.quantity import show_share
from tidegate.core.replay.report import Replay
from tidegate.reporters.svg import Scale, TimeAxis, area, floor, label, level, line, tag

_WINDOW = 16
"""A bad rate is drawn over a sixteenth of its stage: of thin traffic one would see single events otherwise."""

Read = tuple[datetime, ObjectiveVerdict]


@dataclass(frozen=True, slots=True)
class Figures:
    """One objective over time: what was read of it, a run for each stage. `budget` is the bad share it allows.

    `place` chooses its colour. `whose` names the policy that counts so; empty where all count alike.
    """

    name: str
    place: int
    budget: float
    runs: tuple[tuple[Stage, tuple[Read, ...]], ...]
    whose: str = ""

    @property
    def read(self) -> bool:
        return any(reads for _, reads in self.runs)


def named(replays: Iterable[Replay]) -> list[str]:
    """The objectives of all policies, in the order in which they were judged."""
    return list(dict.fromkeys(name for replay in replays for name in replay.budgets))


def figures(replay: Replay, names: Sequence[str]) -> list[Figures]:
    """Those of each objective of one policy that was read. An objective has its place among the names."""
    stages = [(stage, list(points)) for stage, points in groupby(replay.points, key=lambda point: point.stage)]
    found = (
        Figures(
            name=name,
            place=names.index(name),
            budget=budget,
            runs=tuple(
                (stage, tuple((p.at, o) for p in points for o in p.objectives if o.objective == name and not o.unread))
                for stage, points in stages
            ),
            whose=replay.policy,
        )
        for name, budget in replay.budgets.items()
    )
    return [each for each in found if each.read]


def counted(replays: Sequence[Replay]) -> list[Figures]:
    """What each policy counted, objective by objective; once where all that have been replayed counted alike."""
    names = named(replays)
    known = [each for replay in replays for each in figures(replay, names)]
    return [shown for name in names for shown in _alike([f for f in known if f.name == name], len(replays))]


def _alike(found: list[Figures], policies: int) -> list[Figures]:
    if len(found) < policies or any(not _same(found[0], other) for other in found[1:]):
        return found
    # Each is unknown behind its own decisions: together they tell most.
    reads = {at: (stage, at, verdict) for one in found for stage, run in one.runs for at, verdict in run}
    stages = groupby((reads[at] for at in sorted(reads)), key=lambda read: read[0])
    runs = tuple((stage, tuple((at, verdict) for _, at, verdict in run)) for stage, run in stages)
    return [replace(found[0], runs=runs, whose="")]


def _same(one: Figures, other: Figures) -> bool:
    """Whether both allow the same and counted the same at all instants at which both were read."""
    mine, theirs = ({at: verdict for _, run in each.runs for at, verdict in run} for each in (one, other))
    both = mine.keys() & theirs.keys()
    counts = (_tally(mine[at], arm) == _tally(theirs[at], arm) for at in both for arm in ("subject", "reference"))
    return one.budget == other.budget and bool(both) and all(counts)


def rates(objective: Figures, axis: TimeAxis, scale: tuple[float, float]) -> str:
    """Bad rates of canary and stable, then of the version on probation, and the rate that the objective allows."""
    top, height = scale
    subject = [(stage, list(_rates(reads, "subject"))) for stage, reads in objective.runs]
    reference = [list(_rates(reads, "reference")) for stage, reads in objective.runs if stage is Stage.CANARY]
    seen = [rate for _, run in subject for _, rate in run] + [rate for run in reference for _, rate in run]
    y = Scale(0.0, max([*seen, objective.budget]) * 1.15 or 1.0, top, height)
    return tag(
        "g",
        label(top, objective.name, "bad rate", *_of(objective.whose)),
        floor(axis, top + height),
        *level(axis, y, objective.budget, show_share(objective.budget)),
        *(line(((axis.x(at), y.y(rate)) for at, rate in run), "line stable") for run in reference),
        *(line(((axis.x(at), y.y(rate)) for at, rate in run), "line canary") for _, run in subject),
        class_="panel",
    )


def _rates(reads: Sequence[Read], arm: str) -> Iterator[tuple[datetime, float]]:
    """The bad rate over a trailing window: the difference of two sums."""
    tallies = [_tally(verdict, arm) for _, verdict in reads]
    window = max(len(reads) // _WINDOW, 1)
    for place, (at, _) in enumerate(reads):
        before = tallies[place - window] if place >= window else Tally()
        events = tallies[place].total - before.total
        if events > 0:
            yield at, max(tallies[place].bad - before.bad, 0.0) / events


def _tally(verdict: ObjectiveVerdict, arm: str) -> Tally:
    return verdict.subject if arm == "subject" else verdict.reference


def _of(whose: str) -> tuple[str, ...]:
    """One line more under a label, where policies differ."""
    return (whose,) if whose else ()


def evidence(objectives: Sequence[Figures], whose: str, axis: TimeAxis, scale: tuple[float, float]) -> str:
    """E-values that a version is worse, or breaches, against what a revert needs; on a logarithmic scale."""
    top, height = scale
    runs = [(o, list(reads)) for o in objectives for _, reads in o.runs if reads]
    highest = max((max(v.evidence, v.needed) for _, reads in runs for _, v in reads), default=100.0)
    y = Scale(0.5, min(max(highest * 4, 100.0), 1e9), top, height, logarithmic=True)
    return tag(
        "g",
        label(top, "evidence", whose),
        *(_decade(axis, y, power) for power in range(0, 10, 2) if 10.0**power < y.high),
        *(_needed(reads, axis, y) for _, reads in runs[:1] + _of_other_stages(runs)),
        *(line(((axis.x(at), y.y(v.evidence)) for at, v in reads), f"line o{o.place}") for o, reads in runs),
        class_="panel",
    )


def _of_other_stages(runs: Sequence[tuple[Figures, list[Read]]]) -> list[tuple[Figures, list[Read]]]:
    """Thresholds are one for each stage, not for each objective."""
    first = runs[0][0].name if runs else ""
    return [run for run in runs[1:] if run[0].name == first]


def _needed(reads: Sequence[Read], axis: TimeAxis, y: Scale) -> str:
    at = y.y(reads[0][1].needed)
    left, right = axis.x(reads[0][0]), axis.x(reads[-1][0])
    title = tag("title", f"a revert needs {reads[0][1].needed:g}")
    return tag("line", title, x1=left, y1=at, x2=right, y2=at, class_="needed")


def _decade(axis: TimeAxis, y: Scale, power: int) -> str:
    words = "1" if power == 0 else f"10{_raised(power)}"
    return tag("text", words, x=axis.left - 8, y=y.y(10.0**power) + 3.5, class_="tick end") + tag(
        "line", x1=axis.left, y1=y.y(10.0**power), x2=axis.right, y2=y.y(10.0**power), class_="rule"
    )


def _raised(power: int) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(power))


def budget(objectives: Sequence[Figures], axis: TimeAxis, scale: tuple[float, float]) -> str:
    """How much of what its events allowed the environment has spent, by both versions together."""
    top, height = scale
    curves = [(o, list(_spent(o))) for o in objectives]
    highest = max((share for _, curve in curves for _, share in curve), default=0.0)
    y = Scale(0.0, max(highest * 1.1, 1.1), top, height)
    return tag(
        "g",
        label(top, "error budget", "of these events", *_of(objectives[0].whose)),
        floor(axis, top + height),
        *level(axis, y, 1.0, "100%"),
        *(
            area([(axis.x(at), y.y(share)) for at, share in curve], top + height, f"area o{o.place}")
            for o, curve in curves
        ),
        *(line([(axis.x(at), y.y(share)) for at, share in curve], f"line o{o.place}") for o, curve in curves),
        class_="panel",
    )


def _spent(objective: Figures) -> Iterator[tuple[datetime, float]]:
    """The share of the bad events that the objective allows over all events of the rollout."""
    ends = [(reads[-1][1].subject, reads[-1][1].reference) for _, reads in objective.runs if reads]
    allowed = sum(mine.total + theirs.total for mine, theirs in ends) * objective.budget
    before = 0.0
    for _, reads in objective.runs:
        for at, verdict in reads:
            yield at, (before + verdict.subject.bad + verdict.reference.bad) / allowed if allowed else 0.0
        before += sum(verdict.subject.bad + verdict.reference.bad for _, verdict in reads[-1:])
