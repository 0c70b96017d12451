"""What is true of one model now, asked of git, forge and registry, as plain data for `decide`. Nothing is
remembered (I1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from tidegate.core.history import finished_at, set_by_hand
from tidegate.core.launch_record import LaunchRecord, vouch
from tidegate.core.manifest import Model
from tidegate.core.observed import (
    EnvironmentObserved,
    ModelVersion,
    Observed,
    PinChange,
    Proposal,
    ProposalState,
    Training,
    Unavailable,
    last_rejected,
)
from tidegate.core.pin import Pin, Rejected
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import DECIDED, moves, parse_branch
from tidegate.errors import InvalidManifest, OutsideSystem, WrongUse
from tidegate.ports import FileVersion, Registry, Repository, Target, is_foreign
from tidegate.steps.desired import Desired, DesiredReader, Wanted
from tidegate.steps.trainings import key_at

# Ours by its trailer; a merge queue and a merge by hand have GitHub's own first line instead.
_PROPOSAL = re.compile(r"^(?:Tidegate-Proposal: |Merge pull request #)(\d+)\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where observations come from, and what one pass asked for once: every proposal and every launch record."""

    repository: Repository
    registry: Registry
    reader: DesiredReader
    targets: Mapping[str, Target]
    desired: Desired
    proposals: tuple[Proposal, ...]
    records: tuple[LaunchRecord, ...]

    @cached_property
    def proposals_by_model(self) -> Mapping[str, list[Proposal]]:
        found: dict[str, list[Proposal]] = {}
        for proposal in self.proposals:
            if (branch := parse_branch(proposal.branch)) is not None:
                found.setdefault(branch.model, []).append(proposal)
        return found

    @cached_property
    def records_by_key(self) -> Mapping[str, list[LaunchRecord]]:
        found: dict[str, list[LaunchRecord]] = {}
        for record in self.records:
            found.setdefault(record.key, []).append(record)
        return found


def observe(wanted: Wanted, training: Training, sources: Sources, now: datetime) -> Observed:
    """One model at one moment. A registry that does not answer is an `Unavailable`, not an error."""
    model, commit = wanted.model, sources.desired.commit
    environments = {e.name: environment_of(model, e.name, sources) for e in model.environments}
    settled = _is_settled(training, environments, now)
    observed = Observed(
        main=commit,
        policy_commits={},
        training=training,
        versions=_recorded(training, sources, now) if settled else (),
        proposals=tuple(_own(p, model, sources) for p in sources.proposals_by_model.get(model.name, ())),
        environments=environments,
        invalid=wanted.invalid,
        key_at=_keys_of_hand_changes(model, environments, sources),
        unsettled_dependencies=tuple(d for d in model.depends_on if not _settled(d, sources, now)),
    )
    return observed if settled else _in_full(observed, model, sources)


def _in_full(observed: Observed, model: Model, sources: Sources) -> Observed:
    """What only a model needs that is not settled: it costs a look at the registry, and into history (I10)."""
    reader, main = sources.reader, sources.desired.commit
    return replace(
        observed,
        policy_commits={e.name: reader.policy_commit(main, model, e) for e in model.environments},
        versions=_versions(model, sources),
        recorded_keys={r.version: r.key for r in sources.records if r.model == model.name and r.version is not None},
        rejected_elsewhere=_rejected_elsewhere(model, sources),
    )


def _rejected_elsewhere(model: Model, sources: Sources) -> tuple[tuple[str, Rejected], ...]:
    """The rejections of pin files that lie, or once lay, beside the manifest and are no environment's any more."""
    own = {model.pin_path(environment.name) for environment in model.environments}
    found: list[tuple[str, Rejected]] = []
    for path in sources.repository.paths_ever(sources.desired.commit, model.folder):
        name = path.removeprefix(f"{model.folder}/").removesuffix(".yaml")
        if path not in own and path == model.pin_path(name) and path != model.manifest_path:
            found += [(name, entry) for entry in last_rejected(_history(path, sources))]
    return tuple(found)


