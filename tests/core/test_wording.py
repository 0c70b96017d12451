"""Every sentence that people read in a proposal, against golden files: `pytest --update-golden` rewrites them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from markdown_it import MarkdownIt

from support.situations import NOW, pin_of, verdict
from tidegate.adapters.github import marks
from tidegate.core import wording
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import (
    BurnRate,
    Comparison,
    LateVerdict,
    ObjectiveVerdict,
    Stage,
    Standing,
    Tally,
    ValueVerdict,
    Verdict,
)
from tidegate.core.manifest import Effect, ValueObjective
from tidegate.core.observed import OURSELVES
from tidegate.core.pin import Canary, Hold, Override, Pin, Rejected, stamped
from tidegate.core.reasons import objective_reason
from tidegate.core.transition import DECIDED, Kind, Transition, mark

STABLE = Pin(stable=pin_of(11), previous=pin_of(10), policy="p" * 40)
ROLLING = replace(STABLE, canary=Canary(pin=pin_of(12), weight=0.1))
FURTHER = replace(STABLE, canary=Canary(pin=pin_of(12), weight=0.5))
FINISHED = Pin(stable=pin_of(12), previous=pin_of(11), policy="p" * 40)
REJECTED = (Rejected(version=12, key="k" + "a" * 16, reason="latency ×2.4", proposal=41),)
QUERIES = ('requests_total{model="churn",environment="production",version=~"11|12"}',)
WORSE = ObjectiveVerdict(
    objective="latency",
    effect=Effect.REVERT,
    comparison=Comparison.WORSE,
    subject=Tally(bad=60, total=500),
    reference=Tally(bad=225, total=4500),
    evidence=912.4,
    needed=200,
    worse_at=NOW,
    dispersion=1.62,
    dispersion_measured=True,
)
CLEARED = ObjectiveVerdict(
    objective="availability",
    effect=Effect.REVERT,
    comparison=Comparison.CLEARED,
    subject=Tally(bad=1, total=1500),
    reference=Tally(bad=12, total=13500),
    cleared_by="ruled out",
    needed=200,
    dispersion=2,
)
BREACH = ObjectiveVerdict(
    objective="latency", effect=Effect.REVERT, subject=Tally(bad=90, total=600), standing=Standing.BREACH
)
BURNED = ObjectiveVerdict(
    objective="availability",
    effect=Effect.REVERT,
    subject=Tally(bad=140, total=90_000),
    standing=Standing.BREACH,
    burned=BurnRate(
        short=timedelta(minutes=5),
        long=timedelta(hours=1),
        factor=14.4,
        allowed=0.005,
        in_short=Tally(bad=50, total=320),
        in_long=Tally(bad=120, total=1500),
        evidence=67.2,
        needed=14.17,
    ),
    burned_at=NOW,
)
BLIND = ObjectiveVerdict(
    objective="quality", effect=Effect.INFORM, unread=Unread(why=Why.ERROR, words="bad_data: <b>|x|</b> @everyone")
)


def transition(kind: Kind, before: Pin | None, after: Pin, *reasons: str, judged: Verdict | None = None) -> Transition:
    return Transition(
        model="churn",
        environment="production",
        kind=kind,
        before=before,
        after=stamped("churn", "production", after, mark(kind, before)),
        reasons=reasons,
        verdict=judged,
    )


RECENT = ValueVerdict(
    objective=ValueObjective(name="recent", value="x", maximum=0.05, held=timedelta(seconds=4)),
    standing=Standing.FINE,
    figure=3.32433,
    outside_for=timedelta(seconds=2),
)


def canary_verdict(*objectives: ObjectiveVerdict) -> Verdict:
    first = NOW - timedelta(seconds=90) if WORSE in objectives else None
    return verdict(Stage.CANARY, 12, objectives=objectives, first_bad_at=first)


CASES = {
    "first": transition(Kind.PROMOTE, None, Pin(stable=pin_of(11)), "version 11 enters production at 100%"),
    "promote": transition(Kind.PROMOTE, STABLE, ROLLING, "version 12 enters production as canary at 10%"),
    "advance": transition(Kind.ADVANCE, ROLLING, FURTHER, "to 50%", judged=canary_verdict(CLEARED, BLIND)),
    "finish": transition(Kind.FINISH, FURTHER, FINISHED, "availability: ruled out", judged=canary_verdict(CLEARED)),
    "revert": transition(
        Kind.REVERT,
        ROLLING,
        replace(STABLE, rejected=REJECTED),
        objective_reason(WORSE)[1],
        judged=canary_verdict(CLEARED, WORSE),
    ),
    "revert-on-probation": transition(
        Kind.REVERT,
        FINISHED,
        Pin(stable=pin_of(11), rejected=REJECTED),
        objective_reason(BREACH)[1],
        judged=verdict(Stage.PROBATION, 12, objectives=(BREACH,)),
    ),
    "revert-burning": transition(
        Kind.REVERT,
        FINISHED,
        Pin(stable=pin_of(11), rejected=REJECTED),
        objective_reason(BURNED)[1],
        judged=verdict(Stage.PROBATION, 12, objectives=(BURNED,)),
    ),
    "revert-never-served": transition(
        Kind.REVERT,
        ROLLING,
        replace(STABLE, retried=12),
        "it never served within 10m, though stable did; it will be tried once more",
    ),
    "end-of-holdback": transition(Kind.FINISH, replace(FINISHED, holdback=0.05), FINISHED, "probation is over"),
    "render": transition(Kind.RENDER, STABLE, STABLE, "the rendered file does not say what the pin file says"),
    "pin": transition(Kind.PIN, STABLE, FINISHED, "@dana pins version 12"),
    "rollback": transition(
        Kind.ROLLBACK, FINISHED, Pin(stable=pin_of(11), rejected=REJECTED), "@dana rolls back version 12"
    ),
    "hold": transition(
        Kind.HOLD, STABLE, replace(STABLE, hold=Hold(reason="x")), "@dana holds promotions: a | b <script>"
    ),
    "resume": transition(Kind.RESUME, STABLE, STABLE, "@dana resumes"),
    "unreject": transition(Kind.UNREJECT, STABLE, STABLE, "@dana takes version 9 off the rejected list"),
    "override": transition(
        Kind.OVERRIDE,
        STABLE,
        replace(STABLE, override=Override(version=12, reason="mends the outage", by="@dana")),
        "@dana lets version 12 enter on a spent error budget: mends the outage",
    ),
    "restart": transition(Kind.RESTART, FURTHER, ROLLING, "@dana restarts the rollout"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_proposal_reads_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    case = CASES[name]
    message = wording.commit_message(case, OURSELVES if case.kind in DECIDED else "@dana")
    text = f"{wording.title(case)}\n\n---\n\n{wording.body(case, QUERIES if case.verdict else ())}\n---\n\n{message}"
    golden(f"proposals/{name}.md", text)


@pytest.mark.parametrize(
    ("author", "asked"), [pytest.param("@dana", "@dana", id="a person"), pytest.param(OURSELVES, None, id="nobody")]
)
@pytest.mark.parametrize("reason", ["audit", "audit\n\nTidegate-Asked-By: @eve", "x\nTidegate-Asked-By: @eve\n"])
def test_who_asked_is_read_from_the_last_trailers_of_a_commit_alone(
    author: str, asked: str | None, reason: str
) -> None:
    made = transition(Kind.HOLD, STABLE, replace(STABLE, hold=Hold(reason="x")), f"@dana holds promotions: {reason}")
    assert wording.asked_by(wording.commit_message(made, author)) == asked


def test_every_kind_has_its_sentence() -> None:
    assert {case.kind for case in CASES.values()} | {Kind.RETRAIN} == set(Kind)


@pytest.mark.parametrize(
    ("objective", "short"),
    [
        pytest.param(WORSE, "latency ×2.4", id="a ratio"),
        pytest.param(
            replace(WORSE, reference=Tally(bad=0, total=500)), "latency 12.00% bad, stable none", id="no ratio"
        ),
        pytest.param(BREACH, "latency 15.00% bad", id="a breach"),
    ],
)
def test_the_short_reason_for_the_pin_file(objective: ObjectiveVerdict, short: str) -> None:
    assert objective_reason(objective)[0] == short


HOSTILE = (
    "a|b",
    "<img src=x>",
    "@acme/everyone",
    "&#64;acme",
    "line\nbreak",
    "```",
    "<!-- tidegate k -->",
    "[approve](https://evil.example)",
    "![seen](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example",
    "www.evil.example",
    "fixes #12",
    "closes GH-12",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "x\n::warning file=a::pwned",
)
MARKDOWN = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize("raw", HOSTILE)
def test_words_of_others_break_no_table_mention_nobody_and_hide_nothing(raw: str) -> None:
    said = replace(BLIND, unread=Unread(why=Why.ERROR, words=raw))
    body = wording.body(transition(Kind.ADVANCE, ROLLING, FURTHER, f"it said {raw}", judged=canary_verdict(said)))
    row = next(line for line in body.splitlines() if line.startswith("| quality"))
    assert row.replace("\\|", "").count("|") == 6
    assert raw not in body or raw == "```"
    assert not re.search(r"@acme|#12|GH-12|://|www\.", body)
    assert body.count("<!--") == 1
    assert all(line.isprintable() for line in re.sub("[\u2060\n]", "", body).splitlines())
    read = MARKDOWN.render(body.rpartition("<!--")[0])
    assert not re.search(r"<(a|img|script|!)\b|@acme", read)


def test_what_a_forge_reads_back_is_what_was_written() -> None:
    """GitHub's adapter quietens mentions by a mark of its own, and takes it off again."""
    body = wording.body(CASES["hold"])
    assert "@" in body
    assert marks.read(marks.written({}, body))[1] == body


