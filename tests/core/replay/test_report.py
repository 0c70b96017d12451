"""What a whole episode comes to: agreement, difference, a person's act, or no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.replays import backtest_of, cases
from support.situations import NOW
from tidegate.core.replay.report import Agreement, Backtest, Part, Replay
from tidegate.core.replay.wording import coarse, headline

SAME, DIFFERENT, PERSON, UNREAD = Agreement.SAME, Agreement.DIFFERENT, Agreement.PERSON, Agreement.UNREAD


def replay_of(*agreements: Agreement) -> Replay:
    parts = (Part(since=NOW, until=NOW + timedelta(hours=1), agreement=agreement) for agreement in agreements)
    return Replay(policy="as it was", parts=tuple(parts), spans=())


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        pytest.param((SAME, SAME), SAME, id="all-the-same"),
        pytest.param((SAME, PERSON), PERSON, id="a-person-ended-it"),
        pytest.param((PERSON, SAME), PERSON, id="a-person-acted-and-the-loop-went-on"),
        pytest.param((UNREAD, PERSON), UNREAD, id="what-is-unread-cannot-be-vouched-for"),
        pytest.param((DIFFERENT, PERSON), DIFFERENT, id="one-difference-is-one"),
        pytest.param((UNREAD, DIFFERENT, PERSON), DIFFERENT, id="a-difference-beside-what-is-unread"),
    ],
)
def test_the_agreement_of_an_episode(parts: tuple[Agreement, ...], whole: Agreement) -> None:
    assert replay_of(*parts).agreement is whole


@pytest.mark.parametrize(
    ("report", "said"),
    [
        pytest.param(cases()["by-a-person"], "digits: 1 rollout; changed by a person", id="one"),
        pytest.param(
            backtest_of(*cases()["by-a-person"].episodes, *cases()["as-it-was"].episodes),
            "digits: 2 rollouts; 1 decided as it happened, 1 changed by a person",
            id="one-of-two",
        ),
        pytest.param(
            backtest_of(*cases()["by-a-person"].episodes * 2), "digits: 2 rollouts; all changed by a person", id="all"
        ),
    ],
)
def test_a_persons_act_is_neither_agreement_nor_difference(report: Backtest, said: str) -> None:
    assert headline(report) == said


def stepped_over(report: Backtest) -> Backtest:
    """The same with a step so long that none falls into a rollout."""
    episodes = (replace(one, replays=tuple(replace(each, spans=()) for each in one.replays)) for one in report.episodes)
    return replace(report, step=timedelta(days=1), episodes=tuple(episodes))


FINE, TWO = cases()["as-it-was"], cases()["two-policies"]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        pytest.param(FINE, "", id="a-step-that-is-short-enough"),
        pytest.param(
            stepped_over(FINE),
            "The step of 24h is longer than this rollout: only the instants at which something happened were decided. "
            "Give a shorter --step.",
            id="one",
        ),
        pytest.param(
            replace(FINE, episodes=(*FINE.episodes, *stepped_over(FINE).episodes, *stepped_over(TWO).episodes)),
            "The step of 1m is longer than 2 of these rollouts: only the instants at which something happened were "
            "decided. Give a shorter --step.",
            id="some-of-them-counted-once-for-all-policies",
        ),
        pytest.param(backtest_of(), "", id="no-rollout"),
    ],
)
def test_a_step_longer_than_a_rollout_is_named(report: Backtest, said: str) -> None:
    assert coarse(report) == said
