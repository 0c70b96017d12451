"""Nothing that is shown obeys anything but its own line."""

from __future__ import annotations

import pytest
from hypothesis import given

from support.findings import nasty
from tidegate.reporters.printable import obeyed_by_nobody, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("größe: 成長 👍", "größe: 成長 👍", id="letters-and-emoji-as-they-are"),
        pytest.param("a\tb\nc\r", r"a\tb\nc\r", id="tabs-and-line-breaks"),
        pytest.param("\x1b[31mred\x07", r"\x1b[31mred\x07", id="an-escape-sequence"),
        pytest.param("\x9b31m", r"\x9b31m", id="an-escape-sequence-in-one-character"),
        pytest.param("a\u202eb", r"a\u202eb", id="a-mark-that-turns-the-line-around"),
        pytest.param("a\u200bb", r"a\u200bb", id="an-invisible-mark"),
        pytest.param("a\xa0b", r"a\xa0b", id="a-blank-that-is-none"),
        pytest.param("a\udcffb", r"a\udcffb", id="half-a-character"),
        pytest.param("a ##[error]b", r"a ##\x5berror]b", id="a-command-of-a-runner-anywhere-in-a-line"),
    ],
)
def test_what_has_no_glyph_is_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(nasty)
def test_everything_comes_out_printable_and_stays_so(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert "##[" not in shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a::error::b\n c", "a::error::b\n c", id="no-command-in-the-middle-of-a-line"),
        pytest.param("::error::b", r"\x3a:error::b", id="a-command"),
        pytest.param("a\n \t::set-output name=x::y", "a\n \t\\x3a:set-output name=x::y", id="a-command-behind-blanks"),
        pytest.param("a ##[error]b", r"a ##\x5berror]b", id="the-older-form"),
    ],
)
def test_a_log_holds_no_workflow_command(text: str, shown: str) -> None:
    assert obeyed_by_nobody(text) == shown
