"""Which questions the judges must answer for a model now: one per environment in which something is in flight.

A settled environment asks nothing, so a pass costs what is in flight, not how many models there are (I10).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.core.candidate import predecessors, rejection
from tidegate.core.history import finished_at, rollout_changes, stable_change, weight_changes
from tidegate.core.judging.verdict import Question, Stage
from tidegate.core.manifest import Environment, Judge, Model
from tidegate.core.observed import EnvironmentObserved, Observed


def questions(model: Model, observed: Observed, now: datetime, version_label: str) -> dict[str, Question]:
    """By environment. An environment without a stable version asks nothing, and one with `judge: none` neither."""
    found: dict[str, Question] = {}
    for environment in model.environments:
        question = _question(model, environment, observed, now)
        if question is not None:
            found[environment.name] = replace(question, version_label=version_label)
    return found


def _question(model: Model, environment: Environment, observed: Observed, now: datetime) -> Question | None:
    state = observed.environments[environment.name]
    if state.pin is None or state.pin.stable is None:
        return None
    if state.pin.canary is not None:
        return _canary(environment, state)
    finished = finished_at(state.history)
    policy = state.policy or environment
    if finished is not None and now < finished + policy.rollout.probation.duration:
        return _probation(policy, state, finished)
    if environment.judge is Judge.NONE or not _awaited(model, environment, observed):
        return None
    return _bake(environment, state, now)


def _canary(environment: Environment, state: EnvironmentObserved) -> Question | None:
    policy = state.policy or environment
    changes = rollout_changes(state.history)
    pin = state.pin
    if pin is None or pin.canary is None or not changes:
        return None
    return Question(
        stage=Stage.CANARY,
        subject=pin.canary.pin.version,
        reference=pin.stable.version if pin.stable else None,
        since=changes[0].at,
        rollout=policy.rollout,
        objectives=policy.objectives,
        weights=weight_changes(state.history),
    )


def _probation(policy: Environment, state: EnvironmentObserved, since: datetime) -> Question | None:
    pin = state.pin
    if pin is None or pin.stable is None:
        return None
    return Question(
        stage=Stage.PROBATION,
        subject=pin.stable.version,
        reference=pin.previous.version if pin.previous else None,
        since=since,
        rollout=policy.rollout,
        objectives=policy.objectives,
    )


def _bake(environment: Environment, state: EnvironmentObserved, now: datetime) -> Question | None:
    change = stable_change(state.history)
    by_events = environment.judge is Judge.OBJECTIVES or environment.target.ready is None
    if change is None or state.pin is None or state.pin.stable is None:
        return None
    return Question(
        stage=Stage.BAKE,
        subject=state.pin.stable.version,
        reference=None,
        # Readiness looks back no further than it must; objectives are judged over the whole bake.
        since=change.at if environment.judge is Judge.OBJECTIVES else max(change.at, now - _looked_back(environment)),
        rollout=environment.rollout,
        # Without a readiness gauge only its events show that it serves.
        objectives=environment.objectives if by_events else (),
    )


def _looked_back(environment: Environment) -> timedelta:
    return 2 * environment.rollout.bake + environment.rollout.progress_deadline


def _awaited(model: Model, environment: Environment, observed: Observed) -> bool:
    """Whether a later environment may take this one's version next, and does not run it yet."""
    here = observed.environments[environment.name].pin
    if here is None or here.stable is None or rejection(observed, here.stable.version, None):
        return False
    later = (e for e in model.environments if environment.name in predecessors(model, e, observed))
    pins = (observed.environments[e.name].pin for e in later)
    return any(there is None or there.stable != here.stable for there in pins)
