"""Which questions the judges must answer for a model now: one per environment in which something is in flight.

A settled environment asks nothing, so a pass costs what is in flight, not how many models there are (I10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tidegate.core.candidate import predecessors, rejection
from tidegate.core.history import distinct, finished_at, rollout_changes, side_by_side, stable_change, weight_changes
from tidegate.core.judging.verdict import Question, Stage, Together, WeightChange
from tidegate.core.manifest import Effect, Environment, Judge, Model
from tidegate.core.observed import EnvironmentObserved, Observed, PinChange
from tidegate.core.pin import Pin
from tidegate.core.quantity import VersionPin


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
    baking = environment.judge is not Judge.NONE and _awaited(model, environment, observed)
    question = _bake(environment, state, now) if baking else None
    together = _side_by_side(policy, state) if finished and now < finished + policy.last_labels else None
    if together is None:
        return question
    return replace(question, together=together) if question else _labels(together)


def _canary(environment: Environment, state: EnvironmentObserved) -> Question | None:
    policy = state.policy or environment
    changes = rollout_changes(state.history)
    pin, entered = state.pin, _entered(state.history)
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
        reference_since=entered,
        values=policy.values,
        together=_together(policy, (pin.canary.pin, pin.stable, entered), (changes[0].at, None)),
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
        weights=() if pin.holdback is None else (WeightChange(at=since, weight=1 - pin.holdback),),
        reference_since=_previous_entered(pin, state.history),
        values=policy.values,
        together=_side_by_side(policy, state),
    )


def _side_by_side(policy: Environment, state: EnvironmentObserved) -> Together | None:
    """Stable and previous, as far as their history tells that both served at once."""
    pin, span = state.pin, side_by_side(state.history)
    if pin is None or pin.stable is None or span is None:
        return None
    return _together(policy, (pin.stable, pin.previous, _previous_entered(pin, state.history)), span)


def _entered(history: Sequence[PinChange]) -> datetime | None:
    change = stable_change(history)
    return change.at if change else None


def _previous_entered(pin: Pin, history: Sequence[PinChange]) -> datetime | None:
    """When the previous version became stable, if it was the one before."""
    changes, change = distinct(history), stable_change(history)
    before = changes[: changes.index(change)] if change else ()
    was = before[-1].pin.stable if before and before[-1].pin else None
    return _entered(before) if was == pin.previous else None


def _together(
    policy: Environment,
    versions: tuple[VersionPin, VersionPin | None, datetime | None],
    span: tuple[datetime, datetime | None],
) -> Together | None:
    """Of the version judged and the one beside it, which became stable then."""
    subject, reference, entered = versions
    if not policy.late or reference is None:
        return None
    return Together(
        subject=subject.version,
        reference=reference.version,
        since=span[0],
        until=span[1],
        objectives=policy.late,
        rollout=policy.rollout,
        sharing=max(sum(each.effect is Effect.REVERT for each in (*policy.objectives, *policy.late)), 1),
        reference_since=entered,
    )


def _labels(together: Together) -> Question:
    """All else is settled."""
    return Question(
        stage=Stage.LABELS,
        subject=together.subject,
        reference=together.reference,
        since=together.since,
        rollout=together.rollout,
        objectives=(),
        together=together,
    )


def _bake(environment: Environment, state: EnvironmentObserved, now: datetime) -> Question | None:
    change = stable_change(state.history)
    reach = environment.rollout.readiness_reach
    by_events = environment.judge is Judge.OBJECTIVES or environment.target.ready is None
    if change is None or state.pin is None or state.pin.stable is None:
        return None
    return Question(
        stage=Stage.BAKE,
        subject=state.pin.stable.version,
        reference=None,
        # Readiness looks back no further than it must; objectives are judged over the whole bake.
        since=change.at if environment.judge is Judge.OBJECTIVES else max(change.at, now - reach),
        rollout=environment.rollout,
        # Without a readiness gauge only its events show that it serves.
        objectives=environment.objectives if by_events else (),
        values=environment.values if environment.judge is Judge.OBJECTIVES else (),
    )


def _awaited(model: Model, environment: Environment, observed: Observed) -> bool:
    """Whether a later environment may take this one's version next, and does not run it yet."""
    here = observed.environments[environment.name].pin
    if here is None or here.stable is None or rejection(observed, here.stable.version, None):
        return False
    later = (e for e in model.environments if environment.name in predecessors(model, e, observed))
    pins = (observed.environments[e.name].pin for e in later)
    return any(there is None or there.stable != here.stable for there in pins)
