"""The guard table (DESIGN.md section 5): what stops which kind of wish. One function a row; a row answers a Hold
or None.

Limits of the workspace are the one row that needs more than one model: it stands in `admission.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidegate.core import pin as pins
from tidegate.core.candidate import rejection
from tidegate.core.history import override_changes
from tidegate.core.judging.verdict import Standing, Verdict
from tidegate.core.manifest import Effect, Environment, Model
from tidegate.core.observed import EnvironmentObserved, ModelVersion, Observed, Proposal, ProposalState
from tidegate.core.outcome import Evidence, Hold, WaitingOn, Wish
from tidegate.core.quantity import VersionPin
from tidegate.core.reasons import budget_reason
from tidegate.core.transition import Kind, parse_branch
from tidegate.core.workspace import Workspace

ENTERING = frozenset({Kind.PROMOTE, Kind.RETRAIN})
SAFETY = frozenset({Kind.REVERT, Kind.RENDER})
"""What a hold on promotions, a freeze window or another proposal does not stop: going back, and obeying a person."""
GOING_ON = frozenset({Kind.ADVANCE, Kind.FINISH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything a guard may look at."""

    model: Model
    workspace: Workspace
    environment: Environment
    observed: Observed
    now: datetime
    verdict: Verdict | None = None

    @property
    def state(self) -> EnvironmentObserved:
        return self.observed.environments[self.environment.name]

    @property
    def policy(self) -> Environment:
        """The environment as the rollout's frozen policy has it; main's where no rollout froze one."""
        return self.state.policy or self.environment

    def with_proposals(self, proposals: tuple[Proposal, ...]) -> Situation:
        """The same situation with other proposals."""
        return replace(self, observed=replace(self.observed, proposals=proposals))

    @property
    def open_proposals(self) -> tuple[Proposal, ...]:
        """Open proposals for this environment."""
        return tuple(
            proposal
            for proposal in self.observed.proposals
            if proposal.state is ProposalState.OPEN
            and (branch := parse_branch(proposal.branch)) is not None
            and (branch.model, branch.environment) == (self.model.name, self.environment.name)
        )


def stopped(wish: Wish, situation: Situation) -> Hold | None:
    """The first guard that stops this wish, in the table's order."""
    return next((hold for guard in GUARDS if (hold := guard(wish, situation))), None)


def held(wish: Wish, situation: Situation) -> Hold | None:
    """Holds of a person: on promotions they let reverts go; on all they stop reverts too, and page."""
    for hold in _holds(situation):
        if _over(hold, situation.now):
            continue
        if hold.scope == "all" or wish.kind not in SAFETY:
            until = _instant(hold)
            return Hold(
                reason=f"held by a person ({hold.scope}): {hold.reason}",
                waiting_on=WaitingOn.PERSON,
                until=until,
                pages=wish.kind is Kind.REVERT,
                degraded=wish.kind is Kind.REVERT,
            )
    return None


def _holds(situation: Situation) -> tuple[pins.Hold, ...]:
    own = situation.state.pin.hold if situation.state.pin else None
    holds = [hold for hold in (own, situation.model.hold, situation.workspace.hold) if hold is not None]
    return tuple(sorted(holds, key=lambda hold: hold.scope != "all"))


def _instant(hold: pins.Hold) -> datetime | None:
    return datetime.fromisoformat(hold.until) if hold.until else None


def _over(hold: pins.Hold, now: datetime) -> bool:
    until = _instant(hold)
    return until is not None and until <= now


def frozen(wish: Wish, situation: Situation) -> Hold | None:
    """A freeze window stops promotions and advances, never a revert (I8)."""
    freeze = situation.workspace.frozen(situation.now)
    if freeze is None or wish.kind not in (Kind.PROMOTE, *GOING_ON):
        return None
    return Hold(reason=f"freeze window: {freeze.reason}", waiting_on=WaitingOn.TIME, until=freeze.end)


def invalid(wish: Wish, situation: Situation) -> Hold | None:
    """An invalid manifest holds its model; safety decisions go on with its last valid text."""
    if situation.observed.invalid is None or wish.kind in SAFETY:
        return None
    return Hold(reason=f"main's manifest is invalid: {situation.observed.invalid}", waiting_on=WaitingOn.PERSON)


def other_proposal(wish: Wish, situation: Situation) -> Hold | None:
    """Another proposal open for the environment stops all but reverts; a revert closes ours and passes by a
    person's."""
    if wish.kind in SAFETY or not situation.open_proposals:
        return None
    other = situation.open_proposals[0]
    whose = "a person's" if is_persons(other) else "our"
    return Hold(reason=f"{whose} proposal #{other.number} is open for this environment", waiting_on=WaitingOn.PERSON)


def is_persons(proposal: Proposal) -> bool:
    """Whether an open proposal belongs to a person: made by a verb of theirs, or with somebody's commit on its
    branch."""
    return proposal.foreign or proposal.author != "tidegate"


def rejected(wish: Wish, situation: Situation) -> Hold | None:
    """A version that is rejected anywhere neither enters nor goes on (I6)."""
    entering = _moving(wish)
    if entering is None or wish.kind not in ENTERING | GOING_ON:
        return None
    version = next((v for v in _versions(situation) if v.number == entering.version), None)
    found = rejection(situation.observed, entering.version, version.training_key if version else None)
    if found is None:
        return None
    where, entry = found
    return Hold(
        reason=f"version {entering.version} is rejected in {where} ({entry.reason}): change its training, "
        f"or `tidegate unreject {situation.model.name} {entry.version}`",
        waiting_on=WaitingOn.PERSON,
    )


