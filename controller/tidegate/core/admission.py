"""admit(decisions, limits, used) -> transitions: which of all models' transitions may go in this pass.

Fixed order: reverts, obeying hand edits, finish, advance, promote, retrain. The first two are never stopped and have a
share of every limit kept for them; the rest waits its turn. `used` is counted from git and the forge, not remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.core.outcome import Hold, WaitingOn
from tidegate.core.transition import Kind, Transition
from tidegate.core.workspace import Limits

ORDER = (Kind.REVERT, Kind.RENDER, Kind.FINISH, Kind.ADVANCE, Kind.PROMOTE, Kind.RETRAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What of the limits is in use already: rollouts in flight, proposals made in the last hour."""

    rollouts: int = 0
    proposals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The transitions that go, in order, and those that wait with the limit that stopped them."""

    admitted: tuple[Transition, ...]
    waiting: tuple[tuple[Transition, Hold], ...] = ()


def admit(transitions: Sequence[Transition], limits: Limits, used: Used) -> Admission:
    """Admit in the fixed order; ties by model and environment, so that the same input gives the same answer."""
    rollouts, proposals = used.rollouts, used.proposals
    admitted: list[Transition] = []
    waiting: list[tuple[Transition, Hold]] = []
    for transition in sorted(transitions, key=order):
        reason = _over(transition, limits, Used(rollouts=rollouts, proposals=proposals))
        if reason is not None:
            waiting.append((transition, Hold(reason=reason, waiting_on=WaitingOn.TIME, wished=transition)))
            continue
        admitted.append(transition)
        proposals += transition.adopts is None
        rollouts += _starts_rollout(transition)
    return Admission(admitted=tuple(admitted), waiting=tuple(waiting))


def order(transition: Transition) -> tuple[int, str, str]:
    """The fixed order, as a sort key."""
    return ORDER.index(transition.kind), transition.model, transition.environment


def _over(transition: Transition, limits: Limits, used: Used) -> str | None:
    """The limit that stops this transition. A revert is never stopped; others leave the reverts' share alone."""
    if transition.kind in (Kind.REVERT, Kind.RENDER) or transition.adopts is not None:
        return None
    if used.proposals >= limits.proposals_per_hour * (1 - limits.revert_share):
        return f"limit of {limits.proposals_per_hour} proposals an hour ({limits.revert_share:.0%} kept for reverts)"
    if _starts_rollout(transition) and used.rollouts >= limits.rollouts:
        return f"limit of {limits.rollouts} rollouts at once"
    return None


def _starts_rollout(transition: Transition) -> bool:
    return transition.kind is Kind.PROMOTE and transition.after.canary is not None
