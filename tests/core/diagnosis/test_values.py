"""Whether a value answers one figure."""

from __future__ import annotations

import math

import pytest

from support.diagnosing import NOW, broken, not_seen
from tidegate.core.diagnosis.values import Answered, examine
from tidegate.core.judging.reading import Sampled, Series, Unread, Why

WHO = "drift of churn in production"


def answered(*series: tuple[dict[str, str], float]) -> Answered:
    found = tuple(Series(labels=labels, samples=((NOW.timestamp(), figure),)) for labels, figure in series)
    return Answered(expression="max(drift)", answer=Sampled(series=found, start=NOW, end=NOW))


@pytest.mark.parametrize(
    ("answer", "rules"),
    [
        pytest.param(answered(({}, 0.3)), [], id="one-figure"),
        pytest.param(answered(({"version": "11"}, 0.3), ({"version": "12"}, 0.2)), [], id="one-for-each-version"),
        pytest.param(answered(), ["value-without-answer"], id="none"),
        pytest.param(answered(({"a": "1"}, 0.3), ({"a": "2"}, 0.2)), ["value-of-several-series"], id="several"),
        pytest.param(
            answered(({"version": "11", "pod": "a"}, 0.3), ({"version": "11", "pod": "b"}, 0.2)),
            ["value-of-several-series"],
            id="several-for-a-version",
        ),
    ],
)
def test_a_value_answers_one_figure_for_each_version(answer: Answered, rules: list[str]) -> None:
    said = list(examine(WHO, [answer], "version"))
    assert broken(said) == rules
    assert not_seen(said) == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answered(({}, math.nan)), id="no-number"),
        pytest.param(Answered(expression="max(", answer=Unread(why=Why.ERROR, words="parse error")), id="refused"),
    ],
)
def test_what_is_no_figure_is_unseen(answer: Answered) -> None:
    assert not_seen(examine(WHO, [answer], "version")) == [f"the value {WHO}"]
