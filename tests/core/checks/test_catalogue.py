"""Every rule says what it looks for in text that breaks it, and in the same text mended: both are tried here."""

from __future__ import annotations

import pytest

from support.inspecting import rules
from tidegate.core.checks import files
from tidegate.core.checks.catalogue import RULES
from tidegate.core.checks.rule import Rule

# No text breaks these: they are about files that cannot be read. tests/adapters/test_worktree.py meets them.
WITHOUT_TEXT = {rule.id for rule in files.RULES}
shown = pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=rule.id) for rule in RULES.values() if rule.id not in WITHOUT_TEXT]
)
each = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES.values()])


@shown
def test_the_bad_text_breaks_the_rule(rule: Rule) -> None:
    assert rule.id in rules(rule.bad)


@shown
def test_the_good_text_does_not(rule: Rule) -> None:
    assert rule.id not in rules(rule.good)


@each
def test_a_rule_says_what_why_and_how(rule: Rule) -> None:
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
