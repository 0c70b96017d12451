"""What is wanted of the whole repository: the content of `tidegate.yaml`. Types only; `read.py` makes them from
text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from tidegate.core.pin import Hold

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A window in which nothing is promoted or advanced: from one instant to another, or weekly on some days.

    A weekly one that closes no later than it opens ends on the next day.
    """

    zone: str
    reason: str
    start: datetime | None = None
    end: datetime | None = None
    days: tuple[str, ...] = ()
    opens: time = time.min
    closes: time = time.max

    def covers(self, now: datetime) -> bool:
        if self.start is not None and self.end is not None:
            return self.start <= now < self.end
        today = now.astimezone(ZoneInfo(self.zone)).date()
        return any(self._covers(now, day) for day in (today - timedelta(days=1), today))

    def _covers(self, now: datetime, day: date) -> bool:
        """Whether the weekly window that begins on this day covers the instant."""
        if _DAYS[day.weekday()] not in self.days:
            return False
        last = day + timedelta(days=1) if self.closes <= self.opens else day
        return self._instants(day, self.opens)[0] <= now < max(self._instants(last, self.closes))

    def _instants(self, day: date, at: time) -> tuple[datetime, datetime]:
        """The local time as an instant, read by the clock before a change of the clock and by the one after it.

        They differ where the clock skips or repeats the time. RFC 5545 (3.3.5) takes the first; in doubt it is frozen,
        so a window ends with the later one.
        """
        local = datetime.combine(day, at, ZoneInfo(self.zone))
        return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Who may approve, and how many of them it takes.

    `not_sole_author`: of an entry, one who approves must be somebody else than who wrote the training change.
    """

    handles: tuple[str, ...] = ()
    count: int = 1
    not_sole_author: bool = False

    @property
    def people(self) -> frozenset[str]:
        """Who is listed by name, as handles are compared."""
        return frozenset(handle.lower() for handle in self.handles if "/" not in handle)

    @property
    def teams(self) -> frozenset[str]:
        return frozenset(handle.lower() for handle in self.handles if "/" in handle)


class ApprovalSource(Enum):
    """By what people approve on the forge. Reviews always count; labels come with comments."""

    REVIEWS = "reviews"
    COMMENTS = "comments"
    LABELS = "labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the workspace. `revert_share` of the proposals is kept for reverts, and reverts are never stopped.

    One merge may train `trainings_per_merge` models before its plan asks; no lease may last beyond `maximum_lease`.
    """

    rollouts: int = 20
    proposals_per_hour: int = 60
    revert_share: float = 0.2
    trainings_per_merge: int = 10
    maximum_lease: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An address and how to sign in. Secrets are references (`env`, `file` or `exec`), never values."""

    url: str
    auth: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLabels:
    """The labels by which series say what they measure: their names ("" is one that they do not carry), and what each
    one's value looks like. `dialects` writes and reads such values."""

    model: str = "model"
    environment: str = "environment"
    version: str = "version"
    model_value: str = "{model}"
    environment_value: str = "{environment}"
    version_value: str = "{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The repository's own settings. `defaults` is a model's `spec.rollout`, overridden key by key.

    `approvals` are by environment; `changes` by field of the manifest, as a dotted path below `spec`.
    """

    models: tuple[str, ...] = ("models",)
    environments: tuple[str, ...] = ("staging", "production")
    registry: Server | None = None
    prometheus: Server | None = None
    labels: MetricLabels = field(default_factory=MetricLabels)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    approvals: Mapping[str, Approvals] = field(default_factory=dict)
    approval_source: ApprovalSource = ApprovalSource.REVIEWS
    changes: Mapping[str, Approvals] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    freezes: tuple[Freeze, ...] = ()
    notify_after: timedelta = timedelta(minutes=30)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    hold: Hold | None = None

    def frozen(self, now: datetime) -> Freeze | None:
        return next((freeze for freeze in self.freezes if freeze.covers(now)), None)
