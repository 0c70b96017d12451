"""Processes whose `instance` changed: what their counters are counted from, and which are new processes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.counters import SINCE
from tidegate.core.judging.beginnings import Beginning, SteppedBeginnings
from tidegate.core.judging.budget import STEP
from tidegate.core.judging.reading import Sampled, Series

THEN = 12
"""The step by which the new targets of these cases begin: two hours after the old ones."""

Values = Mapping[str, Sequence[float]]


def at(step: int) -> float:
    return SINCE.timestamp() + step * STEP.total_seconds()


def target(instance: str, first: int, values: Values, **labels: str) -> list[Series]:
    """Its counters by name, each at one step after the other."""
    return [
        Series(
            labels={"__name__": name, "instance": instance, **labels},
            samples=tuple((at(first + index), float(value)) for index, value in enumerate(own)),
        )
        for name, own in values.items()
    ]


def began(new: Sequence[Series], *others: Sequence[Series]) -> list[Beginning | None]:
    every = [*new, *(series for target in others for series in target)]
    found = SteppedBeginnings([Sampled(series=tuple(every), start=SINCE, end=SINCE)], "version")
    return [found.of_new_target(each) for each in new]


OLD = target("a", 0, {"total": [900] * THEN, "bad": [9] * THEN})
NEW = target("b", THEN, {"total": [910, 920], "bad": [9, 12]})
YOUNG = target("b", THEN, {"total": [20, 30], "bad": [15, 20]})
GOES_ON = target("c", 0, {"total": [5000] * (THEN + 2)})


@pytest.mark.parametrize(
    ("new", "others", "expected"),
    [
        pytest.param(NEW, [OLD, GOES_ON], [900, 9], id="it-goes-on-as-another-instance"),
        pytest.param(NEW, [GOES_ON], [0, 0], id="nothing-ended"),
        pytest.param(YOUNG, [OLD, GOES_ON], [0, 0], id="a-new-process-may-have-more-errors-but-not-more-of-everything"),
        pytest.param(
            NEW,
            [target("a", 0, {"total": [900] * THEN, "bad": [9] * THEN}, pod="x"), GOES_ON],
            [0, 0],
            id="what-is-labelled-otherwise-is-another",
        ),
        pytest.param(NEW[:1], [OLD, GOES_ON], [0], id="a-process-loses-no-counter"),
        pytest.param(
            NEW,
            [target("a", THEN - 5, {"total": [900] * 5, "bad": [9] * 5}), GOES_ON],
            [0, 0],
            id="of-processes-that-live-for-minutes-none-goes-on",
        ),
        pytest.param(
            NEW,
            [target("a", 0, {"total": [900] * (THEN - 1), "bad": [9] * (THEN - 1)}), GOES_ON],
            [0, 0],
            id="what-ended-a-step-earlier-is-another",
        ),
        pytest.param(
            NEW,
            [OLD, target("d", 0, {"total": [100] * THEN, "bad": [9] * THEN}), GOES_ON],
            [900, 9],
            id="of-two-that-ended-the-one-that-is-nearest",
        ),
        pytest.param(
            NEW,
            [target("a", 0, {"total": [900] * (THEN + 2), "bad": [9] * (THEN + 2)}), GOES_ON],
            [0, 0],
            id="what-goes-on-by-its-own-name",
        ),
    ],
)
def test_what_a_new_target_is_counted_from(
    new: Sequence[Series], others: Sequence[Sequence[Series]], expected: Sequence[float]
) -> None:
    assert [each.value if each else math.nan for each in began(new, *others)] == expected


def test_I9_it_is_known_once_the_old_one_is_gone_and_not_before() -> None:
    now = [Series(labels=each.labels, samples=each.samples[:1]) for each in NEW]
    still = [Series(labels=each.labels, samples=each.samples[: THEN + 1]) for each in GOES_ON]
    assert began(now, OLD, still) == [None, None]
    assert [each and each.known for each in began(NEW, OLD, GOES_ON)] == [at(THEN + 1)] * 2
    assert [each and each.known for each in began(NEW, GOES_ON)] == [at(THEN)] * 2


@given(st.permutations([1000.0, 2000.0, 4000.0]), st.lists(st.floats(0, 900), min_size=3, max_size=3))
def test_several_that_move_at_once_bring_together_what_they_counted_meanwhile(
    shown: list[float], meanwhile: list[float]
) -> None:
    old = [target(f"old-{index}", 0, {"total": [value] * THEN}) for index, value in enumerate(shown)]
    new = [
        target(f"new-{index}", THEN, {"total": [value + more] * 2})
        for index, (value, more) in enumerate(zip(shown, meanwhile, strict=True))
    ]
    moved = [series for each in new for series in each]
    found = [each.value for each in began(moved, *old) if each is not None]
    assert sorted(found) == sorted(shown)
