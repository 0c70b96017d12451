"""The few cells that are shown lead to the evidence of all cells, whatever the counters did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.random_counters import questions, readings_of_two_versions, seen_by
from tidegate.core.judging.judgement import Judged
from tidegate.core.judging.verdict import Counters, Question
from tidegate.core.judging.workings import evidence


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(questions(), readings_of_two_versions(), st.floats(0, 60))
def test_what_is_shown_leads_to_the_verdicts_own_evidence(question: Question, found: Counters, scrape: float) -> None:
    seen = seen_by(found, scrape)
    judged = Judged(question, seen)
    shown = judged.workings(seen.now)
    for each in judged.at(seen.now).objectives:
        objective = next(one for one in question.objectives if one.name == each.objective)
        if each.unread is not None or objective.name not in shown or question.held_back:
            continue
        values = evidence(shown[objective.name], objective, replace(question.rollout, dispersion=each.dispersion))
        told = values.outside if values.worse is None else values.worse
        assert told == pytest.approx(each.evidence, rel=1e-9)
