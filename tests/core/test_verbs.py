"""What each verb may change: all that they make is of their kind, and each thing more is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.situations import KEY, NOW, model, pin_of, version
from tidegate import people
from tidegate.core.observed import PinChange
from tidegate.core.pin import Canary, Hold, Override, Pin, Rejected, Stamp, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import DECIDED, Kind, Transition, mark
from tidegate.core.verbs import not_of_kind
from tidegate.errors import Refused, WrongUse
from tidegate.people import Place

WEIGHTS = st.sampled_from((0.0, 0.1, 0.5))
NUMBERS = st.integers(1, 4)
REJECTED = st.builds(Rejected, version=NUMBERS, key=st.just(KEY), reason=st.sampled_from(("bad", "slow")))


def pins_of(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[VersionPin]:
    return numbers.map(pin_of)


PINS = st.builds(
    Pin,
    stable=st.none() | pins_of(NUMBERS),
    previous=st.none() | pins_of(NUMBERS),
    canary=st.none() | st.builds(Canary, pin=pins_of(NUMBERS), weight=WEIGHTS),
    rejected=st.lists(REJECTED, max_size=3).map(tuple),
    policy=st.none() | st.just("p" * 40),
    holdback=st.none() | st.just(0.05),
    retried=st.none() | st.integers(1, 3),
    hold=st.none() | st.builds(Hold, reason=st.just("audit")),
    override=st.none()
    | st.builds(Override, version=NUMBERS, digest=st.none() | st.just(pin_of(2).digest), reason=st.just("a fix")),
)
VERBS: dict[Kind, Callable[[Place, int], Transition]] = {
    Kind.PIN: lambda place, number: people.pin(place, version(number)),
    Kind.ROLLBACK: lambda place, number: people.rollback(place, tuple(map(version, range(1, 5))), number or None),
    Kind.HOLD: lambda place, _: people.hold(place, NOW, scope="all", reason="an incident", until=None),
    Kind.RESUME: lambda place, _: people.resume(place),
    Kind.UNREJECT: people.unreject,
    Kind.RESTART: lambda place, _: people.restart_rollout(place, "q" * 40, 0.2),
    Kind.OVERRIDE: lambda place, number: people.override_budget(place, version(number), "a fix"),
}


def history(*pins: Pin | None) -> tuple[PinChange, ...]:
    return tuple(PinChange(commit=f"{n:040x}", at=NOW, pin=pin, proposal=n) for n, pin in enumerate(pins, start=1))


def test_every_verb_is_tried() -> None:
    assert VERBS.keys() == set(Kind) - DECIDED


@pytest.mark.parametrize("kind", VERBS)
@given(before=PINS, by_hand=st.booleans(), deleted=st.booleans(), number=NUMBERS)
def test_all_that_a_verb_makes_is_of_its_kind(
    kind: Kind, before: Pin, by_hand: bool, deleted: bool, number: int
) -> None:
    written = stamped("digits", "production", before, mark(Kind.PROMOTE, None))
    found = replace(written, transition=Stamp(kind="promote", before="", attempt=1, key=KEY)) if by_hand else written
    place = Place(
        model=model(), environment="production", history=history(found, *([None] if deleted else [])), handle="@dana"
    )
    try:
        made = VERBS[kind](place, number)
    except (WrongUse, Refused):
        return
    assert not_of_kind(kind, place.found, made.after) is None


BEFORE = Pin(
    stable=pin_of(2),
    previous=pin_of(1),
    canary=Canary(pin=pin_of(3), weight=0.1),
    rejected=(Rejected(version=5, key=KEY, reason="bad"), Rejected(version=6, key=KEY, reason="slow")),
    policy="p" * 40,
    hold=Hold(reason="audit"),
)


@pytest.mark.parametrize(
    ("kind", "after", "words"),
    [
        pytest.param(Kind.HOLD, replace(BEFORE, stable=pin_of(9)), "in stable", id="a hold changes what serves"),
        pytest.param(Kind.HOLD, replace(BEFORE, hold=None), "not what", id="a hold lifts one"),
        pytest.param(Kind.RESUME, BEFORE, "not what", id="a resume leaves the hold"),
        pytest.param(
            Kind.RESUME, replace(BEFORE, hold=None, rejected=()), "in rejected", id="a resume lifts rejections"
        ),
        pytest.param(Kind.UNREJECT, replace(BEFORE, rejected=()), "not what", id="an unreject takes off two versions"),
        pytest.param(
            Kind.UNREJECT, replace(BEFORE, rejected=BEFORE.rejected[::-1]), "not what", id="an unreject takes off none"
        ),
        pytest.param(
            Kind.RESTART,
            replace(BEFORE, canary=Canary(pin=pin_of(9), weight=0.1)),
            "not what",
            id="a restart brings another version",
        ),
        pytest.param(Kind.RESTART, replace(BEFORE, holdback=0.5), "in holdback", id="a restart holds back"),
        pytest.param(Kind.ROLLBACK, replace(BEFORE, canary=None), "not what", id="a rollback rejects nothing"),
        pytest.param(
            Kind.ROLLBACK,
            replace(BEFORE, canary=None, rejected=(Rejected(version=3, key=KEY, reason="bad"),)),
            "not what",
            id="a rollback lifts rejections",
        ),
        pytest.param(Kind.PIN, replace(BEFORE, stable=pin_of(9)), "not what", id="a pin keeps the canary"),
        pytest.param(Kind.PIN, replace(BEFORE, canary=None, rejected=()), "in rejected", id="a pin lifts rejections"),
        pytest.param(
            Kind.PIN,
            replace(BEFORE, canary=None, override=Override(version=9, reason="a fix")),
            "not what",
            id="a pin overrides a budget",
        ),
        pytest.param(
            Kind.ROLLBACK,
            replace(
                BEFORE,
                canary=None,
                rejected=(*BEFORE.rejected, Rejected(version=3, key=KEY, reason="bad")),
                override=Override(version=9, reason="a fix"),
            ),
            "not what",
            id="a rollback overrides a budget",
        ),
        pytest.param(Kind.OVERRIDE, BEFORE, "not what", id="an override overrides nothing"),
        pytest.param(
            Kind.OVERRIDE,
            replace(BEFORE, override=Override(version=9, reason="a fix"), hold=None),
            "in hold",
            id="an override lifts a hold",
        ),
    ],
)
def test_anything_more_is_not_of_the_verbs_kind(kind: Kind, after: Pin, words: str) -> None:
    found = not_of_kind(kind, BEFORE, after)
    assert found is not None
    assert words in found