def _moving(wish: Wish) -> VersionPin | None:
    return wish.after.canary.pin if wish.after.canary else wish.after.stable


def _versions(situation: Situation) -> tuple[ModelVersion, ...]:
    versions = situation.observed.versions
    return versions if isinstance(versions, tuple) else ()


def digest_mismatch(wish: Wish, situation: Situation) -> Hold | None:
    """Bytes that are not those of the pin enter nowhere. (A canary with such bytes is reverted: see `rollout`.)"""
    entering = _moving(wish)
    if entering is None or wish.kind not in ENTERING or entering.version not in situation.state.digest_mismatch:
        return None
    return Hold(
        reason=f"the registry's bytes of version {entering.version} do not match its digest",
        waiting_on=WaitingOn.PERSON,
        degraded=True,
        pages=True,
    )


def dependency(wish: Wish, situation: Situation) -> Hold | None:
    """A model enters nowhere before what it depends on has settled."""
    if wish.kind not in ENTERING or not situation.observed.unsettled_dependencies:
        return None
    names = ", ".join(situation.observed.unsettled_dependencies)
    return Hold(reason=f"dependencies have not settled: {names}", waiting_on=WaitingOn.TIME)


def missing_observation(wish: Wish, situation: Situation) -> Hold | None:
    """What could not be read is never health and never failure (I3): whatever rests on it waits."""
    unread = situation.verdict.unread if situation.verdict else None
    rests_on_absence = wish.evidence in (Evidence.NEVER_SERVED, Evidence.DIGEST)
    if unread is None or (wish.kind in SAFETY and not rests_on_absence):
        return None
    return Hold(reason=f"cannot observe: {unread}", waiting_on=WaitingOn.OUTSIDE, unknown=True)


def baseline_breaching(wish: Wish, situation: Situation) -> Hold | None:
    """Where the baseline breaches too, the cause is likely elsewhere: only a comparison still reverts."""
    if wish.kind in SAFETY and wish.evidence is not Evidence.ABSOLUTE:
        return None
    breaching = [name for name in _breached_by_baseline(situation) if wish.objective in ("", name)]
    sibling = situation.observed.failing_siblings.get(situation.environment.name)
    if not breaching and not (sibling and wish.kind is Kind.REVERT):
        return None
    before, others = "the version before it breaches too", "others on the same serving breach too"
    who = f"{before} ({', '.join(breaching)})" if breaching else f"{others} ({sibling})"
    reverting = wish.kind is Kind.REVERT
    return Hold(
        reason=f"{who}: the cause is likely elsewhere",
        waiting_on=WaitingOn.PERSON,
        degraded=True,
        pages=reverting,
    )


def _breached_by_baseline(situation: Situation) -> Iterator[str]:
    """What only informs stops nobody."""
    verdict = situation.verdict
    if verdict is None:
        return
    for each in verdict.objectives:
        if each.reference_standing is Standing.BREACH and each.effect is not Effect.INFORM:
            yield each.objective
    for value in verdict.values:
        if value.reference_standing is Standing.BREACH and value.objective.effect is not Effect.INFORM:
            yield value.objective.name


def budget_spent(wish: Wish, situation: Situation) -> Hold | None:
    """A spent error budget stops entries, and so does one that could not be read, unless a listed person let this
    version in."""
    if wish.kind not in ENTERING or _overridden(wish, situation):
        return None
    budgets = situation.observed.budgets.get(situation.environment.name, ())
    if unread := [budget for budget in budgets if budget.unread is not None]:
        reason = f"cannot observe the error budget of {unread[0].objective.name}: {unread[0].unread}"
        return Hold(reason=reason, waiting_on=WaitingOn.OUTSIDE, unknown=True)
    if spent := [budget for budget in budgets if budget.exhausted]:
        until = max(budget.recovers_at for budget in spent if budget.recovers_at is not None)
        words = "; ".join(budget_reason(budget) for budget in spent)
        reason = f"error budget spent: {words}{_way_in(wish, situation)}"
        return Hold(reason=reason, waiting_on=WaitingOn.PERSON, until=until)
    return None


def _way_in(wish: Wish, situation: Situation) -> str:
    """What a person can do. A training that has no version yet cannot be named."""
    entering = _moving(wish)
    if wish.kind is not Kind.PROMOTE or entering is None:
        return ""
    place = f"{situation.model.name} {situation.environment.name}"
    return f"; `tidegate override-budget {place} {entering.version}` lets it in all the same"


def _overridden(wish: Wish, situation: Situation) -> bool:
    """Whether a person's word lets this very version in. It is used up once the version served, however it came to, and
    void when all that was bad as it was given has left the windows."""
    entering, name = _moving(wish), situation.environment.name
    changes = override_changes(situation.model.name, name, situation.state.history)
    since_given = [change.pin for change in changes if change.pin is not None]
    override = since_given[-1].override if since_given else None
    if override is None or entering is None or not override.lets(entering):
        return False
    served = any(version.version == override.version for pin in since_given for version in pin.serves())
    windows = [budget.objective.window for budget in situation.observed.budgets.get(name, ())]
    return not served and situation.now < changes[0].at + max(windows, default=timedelta(0))


Guard = Callable[[Wish, Situation], Hold | None]
GUARDS: tuple[Guard, ...] = (
    held,
    frozen,
    invalid,
    other_proposal,
    rejected,
    digest_mismatch,
    dependency,
    missing_observation,
    baseline_breaching,
    budget_spent,
)
