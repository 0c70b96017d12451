"""The page of a backtest in a real browser: it asks for nothing, complains of nothing, and shows what it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.browser import Browser
from support.replays import cases, in_seconds
from tidegate.core.replay.report import Backtest
from tidegate.core.replay.wording import CANNOT
from tidegate.reporters import backtest_json
from tidegate.reporters.backtest_html import document

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

CASES = cases()
WHOLE = replace(
    CASES["two-policies"], episodes=(*CASES["two-policies"].episodes, *CASES["two-policies"].episodes)
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def shown(report: Backtest, browser: Browser, folder: Path, *, dark: bool = False, width: int = 1240) -> Path:
    """The report's page, open in the browser."""
    page = folder / "backtest.html"
    page.write_text(document(report), encoding="utf-8")
    browser.open(page, dark=dark, width=width)
    return page


def count(browser: Browser, selector: str) -> int:
    return int(browser.value(f"document.querySelectorAll({selector!r}).length"))


@pytest.mark.parametrize("name", CASES)
def test_it_loads_alone_and_the_console_stays_empty(name: str, browser: Browser, tmp_path: Path) -> None:
    page = shown(CASES[name], browser, tmp_path)
    assert browser.requests == [page.as_uri()]
    assert browser.said == []
    assert browser.value("document.title") == "digits: backtest"


def test_every_span_decision_and_real_transition_is_drawn(browser: Browser, tmp_path: Path) -> None:
    shown(WHOLE, browser, tmp_path)
    replays = [replay for one in WHOLE.episodes for replay in one.replays]
    decided = [move for replay in replays for part in replay.parts for move in (part.decided, part.asked) if move]
    assert count(browser, "svg.chart") == len(WHOLE.episodes)
    assert count(browser, "svg.chart rect.span") == sum(len(replay.spans) for replay in replays)
    assert count(browser, "svg.chart polygon.move") == len(decided) > 0
    assert count(browser, "svg.chart line.real") == sum(len(one.happened) for one in WHOLE.episodes)
    assert count(browser, "svg.chart line.differs") == sum(replay.difference is not None for replay in replays) > 0
    lines = "svg.chart path.line"
    assert count(browser, f"{lines}.canary") > 0
    assert count(browser, f"{lines}.stable") > 0


def test_what_the_json_counts_stands_on_the_page(browser: Browser, tmp_path: Path) -> None:
    """Evidence of each policy, how often each guard held, what was tuned, and what a replay cannot know."""
    shown(WHOLE, browser, tmp_path)
    counted = json.loads(backtest_json.document(WHOLE))
    replays = [replay for one in counted["episodes"] for replay in one["replays"]]
    by_policy = [["evidence", replay["policy"], True] for replay in replays]
    assert [panel for panel in browser.value(_PANELS) if panel[0] == "evidence"] == by_policy
    held = [(cause, share) for replay in replays for cause, share in replay["shares"].items()]
    bars = browser.value(_BARS)
    assert [(cause, said) for cause, said, _ in bars] == [(cause, f"{share:.1%}") for cause, share in held]
    assert [drawn for _, _, drawn in bars] == pytest.approx([share for _, share in held], abs=0.002)
    tuned = [replay["tuned"] for replay in replays if replay["tuned"]]
    assert len(tuned) == len(WHOLE.episodes)
    assert browser.value(_SEEN.format("p.tuned")) == tuned
    assert browser.value(_SEEN.format("footer h2, footer li")) == [CANNOT, *counted["cannotReplay"]]


def test_drawings_have_size_and_names_for_those_who_do_not_see_them(browser: Browser, tmp_path: Path) -> None:
    shown(WHOLE, browser, tmp_path)
    small = "[...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().height < 300).length"
    assert browser.value(small) == 0
    unnamed = (
        "[...document.querySelectorAll('svg[role=img]')].filter("
        "s => !document.getElementById(s.getAttribute('aria-labelledby'))?.textContent).length"
    )
    assert browser.value(unnamed) == 0
    assert count(browser, "svg.chart rect.span:not(:has(title)), svg.chart polygon.move:not(:has(title))") == 0
    assert browser.value("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == count(
        browser, "[id]"
    )


