"""Which rollouts there were, as pin files' histories tell them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.situations import NOW, canary, chain, model, pin_of, probation, stable
from tidegate.core.observed import PinChange
from tidegate.core.pin import Canary, Pin, Rejected
from tidegate.core.replay.episodes import Ending, Episode, episodes
from tidegate.core.transition import Kind

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROLLING = Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.1))
HALF = replace(ROLLING, canary=Canary(pin=pin_of(2), weight=0.5))
DONE = Pin(stable=pin_of(2), previous=pin_of(1))
REJECTED = (Rejected(version=2, key="k" * 17, reason="latency ×2.4"),)
GONE = Pin(stable=pin_of(1), rejected=REJECTED)
START = (Kind.PROMOTE, Pin(stable=pin_of(1)), 9 * DAY)


def found(production: tuple[PinChange, ...], staging: tuple[PinChange, ...] = ()) -> list[Episode]:
    environment = model().environment("production")
    return list(episodes(environment, {"staging": staging, "production": production}, lambda _: DAY, NOW))


@pytest.mark.parametrize(
    ("history", "ending", "lasted", "changes"),
    [
        pytest.param(canary(), Ending.OPEN, HOUR, 1, id="a-canary-that-still-runs-is-under-way"),
        pytest.param(probation(), Ending.OPEN, 3 * HOUR, 2, id="probation-that-is-not-over-is-under-way"),
        pytest.param(probation(ago=3 * DAY), Ending.FINISHED, DAY + 2 * HOUR, 2, id="probation-ends-an-episode"),
        pytest.param(
            chain("production", START, (Kind.PROMOTE, ROLLING, 5 * HOUR), (Kind.REVERT, GONE, 4 * HOUR)),
            Ending.REVERTED, HOUR, 2, id="a-canary-is-reverted",
        ),
        pytest.param(
            chain("production", START, (Kind.PROMOTE, ROLLING, 5 * HOUR), (Kind.ROLLBACK, GONE, 4 * HOUR)),
            Ending.REMOVED, HOUR, 2, id="a-person-rolls-a-canary-back",
        ),
        pytest.param(
            chain(
                "production", START, (Kind.PROMOTE, ROLLING, 9 * HOUR), (Kind.FINISH, DONE, 8 * HOUR),
                (Kind.REVERT, GONE, 4 * HOUR),
            ),
            Ending.REVERTED, 5 * HOUR, 3, id="a-version-is-reverted-on-probation",
        ),
        pytest.param(
            chain(
                "production", START, (Kind.PROMOTE, ROLLING, 3 * DAY),
                (Kind.FINISH, replace(DONE, holdback=0.05), 2 * DAY), (Kind.FINISH, DONE, DAY - HOUR),
            ),
            Ending.FINISHED, 2 * DAY + HOUR, 3, id="the-share-held-back-ends-behind-probation",
        ),
        pytest.param(
            chain("production", START, (Kind.PROMOTE, ROLLING, 5 * HOUR), (Kind.ADVANCE, HALF, 4 * HOUR)),
            Ending.OPEN, 5 * HOUR, 2, id="steps-belong-to-one-episode",
        ),
    ],
)  # fmt: skip
def test_an_episode_is_followed_to_its_end(
    history: tuple[PinChange, ...], ending: Ending, lasted: timedelta, changes: int
) -> None:
    episode = found(history)[-1]
    assert (episode.version, episode.ending, episode.end - episode.entered) == (2, ending, lasted)
    assert episode.last - episode.first + 1 == changes


def test_a_first_version_enters_at_once_and_nothing_is_judged_behind_it() -> None:
    (episode,) = found(stable("production", 1, ago=HOUR))
    assert (episode.ending, episode.start, episode.end) == (Ending.ENTERED, NOW - HOUR, NOW - HOUR)


def test_an_episode_begins_when_its_version_was_stable_in_the_environment_before() -> None:
    staging = chain("staging", (Kind.PROMOTE, Pin(stable=pin_of(1)), 9 * DAY), (Kind.PROMOTE, DONE, 2 * HOUR))
    first, second = found(canary(), staging)
    assert first.start == NOW - 9 * DAY
    assert (second.start, second.entered) == (NOW - 2 * HOUR, NOW - HOUR)


def test_what_waits_for_probation_to_end_begins_behind_it() -> None:
    staging = chain("staging", (Kind.PROMOTE, DONE, 4 * DAY), (Kind.PROMOTE, Pin(stable=pin_of(3)), 3 * DAY))
    entered = Pin(stable=pin_of(2), canary=Canary(pin=pin_of(3), weight=0.1))
    production = chain(
        "production", START, (Kind.PROMOTE, ROLLING, 3 * DAY), (Kind.FINISH, DONE, 2 * DAY),
        (Kind.PROMOTE, entered, HOUR),
    )  # fmt: skip
    before, after = found(production, staging)[-2:]
    assert before.ending is Ending.FINISHED
    assert after.start == before.end == NOW - DAY


def test_a_rollout_that_started_again_is_two_episodes() -> None:
    again = (Kind.RESTART, ROLLING, HOUR)
    first, second = found(
        chain("production", START, (Kind.PROMOTE, ROLLING, 5 * HOUR), (Kind.ADVANCE, HALF, 4 * HOUR), again)
    )[1:]
    assert (first.ending, first.end) == (Ending.REPLACED, NOW - HOUR)
    assert (second.ending, second.entered) == (Ending.OPEN, NOW - HOUR)


def test_going_back_is_no_rollout() -> None:
    back = Pin(stable=pin_of(1), rejected=REJECTED)
    history = chain("production", START, (Kind.PROMOTE, DONE, 5 * HOUR), (Kind.ROLLBACK, back, 4 * HOUR))
    assert [episode.version for episode in found(history)] == [1, 2]