def _own(proposal: Proposal, model: Model, sources: Sources) -> Proposal:
    """The proposal, marked foreign when somebody else's commit is on its branch, and a veto with what it would move."""
    try:
        if proposal.state is ProposalState.OPEN:
            commits = sources.repository.commits(sources.desired.commit, proposal.head)
            branch = parse_branch(proposal.branch)
            verb = branch is not None and branch.kind not in DECIDED
            return replace(proposal, foreign=is_foreign(commits, sources.repository.identity, verb=verb))
        return replace(proposal, moves=_moves(proposal, model, sources)) if proposal.vetoes else proposal
    except WrongUse:  # its head is gone: nobody can say whose it is, or what it was
        return replace(proposal, foreign=proposal.state is ProposalState.OPEN)


def _moves(proposal: Proposal, model: Model, sources: Sources) -> str:
    branch = parse_branch(proposal.branch)
    if branch is None:
        return ""
    path, parents = model.pin_path(branch.environment), sources.repository.commit_info(proposal.head).parents
    before = _pin_at(parents[0], path, sources) if parents else None
    after = _pin_at(proposal.head, path, sources)
    return moves(branch.kind, branch.environment, before, after) if after is not None else ""


def _pin_at(commit: str, path: str, sources: Sources) -> Pin | None:
    text = sources.repository.read(commit, path)
    try:
        return sources.reader.pin(text, path) if text is not None else None
    except InvalidManifest:
        return None


def environment_of(model: Model, name: str, sources: Sources) -> EnvironmentObserved:
    """One environment from git alone: its pin file's history, and the policy of the rollout in flight."""
    path = model.pin_path(name)
    text = sources.repository.read(sources.desired.commit, path)
    state = EnvironmentObserved(history=_history(path, sources), unreadable=_unreadable(text, path, sources.reader))
    state = replace(state, rendered=_is_rendered(model, name, state.pin, sources))
    if not state.rendered:
        state = replace(state, pin_alone=_is_by_pin_alone(model, name, state.history[-1], sources))
    if state.pin is None or state.pin.policy is None:
        return state
    return replace(state, policy=sources.reader.environment(state.pin.policy, model, name))


def _is_rendered(model: Model, name: str, pin: Pin | None, sources: Sources) -> bool:
    if pin is None:
        return True
    path, text = _route(model, name, pin, sources)
    return sources.repository.read(sources.desired.commit, path) == text


def _is_by_pin_alone(model: Model, name: str, change: PinChange, sources: Sources) -> bool:
    """Whether the pin file leads to the same rendered file now as with the manifest when the pin file changed last."""
    then = sources.reader.model_at(change.commit, model)
    if then is None or change.pin is None or all(environment.name != name for environment in then.environments):
        return False
    return _route(then, name, change.pin, sources) == _route(model, name, change.pin, sources)


def _route(model: Model, name: str, pin: Pin, sources: Sources) -> tuple[str, str]:
    """Where the rendered file of a pin file belongs, and its text."""
    target = sources.targets[model.environment(name).target.kind]
    return target.path(model, name), target.render(model, name, pin)


def _history(path: str, sources: Sources) -> tuple[PinChange, ...]:
    return pin_history(sources.desired.commit, path, sources.repository, sources.reader)


def pin_history(commit: str, path: str, repository: Repository, reader: DesiredReader) -> tuple[PinChange, ...]:
    """Every version of a pin file up to a commit; those that nobody can read are left out, as if nobody had written
    them."""
    changes = (_change(version, path, reader) for version in repository.history(commit, path))
    return tuple(change for change in changes if change is not None)


def _change(version: FileVersion, path: str, reader: DesiredReader) -> PinChange | None:
    number = _PROPOSAL.search(version.message)
    try:
        pin = reader.pin(version.text, path) if version.text is not None else None
    except InvalidManifest:
        return None
    return PinChange(commit=version.commit, at=version.at, pin=pin, proposal=int(number[1]) if number else None)


