"""One pass of the loop: observe, judge, decide, admit, propose, merge, verify. Level-triggered: it does what is due.

Does not train, collect trainings or write the registry (`train`, `project`): the command line runs them around a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tidegate.core.admission import Used, admit, order
from tidegate.core.guards import SAFETY
from tidegate.core.launch_record import LaunchRecord
from tidegate.core.observed import Check, Proposal, ProposalState, Unavailable
from tidegate.core.outcome import Decision, Hold, ModelDecision, Nothing
from tidegate.core.transition import Transition, parse_branch
from tidegate.core.wording import closed_comment, title
from tidegate.errors import OutsideSystem, Raced, Refused, TidegateError
from tidegate.ports import Clock, Forge, Metrics, Registry, Repository, Serving, Target, Waiting
from tidegate.steps.approvals import proposals_of
from tidegate.steps.checking import check_peoples
from tidegate.steps.deciding import Decided, Judges, decide_models
from tidegate.steps.desired import Desired, DesiredReader
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.proposing import ME, check, look_behind, merge, propose
from tidegate.steps.trainings import all_records

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a pass talks to."""

    repository: Repository
    forge: Forge
    registry: Registry
    metrics: Metrics
    targets: Mapping[str, Target]
    clock: Clock
    reader: DesiredReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a pass did with one proposal. `merged` is the merge commit, `waiting` what the forge waits for before it
    merges, `incident` what was wrong behind the merge (I4). Without a proposal, `waiting` is the race that was lost."""

    model: str
    environment: str
    kind: str
    proposal: int | None
    title: str
    check: Check | None = None
    merged: str | None = None
    waiting: str | None = None
    incident: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """Everything that one pass saw and did. `shown` are the decisions as `Decided.shown` tells them; `failures` are
    outside systems that did not answer."""

    main: str
    at: datetime
    decisions: tuple[ModelDecision, ...]
    shown: tuple[ModelDecision, ...]
    done: tuple[Done, ...] = ()
    invalid: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    incidents: tuple[str, ...] = field(default=())


def reconcile(ports: Ports, *, dry_run: bool = False) -> PassReport:
    """One pass over every model. A model that cannot be read or observed holds alone; the others go on."""
    now = ports.clock.now()
    main = ports.repository.head()
    if main is None:
        raise OutsideSystem("the repository has no main branch yet; push a first commit")
    desired = ports.reader.read(main)
    proposals = proposals_of(ports.forge, desired.workspace)
    sources = _sources(ports, desired, proposals, all_records(ports.repository))
    decided, failures = _decide_all(desired, sources, Judges(metrics=ports.metrics, clock=ports.clock), now)
    decided = _admitted(decided, desired, proposals, now)
    report = PassReport(
        main=main,
        at=now,
        decisions=tuple(d.decision for d in decided),
        shown=tuple(d.shown() for d in decided),
        invalid=_invalid(desired),
        failures=failures,
    )
    if dry_run:
        return report
    desk = Desk(
        repository=ports.repository,
        forge=ports.forge,
        reader=ports.reader,
        targets=ports.targets,
        workspace=desired.workspace,
        main=main,
        clock=ports.clock,
    )
    done, failed = _carry_out(desk, decided)
    failed = (*failed, *check_peoples(desk, sources))
    incidents = [d.incident for d in done if d.incident]
    incidents += [found for one in decided for found in _behind(desk, one, now)]
    return replace(report, done=done, failures=(*failures, *failed), incidents=tuple(dict.fromkeys(incidents)))


def _behind(desk: Desk, one: Decided, now: datetime) -> Iterator[str]:
    """What is wrong behind merges of the last hour that somebody else made: no pass of ours looked behind them."""
    for proposal in one.observed.proposals:
        branch = parse_branch(proposal.branch)
        recent = proposal.merged_at is not None and proposal.merged_at > now - HOUR
        if recent and branch is not None and branch.environment in one.decision.environments:
            found = look_behind(desk, one.model, proposal)
            yield from () if found is None else (found,)


def _sources(
    ports: Ports, desired: Desired, proposals: tuple[Proposal, ...], records: tuple[LaunchRecord, ...]
) -> Sources:
    return Sources(
        repository=ports.repository,
        registry=ports.registry,
        targets=ports.targets,
        reader=ports.reader,
        desired=desired,
        proposals=proposals,
        records=records,
    )


def _invalid(desired: Desired) -> tuple[str, ...]:
    """Findings of every file on main that cannot be read."""
    broken = [wanted.invalid for wanted in desired.models if wanted.invalid]
    return tuple(dict.fromkeys([*broken, *(str(error) for error in desired.unreadable)]))


def _decide_all(
    desired: Desired, sources: Sources, judges: Judges, now: datetime
) -> tuple[list[Decided], tuple[str, ...]]:
    decided: list[Decided] = []
    failures: list[str] = []
    for wanted, one in decide_models(desired.models, sources, judges, now):
        if isinstance(one, TidegateError):
            failures.append(f"{wanted.model.name}: {one}")
            continue
        decided.append(one)
        if isinstance(one.observed.versions, Unavailable):
            failures.append(str(one.observed.versions))
        failures.extend(str(unread) for unread in one.unreachable())
    return decided, tuple(dict.fromkeys(failures))


def _admitted(
    decided: Sequence[Decided], desired: Desired, proposals: Sequence[Proposal], now: datetime
) -> list[Decided]:
    """The decisions with those transitions turned into holds that the workspace's limits stop."""
    transitions = [t for d in decided for t in d.decision.transitions()]
    recent = sum(1 for p in proposals if p.created_at > now - HOUR and p.author == ME)
    rollouts = sum(1 for d in decided for e in d.observed.environments.values() if e.pin and e.pin.canary)
    admission = admit(transitions, desired.workspace.limits, Used(rollouts=rollouts, proposals=recent))
    waiting = {(t.model, t.environment): hold for t, hold in admission.waiting}
    return [_with_holds(d, waiting) for d in decided]


