"""Backtests as text, Markdown, JSON and a page: as reviewed, and harmless whatever stands in them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.replays import cases
from support.workflow_commands import commands
from tidegate.core.replay.report import Backtest, State
from tidegate.reporters import backtest_html, backtest_json, backtest_markdown, backtest_text

CASES = cases()
EVERY = pytest.mark.parametrize("name", CASES)


@EVERY
def test_text_is_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"backtest/{name}.txt", "".join(f"{line}\n" for line in backtest_text.lines(CASES[name])))


@EVERY
def test_markdown_is_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"backtest/{name}.md", backtest_markdown.document(CASES[name]))


@EVERY
def test_json_is_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"backtest/{name}.json", backtest_json.document(CASES[name]) + "\n")


@EVERY
def test_the_page_is_well_formed_and_asks_for_nothing(name: str) -> None:
    page = backtest_html.document(CASES[name])
    head, body = page.split("<body>")
    ET.fromstring(body.removesuffix("</html>\n").removesuffix("</body>"))
    assert not re.search(r'(?:src|href)="(?!#)|url\(|@import|<script|style="', page.replace('href="#', ""))
    assert "default-src 'none'" in head


def hostile(report: Backtest, words: str) -> Backtest:
    """The same report with somebody's words where others' words may stand."""
    one = report.episodes[0]
    first = one.replays[0]
    spans = tuple(replace(span, words=words, cause=words) for span in first.spans)
    parts = tuple(replace(part, instead=words) for part in first.parts)
    replays = (replace(first, policy=words, spans=spans, parts=parts), *one.replays[1:])
    return replace(report, model=words, policies=(words,), episodes=(replace(one, replays=replays),))


WORDS = st.text(min_size=1, max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "::error::x",
        "##[error]x",
        "</title>",
        "| a |\n::warning::",
        '" onload="x',
        "<!-- -->",
    ]
)


@given(WORDS)
def test_what_others_wrote_stays_text_everywhere(words: str) -> None:
    report = hostile(CASES["as-it-was"], words)
    page = backtest_html.document(report)
    tree = ET.fromstring(page.split("<body>")[1].removesuffix("</html>\n").removesuffix("</body>"))
    assert not [
        e for e in tree.iter() if e.tag in ("script", "iframe", "img") or any(k.startswith("on") for k in e.attrib)
    ]
    assert not commands("\n".join(backtest_text.lines(report)))
    assert json.loads(backtest_json.document(report))["model"] == words
    assert "<script" not in backtest_markdown.document(report)


def test_a_long_report_says_what_it_leaves_out() -> None:
    report = CASES["reverted"]
    many = replace(report, episodes=report.episodes * 200)
    text = backtest_markdown.document(many)
    assert len(text) <= backtest_markdown.LIMIT
    assert re.search(r"Left out for want of room: \d+ rollouts\.", text)


def test_every_span_of_a_replay_is_drawn_and_named() -> None:
    report = CASES["two-policies"]
    page = backtest_html.document(report)
    spans = [span for one in report.episodes for each in one.replays for span in each.spans]
    drawn = re.findall(r'<rect x="[^"]*" y="[^"]*" width="[^"]*" height="24" rx="3" class="span [^"]*"><title>', page)
    assert len(drawn) == len(spans) > 0
    assert any(span.state is State.UNKNOWN for span in spans)