def _unreadable(text: str | None, path: str, reader: DesiredReader) -> str | None:
    try:
        if text is not None:
            reader.pin(text, path)
    except InvalidManifest as error:
        return str(error)
    return None


def _keys_of_hand_changes(
    model: Model, environments: Mapping[str, EnvironmentObserved], sources: Sources
) -> dict[str, str]:
    """Main's training key at each commit by which a person set versions."""
    keys: dict[str, str] = {}
    for name, state in environments.items():
        change = set_by_hand(model.name, name, state.history)
        then = sources.reader.model_at(change.commit, model) if change else None
        if change is not None and then is not None and then.training is not None:
            keys[change.commit] = key_at(sources.repository, change.commit, then)
    return keys


def _versions(model: Model, sources: Sources) -> tuple[ModelVersion, ...] | Unavailable:
    """The registry's versions, vouched for by the launch records."""
    try:
        return vouch(sources.records, sources.registry.versions(model.registry_name))
    except OutsideSystem as error:
        return Unavailable(system="registry", words=str(error))


def _is_settled(training: Training, environments: Mapping[str, EnvironmentObserved], now: datetime) -> bool:
    """Every environment stably runs the version of main's training key, and nothing is in flight."""
    return training.version is not None and all(
        state.pin is not None
        and state.pin.stable is not None
        and state.pin.stable.version == training.version
        and _at_rest(state, now)
        and not _labels_to_come(state, now)
        for state in environments.values()
    )


def _at_rest(state: EnvironmentObserved, now: datetime) -> bool:
    if state.pin is None or state.pin.canary is not None or state.pin.holdback is not None:
        return False
    finished = finished_at(state.history)
    lasts = state.policy.rollout.probation.duration if state.policy else None
    return finished is None or (lasts is not None and now >= finished + lasts)


def _labels_to_come(state: EnvironmentObserved, now: datetime) -> bool:
    """Whether late labels may still say something of the version that finished last."""
    finished = finished_at(state.history)
    policy = state.policy
    return finished is not None and policy is not None and bool(policy.late) and now < finished + policy.last_labels


def _recorded(training: Training, sources: Sources, now: datetime) -> tuple[ModelVersion, ...]:
    """The version of a settled model, from its launch record: the registry is not asked."""
    return tuple(
        ModelVersion(
            number=record.version,
            digest=record.artifact_digest,
            training_key=record.key,
            run_id=record.run_id,
            created_at=now,
        )
        for record in sources.records_by_key.get(training.key, ())
        if record.version is not None and record.artifact_digest is not None
    )


def _settled(name: str, sources: Sources, now: datetime) -> bool:
    """Whether a model that another depends on has nothing in flight."""
    wanted = next((w for w in sources.desired.models if w.model.name == name), None)
    if wanted is None:
        return False
    return all(_at_rest(environment_of(wanted.model, e.name, sources), now) for e in wanted.model.environments)


def stable_version(model: Model, environment: str, sources: Sources) -> int | None:
    """The stable version that main pins."""
    pin = environment_of(model, environment, sources).pin
    return pin.stable.version if pin and pin.stable else None


def with_bytes_checked(
    observed: Observed, model: Model, entering: Mapping[str, VersionPin], registry: Registry
) -> Observed:
    """The registry's bytes hashed now, for versions about to enter: mismatches stand in their environment.

    A registry that cannot say leaves the versions unavailable, so that nothing enters on an old answer (I3).
    """
    environments = dict(observed.environments)
    try:
        digests = {pin.version: registry.digest(model.registry_name, pin.version) for pin in entering.values()}
    except OutsideSystem as error:
        return replace(observed, versions=Unavailable(system="registry", words=str(error)))
    for name, pin in entering.items():
        if digests[pin.version] != pin.digest:
            environments[name] = replace(environments[name], digest_mismatch=(pin.version,))
    return replace(observed, environments=environments)
