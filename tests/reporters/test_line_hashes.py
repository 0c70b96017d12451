"""GitHub's hash of a line, against the values of its own tests (github/codeql-action, src/fingerprints.test.ts)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.reporters.line_hashes import line_hashes

GREETINGS = [
    "e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1", "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        pytest.param("", ["c129715d7a2bc9a3:1"], id="an-empty-file-has-one-line"),
        pytest.param(
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
            id="blanks-do-not-count",
        ),
        pytest.param(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS, id="line-feeds"),
        pytest.param(" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS, id="carriage-returns"),
        pytest.param(" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS, id="both"),
        pytest.param(" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS, id="a-mixture"),
        pytest.param(
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *(f"a7f2ff13bc495cf2:{count}" for count in range(1, 7)),
                "a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1", "55ec222b86bcae53:1", "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
            id="the-same-line-again-is-counted",
        ),
    ],
)  # fmt: skip
def test_the_hashes_are_those_of_the_uploader(text: str, hashes: list[str]) -> None:
    wanted = range(1, len(hashes) + 1)
    assert line_hashes(text, wanted) == dict(zip(wanted, hashes, strict=True))


def test_a_character_beyond_the_first_plane_counts_as_its_two_halves() -> None:
    assert line_hashes("\U0001f44d", {1}) == line_hashes("\ud83d\udc4d", {1})


def test_a_line_that_is_not_there_has_none() -> None:
    assert line_hashes("a\n", {3}) == {}
    assert line_hashes("a\n", ()) == {}


@given(st.text(max_size=300), st.sets(st.integers(1, 5)))
def test_asking_for_fewer_lines_changes_no_answer(text: str, wanted: set[int]) -> None:
    every = line_hashes(text, range(1, 400))
    assert line_hashes(text, wanted) == {number: every[number] for number in wanted if number in every}