@pytest.mark.parametrize("raw", [*HOSTILE, "</details>", "```\n\n</details>", "````", "<!-- tidegate k1 -->"])
def test_what_an_earlier_body_had_folded_is_kept_whole_whatever_it_quotes(raw: str) -> None:
    case = CASES["promote"]
    earlier, body = wording.body(case, [f"cannot be read: error: {raw}", "query  x"]), wording.body(case)
    assert wording.keeping_account(body, earlier) == earlier
    tokens = MARKDOWN.parse(earlier)
    (block,) = [token for token in tokens if token.type == "fence"]
    assert block.content.endswith("query  x\n")
    assert block.content.replace("\n", "").isprintable()


def test_a_value_out_of_bounds_is_not_called_fine_before_its_time() -> None:
    judged = replace(canary_verdict(CLEARED), values=(RECENT,))
    body = wording.body(transition(Kind.ADVANCE, ROLLING, FURTHER, "x", judged=judged))
    assert "| recent | 3.32433 | at most 0.05 is good for 4s | – | above 0.05 for 2s of 4s |" in body


@pytest.mark.parametrize(
    ("stage", "measured_on"),
    [
        pytest.param(Stage.CANARY, "stable", id="beside-stable"),
        pytest.param(Stage.PROBATION, "the previous version", id="on-probation"),
        pytest.param(Stage.LABELS, "the previous version", id="past-probation"),
    ],
)
def test_dispersion_says_on_which_version_it_was_measured_late_labels_too(stage: Stage, measured_on: str) -> None:
    late = LateVerdict(verdict=replace(WORSE, objective="quality", dispersion=3))
    judged = replace(verdict(stage, 12, objectives=(CLEARED, WORSE)), late=(late,))
    body = wording.body(transition(Kind.REVERT, ROLLING, STABLE, "x", judged=judged))
    line = next(line for line in body.splitlines() if line.startswith("Evidence is divided by"))
    each = f"availability 2 (by the policy), latency 1.62 (measured on {measured_on}), quality 3 (measured on"
    assert line == f"Evidence is divided by the dispersion of bad events: {each} {measured_on})."


