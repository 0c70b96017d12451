"""Replays made of verdicts that follow a formula: a canary of version 2 beside version 1, good or getting worse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from support.situations import KEY, NOW, OLD_KEY, WORKSPACE, chain, model, pin_of, stable, version
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Question, Stage, Standing, Tally, Verdict
from tidegate.core.manifest import Effect
from tidegate.core.observed import PinChange
from tidegate.core.pin import Canary, Pin, Rejected
from tidegate.core.replay.episodes import Episode, episodes
from tidegate.core.replay.moves import happened
from tidegate.core.replay.passes import Ask, Rules
from tidegate.core.replay.past import AS_IT_WAS, Era, Past, Policy
from tidegate.core.replay.report import Backtest, EpisodeReport, Replay
from tidegate.core.replay.walk import replay
from tidegate.core.replay.wording import cannot
from tidegate.core.transition import Kind

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MODEL = model()
ENTERED = NOW - 3 * HOUR
ROLLING = Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.1), policy="p" * 40)
HALF = replace(ROLLING, canary=Canary(pin=pin_of(2), weight=0.5))
DONE = Pin(stable=pin_of(2), previous=pin_of(1), policy="p" * 40)
GONE = Pin(stable=pin_of(1), rejected=(Rejected(version=2, key=KEY, reason="latency ×2.4"),))

Step = tuple[Kind, Pin, timedelta]


def history(*later: Step) -> tuple[PinChange, ...]:
    """Production: version 1 for days, version 2 as canary for three hours, and what came then."""
    first = (Kind.PROMOTE, Pin(stable=pin_of(1)), 9 * DAY)
    return chain("production", first, (Kind.PROMOTE, ROLLING, 3 * HOUR), *later)


def past(production: tuple[PinChange, ...]) -> Past:
    """Version 2 came to staging an hour before it came to production."""
    staging = (*stable("staging", 1), *stable("staging", 2, previous=1, ago=4 * HOUR))
    known = ((1, OLD_KEY, 9 * DAY), (2, KEY, 4 * HOUR))
    return Past(
        eras=(Era(at=NOW - 9 * DAY, commit="c" * 40, model=MODEL, workspace=WORKSPACE, key=KEY),),
        histories={"staging": staging, "production": production},
        policies={("production", "p" * 40): MODEL.environment("production")},
        versions=tuple(replace(version(n, key), created_at=NOW - ago) for n, key, ago in known),
    )


def newest(where: Past) -> Episode:
    environment = MODEL.environment("production")
    return list(episodes(environment, where.histories, lambda _: DAY, NOW))[-1]


@dataclass(frozen=True)
class Course:
    """How version 2 does: from `worse_at` on, `times` as many of its events are bad. Unread from `lost_at` on."""

    worse_at: datetime | None = None
    times: float = 3.0
    lost_at: datetime | None = None

    def ask(self, _: str, question: Question, at: datetime) -> Verdict:
        since = question.weights[-1].at if question.weights else question.since
        lost = self.lost_at is not None and at >= self.lost_at
        unread = Unread(why=Why.STALE, words=f"last sample at {self.lost_at:%H:%M:%S}") if lost else None
        objectives = tuple(self._objective(o.name, question, at) for o in question.objectives)
        return Verdict(
            stage=question.stage,
            subject=question.subject,
            judged_until=at,
            objectives=objectives,
            serving=True,
            serving_since=question.since,
            baked=at - since,
            events=100 * ((at - since) / MINUTE),
            unread=unread,
        )

    def _objective(self, name: str, question: Question, at: datetime) -> ObjectiveVerdict:
        """Ten events a minute for the canary and ninety for stable, of which one in a hundred is bad."""
        minutes = (at - question.since) / MINUTE
        bad = (
            max((at - max(self.worse_at, question.since)) / MINUTE, 0.0) if self.worse_at and name == "latency" else 0.0
        )
        evidence = 10 ** min(bad / 8, 6.0)
        worse = evidence >= 200
        return ObjectiveVerdict(
            objective=name,
            effect=Effect.REVERT,
            comparison=Comparison.WORSE if worse else Comparison.CLEARED,
            subject=Tally(bad=0.1 * minutes + 0.1 * (self.times - 1) * bad, total=10 * minutes),
            reference=Tally(bad=0.9 * minutes, total=90 * minutes),
            evidence=evidence,
            needed=200,
            worse_at=at if worse else None,
            cleared_by="" if worse else "ruled out",
            standing=Standing.BREACH if worse and question.stage is Stage.PROBATION else Standing.FINE,
        )


GOOD = Course()


def report_of(where: Past, ask: Ask, *policies: Policy, step: timedelta = MINUTE) -> EpisodeReport:
    """The newest episode under each policy."""
    episode = newest(where)
    places = range(episode.first, episode.last + 1)
    return EpisodeReport(
        episode=episode,
        happened=tuple(happened("digits", "production", where.histories["production"], place) for place in places),
        replays=tuple(
            replay(episode, where, Rules(policy=policy, step=step, ask=ask)) for policy in policies or (AS_IT_WAS,)
        ),
    )


def backtest_of(*episodes_: EpisodeReport) -> Backtest:
    names = tuple(replay.policy for replay in episodes_[0].replays) if episodes_ else ("as it was",)
    return Backtest(
        model="digits",
        since=NOW - 30 * DAY,
        until=NOW,
        step=MINUTE,
        policies=names,
        episodes=episodes_,
        cannot=cannot(MODEL),
    )


def impatient() -> Policy:
    """Half the bake, made an hour ago."""
    production = MODEL.environment("production")
    quick = replace(production, rollout=replace(production.rollout, bake=15 * MINUTE))
    return Policy(name="quick.yaml", environments={"production": quick}, since={"production": NOW - HOUR})


def cases() -> dict[str, Backtest]:
    """Backtests of every kind, by name: what reporters are shown."""
    went = history((Kind.ADVANCE, HALF, 150 * MINUTE), (Kind.FINISH, DONE, 120 * MINUTE))
    sank = Course(worse_at=ENTERED + 40 * MINUTE)
    reverted = history((Kind.ADVANCE, HALF, 150 * MINUTE), (Kind.REVERT, GONE, 121 * MINUTE))
    rolled_back = history((Kind.ADVANCE, HALF, 150 * MINUTE), (Kind.ROLLBACK, GONE, 135 * MINUTE))
    return {
        "as-it-was": backtest_of(report_of(past(went), GOOD.ask)),
        "reverted": backtest_of(report_of(past(reverted), sank.ask)),
        "by-a-person": backtest_of(report_of(past(rolled_back), GOOD.ask)),
        "two-policies": replace(
            backtest_of(report_of(past(reverted), sank.ask, AS_IT_WAS, replace(impatient(), name="my-branch"))),
            commits={"my-branch": "7c01d2e94ab3" + "0" * 28},
        ),
        "unread": backtest_of(report_of(past(went), Course(lost_at=ENTERED + 20 * MINUTE).ask)),
        "nothing": backtest_of(),
        "unreachable": replace(
            backtest_of(report_of(past(went), Course(lost_at=ENTERED + 20 * MINUTE).ask)),
            unreachable="unreachable: Prometheus at http://127.0.0.1:9090 does not answer",
        ),
    }


def in_seconds(report: Backtest) -> Backtest:
    """The same rollout, a hundred times as fast."""

    def soon(at: datetime) -> datetime:
        return ENTERED + (at - ENTERED) / 100

    def sooner(replay: Replay) -> Replay:
        parts = (
            replace(
                part,
                since=soon(part.since),
                until=soon(part.until),
                decided=None if part.decided is None else replace(part.decided, at=soon(part.decided.at)),
                asked=None if part.asked is None else replace(part.asked, at=soon(part.asked.at)),
                happened=None if part.happened is None else replace(part.happened, at=soon(part.happened.at)),
            )
            for part in replay.parts
        )
        spans = (replace(span, since=soon(span.since), until=soon(span.until)) for span in replay.spans)
        points = (replace(point, at=soon(point.at)) for point in replay.points)
        return replace(replay, parts=tuple(parts), spans=tuple(spans), points=tuple(points))

    def fast(one: EpisodeReport) -> EpisodeReport:
        episode = one.episode
        return EpisodeReport(
            episode=replace(episode, start=soon(episode.start), end=soon(episode.end)),
            happened=tuple(replace(move, at=soon(move.at)) for move in one.happened),
            replays=tuple(map(sooner, one.replays)),
        )

    return replace(report, episodes=tuple(map(fast, report.episodes)), step=timedelta(seconds=1))
