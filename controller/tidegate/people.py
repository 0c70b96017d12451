"""What people ask for: pin, rollback, hold, resume, unreject, restart-rollout, override-budget, retry. Each makes a
correct proposal.

The author's own approval counts where they are listed, so their verb merges at once; anybody else's waits for one
who is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidegate.core import pin as pins
from tidegate.core.history import entry_proposal, set_by_hand
from tidegate.core.manifest import Model
from tidegate.core.observed import CheckState, ModelVersion, PinChange, Proposal, last_rejected
from tidegate.core.outcome import Nothing
from tidegate.core.pin import Canary, Override, Pin, Rejected
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind, Transition, mark
from tidegate.errors import InvalidManifest, Refused, WrongUse
from tidegate.ports import Waiting
from tidegate.steps.desk import Desk
from tidegate.steps.proposing import Merged, check, merge, propose, transition_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of a person's verb: the proposal, and its merge when it went through at once."""

    proposal: Proposal
    merged: Merged | None
    waiting_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One environment of one model as main has it, and who asks."""

    model: Model
    environment: str
    history: tuple[PinChange, ...]
    handle: str
    unreadable: str | None = None

    @property
    def pin(self) -> Pin:
        """Main's pin file. Raises WrongUse when the environment has none, Refused when it cannot be read."""
        found = self.found
        if found is None:
            path = self.model.pin_path(self.environment)
            raise WrongUse(f"{path} is not on main: nothing is pinned there; `tidegate status` shows what it waits for")
        return found

    @property
    def found(self) -> Pin | None:
        """Main's pin file, None without one. Raises Refused when it cannot be read: nobody knows what to keep of it."""
        if self.unreadable is not None:
            raise Refused(f"main's pin file cannot be read, mend it first: {self.unreadable}")
        return self.history[-1].pin if self.history else None

    @property
    def bare(self) -> Pin:
        """What is left where no pin file is: the rejections, which nothing but `unreject` lifts (I6)."""
        return Pin(rejected=last_rejected(self.history))


def pin(place: Place, version: ModelVersion) -> Transition:
    """Set stable by hand and drop the canary; it holds the environment like an edit would."""
    before = place.found or place.bare
    previous = before.previous if before.stable == version.pin else before.stable
    after = replace(
        before, stable=version.pin, previous=previous, canary=None, policy=None, holdback=None, override=None
    )
    return _transition(place, Kind.PIN, after, f"{place.handle} pins version {version.number}")


def rollback(place: Place, versions: tuple[ModelVersion, ...], to: int | None) -> Transition:
    """Back to `previous` (or to a version); a canary is removed first. The version left is rejected with its
    training key."""
    before = place.pin
    if before.canary is not None and to is None:
        left = goal = before.canary.pin
        after = replace(before, canary=None, policy=None, retried=None)
    else:
        goal = _goal(before, versions, to)
        if before.stable is None or goal == before.stable:
            raise WrongUse(f"{place.environment} already runs version {goal.version}; name another with --to VERSION")
        left = before.stable
        after = replace(before, stable=goal, previous=None, canary=None, policy=None, retried=None, holdback=None)
    key = next((v.training_key for v in versions if v.number == left.version), None) or "k" + "0" * 16
    entry = Rejected(
        version=left.version,
        key=key,
        reason=f"rolled back by {place.handle}",
        proposal=entry_proposal(place.history, left),
    )
    used_up = before.override is not None and before.override.version in (left.version, goal.version)
    override = None if used_up else before.override
    after = replace(after, rejected=(*before.rejected, entry), override=override)
    return _transition(place, Kind.ROLLBACK, after, f"{place.handle} rolls back version {left.version}")


def _goal(before: Pin, versions: tuple[ModelVersion, ...], to: int | None) -> VersionPin:
    if to is None:
        if before.previous is None:
            raise Refused("there is no previous version to go back to; name one with --to VERSION")
        goal = before.previous
    else:
        found = next((v.pin for v in versions if v.number == to), None)
        if found is None:
            raise WrongUse(f"the registry has no version {to}")
        goal = found
    if before.rejects(goal.version):
        raise Refused(f"version {goal.version} is rejected here; `tidegate unreject` first if it should come back")
    return goal


