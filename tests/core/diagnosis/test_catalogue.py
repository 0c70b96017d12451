"""The rules as they are declared, and what a section makes of remarks."""

from __future__ import annotations

import re

import pytest

from tidegate.core.diagnosis.catalogue import RULES, SUBJECTS
from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unseen, section
from tidegate.core.finding import Severity


def test_an_id_is_there_once() -> None:
    assert len(RULES) == sum(map(len, SUBJECTS.values()))


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES.values()])
def test_a_rule_says_what_why_and_what_to_do(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix
    assert not rule.fix.endswith(".")


def test_a_section_shows_the_most_severe_first_and_nothing_twice() -> None:
    warning, error = (next(r for r in RULES.values() if r.severity is s) for s in (Severity.WARNING, Severity.ERROR))
    remarks: list[Remark] = [
        warning.broken("a"),
        Fine(what="b"),
        Unseen(what="c", why="d"),
        error.broken("e"),
        Fine(what="b"),
    ]
    found = section("MLflow", remarks)
    assert [complaint.what for complaint in found.complaints] == ["e", "a"]
    assert (found.fine, found.unseen) == ((Fine(what="b"),), (Unseen(what="c", why="d"),))
