"""Whose pull requests a pass looks at, where they are too many for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.steps.checking import AT_ONCE, turn_after


def passes(waiting: dict[str, list[int]], left: str | None, count: int, newcomers: int) -> set[str]:
    """The heads that so many passes look at, while strangers open so many more after each."""
    waiting, seen = dict(waiting), set[str]()
    for _ in range(count):
        turn, left = turn_after(left, waiting)
        assert 0 < sum(map(len, turn.values())) <= AT_ONCE
        seen |= set(turn)
        newest = max(numbers[-1] for numbers in waiting.values())
        waiting |= {f"new {newest + n}": [newest + n] for n in range(1, newcomers + 1)}
    return seen


LEFT = st.none() | st.lists(st.integers(0, 1300)).map(lambda numbers: " ".join(map(str, numbers)))


@given(st.sets(st.integers(1, 500), min_size=1, max_size=120), LEFT)
def test_everyone_has_their_turn_in_as_many_passes_as_it_takes_to_look_at_all(
    numbers: set[int], left: str | None
) -> None:
    waiting = {f"head {number}": [number] for number in numbers}
    assert passes(waiting, left, -(-len(numbers) // AT_ONCE), 0) == set(waiting)


@given(st.sets(st.integers(1, 500), min_size=1, max_size=120), st.integers(0, 40))
def test_what_is_opened_meanwhile_keeps_nobody_waiting(numbers: set[int], newcomers: int) -> None:
    waiting = {f"head {number}": [number] for number in numbers}
    assert set(waiting) <= passes(waiting, None, -(-len(numbers) // AT_ONCE), newcomers)


@pytest.mark.parametrize("theirs", [2, 100], ids=["an-older-one", "a-newer-one"])
@pytest.mark.parametrize("until", range(1, 100, 7))
def test_a_stranger_who_proposes_a_persons_commit_and_leaves_again_takes_no_turn(theirs: int, until: int) -> None:
    """Whose turn it is stands in public: they can come and go at any point of a round."""
    others = {f"head {number}": [number] for number in range(1, 101) if number not in (theirs, 50)}
    left, seen = None, False
    for _ in range(6):
        beside = left is None or len(left.split()) > until
        eves = {"alice": sorted({theirs, 50})} if beside else {"eve": [theirs], "alice": [50]}
        turn, left = turn_after(left, {**others, **eves})
        seen = seen or "alice" in turn
    assert seen


@given(st.lists(st.sets(st.integers(1, 60)), min_size=60, max_size=60))
def test_whatever_strangers_move_each_pass_takes_one_of_the_round_at_the_least(moves: list[set[int]]) -> None:
    left: str | None = None
    for there in moves:
        shared = {"shared": sorted(there)} if there else {}
        before = left
        _, left = turn_after(left, {f"head {n}": [n] for n in range(1, 61) if n not in there} | shared)
        assert not before or len(left.split()) < len(before.split()) or len(before.split()) <= AT_ONCE


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), LEFT)
def test_pull_requests_of_one_commit_are_looked_at_together(sizes: list[int], left: str | None) -> None:
    """So that places stay free where the next do not fit: two passes look at more than one has places for."""
    first = [1 + sum(sizes[:n]) for n in range(len(sizes))]
    waiting = {f"head {n}": list(range(n, n + size)) for n, size in zip(first, sizes, strict=True)}
    places = sum(min(size, AT_ONCE) for size in sizes)
    assert passes(waiting, left, 2 * -(-places // AT_ONCE), 0) == set(waiting)


@pytest.mark.parametrize("left", ["", "nobody", "-7", "٣", "9" * 5000])
def test_a_record_that_names_nobody_who_waits_begins_with_the_newest(left: str) -> None:
    turn, _ = turn_after(left, {"old": [1], "new": [2]})
    assert list(turn) == ["new", "old"]
