"""What is wished for while a version is canary or on probation: advance, finish, revert, or wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tidegate.core import grounds
from tidegate.core.candidate import rejection
from tidegate.core.grounds import Ground
from tidegate.core.guards import Situation
from tidegate.core.history import entry_proposal
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Standing, Verdict
from tidegate.core.manifest import Effect, OnAbsent, OnInconclusive
from tidegate.core.observed import Unavailable
from tidegate.core.outcome import Evidence, Hold, Nothing, WaitingOn, Wish
from tidegate.core.pin import Canary, Pin, Rejected
from tidegate.core.quantity import VersionPin, show_duration, show_share
from tidegate.core.reasons import value_stands
from tidegate.core.transition import Kind


def canary(situation: Situation) -> Wish | Hold:
    """A canary reverts when it is worse, never served, rejected or not the bytes it should be; else it goes on
    when cleared."""
    pin, verdict = _pin(situation), situation.verdict
    assert pin.canary is not None, "called while canary"
    ground = _why_revert(situation, pin.canary.pin)
    if ground is not None:
        return _revert_canary(situation, ground)
    if verdict is None or verdict.unread is not None:
        why = str(verdict.unread) if verdict else "nobody judged it"
        return Hold(reason=f"cannot observe: {why}", waiting_on=WaitingOn.OUTSIDE, unknown=True)
    if pin.canary.weight == 0:
        return Hold(reason="paused at 0% by a person", waiting_on=WaitingOn.PERSON)
    waiting = _not_yet(situation, verdict)
    if waiting is None:
        return _go_on(situation, _cleared_reasons(verdict))
    # More time and traffic may bring a conclusion. What was found, or is missing, concludes nothing.
    undecided = waiting.waiting_on is WaitingOn.EVENTS
    return (_inconclusive(situation, verdict) if undecided else None) or waiting


def _pin(situation: Situation) -> Pin:
    assert situation.state.pin is not None, "called with a pin file"
    return situation.state.pin


def _why_revert(situation: Situation, canary_pin: VersionPin) -> Ground | None:
    """The first of the reasons for which a canary is removed."""
    if canary_pin.version in situation.state.digest_mismatch:
        return _other_bytes(canary_pin.version)
    found = rejection(situation.observed, canary_pin.version, _key_of(situation, canary_pin))
    if found is not None:
        sentence = f"version {canary_pin.version} is rejected in {found[0]}"
        return Ground(evidence=Evidence.OTHER, short=f"rejected in {found[0]}", sentence=sentence)
    verdict = situation.verdict
    if verdict is not None and (ground := grounds.of_canary(verdict)) is not None:
        return ground
    deadline = situation.policy.rollout.progress_deadline
    if verdict is not None and verdict.serving is False and verdict.absent_for >= deadline:
        never = "never served" if verdict.serving_since is None else "stopped serving"
        sentence = f"it {never} for {show_duration(deadline)}, though stable did"
        return Ground(evidence=Evidence.NEVER_SERVED, short=never, sentence=sentence)
    return None


def _other_bytes(version: int) -> Ground:
    sentence = f"the bytes of version {version} do not match its digest"
    return Ground(evidence=Evidence.DIGEST, short="digest mismatch", sentence=sentence)


def _key_of(situation: Situation, pin: VersionPin) -> str | None:
    """From the launch records in git: the same whether the registry answers or not (I2)."""
    return situation.observed.recorded_keys.get(pin.version)


def _revert_canary(situation: Situation, ground: Ground) -> Wish:
    """Remove the canary. One that never served is tried once more before it is rejected."""
    pin, sentence = _pin(situation), ground.sentence
    assert pin.canary is not None
    version = pin.canary.pin
    again = ground.evidence is Evidence.NEVER_SERVED and pin.retried != version.version
    after = replace(pin, canary=None, policy=None, transition=None)
    if again:
        after = replace(after, retried=version.version)
        sentence += "; it will be tried once more"
    else:
        after = replace(after, retried=None, rejected=(*pin.rejected, _entry(situation, version, ground.short)))
    return Wish(
        kind=Kind.REVERT,
        after=after,
        reasons=(sentence,),
        evidence=ground.evidence,
        objective=ground.objective,
        needs_person=not situation.policy.automatic_revert,
        verdict=situation.verdict,
    )


def _entry(situation: Situation, version: VersionPin, reason: str) -> Rejected:
    return Rejected(
        version=version.version,
        key=_key_of(situation, version) or "k" + "0" * 16,
        reason=reason,
        proposal=entry_proposal(situation.state.history, version),
    )


def _not_yet(situation: Situation, verdict: Verdict) -> Hold | None:
    """What the canary still needs before it may go on, or None."""
    rollout = situation.policy.rollout
    if verdict.serving is not True or verdict.absent_for > timedelta(0):
        return Hold(reason="not serving now", waiting_on=WaitingOn.OUTSIDE)
    if verdict.baked < rollout.bake:
        until = situation.now + (rollout.bake - verdict.baked)
        return Hold(
            reason=f"baking: {show_duration(verdict.baked)} of {show_duration(rollout.bake)}",
            waiting_on=WaitingOn.TIME,
            until=until,
        )
    if verdict.events < rollout.minimum_events:
        return Hold(
            reason=f"{verdict.events:.0f} of {rollout.minimum_events} events at this step", waiting_on=WaitingOn.EVENTS
        )
    asked = (value for value in verdict.values if value.objective.effect is not Effect.INFORM)
    if (value := next((value for value in asked if not value.lets_on), None)) is not None:
        return Hold(reason=value_stands(value), waiting_on=WaitingOn.OUTSIDE)
    open_ = [o.objective for o in verdict.objectives if _blocks(o) and o.comparison is not Comparison.CLEARED]
    if open_:
        return Hold(reason=f"not yet decided: {', '.join(open_)}", waiting_on=WaitingOn.EVENTS)
    return None


def _blocks(objective: ObjectiveVerdict) -> bool:
    return objective.effect is not Effect.INFORM


def _cleared_reasons(verdict: Verdict) -> tuple[str, ...]:
    return tuple(f"{o.objective}: {o.cleared_by}" for o in verdict.objectives if o.cleared_by)


def _go_on(situation: Situation, reasons: tuple[str, ...], *, needs_person: bool = False) -> Wish:
    """To the next step, or to the end behind the last one."""
    pin, rollout = _pin(situation), situation.policy.rollout
    assert pin.canary is not None
    step = next((weight for weight in rollout.steps if weight > pin.canary.weight), None)
    if step is None:
        kind = Kind.FINISH
        after = replace(
            pin,
            stable=pin.canary.pin,
            previous=pin.stable,
            canary=None,
            retried=None,
            holdback=rollout.probation.holdback,
        )
    else:
        kind, after = Kind.ADVANCE, replace(pin, canary=Canary(pin=pin.canary.pin, weight=step))
        reasons = (f"to {show_share(step)}", *reasons)
    return Wish(
        kind=kind,
        after=after,
        reasons=reasons,
        evidence=Evidence.COMPARISON,
        needs_person=needs_person,
        verdict=situation.verdict,
    )


def _inconclusive(situation: Situation, verdict: Verdict) -> Wish | None:
    """Past maximumDuration the step ends as the policy says; by default a person is asked, and so where it is told to
    advance and something was found.

    What counts is the time that it baked: pauses and outages are nobody's conclusion (I3).
    """
    rollout = situation.policy.rollout
    if verdict.baked < rollout.maximum_duration:
        return None
    reason = f"no conclusion within {show_duration(rollout.maximum_duration)}"
    match rollout.on_inconclusive:
        case OnInconclusive.ADVANCE:
            return _go_on(situation, (reason,), needs_person=_against(verdict))
        case OnInconclusive.REVERT:
            ground = Ground(evidence=Evidence.OTHER, short="inconclusive", sentence=reason)
            return _revert_canary(situation, ground)
        case OnInconclusive.ASK:
            return _go_on(situation, (reason,), needs_person=True)


def _against(verdict: Verdict) -> bool:
    """Whether something was found that may stop a rollout: it is worse, or outside an objective that it is not cleared
    of."""
    open_ = [each for each in verdict.objectives if _blocks(each) and each.comparison is not Comparison.CLEARED]
    return any(each.comparison is Comparison.WORSE or each.standing is Standing.BREACH for each in open_)


def probation(situation: Situation, since: datetime) -> Wish | Hold | Nothing:
    """A finished version goes back to the previous one when it breaches an objective, or stops being served."""
    pin, verdict = _pin(situation), situation.verdict
    ends = since + situation.policy.rollout.probation.duration
    if verdict is None:
        return Nothing(note=f"on probation until {ends:%Y-%m-%d %H:%M:%S %Z}")
    if pin.stable is not None and pin.stable.version in situation.state.digest_mismatch:
        return _revert_stable(situation, _other_bytes(pin.stable.version))
    if (ground := grounds.on_probation(verdict)) is not None:
        return _revert_by(situation, ground)
    deadline = situation.policy.rollout.progress_deadline
    if verdict.serving is False and verdict.absent_for >= deadline:
        absent = Ground(evidence=Evidence.NEVER_SERVED, short="not serving", sentence="nothing is served on probation")
        wish = _revert_stable(situation, absent)
        asks = situation.policy.rollout.on_absent is OnAbsent.ASK
        return replace(wish, needs_person=asks or wish.needs_person) if isinstance(wish, Wish) else wish
    if verdict.unread is not None:
        return Hold(
            reason=f"on probation, cannot observe: {verdict.unread}", waiting_on=WaitingOn.OUTSIDE, unknown=True
        )
    return Hold(reason="on probation", waiting_on=WaitingOn.TIME, until=ends)


def labels(situation: Situation) -> Wish | Hold | None:
    """Past probation: what labels still say of predictions that the version made beside the previous one."""
    ground = grounds.of_labels(situation.verdict) if situation.verdict else None
    return None if ground is None else _revert_by(situation, ground)


def _revert_by(situation: Situation, ground: Ground) -> Wish | Hold:
    """An absolute breach also needs to know that the previous version did not breach before (guards look at
    siblings)."""
    if ground.reference is Standing.NOT_YET:
        reason = f"{ground.sentence}; whether the version held back shares that cannot be told yet"
        return Hold(reason=reason, waiting_on=WaitingOn.EVENTS, degraded=True)
    if ground.reference is Standing.UNKNOWN:
        return Hold(
            reason=f"{ground.sentence}; whether the previous version breached before could not be read",
            waiting_on=WaitingOn.PERSON,
            degraded=True,
            pages=True,
        )
    return _revert_stable(situation, ground)


def _revert_stable(situation: Situation, ground: Ground) -> Wish | Hold:
    """Back to the previous version, if there is one to go back to (I7)."""
    pin = _pin(situation)
    blocked = _no_way_back(situation, pin)
    if blocked is not None:
        return Hold(
            reason=f"{ground.sentence}; nothing to go back to: {blocked}",
            waiting_on=WaitingOn.PERSON,
            degraded=True,
            pages=True,
        )
    assert pin.stable is not None
    after = replace(
        pin,
        stable=pin.previous,
        previous=None,
        policy=None,
        holdback=None,
        retried=None,
        rejected=(*pin.rejected, _entry(situation, pin.stable, ground.short)),
        transition=None,
    )
    return Wish(
        kind=Kind.REVERT,
        after=after,
        reasons=(ground.sentence,),
        evidence=ground.evidence,
        objective=ground.objective,
        needs_person=not situation.policy.automatic_revert,
        verdict=situation.verdict,
    )


def _no_way_back(situation: Situation, pin: Pin) -> str | None:
    if pin.previous is None:
        return "there is no previous version"
    if rejection(situation.observed, pin.previous.version, _key_of(situation, pin.previous)):
        return f"version {pin.previous.version} is rejected"
    versions = situation.observed.versions
    if not isinstance(versions, Unavailable) and pin.previous.version not in {v.number for v in versions}:
        return f"version {pin.previous.version} is gone from the registry"
    return None


def end_holdback(situation: Situation) -> Wish:
    """Probation is over: the old version gives up its held back share."""
    return Wish(
        kind=Kind.FINISH,
        after=replace(_pin(situation), holdback=None),
        reasons=("probation is over",),
        evidence=Evidence.OTHER,
    )
