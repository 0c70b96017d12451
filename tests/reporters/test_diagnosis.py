"""What doctor says on a terminal and in a workflow's log: in order, and nobody's text is a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Section, Unseen, section
from tidegate.core.finding import Severity
from tidegate.reporters import diagnosis_github, diagnosis_text

BROKEN = Rule(id="broken-thing", title="It is broken", why="It matters.", fix="mend it")
ODD = Rule(id="odd-thing", severity=Severity.NOTE, title="It is odd", why="It matters little.", fix="look")
SECTIONS = [
    section("MLflow", [Fine(what="it answers"), ODD.broken("odd"), BROKEN.broken("broken", "mend this")]),
    section("Prometheus", [Unseen(what="readings", why="refused", silent=True), Unseen(what="its age", why="hidden")]),
]
HOSTILE = "main\n::error title=x::gotcha \x1b[31m 100%"


def test_text_has_complaints_first_with_why_and_fix() -> None:
    assert list(diagnosis_text.lines(SECTIONS)) == [
        "MLflow",
        "  error    broken-thing  broken",
        "           why: It matters.",
        "           fix: mend this",
        "  note     odd-thing  odd",
        "           why: It matters little.",
        "           fix: look",
        "  fine     it answers",
        "",
        "Prometheus",
        "  unseen   readings: refused",
        "  unseen   its age: hidden",
        "",
        "1 error, 1 note; 2 things could not be looked at",
    ]


def test_annotations_have_the_level_of_what_they_say() -> None:
    assert list(diagnosis_github.lines(SECTIONS)) == [
        "::error title=broken-thing::broken%0Awhy: It matters.%0Afix: mend this",
        "::notice title=odd-thing::odd%0Awhy: It matters little.%0Afix: look",
        "::warning title=Prometheus::could not be looked at: readings%0Arefused",
        "::notice title=Prometheus::could not be looked at: its age%0Ahidden",
        "1 error, 1 note; 2 things could not be looked at",
    ]


def test_nothing_amiss_is_said_so() -> None:
    assert diagnosis_text.totals([section("MLflow", [Fine(what="it answers")])]) == "nothing is amiss"


@pytest.mark.parametrize("lines", [diagnosis_text.lines, diagnosis_github.lines], ids=["text", "github"])
def test_text_of_others_is_no_line_of_its_own(lines: Callable[[Sequence[Section]], Iterator[str]]) -> None:
    remarks: list[Remark] = [BROKEN.broken(HOSTILE, HOSTILE), Unseen(what=HOSTILE, why=HOSTILE), Fine(what=HOSTILE)]
    shown = list(lines([section("MLflow", remarks)]))
    assert not any("\n" in line or "\x1b" in line for line in shown)
    assert not any(line.startswith("::error title=x::") for line in shown)


def test_a_percent_sign_of_others_stays_one() -> None:
    (first, *_) = diagnosis_github.lines([section("MLflow", [BROKEN.broken("50%0A")])])
    assert first.startswith("::error title=broken-thing::50%250A%0Awhy: ")
