"""The launch record: what the trusted launcher wrote down in git about one attempt at a training key.

Only this record makes a run ours. Tags in MLflow are claims that anybody with write access can make; `vouched`
accepts a claim only where the record holds the same run and the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import Enum

from tidegate.core.observed import ModelVersion

PREFIX = "refs/tidegate/runs/"
CANDIDATES = "refs/tidegate/candidates/"
"""Runs of commits that are not on main. They are compared, and never registered or adopted (I12)."""


class LaunchState(Enum):
    """How far an attempt has come. Each state is written before the step that follows it is taken."""

    PREPARED = "prepared"
    """The run exists; the launcher may or may not have been asked."""
    LAUNCHED = "launched"
    LOST = "lost"
    """The infrastructure failed, not the program: another attempt may follow."""
    FAILED = "failed"
    GATED = "gated"
    SUCCEEDED = "succeeded"
    """Gates passed and bytes hashed; the version may or may not be registered."""
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """One attempt. `gates` is the digest of the gates that judged it: other gates judge it again.

    A `candidate` was trained from a commit that is not on main.
    """

    model: str
    key: str
    attempt: int
    commit: str
    run_id: str
    deadline: datetime
    state: LaunchState = LaunchState.PREPARED
    artifact_digest: str | None = None
    version: int | None = None
    gates: str | None = None
    words: str = ""
    candidate: bool = False

    @property
    def ref(self) -> str:
        return f"{CANDIDATES if self.candidate else PREFIX}{self.key}/{self.attempt}"

    @property
    def name(self) -> str:
        """The unique name under which a launcher knows the attempt."""
        return f"{self.key}-{'candidate-' if self.candidate else ''}{self.attempt}"

    @property
    def running(self) -> bool:
        return self.state in (LaunchState.PREPARED, LaunchState.LAUNCHED)


def encode(record: LaunchRecord) -> str:
    plain = asdict(record) | {"deadline": record.deadline.isoformat(), "state": record.state.value}
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def decode(text: str) -> LaunchRecord:
    """Raises ValueError for text that `encode` did not write."""
    try:
        plain = json.loads(text)
        typed = {"deadline": datetime.fromisoformat(plain["deadline"]), "state": LaunchState(plain["state"])}
        return LaunchRecord(**(plain | typed))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a launch record: {error}") from error


def latest(records: Iterable[LaunchRecord]) -> LaunchRecord | None:
    """The last attempt of one key."""
    return max(records, key=lambda record: record.attempt, default=None)


def vouched(records: Iterable[LaunchRecord], version: ModelVersion) -> str | None:
    """The training key that the launch records confirm for a version; a claim by tag alone is worth nothing."""
    return next((record.key for record in records if _vouches(record, version)), None)


def vouch(records: Iterable[LaunchRecord], versions: Iterable[ModelVersion]) -> tuple[ModelVersion, ...]:
    """The versions with only those training keys left that the records confirm."""
    known = tuple(records)
    return tuple(replace(version, training_key=vouched(known, version)) for version in versions)


def _vouches(record: LaunchRecord, version: ModelVersion) -> bool:
    """A recorded number is binding: the same run registered once more by somebody else is not ours."""
    return (
        not record.candidate
        and record.state in (LaunchState.SUCCEEDED, LaunchState.REGISTERED)
        and record.key == version.training_key
        and record.run_id == version.run_id
        and record.artifact_digest == version.digest
        and record.version in (None, version.number)
    )


def tags_of(record: LaunchRecord) -> Mapping[str, str]:
    """The lineage that a run and a registered version carry."""
    return {"tidegate.key": record.key, "tidegate.commit": record.commit, "tidegate.model": record.model}
