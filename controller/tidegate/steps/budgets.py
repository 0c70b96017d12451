"""Asks Prometheus what the error budgets of an environment rest on: the last sample of each counter at fixed instants.

Thirty days of raw samples would be a hundred times as many. What is told from one instant to the next is
`core.judging.budget`'s to say, and the text of a selector `core.judging.queries`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tidegate.core.judging.budget import LEAD, STEP, Budget, budget, last_instant
from tidegate.core.judging.doubts import doubted
from tidegate.core.judging.queries import Scope, indicator
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import ObjectiveReadings
from tidegate.core.manifest import Effect, Environment, Judge, Objective
from tidegate.core.observed import PinChange
from tidegate.ports import Metrics
from tidegate.steps.fixed_instants import Span, answered

_NEVER = datetime.fromtimestamp(0, UTC)


def may_be_spent(history: Sequence[PinChange], now: datetime) -> bool:
    """Whether something serves there for long enough: an environment that is new has spent nothing yet."""
    since = _begins(history)
    return since is not None and since <= now


def asked_from(environment: Environment, history: Sequence[PinChange]) -> datetime | None:
    """Since when entries wait for the environment's budgets; None where it has none, or nothing serves."""
    return _begins(history) if _counted(environment) else None


def _begins(history: Sequence[PinChange]) -> datetime | None:
    pin = history[-1].pin if history else None
    return None if pin is None or pin.stable is None else history[0].at + LEAD


def budgets(environment: Environment, scope: Scope, metrics: Metrics) -> tuple[Budget, ...]:
    """The budgets that may stop an entry."""
    counted = _counted(environment)
    if not counted:
        return ()
    now = metrics.now()
    if isinstance(now, Unread):
        return tuple(Budget(objective=each, until=_NEVER, unread=now) for each in counted)
    until = last_instant(now)
    return tuple(_budget(each, scope, metrics, until) for each in counted)


def _counted(environment: Environment) -> list[Objective]:
    """Event objectives that do more than inform, where objectives judge."""
    if environment.judge is not Judge.OBJECTIVES:
        return []
    return [each for each in environment.objectives if each.mean is None and each.effect is not Effect.INFORM]


def expressions(objective: Objective, scope: Scope) -> tuple[str, str]:
    """The texts that are asked, bad (or good) and all events. Raises ValueError for text that is no plain selector."""
    asked, step = indicator(objective, scope, None), STEP // timedelta(seconds=1)
    return f"last_over_time({asked.bad}[{step}s])", f"last_over_time({asked.total}[{step}s])"


def _budget(objective: Objective, scope: Scope, metrics: Metrics, until: datetime) -> Budget:
    try:
        asked = expressions(objective, scope)
    except ValueError as error:
        return Budget(objective=objective, until=until, unread=Unread(why=Why.ERROR, words=str(error)))
    step = STEP.total_seconds()
    first, last = (int(at.timestamp() // step) for at in (until - objective.window - LEAD, until))
    bad, total = (answered(each, metrics, Span(first=first, last=last, step=STEP)) for each in asked)
    return replace(budget(objective, doubted(ObjectiveReadings(bad=bad, total=total)), until), asked=asked)
