"""A person's word lets one version in on a spent error budget: these bytes, once, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.situations import NOW, OBJECTIVES, chain, model, observed, pin_of, stable, version
from tidegate import people
from tidegate.core.guards import Situation, budget_spent
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.verdict import Tally
from tidegate.core.observed import PinChange
from tidegate.core.outcome import Evidence, Wish
from tidegate.core.pin import Canary, Override, Pin
from tidegate.core.transition import Kind
from tidegate.core.workspace import Workspace
from tidegate.people import Place

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPENT = Budget(
    objective=OBJECTIVES[0],
    until=NOW,
    since=NOW - 30 * DAY,
    tally=Tally(bad=130, total=10_000),
    recovers_at=NOW + 3 * DAY,
)
FIRST = Pin(stable=pin_of(1))
WORD = Override(version=2, digest=pin_of(2).digest, reason="it mends it", by="@dana")
BEFORE_DIGESTS = replace(WORD, digest=None)
ENTERED = (Kind.PROMOTE, FIRST, 99 * DAY)


def enters(history: tuple[PinChange, ...], number: int = 2, digest: str | None = None) -> bool:
    """Whether a version may enter where the budget is spent."""
    entering = replace(pin_of(number), digest=digest or pin_of(number).digest)
    wish = Wish(
        kind=Kind.PROMOTE,
        after=replace(FIRST, canary=Canary(pin=entering, weight=0.1)),
        reasons=("it is main's",),
        evidence=Evidence.OTHER,
    )
    production = model().environment("production")
    situation = Situation(
        model=model(),
        workspace=Workspace(),
        environment=production,
        observed=observed(stable("staging", 2), history, budgets={"production": (SPENT,)}),
        now=NOW,
    )
    return budget_spent(wish, situation) is None


def given(word: Override = WORD, ago: timedelta = HOUR) -> tuple[PinChange, ...]:
    return chain("production", ENTERED, (Kind.OVERRIDE, replace(FIRST, override=word), ago))


def by_hand(history: tuple[PinChange, ...], ago: timedelta, **changes: object) -> tuple[PinChange, ...]:
    """Somebody edits the file, and leaves all else in it as it was."""
    last = history[-1]
    assert last.pin is not None
    edited = PinChange(commit=f"{len(history):b}".zfill(40), at=NOW - ago, pin=replace(last.pin, **changes))  # type: ignore[arg-type]
    return (*history, edited)


@pytest.mark.parametrize("word", [WORD, BEFORE_DIGESTS], ids=["with-a-digest", "as-files-were-written-before"])
def test_the_version_that_is_named_enters_and_no_other(word: Override) -> None:
    assert enters(given(word))
    assert not enters(given(word), number=3)


def test_other_bytes_under_the_same_number_do_not_enter() -> None:
    assert not enters(given(), digest="sha256:" + "f" * 64)


def test_it_is_used_up_once_the_version_served_even_where_the_file_still_holds_it() -> None:
    """As `pin` left it in files that were written before, and as a hand edit leaves it today."""
    there = (Kind.PIN, Pin(stable=pin_of(2), previous=pin_of(1), override=BEFORE_DIGESTS), 3 * HOUR)
    back = (Kind.ROLLBACK, replace(FIRST, override=BEFORE_DIGESTS), 2 * HOUR)
    word = (Kind.OVERRIDE, replace(FIRST, override=BEFORE_DIGESTS), 4 * HOUR)
    assert not enters(chain("production", ENTERED, word, there, back))
    edited = by_hand(given(ago=4 * HOUR), 3 * HOUR, stable=pin_of(2))
    assert not enters(by_hand(edited, 2 * HOUR, stable=pin_of(1)))


def test_a_hold_in_between_leaves_it() -> None:
    assert enters(by_hand(given(ago=4 * HOUR), HOUR, policy="p" * 40))


@pytest.mark.parametrize(("ago", "expected"), [(30 * DAY - HOUR, True), (30 * DAY, False)], ids=["before", "after"])
def test_it_is_void_once_all_that_was_bad_then_has_left_the_window(ago: timedelta, expected: bool) -> None:
    assert enters(given(ago=ago)) is expected


def test_the_same_word_given_again_holds_anew() -> None:
    word = replace(FIRST, override=WORD)
    assert enters(chain("production", ENTERED, (Kind.OVERRIDE, word, 40 * DAY), (Kind.OVERRIDE, word, HOUR)))


def place(pin: Pin) -> Place:
    return Place(
        model=model(), environment="production", history=chain("production", (Kind.OVERRIDE, pin, HOUR)), handle="@dana"
    )


def test_it_names_the_bytes() -> None:
    assert people.override_budget(place(FIRST), version(2), "it mends it").after.override == WORD


VERSIONS = tuple(map(version, range(1, 5)))
SECOND = Pin(stable=pin_of(2), previous=pin_of(1), override=WORD)


@pytest.mark.parametrize(
    ("before", "to", "left"),
    [
        pytest.param(SECOND, None, None, id="back-from-it"),
        pytest.param(replace(FIRST, override=WORD), 2, None, id="to-it"),
        pytest.param(
            replace(FIRST, canary=Canary(pin=pin_of(2), weight=0.1), override=WORD), None, None, id="its-canary-goes"
        ),
        pytest.param(
            replace(FIRST, canary=Canary(pin=pin_of(3), weight=0.1), override=WORD),
            None,
            WORD,
            id="another-canary-goes",
        ),
    ],
)
def test_a_rollback_uses_up_the_word_for_the_version_it_is_about(
    before: Pin, to: int | None, left: Override | None
) -> None:
    assert people.rollback(place(before), VERSIONS, to).after.override == left


@pytest.mark.parametrize("number", [2, 3], ids=["the-version-itself", "another-one"])
def test_a_pin_uses_it_up(number: int) -> None:
    assert people.pin(place(replace(FIRST, override=WORD)), version(number)).after.override is None


def test_an_unreject_brings_no_word_back() -> None:
    back = people.rollback(place(SECOND), VERSIONS, None).after
    assert back.rejects(2)
    assert people.unreject(place(back), 2).after.override is None