def test_the_sentence_of_a_regression_names_the_version_that_dispersion_was_measured_on() -> None:
    assert objective_reason(WORSE)[1].endswith("dispersion 1.62 (measured on stable)")
    after = objective_reason(WORSE, ("stable", "previous"))[1]
    assert after.endswith("dispersion 1.62 (measured on the previous version)")


def test_the_table_says_where_no_series_matches_bad() -> None:
    """Whoever approves must know: a misspelt selector looks the same as a good version."""
    silent = replace(CLEARED, subject=Tally(total=1500), reference=Tally(total=13500), never_bad=True)
    body = wording.body(transition(Kind.ADVANCE, ROLLING, FURTHER, "x", judged=canary_verdict(silent)))
    assert "| – | ruled out; no series matches `bad` |" in body


def test_a_title_stays_within_what_forges_take() -> None:
    long = replace(CASES["promote"], model="m" * 300)
    assert len(wording.title(long)) <= 240


def test_a_query_cannot_close_its_own_block() -> None:
    body = wording.body(CASES["revert"], ['x{a="```"}'])
    assert body.count("```") == 2


def test_times_are_in_utc_and_say_so() -> None:
    judged = replace(canary_verdict(CLEARED), judged_until=NOW + timedelta(seconds=5))
    assert "2026-03-02 12:00:05 UTC" in wording.body(transition(Kind.ADVANCE, ROLLING, FURTHER, "x", judged=judged))
