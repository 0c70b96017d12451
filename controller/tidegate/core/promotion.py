"""What is wished for when an environment is free: the candidate's entry, once its predecessors have judged it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tidegate.core.candidate import candidate, in_flight, predecessors, rejection
from tidegate.core.guards import Situation
from tidegate.core.history import stable_change
from tidegate.core.judging.verdict import Standing, Verdict
from tidegate.core.manifest import Effect, Environment, Judge
from tidegate.core.observed import ModelVersion, Unavailable
from tidegate.core.outcome import Evidence, Hold, Nothing, WaitingOn, Wish
from tidegate.core.pin import Canary, Pin
from tidegate.core.quantity import show_duration, show_share
from tidegate.core.reasons import value_stands
from tidegate.core.transition import Kind


def promote(situation: Situation, verdicts: Mapping[str, Verdict]) -> Wish | Hold | Nothing:
    """The entry of the candidate (or of the version in flight that must finish first) into this environment."""
    first = situation.environment.name == situation.model.environments[0].name
    entering = _entering(situation, first=first)
    if not isinstance(entering, ModelVersion):
        return entering
    pin = situation.state.pin
    if pin is not None and pin.stable is not None and pin.stable == entering.pin:
        return Nothing(note=_mark(situation, entering))
    if rejection(situation.observed, entering.number, entering.training_key):
        return _enter(situation, pin or Pin(), entering)  # the guard that stops it says why
    waiting = _judged_before(situation, entering, verdicts)
    if waiting is not None:
        return waiting
    gone = _previous_gone(situation, pin)
    return gone or _enter(situation, pin or Pin(rejected=situation.state.rejected), entering)


def _entering(situation: Situation, *, first: bool) -> ModelVersion | Hold | Nothing:
    model, observed = situation.model, situation.observed
    flying = in_flight(model, observed, situation.now)
    if flying is not None and flying.stable is not None:
        if first:
            return Hold(reason=f"version {flying.stable.version} finishes first", waiting_on=WaitingOn.TIME)
        if not isinstance(observed.versions, Unavailable):
            found = next((v for v in observed.versions if v.number == flying.stable.version), None)
            if found is not None:
                return found
    wanted = candidate(model, observed)
    match wanted:
        case ModelVersion():
            return wanted
        case Hold() if first or wanted.unknown or situation.open_proposals:
            return wanted
        case _:
            return Nothing(note="no candidate")


def _mark(situation: Situation, version: ModelVersion) -> str:
    found = rejection(situation.observed, version.number, version.training_key)
    return f"version {version.number} is rejected in {found[0]}, kept here" if found else ""


def _judged_before(
    situation: Situation, entering: ModelVersion, verdicts: Mapping[str, Verdict]
) -> Hold | Nothing | None:
    """What the environments before this one still want, or None when all of them are content."""
    for name in predecessors(situation.model, situation.environment, situation.observed):
        pin = situation.observed.environments[name].pin
        if pin is None or pin.stable is None or pin.stable != entering.pin:
            return Nothing(note=f"version {entering.number} is not yet stable in {name}")
        hold = _baked(situation, situation.model.environment(name), verdicts.get(name))
        if hold is not None:
            return hold
    return None


def _baked(situation: Situation, before: Environment, verdict: Verdict | None) -> Hold | None:
    """Whether the version has baked in the environment before, judged as that one says."""
    state = situation.observed.environments[before.name]
    since = stable_change(state.history)
    assert since is not None, "its stable version came from somewhere"
    bake = before.rollout.bake
    if before.judge is Judge.NONE:
        baked = situation.now - since.at
    elif verdict is None or verdict.unread is not None:
        why = str(verdict.unread) if verdict else "nobody judged it"
        return Hold(reason=f"cannot observe {before.name}: {why}", waiting_on=WaitingOn.OUTSIDE, unknown=True)
    elif not verdict.serving:
        return Hold(reason=f"not ready in {before.name}", waiting_on=WaitingOn.OUTSIDE)
    else:
        baked = verdict.baked
    if baked < bake:
        return Hold(
            reason=f"baking in {before.name}: {show_duration(baked)} of {show_duration(bake)}",
            waiting_on=WaitingOn.TIME,
            until=situation.now + (bake - baked),
        )
    return _objectives_met(before, verdict) if before.judge is Judge.OBJECTIVES and verdict else None


def _objectives_met(before: Environment, verdict: Verdict) -> Hold | None:
    for objective in verdict.objectives:
        if objective.effect is Effect.INFORM or objective.standing is Standing.FINE:
            continue
        breach = objective.standing is Standing.BREACH
        return Hold(
            reason=f"{objective.objective} in {before.name}: {objective.standing.value}",
            waiting_on=WaitingOn.PERSON if breach else WaitingOn.EVENTS,
            degraded=breach,
        )
    for value in verdict.values:
        if value.objective.effect is not Effect.INFORM and not value.lets_on:
            breach = value.standing is Standing.BREACH
            reason = f"{value_stands(value)} (in {before.name})"
            return Hold(reason=reason, waiting_on=WaitingOn.OUTSIDE, degraded=breach)
    return None


def _previous_gone(situation: Situation, pin: Pin | None) -> Hold | None:
    """The version that will be the way back must still be in the registry."""
    versions = situation.observed.versions
    if pin is None or pin.stable is None or isinstance(versions, Unavailable):
        return None
    if pin.stable.version in {version.number for version in versions}:
        return None
    return Hold(
        reason=f"version {pin.stable.version}, the way back, is gone from the registry",
        waiting_on=WaitingOn.PERSON,
        degraded=True,
    )


def _enter(situation: Situation, pin: Pin, entering: ModelVersion) -> Wish:
    environment = situation.environment
    if environment.canaries and environment.rollout.steps and pin.stable is not None:
        step = environment.rollout.steps[0]
        after = replace(pin, canary=Canary(pin=entering.pin, weight=step))
        reason = f"version {entering.number} enters {environment.name} as canary at {show_share(step)}"
    else:
        after = replace(pin, stable=entering.pin, previous=pin.stable, holdback=None)
        reason = f"version {entering.number} enters {environment.name} at 100%"
    again = entering.number if pin.retried == entering.number else None
    policy = situation.observed.policy_commits.get(environment.name, situation.observed.main)
    after = replace(after, policy=policy, retried=again, override=None, transition=None)
    return Wish(
        kind=Kind.PROMOTE,
        after=after,
        reasons=(reason, f"its training key {entering.training_key} is main's", *_let_in(pin, entering)),
        evidence=Evidence.OTHER,
        # Asked once per version and environment: the second try of one that never served has had its approval.
        needs_person=environment.approval_required and again is None,
    )


def _let_in(pin: Pin, entering: ModelVersion) -> tuple[str, ...]:
    """Who let it enter on a spent budget, and why. The entry takes the word out of the file, and keeps it in words."""
    word = pin.override
    if word is None or not word.lets(entering.pin):
        return ()
    who = word.by or "a person"
    return (f"{who} let version {word.version} enter on a spent error budget: {word.reason}",)
