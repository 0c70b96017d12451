"""What is true of one model now, asked of git, forge and registry, as plain data for `decide`. Nothing is
remembered (I1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

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
)
from tidegate.core.pin import Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import parse_branch
from tidegate.errors import InvalidManifest, OutsideSystem
from tidegate.ports import FileVersion, Registry, Repository, Target
from tidegate.steps.desired import WORKSPACE, Desired, DesiredReader, Wanted
from tidegate.steps.trainings import key_at

_PROPOSAL = re.compile(r"^Tidegate-Proposal: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where observations come from, and what one pass asked for once: every proposal and every launch record."""

    repository: Repository
    registry: Registry
    reader: DesiredReader
    targets: Mapping[str, Target]
    desired: Desired
    proposals: tuple[Proposal, ...]
    records: tuple[LaunchRecord, ...]


def observe(wanted: Wanted, training: Training, sources: Sources, now: datetime) -> Observed:
    """One model at one moment. A registry that does not answer is an `Unavailable`, not an error."""
    model, commit = wanted.model, sources.desired.commit
    environments = {e.name: environment_of(model, e.name, sources) for e in model.environments}
    return Observed(
        main=commit,
        policy_commit=sources.repository.last_change(commit, (model.manifest_path, WORKSPACE)) or commit,
        training=training,
        versions=_versions(model, training, environments, sources, now),
        proposals=tuple(_own(p, sources) for p in sources.proposals if _is_about(p, model)),
        environments=environments,
        invalid=wanted.invalid,
        key_at=_keys_of_hand_changes(model, environments, sources),
        unsettled_dependencies=tuple(d for d in model.depends_on if not _settled(d, sources, now)),
    )


def _is_about(proposal: Proposal, model: Model) -> bool:
    branch = parse_branch(proposal.branch)
    return branch is not None and branch.model == model.name


def _own(proposal: Proposal, sources: Sources) -> Proposal:
    """The proposal, marked foreign when somebody else's commit is on its branch."""
    if proposal.state is not ProposalState.OPEN:
        return proposal
    ours = sources.repository.identity
    commits = sources.repository.commits(sources.desired.commit, proposal.head)
    return replace(proposal, foreign=any(commit.author != ours or commit.committer != ours for commit in commits))


def environment_of(model: Model, name: str, sources: Sources) -> EnvironmentObserved:
    """One environment from git alone: its pin file's history, and the policy of the rollout in flight."""
    path = model.pin_path(name)
    versions = sources.repository.history(sources.desired.commit, path)
    history = tuple(_change(version, path, sources.reader) for version in versions)
    state = EnvironmentObserved(history=history, unreadable=_unreadable(versions, path, sources.reader))
    state = replace(state, rendered=_is_rendered(model, name, state.pin, sources))
    if state.pin is None or state.pin.policy is None:
        return state
    return replace(state, policy=sources.reader.environment(state.pin.policy, model, name))


def _is_rendered(model: Model, name: str, pin: Pin | None, sources: Sources) -> bool:
    target = sources.targets[model.environment(name).target.kind]
    if pin is None:
        return True
    found = sources.repository.read(sources.desired.commit, target.path(model, name))
    return found == target.render(model, name, pin)


def _change(version: FileVersion, path: str, reader: DesiredReader) -> PinChange:
    number = _PROPOSAL.search(version.message)
    pin = None
    if version.text is not None:
        try:
            pin = reader.pin(version.text, path)
        except InvalidManifest:
            pin = None
    return PinChange(commit=version.commit, at=version.at, pin=pin, proposal=int(number[1]) if number else None)


def _unreadable(versions: Sequence[FileVersion], path: str, reader: DesiredReader) -> str | None:
    if not versions or versions[-1].text is None:
        return None
    try:
        reader.pin(versions[-1].text, path)
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


def _versions(
    model: Model,
    training: Training,
    environments: Mapping[str, EnvironmentObserved],
    sources: Sources,
    now: datetime,
) -> tuple[ModelVersion, ...] | Unavailable:
    """The registry's versions, vouched for by the launch records. A settled model is not asked about (I10)."""
    if _is_settled(training, environments, now):
        return _recorded(training, sources.records, now)
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
        for state in environments.values()
    )


def _at_rest(state: EnvironmentObserved, now: datetime) -> bool:
    if state.pin is None or state.pin.canary is not None or state.pin.holdback is not None:
        return False
    finished = finished_at(state.history)
    lasts = state.policy.rollout.probation.duration if state.policy else None
    return finished is None or (lasts is not None and now >= finished + lasts)


def _recorded(training: Training, records: Sequence[LaunchRecord], now: datetime) -> tuple[ModelVersion, ...]:
    return tuple(
        ModelVersion(
            number=record.version,
            digest=record.artifact_digest,
            training_key=record.key,
            run_id=record.run_id,
            created_at=now,
        )
        for record in records
        if record.key == training.key and record.version is not None and record.artifact_digest is not None
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