def _with_holds(decided: Decided, waiting: Mapping[tuple[str, str], Hold]) -> Decided:
    decision = decided.decision
    environments = {name: waiting.get((decision.model, name), there) for name, there in decision.environments.items()}
    return replace(decided, decision=replace(decision, environments=environments))


def _carry_out(desk: Desk, decided: Sequence[Decided]) -> tuple[tuple[Done, ...], tuple[str, ...]]:
    """What goes back first, then close what is not due, then all models' other transitions in the order of admission,
    then the rest."""
    done: list[Done] = []
    failures: list[str] = []
    in_order = _in_order(decided)
    for one, transition in in_order:
        if transition.kind in SAFETY:
            with _on_its_own(one, failures), desk.forge.urgently():
                done.append(_carry_out_one(desk, one, transition))
    for one in decided:
        with _on_its_own(one, failures):
            _close_stale(desk, one)
    for one, transition in in_order:
        if transition.kind not in SAFETY:
            with _on_its_own(one, failures):
                done.append(_carry_out_one(desk, one, transition))
    handled = {d.proposal for d in done}
    for one in decided:
        with _on_its_own(one, failures):
            done.extend(_look_after_others(desk, one, handled))
    for one in decided:
        with _on_its_own(one, failures):
            _show_serving(desk, one)
    try:
        desk.forge.tidy()
    except TidegateError as error:
        failures.append(str(error))
    return tuple(done), tuple(failures)


def _show_serving(desk: Desk, one: Decided) -> None:
    """What main says of the environments in which something merged within the hour: older ones were shown then."""
    merged = (p for p in one.observed.proposals if p.merged_at is not None and p.merged_at > desk.now - HOUR)
    lately = {branch.environment for p in merged if (branch := parse_branch(p.branch)) is not None}
    for environment in one.model.environments:
        state = one.observed.environments[environment.name]
        if environment.name not in lately or state.pin is None:
            continue
        versions = {served.version: served == state.pin.stable for served in state.pin.serves()}
        last = environment == one.model.environments[-1]
        serving = Serving(
            model=one.model.name,
            environment=environment.name,
            last=last,
            commit=state.history[-1].commit,
            versions=versions,
        )
        desk.forge.show_serving(serving)


@contextmanager
def _on_its_own(one: Decided, failures: list[str]) -> Iterator[None]:
    """What goes wrong with one model stops no other; a lost race is no failure, the next pass sees who won it."""
    try:
        yield
    except Raced:
        return
    except TidegateError as error:
        failures.append(f"{one.decision.model}: {error}")


def _close_stale(desk: Desk, one: Decided) -> None:
    for number, why in one.decision.stale:
        _close(desk, number, why)


def _close(desk: Desk, number: int, why: str) -> None:
    """Say why, then close with our marker: without it the closing would read as a person's veto."""
    desk.forge.comment(number, ME, closed_comment(why), "closed", desk.now)
    with suppress(Refused):  # merged meanwhile: the next pass sees that
        desk.forge.close(number, ME, desk.now, ours=True)


def _in_order(decided: Sequence[Decided]) -> list[tuple[Decided, Transition]]:
    pairs = [(one, transition) for one in decided for transition in one.decision.transitions()]
    return sorted(pairs, key=lambda pair: order(pair[1]))


def _carry_out_one(desk: Desk, one: Decided, transition: Transition) -> Done:
    """A race that is lost is no failure, but told: what loses every race would be due for ever, and nobody knew."""
    try:
        for number in transition.closes:
            _close(desk, number, "a revert goes first")
        proposal = propose(desk, one.model, transition, account=one.account_of(transition))
        return _check_and_merge(desk, one, proposal, transition)
    except Raced as raced:
        return Done(
            model=transition.model,
            environment=transition.environment,
            kind=transition.kind.value,
            proposal=None,
            title=title(transition),
            waiting=str(raced),
        )


def _check_and_merge(desk: Desk, one: Decided, proposal: Proposal, decision: Decision) -> Done:
    branch = parse_branch(proposal.branch)
    assert branch is not None
    checked = check(desk, one.model, proposal, decision)
    outcome = merge(desk, checked)
    merged = None if isinstance(outcome, Waiting) else outcome
    return Done(
        model=branch.model,
        environment=branch.environment,
        kind=branch.kind.value,
        proposal=proposal.number,
        title=proposal.title,
        check=checked.check,
        merged=merged.commit if merged else None,
        waiting=outcome.why if isinstance(outcome, Waiting) else None,
        incident=merged.incident if merged else None,
    )


def _look_after_others(desk: Desk, one: Decided, handled: set[int | None]) -> Iterator[Done]:
    """Open proposals that this pass did not make: their check is refreshed, and approved ones of people's verbs
    merge."""
    stale = {number for number, _ in one.decision.stale}
    for proposal in one.observed.proposals:
        branch = parse_branch(proposal.branch)
        if proposal.state is not ProposalState.OPEN or proposal.number in handled | stale or branch is None:
            continue
        decision = one.decision.environments.get(branch.environment)
        if decision is None or _is_closed_by_revert(decision, proposal):
            continue
        with suppress(Raced):
            # What it rests on may have been taken back since the pass began.
            fresh = desk.forge.proposal(proposal.number) if proposal.approvals else proposal
            yield _check_and_merge(desk, one, fresh, decision)


def _is_closed_by_revert(decision: Decision, proposal: Proposal) -> bool:
    match decision:
        case Transition():
            return proposal.number in decision.closes
        case Hold() | Nothing():
            return False
