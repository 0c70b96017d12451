"""One episode of two hours, the questions of its stages, and what a pass of the loop says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from support.situations import NOW, WORKSPACE, model
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.verdict import Question, Stage, Verdict, WeightChange
from tidegate.core.manifest import Objective, Rollout
from tidegate.core.replay.episodes import Ending, Episode
from tidegate.core.replay.past import Era, Past
from tidegate.ports import Metrics
from tidegate.steps.measure import asks_before, measure

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SINCE = NOW - 2 * HOUR
FINISHED = NOW - HOUR
AVAILABILITY = Objective(name="availability", target=0.99, bad="errors_total", total="requests_total")
ROLLOUT = Rollout(steps=(0.1, 0.5), bake=10 * MINUTE, warm_up=timedelta(0), resolution=MINUTE)
MODEL = model()
EPISODE = Episode(
    environment="production",
    version=2,
    start=SINCE - HOUR,
    entered=SINCE,
    end=NOW,
    ending=Ending.FINISHED,
    first=1,
    last=3,
    finished=FINISHED,
)
CANARY = Question(
    stage=Stage.CANARY,
    subject=2,
    reference=1,
    since=SINCE,
    rollout=ROLLOUT,
    objectives=(AVAILABILITY,),
    weights=(WeightChange(at=SINCE, weight=0.1),),
    reference_since=SINCE - 20 * HOUR,
)
PROBATION = replace(CANARY, stage=Stage.PROBATION, since=FINISHED, weights=(), reference_since=None)
HELD_BACK = replace(PROBATION, weights=(WeightChange(at=FINISHED, weight=0.9),))
BAKE = replace(PROBATION, stage=Stage.BAKE, subject=1, reference=None, since=SINCE - HOUR)


def past(*eras: Era) -> Past:
    first = Era(at=NOW - 20 * HOUR, commit="c" * 40, model=MODEL, workspace=WORKSPACE, key="")
    return Past(eras=(first, *eras), histories={})


def said(question: Question, scope: Scope, metrics: Metrics) -> Verdict:
    """What a pass says at these metrics' time."""
    verdict = judge(question, measure(question, scope, metrics))
    before = asks_before(question, verdict)
    return judge(question, measure(question, scope, metrics, before=True)) if before else verdict
