"""decide(model, workspace, observed, verdicts, now) -> ModelDecision: what should happen to one model, and what
stops it.

First what is wished for in each environment (by the stage it is in: a person's setting, canary, probation, or free
for a new version), then the guard table, then the key and the proposal that carries it. Pure: no clock, no I/O (I9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tidegate.core import promotion, rollout
from tidegate.core.adoption import adopt
from tidegate.core.candidate import predecessors
from tidegate.core.guards import Situation, is_persons, stopped
from tidegate.core.history import finished_at, set_by_hand
from tidegate.core.judging.verdict import Verdict
from tidegate.core.manifest import Model
from tidegate.core.observed import Observed
from tidegate.core.outcome import Decision, Evidence, Hold, ModelDecision, Nothing, WaitingOn, Wish
from tidegate.core.pin import is_ours
from tidegate.core.transition import Kind, Transition, parse_branch
from tidegate.core.workspace import Workspace


def decide(
    model: Model, workspace: Workspace, observed: Observed, verdicts: Mapping[str, Verdict], now: datetime
) -> ModelDecision:
    """One decision for each environment. `verdicts` holds what the judges say of the version in question there."""
    situations = {
        environment.name: Situation(
            model=model,
            workspace=workspace,
            environment=environment,
            observed=observed,
            now=now,
            verdict=verdicts.get(environment.name),
        )
        for environment in model.environments
    }
    decisions = {name: _decide(situation, verdicts) for name, situation in situations.items()}
    decisions = {name: _behind(there, situations[name], decisions) for name, there in decisions.items()}
    stale = tuple(pair for name, d in decisions.items() for pair in _stale(d, situations[name]))
    return ModelDecision(model=model.name, environments=decisions, stale=stale)


def decide_one(situation: Situation, verdicts: Mapping[str, Verdict]) -> Decision:
    """What `decide` says of one environment. Only an entry depends on what is decided elsewhere."""
    decision = _decide(situation, verdicts)
    if not isinstance(decision, Transition) or decision.kind is not Kind.PROMOTE:
        return decision
    every = decide(situation.model, situation.workspace, situation.observed, verdicts, situation.now)
    return every.environments[situation.environment.name]


def _behind(decision: Decision, situation: Situation, decisions: Mapping[str, Decision]) -> Decision:
    """Nothing enters on the strength of an environment that is about to reject it."""
    if not isinstance(decision, Transition) or decision.kind is not Kind.PROMOTE:
        return decision
    for name in predecessors(situation.model, situation.environment, situation.observed):
        before = decisions[name]
        wished = before.wished if isinstance(before, Hold) else before
        if isinstance(wished, Transition) and wished.kind is Kind.REVERT:
            return Hold(reason=f"{name} is going back", waiting_on=WaitingOn.TIME)
    return decision


def _decide(situation: Situation, verdicts: Mapping[str, Verdict]) -> Decision:
    wish = _wish(situation, verdicts)
    if not isinstance(wish, Wish):
        return wish
    transition = adopt(wish, situation)
    if isinstance(transition, Hold):
        return transition
    hold = stopped(wish, _without(transition, situation))
    return hold.of(transition) if hold else transition


def _without(transition: Transition, situation: Situation) -> Situation:
    """The situation as the guards see it: the proposal that already carries this key is adopted, it stops nothing."""
    if transition.adopts is None:
        return situation
    kept = tuple(p for p in situation.observed.proposals if p.number != transition.adopts)
    return situation.with_proposals(kept)


def _wish(situation: Situation, verdicts: Mapping[str, Verdict]) -> Wish | Decision:
    state = situation.state
    if state.unreadable is not None:
        return Hold(reason=f"the pin file cannot be read: {state.unreadable}", waiting_on=WaitingOn.PERSON)
    manual = _set_by_hand(situation)
    wish = _by_stage(situation, verdicts)
    reverting = isinstance(wish, Wish) and wish.kind is Kind.REVERT
    drifted = state.pin is not None and not state.rendered
    if drifted and (manual is not None or not reverting):
        return _render(situation)
    if manual is None:
        return wish
    return _held_against(manual, wish) if isinstance(wish, Wish) and reverting else manual


def _held_against(manual: Hold, revert: Wish) -> Hold:
    """A person's setting stops a revert as well; then somebody must know."""
    return replace(manual, reason=f"{manual.reason}; a revert is due: {revert.reasons[0]}", degraded=True, pages=True)


def _by_stage(situation: Situation, verdicts: Mapping[str, Verdict]) -> Wish | Decision:
    """What is wished for in the stage that the environment is in."""
    state = situation.state
    if state.pin is not None and state.pin.canary is not None:
        return rollout.canary(situation)
    finished = finished_at(state.history)
    if finished is not None and situation.now < finished + situation.policy.rollout.probation.duration:
        return rollout.probation(situation, finished)
    if state.pin is not None and finished is not None and (back := rollout.labels(situation)) is not None:
        return back
    if state.pin is not None and state.pin.holdback is not None:
        return rollout.end_holdback(situation)
    return promotion.promote(situation, verdicts)


def _render(situation: Situation) -> Wish:
    """A person's edit of the pin file is obeyed at once: what serves follows the rendered file.

    Where the pin file is as a transition wrote it, or the manifest has changed since the edit, something else changed
    what it renders to: a person is asked.
    """
    pin, model, environment = situation.state.pin, situation.model.name, situation.environment.name
    assert pin is not None, "called with a pin file"
    by_hand = not is_ours(model, environment, pin) or set_by_hand(model, environment, situation.state.history)
    return Wish(
        kind=Kind.RENDER,
        after=pin,
        reasons=("the rendered file does not say what the pin file says",),
        evidence=Evidence.OTHER,
        needs_person=not (by_hand and situation.state.pin_alone),
    )


def _set_by_hand(situation: Situation) -> Hold | None:
    """A person's setting holds the environment until main's training key changes or `tidegate resume` (I5)."""
    observed, state = situation.observed, situation.state
    change = set_by_hand(situation.model.name, situation.environment.name, state.history)
    if change is None:
        return None
    then = observed.key_at.get(change.commit)
    if then is not None and then != observed.training.key:
        return None
    return Hold(
        reason=f"manual: set by a person in {change.commit[:12]}; a new training key or "
        f"`tidegate resume {situation.model.name} {situation.environment.name}` goes on",
        waiting_on=WaitingOn.PERSON,
    )


def _stale(decision: Decision, situation: Situation) -> tuple[tuple[int, str], ...]:
    """Open proposals of ours that another wish, or none, has taken the place of."""
    match decision:
        case Transition():
            wished: str | None = decision.key
        case Hold(wished=Transition() as transition):
            wished = transition.key
        case Nothing():
            wished = None
        case Hold():
            return ()
    why = f"superseded by {wished}" if wished else "the desired state is reached without it"
    return tuple(
        (proposal.number, why)
        for proposal in situation.open_proposals
        if not is_persons(proposal) and _key(proposal.branch) != wished
    )


def _key(branch: str) -> str | None:
    parsed = parse_branch(branch)
    return parsed.key if parsed else None
