"""Whether the expression of a value answers one figure for each version. How it is judged is `judging.values`'."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity
from tidegate.core.judging.reading import Sampled, Unread, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What Prometheus answers to one expression now."""

    expression: str
    answer: Sampled | Unread


NO_ANSWER = Rule(
    id="value-without-answer",
    severity=Severity.WARNING,
    title="A value has no answer",
    why="A version serves there, and the expression answers nothing: no data is neither health nor failure, and holds.",
    fix="ask Prometheus the expression piece by piece: a metric or a label in it is likely misspelt, or not there",
)
SEVERAL = Rule(
    id="value-of-several-series",
    severity=Severity.WARNING,
    title="A value answers several figures",
    why="A bound needs one figure, or one for each version: of several nobody knows which to hold against it.",
    fix="put max(…), or max by (version) (…), around the expression",
)

RULES = (NO_ANSWER, SEVERAL)


def examine(who: str, answers: Sequence[Answered], version: str) -> Iterator[Remark]:
    """All about one value; `version` is the name of the version's label."""
    said = [remark for each in answers for remark in _answer(who, each, version)]
    yield from said or [Fine(what=f"{who} is measured")]


def _answer(who: str, answered: Answered, version: str) -> Iterator[Remark]:
    answer = answered.answer
    if isinstance(answer, Unread):
        yield unseen(f"the value {who}", Unknown(why=str(answer), silent=answer.why is Why.UNREACHABLE))
    elif not answer.series:
        yield NO_ANSWER.broken(f"{who}: Prometheus answers nothing to {answered.expression}")
    elif max(Counter(each.labels.get(version) for each in answer.series).values()) > 1:
        yield SEVERAL.broken(f"{who}: Prometheus answers {len(answer.series)} series to {answered.expression}")
    elif not any(math.isfinite(figure) for each in answer.series for _, figure in each.samples):
        yield unseen(
            f"the value {who}", Unknown(why=f"it answers {answer.series[0].samples[-1][1]}, which is no figure")
        )
