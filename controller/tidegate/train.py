"""Training from commits: launch a key once, collect how it ended, and say how far it has come (DESIGN.md 7).

The order of writes is the design. The run is made first, then recorded by compare-and-swap: whoever loses that race
ends its own run and launches nothing. The record is written before each step that must not happen twice and is
finished by the next pass when we die in between; every step below may be taken again.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tidegate.core import gates
from tidegate.core.launch_record import LaunchRecord, LaunchState, encode, latest, tags_of
from tidegate.core.manifest import Model, Training, data_variable
from tidegate.core.observed import ModelVersion
from tidegate.core.observed import Training as Progress
from tidegate.core.training_key import training_key
from tidegate.errors import OutsideSystem, Raced, Refused
from tidegate.ports import Launch, Launcher, Registry, Repository, Run, Runs
from tidegate.steps.trainings import (
    exported,
    inputs_of,
    may_try_again,
    progress_of,
    records_of,
    source_of,
    training_of,
)

EXIT_TAG, LOG_TAG = "tidegate.exit", "tidegate.log"
"""Written by the launcher at the end of a run; the exit tag is its last word."""
_AFTER_LEASE = timedelta(seconds=30)
"""How long after the lease the launcher may take to kill the run and say so."""
_INFRASTRUCTURE = ("stopped", "lost")
"""Exit tags that are not the training program's fault."""
_PLACEHOLDER = re.compile(r"\{\{\s*parameters\.([\w.-]+)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPorts:
    """What training talks to. `work` is the launcher's folder: checkouts and checkpoints lie in it."""

    repository: Repository
    runs: Runs
    registry: Registry
    launcher: Launcher
    work: Path


def train(model: Model, commit: str, ports: TrainingPorts, now: datetime) -> Progress:
    """Launch this commit's key unless that was done: its first attempt, or the next one after a lost one."""
    return _train(_Pass(model=model, ports=ports, now=now), commit)


def train_candidate(model: Model, commit: str, ports: TrainingPorts, now: datetime) -> Progress:
    """The same for a commit that is not on main: its run is compared, and never registered or adopted (I12).

    What main has trained already needs no candidate: its run is the one to compare.
    """
    return _train(_Pass(model=model, ports=ports, now=now, candidate=True), commit)


def collect(
    model: Model, key: str, ports: TrainingPorts, now: datetime, champion: ModelVersion | None = None
) -> Progress:
    """See whether the run has ended; judge, hash and register it. `champion`: stable of the last environment."""
    return _collect(_Pass(model=model, ports=ports, now=now, champion=champion), key)


def collect_candidate(
    model: Model, key: str, ports: TrainingPorts, now: datetime, champion: ModelVersion | None = None
) -> Progress:
    """See whether a candidate's run has ended, and judge it."""
    return _collect(_Pass(model=model, ports=ports, now=now, champion=champion, candidate=True), key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """What every step of one pass over one model needs."""

    model: Model
    ports: TrainingPorts
    now: datetime
    champion: ModelVersion | None = None
    candidate: bool = False

    def record(self, key: str) -> LaunchRecord | None:
        """The last attempt; for a candidate main's, where there is one."""
        of_main = latest(records_of(self.ports.repository, key))
        if of_main is not None or not self.candidate:
            return of_main
        return latest(records_of(self.ports.repository, key, candidates=True))

    def may_write(self, record: LaunchRecord) -> bool:
        """Main's records are none of a candidate's business: its gates may be others."""
        return record.candidate or not self.candidate


def _train(this: _Pass, commit: str) -> Progress:
    key = training_key(inputs_of(this.model, commit, this.ports.repository))
    command_of(training_of(this.model))
    record = this.record(key)
    if record is None or this.may_write(record):
        try:
            record = _launched(this, record, key, commit)
        except Raced:
            record = this.record(key)
    return progress_of(this.model, key, record)


def _collect(this: _Pass, key: str) -> Progress:
    record = this.record(key)
    if record is not None and this.may_write(record):
        try:
            record = _collected(this, record)
        except Raced:
            record = this.record(key)
    return progress_of(this.model, key, record)


def _launched(this: _Pass, record: LaunchRecord | None, key: str, commit: str) -> LaunchRecord:
    if record is None or may_try_again(this.model, record):
        attempt = 1 if record is None else record.attempt + 1
        deadline = this.now + training_of(this.model).lease.deadline
        blank = LaunchRecord(
            model=this.model.name, key=key, attempt=attempt, commit=commit, run_id="", deadline=deadline,
            candidate=this.candidate,
        )  # fmt: skip
        record = _prepared(this, blank)
    if record.state is LaunchState.PREPARED and this.now < record.deadline:
        return _handed_over(this, record)
    return record


def _prepared(this: _Pass, record: LaunchRecord) -> LaunchRecord:
    """Make the run and record it; of two processes one wins, and the other ends its own run."""
    tags = {
        **tags_of(record),
        "mlflow.source.git.commit": record.commit,
        "tidegate.attempt": str(record.attempt),
        "tidegate.deadline": record.deadline.isoformat(),
    }
    record = replace(record, run_id=this.ports.runs.create(record.model, record.name, tags, this.now))
    try:
        this.ports.repository.write_record(record.ref, encode(record), None)
    except Raced:
        this.ports.runs.end(record.run_id, "KILLED", {EXIT_TAG: "another process was first"}, this.now)
        raise
    return record


def _handed_over(this: _Pass, record: LaunchRecord) -> LaunchRecord:
    """Hand the run to the launcher, which starts a name only once: dying here, or meeting here, does no harm."""
    launch = _checked_out(this.model, record, this.ports)
    try:
        this.ports.launcher.launch(launch)
    except OutsideSystem as error:
        return _lost(this, record, str(error))
    return _written(this, record, replace(record, state=LaunchState.LAUNCHED))


def _checked_out(model: Model, record: LaunchRecord, ports: TrainingPorts) -> Launch:
    """A clean folder with source and include of the commit, the parameters beside it, the contract's variables."""
    training = training_of(model)
    room, checkpoint = ports.work.resolve() / "checkouts", ports.work.resolve() / "checkpoints" / record.key
    for folder in (room, checkpoint):
        folder.mkdir(parents=True, exist_ok=True)
    checkout = Path(tempfile.mkdtemp(prefix=f"{record.name}-", dir=room))
    tree, parameters = checkout / "tree", checkout / "parameters.json"
    ports.repository.export(record.commit, exported(model), tree)
    parameters.write_text(json.dumps(dict(training.parameters), indent=2, sort_keys=True), encoding="utf-8")
    variables = {
        "TIDEGATE_PARAMETERS": str(parameters),
        "TIDEGATE_CHECKPOINT": str(checkpoint),
        **({} if training.seed is None else {"TIDEGATE_SEED": str(training.seed)}),
        **({"PYTHONPATH": str(tree)} if training.include else {}),
        **{data_variable(data.name): data.uri for data in training.data},
    }
    return Launch(
        name=record.name, run_id=record.run_id, folder=tree / source_of(model), command=command_of(training),
        environment=variables, deadline=record.deadline,
    )  # fmt: skip


def command_of(training: Training) -> tuple[str, ...]:
    """The command with its `{{ parameters.x }}` filled in. Raises Refused for a parameter that is not there."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in training.parameters:
            raise Refused(f"training.command names parameters.{found[1]}, which training.parameters does not have")
        parameter: Any = training.parameters[found[1]]
        return parameter if isinstance(parameter, str) else json.dumps(parameter)

    return tuple(_PLACEHOLDER.sub(value, word) for word in training.command)


def _collected(this: _Pass, record: LaunchRecord) -> LaunchRecord:
    if record.state is LaunchState.SUCCEEDED and not record.candidate:
        return _registered(this, record)
    gates_changed = record.state is LaunchState.GATED and record.gates != gates.digest(this.model.gates)
    if not (record.running or gates_changed):
        return record
    run = this.ports.runs.run(record.run_id)
    if run is None or EXIT_TAG not in run.tags:
        over = this.now >= record.deadline + _AFTER_LEASE
        return _lost(this, record, "the lease is over and nobody said how the run ended") if over else record
    if run.tags[EXIT_TAG] in _INFRASTRUCTURE:
        return _lost(this, record, f"the run was {run.tags[EXIT_TAG]}")
    problem = _problem(run)
    return _failed(this, record, problem) if problem else _judged(this, record, run)


def _problem(run: Run) -> str | None:
    """What the training program did wrong, with the end of its log."""
    log = run.tags.get(LOG_TAG, "")
    match run.tags[EXIT_TAG]:
        case "0":
            return None if run.metrics else _with_log("the training command logged no metrics", log)
        case "lease":
            return _with_log("the training command ran past its lease and was killed", log)
        case code:
            return _with_log(f"the training command failed ({'exit ' if code.isdigit() else ''}{code})", log)


def _with_log(words: str, log: str) -> str:
    return f"{words}; its last lines:\n{log}" if log else words


def _judged(this: _Pass, record: LaunchRecord, run: Run) -> LaunchRecord:
    """Gates, then bytes: the digest is in the record before anything is registered under it."""
    results = gates.evaluate(this.model.gates, run.metrics, _champion_metrics(this))
    record_gates = gates.digest(this.model.gates)
    if not gates.passed(results):
        words = "\n".join(result.words for result in results if result.stops)
        return _written(this, record, replace(record, state=LaunchState.GATED, gates=record_gates, words=words))
    if record.candidate:
        return _written(this, record, replace(record, state=LaunchState.SUCCEEDED, gates=record_gates, words=""))
    digest = this.ports.runs.model_digest(record.run_id)
    if digest is None:
        log = run.tags.get(LOG_TAG, "")
        return _failed(this, record, _with_log("the training command logged no model named `model`", log))
    after = replace(record, state=LaunchState.SUCCEEDED, artifact_digest=digest, gates=record_gates, words="")
    return _registered(this, _written(this, record, after))


def _champion_metrics(this: _Pass) -> Mapping[str, float] | None:
    """No figures at all when the champion's run is gone, so that it is not comparable."""
    if this.champion is None:
        return None
    run = this.ports.runs.run(this.champion.run_id) if this.champion.run_id else None
    return run.metrics if run is not None else {}


def _registered(this: _Pass, record: LaunchRecord) -> LaunchRecord:
    parameters = json.dumps(dict(training_of(this.model).parameters), sort_keys=True)
    tags = {**tags_of(record), "tidegate.parameters": parameters}
    name = this.model.registry_name or this.model.name
    version = this.ports.registry.register(name, record.run_id, record.artifact_digest or "", tags)
    return _written(this, record, replace(record, state=LaunchState.REGISTERED, version=version.number))


def _failed(this: _Pass, record: LaunchRecord, words: str) -> LaunchRecord:
    """A command that exits 0 without a figure or a model also ends as a failed run in MLflow."""
    this.ports.runs.end(record.run_id, "FAILED", {}, this.now)
    return _written(this, record, replace(record, state=LaunchState.FAILED, words=words))


def _lost(this: _Pass, record: LaunchRecord, words: str) -> LaunchRecord:
    this.ports.runs.end(record.run_id, "FAILED", {EXIT_TAG: "lost"}, this.now)
    return _written(this, record, replace(record, state=LaunchState.LOST, words=words))


def _written(this: _Pass, before: LaunchRecord, after: LaunchRecord) -> LaunchRecord:
    this.ports.repository.write_record(before.ref, encode(after), encode(before))
    return after