def hold(place: Place, now: datetime, *, scope: str, reason: str, until: datetime | None) -> Transition:
    """Hold promotions (reverts still go), or everything. Raises WrongUse for an end that has passed."""
    if until is not None and until <= now:
        raise WrongUse(f"--until {until.isoformat()} has passed (it is {now:%Y-%m-%dT%H:%M:%SZ}); give a later one")
    end = None if until is None else until.astimezone(UTC).isoformat().replace("+00:00", "Z")
    after = replace(place.pin, hold=pins.Hold(scope=scope, reason=reason, until=end, by=place.handle))
    return _transition(place, Kind.HOLD, after, f"{place.handle} holds {scope}: {reason}")


def resume(place: Place) -> Transition:
    """Lift a hold of the verb, and let the loop go on from what a person set by hand."""
    by_hand = set_by_hand(place.model.name, place.environment, place.history)
    before = place.pin if by_hand is None else place.found or place.bare
    if before.hold is None and by_hand is None:
        raise WrongUse(f"{place.environment} is not held here (holds in model.yaml or tidegate.yaml are edited there)")
    return _transition(place, Kind.RESUME, replace(before, hold=None), f"{place.handle} resumes")


def unreject(place: Place, version: int) -> Transition:
    """Take a version off the rejected list: it may be a candidate again."""
    before = place.pin
    if not before.rejects(version):
        raise WrongUse(f"version {version} is not rejected in {place.environment}: it may be a candidate there already")
    kept = tuple(entry for entry in before.rejected if entry.version != version)
    after = replace(before, rejected=kept)
    return _transition(place, Kind.UNREJECT, after, f"{place.handle} takes version {version} off the rejected list")


def restart_rollout(place: Place, policy: str, first_step: float) -> Transition:
    """The canary back to its first step, under today's policy."""
    before = place.pin
    if before.canary is None:
        raise WrongUse(f"{place.environment} has no rollout in flight to restart; see `tidegate status`")
    after = replace(before, canary=Canary(pin=before.canary.pin, weight=first_step), policy=policy)
    return _transition(place, Kind.RESTART, after, f"{place.handle} restarts the rollout")


def override_budget(place: Place, version: ModelVersion, reason: str) -> Transition:
    """Let one version enter although the error budget is spent."""
    before = place.pin
    if before.rejects(version.number):
        raise Refused(f"version {version.number} is rejected in {place.environment}; `tidegate unreject` comes first")
    if version.pin in before.serves():
        raise WrongUse(f"version {version.number} serves in {place.environment} already: it need not enter")
    override = Override(version=version.number, digest=version.digest, reason=reason, by=place.handle)
    after = replace(before, override=override)
    words = f"{place.handle} lets version {version.number} enter on a spent error budget: {reason}"
    return _transition(place, Kind.OVERRIDE, after, words)


def _transition(place: Place, kind: Kind, after: Pin, reason: str) -> Transition:
    before = place.found
    model, environment = place.model.name, place.environment
    after = pins.stamped(model, environment, after, mark(kind, before))
    return Transition(
        model=model,
        environment=environment,
        kind=kind,
        before=before,
        after=after,
        reasons=(reason,),
        needs_person=True,
    )


def ask(desk: Desk, model: Model, transition: Transition, handle: str) -> Asked:
    """Propose it in the person's name, approve that in their name, and merge it if that is enough.

    What is approved is the very commit that `propose` vouches for, whatever is pushed meanwhile.
    """
    require_readable(desk, model, transition)
    proposal = propose(desk, model, transition, author=handle)
    desk.forge.approve(proposal.number, handle, proposal.head, desk.now)
    proposal = desk.forge.proposal(proposal.number)
    checked = check(desk, model, proposal, Nothing())
    if checked.check.state is not CheckState.PASSED:
        return Asked(proposal=proposal, merged=None, waiting_for=checked.check.summary)
    merged = merge(desk, checked)
    if isinstance(merged, Waiting):
        return Asked(proposal=proposal, merged=None, waiting_for=merged.why)
    return Asked(proposal=proposal, merged=merged)


def require_readable(desk: Desk, model: Model, transition: Transition) -> None:
    """Raises Refused for a pin file that our own reader would not take back: a branch with it could never merge."""
    path = model.pin_path(transition.environment)
    try:
        desk.reader.pin(transition_files(desk, model, transition.environment, transition.after, desk.main)[path], path)
    except InvalidManifest as error:
        raise Refused(f"nothing was proposed, the pin file could not be read back: {error}") from None