@pytest.mark.parametrize("width", [pytest.param(1240, id="wide"), pytest.param(400, id="narrow")])
def test_nothing_sticks_out_at_the_side(browser: Browser, tmp_path: Path, width: int) -> None:
    shown(WHOLE, browser, tmp_path, width=width)
    assert browser.value("document.documentElement.scrollWidth") == width


def test_a_narrow_window_shows_every_answer_beside_the_name_of_its_policy(browser: Browser, tmp_path: Path) -> None:
    """A table once hid the policies' columns behind its edge; a chart scrolls, so that its words can be read."""
    shown(WHOLE, browser, tmp_path, width=400)
    hidden = "[...document.querySelectorAll('td')].filter(e => e.getBoundingClientRect().right > innerWidth).length"
    assert browser.value(hidden) == 0
    named = "[...document.querySelectorAll('td[data-by]')].map(e => getComputedStyle(e, '::before').content).join()"
    assert all(policy in browser.value(named) for policy in WHOLE.policies)
    assert browser.value("document.querySelector('svg.chart').getBoundingClientRect().width") >= 760


@pytest.mark.parametrize("name", ["two-policies", "reverted"])
def test_no_two_words_of_a_chart_stand_on_each_other(name: str, browser: Browser, tmp_path: Path) -> None:
    for report in (CASES[name], in_seconds(CASES[name])):
        shown(report, browser, tmp_path)
        assert browser.value(_OVERLAPPING) == []


def test_light_and_dark_can_both_be_read(browser: Browser, tmp_path: Path) -> None:
    """WCAG 2.2, 1.4.3: text against what is behind it at least 4.5 to 1."""
    for dark in (False, True):
        shown(WHOLE, browser, tmp_path, dark=dark)
        assert browser.value(_LOWEST_CONTRAST) >= 4.5
        browser.screenshot(tmp_path / f"{'dark' if dark else 'light'}.png")
        assert (tmp_path / f"{'dark' if dark else 'light'}.png").stat().st_size > 50_000


_SEEN = "[...document.querySelectorAll('{}')].filter(e => e.getClientRects().length).map(e => e.textContent)"
# What a panel is called, whose it is, and whether curves and a threshold are drawn in it.
_PANELS = """[...document.querySelectorAll('svg.chart g.panel')].map(panel => [
  ...['.label', '.under'].map(name => panel.querySelector(name)?.textContent),
  ['path.line', '.needed'].every(name => panel.querySelector(name)?.getBoundingClientRect().width > 0),
])"""
# What held, how often, and how much of its line the bar fills.
_BARS = """[...document.querySelectorAll('dl.shares dt')].map(held => {
  held.closest('details').open = true;
  const often = held.nextElementSibling, [bar, whole] = ['rect', 'svg'].map(name => often.querySelector(name));
  return [held.textContent, often.textContent, bar.getBoundingClientRect().width / whole.getBoundingClientRect().width];
})"""
_OVERLAPPING = """[...document.querySelectorAll('svg.chart')].flatMap(chart => {
  const told = [...chart.querySelectorAll('text')].map(e => [e.lastChild.textContent, e.getBoundingClientRect()]);
  return told.flatMap(([one, a], i) => told.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4).map(([other]) => `${one} | ${other}`));
})"""
_LOWEST_CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = rgb(getComputedStyle(e).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const told = [...document.querySelectorAll('h1, h2, p, a, li, td, th, span, summary, strong, figcaption, text')];
  return Math.min(...told.filter(e => e.textContent.trim() && e.getClientRects().length).map(e => {
    const style = getComputedStyle(e), svg = e.tagName === 'text';
    const [one, other] = [light(rgb(svg ? style.fill : style.color)), light(behind(e))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  }));
})()"""
