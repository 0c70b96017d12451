"""Siblings of then: judged by what main wanted of them at that instant, whatever it wants of them today."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from support.pasts import Main
from support.scraped_counters import Scraped, counter
from support.situations import NOW, pin_of, verdict
from support.worlds import MANIFEST, WORKSPACE
from tidegate.core.judging.verdict import ObjectiveVerdict, Question, Stage, Standing
from tidegate.core.manifest import Effect
from tidegate.core.pin import Pin
from tidegate.core.replay.episodes import Ending, Episode
from tidegate.core.transition import Kind
from tidegate.steps.past_readings import PastSiblings
from tidegate.steps.past_samples import PastSamples

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FINISHED = NOW - HOUR
LATENCY = "    latency: {good: quick_total, total: requests_total, target: 90%}\n"
RANKING = MANIFEST.replace("digits", "ranking").replace(LATENCY, "").replace("resolution: 30s", "resolution: 1m")
PATH = "models/ranking/model.yaml"
EPISODE = Episode(
    environment="production",
    version=2,
    start=FINISHED - HOUR,
    entered=FINISHED - HOUR,
    end=NOW,
    ending=Ending.FINISHED,
    first=0,
    last=0,
    finished=FINISHED,
)
BREACHING = verdict(
    Stage.PROBATION,
    objectives=(
        ObjectiveVerdict(
            objective="availability",
            effect=Effect.REVERT,
            standing=Standing.BREACH,
            reference_standing=Standing.FINE,
            worse_at=NOW - 20 * MINUTE,
        ),
    ),
)


@pytest.fixture
def main(tmp_path: Path) -> Main:
    """Beside digits, version 7 of ranking: one in ten of its events is bad, which main allows since ten minutes."""
    main = Main(
        tmp_path,
        {"tidegate.yaml": WORKSPACE}
        | {f"models/{name}/training/train.py": "print()\n" for name in ("digits", "ranking")}
        | {"models/digits/model.yaml": MANIFEST, PATH: RANKING},
    )
    main.transition("models/ranking/production", Kind.PROMOTE, Pin(stable=pin_of(7)), NOW - DAY)
    main.commit({PATH: RANKING.replace("target: 95%", "target: 80%")}, NOW - 10 * MINUTE)
    return main


def siblings(main: Main) -> PastSiblings:
    counters = (counter("requests_total", 7, 600, NOW - DAY), counter("errors_total", 7, 60, NOW - DAY))
    samples = PastSamples(metrics=Scraped(counters), ends=NOW)
    return PastSiblings(EPISODE, main.archive(), samples)


@pytest.mark.parametrize(
    ("ago", "failing"),
    [
        pytest.param(15, "ranking: 1 of 1", id="by-the-objectives-of-then"),
        pytest.param(5, None, id="and-by-the-looser-ones-from-when-they-were-merged-on"),
    ],
)
def test_a_sibling_is_judged(main: Main, ago: int, failing: str | None) -> None:
    model = main.archive().model.environment("production")
    question = Question(
        stage=Stage.PROBATION,
        subject=2,
        reference=1,
        since=FINISHED,
        rollout=model.rollout,
        objectives=model.objectives,
    )
    assert siblings(main).failing("production", question, BREACHING, NOW - ago * MINUTE) == failing


def test_nobody_asks_for_siblings_of_what_does_not_breach(main: Main) -> None:
    counters: tuple[()] = ()
    metrics = Scraped(counters)
    found = PastSiblings(EPISODE, main.archive(), PastSamples(metrics=metrics, ends=NOW))
    model = main.archive().model.environment("production")
    question = Question(
        stage=Stage.PROBATION, subject=2, reference=1, since=FINISHED, rollout=model.rollout, objectives=()
    )
    assert found.failing("production", question, verdict(Stage.PROBATION), NOW) is None
    assert not metrics.asked
