"""I9: one walk over the whole time gives, at every instant, the verdict that a pass gave then."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.counters import CANARY, STABLE, arms, canary_question, counters, moment
from support.random_counters import questions, readings_of_two_versions, seen_by
from tidegate.core.judging.judgement import Judged, judge
from tidegate.core.judging.verdict import Counters, Question


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(questions(), readings_of_two_versions(), st.lists(st.floats(0, 60), min_size=1, max_size=5))
def test_I9_at_any_instant_it_says_what_a_pass_said_then(
    question: Question, found: Counters, instants: list[float]
) -> None:
    judged = Judged(question, found)
    assert judged.at(found.now) == judge(question, found)
    for scrape in instants:
        assert judged.at(moment(scrape)) == judge(question, seen_by(found, scrape))


def test_a_verdict_turns_where_it_did() -> None:
    found = counters(arms({STABLE: 90, CANARY: 10}, {STABLE: 1, CANARY: 2}, 120), 120)
    judged = Judged(canary_question(), found)
    turned = judged.at(found.now).objectives[0].worse_at
    assert turned is not None
    verdicts = [judged.at(moment(scrape)).objectives[0] for scrape in range(8, 120)]
    assert [each.worse_at for each in verdicts if each.worse_at] == [turned] * sum(1 for v in verdicts if v.worse_at)
    assert verdicts[0].worse_at is None
