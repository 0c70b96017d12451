"""Models, pins and histories for tests of the pure core: one settled digits model with staging and production."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tidegate.core.judging.verdict import ObjectiveVerdict, Stage, Verdict
from tidegate.core.manifest import Environment, Judge, Lease, Model, Objective, Rollout, Training
from tidegate.core.observed import (
    EnvironmentObserved,
    ModelVersion,
    Observed,
    PinChange,
    Proposal,
    ProposalState,
    TrainingState,
)
from tidegate.core.observed import Training as Progress
from tidegate.core.pin import Canary, Pin, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind, branch_name, mark
from tidegate.core.workspace import Approvals, Workspace

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = "k" + "a" * 16
OLD_KEY = "k" + "b" * 16
ROLLOUT = Rollout(steps=(0.1, 0.5), bake=timedelta(minutes=30))
OBJECTIVES = (
    Objective(name="availability", target=0.99, bad="errors_total", total="requests_total"),
    Objective(name="latency", target=0.95, histogram="predict_seconds", under=timedelta(milliseconds=250)),
)
WORKSPACE = Workspace(approvals={"production": Approvals(handles=("@dana",))})


def pin_of(number: int) -> VersionPin:
    return VersionPin(version=number, digest="sha256:" + f"{number:064x}")


def version(number: int, key: str = KEY) -> ModelVersion:
    return ModelVersion(
        number=number, digest=pin_of(number).digest, training_key=key, run_id=f"run{number}", created_at=NOW
    )


def model(**changes: Any) -> Model:
    staging = Environment(name="staging", rollout=ROLLOUT, objectives=OBJECTIVES)
    production = Environment(
        name="production",
        after=("staging",),
        approval_required=True,
        judge=Judge.OBJECTIVES,
        canaries=True,
        rollout=ROLLOUT,
        objectives=OBJECTIVES,
    )
    base = Model(
        name="digits",
        folder="models/digits",
        owners=("@dana",),
        environments=(staging, production),
        training=Training(
            source="training", command=("python", "train.py"), lease=Lease(deadline=timedelta(minutes=5))
        ),
        registry_name="digits",
    )
    return replace(base, **changes)


def chain(environment: str, *steps: tuple[Kind, Pin, timedelta]) -> tuple[PinChange, ...]:
    """A history as transitions wrote it: each step is its kind, its content and how long before NOW it merged."""
    changes: list[PinChange] = []
    before: Pin | None = None
    for number, (kind, after, ago) in enumerate(steps, start=1):
        before = stamped("digits", environment, after, mark(kind, before))
        changes.append(PinChange(commit=f"{number:040x}", at=NOW - ago, pin=before, proposal=number))
    return tuple(changes)


def stable(
    environment: str, number: int, *, previous: int | None = None, ago: timedelta = timedelta(days=9), **more: Any
) -> tuple[PinChange, ...]:
    """An environment in which a version has long been stable."""
    pin = Pin(stable=pin_of(number), previous=pin_of(previous) if previous else None, **more)
    return chain(environment, (Kind.PROMOTE, pin, ago))


def canary(weight: float = 0.1, ago: timedelta = timedelta(hours=1), **more: Any) -> tuple[PinChange, ...]:
    """Production with 1 stable and 2 as canary."""
    before = Pin(stable=pin_of(1))
    after = replace(before, canary=Canary(pin=pin_of(2), weight=weight), policy="p" * 40, **more)
    return chain("production", (Kind.PROMOTE, before, timedelta(days=9)), (Kind.PROMOTE, after, ago))


def probation(ago: timedelta = timedelta(hours=1), **more: Any) -> tuple[PinChange, ...]:
    """Production with 2 just finished and 1 as the way back."""
    first, rolling = Pin(stable=pin_of(1)), Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.5))
    after = Pin(stable=pin_of(2), previous=pin_of(1), policy="p" * 40, **more)
    return chain(
        "production",
        (Kind.PROMOTE, first, timedelta(days=9)),
        (Kind.PROMOTE, rolling, ago + timedelta(hours=2)),
        (Kind.FINISH, after, ago),
    )


def observed(staging: tuple[PinChange, ...], production: tuple[PinChange, ...] = (), **changes: Any) -> Observed:
    base = Observed(
        main="m" * 40,
        policy_commits={"staging": "p" * 40, "production": "p" * 40},
        recorded_keys={1: OLD_KEY, 2: KEY},
        training=Progress(key=KEY, state=TrainingState.SUCCEEDED, version=2),
        versions=(version(1, OLD_KEY), version(2)),
        proposals=(),
        environments={
            "staging": EnvironmentObserved(history=staging),
            "production": EnvironmentObserved(history=production),
        },
    )
    return replace(base, **changes)


def verdict(stage: Stage, subject: int = 2, **changes: Any) -> Verdict:
    """A verdict that has nothing against going on."""
    base = Verdict(
        stage=stage,
        subject=subject,
        judged_until=NOW,
        serving=True,
        serving_since=NOW - timedelta(hours=1),
        baked=timedelta(hours=1),
        events=5000,
        objectives=tuple(ObjectiveVerdict(objective=o.name, effect=o.effect) for o in OBJECTIVES),
    )
    return replace(base, **changes)


def proposal(
    number: int, key: str, environment: str = "production", kind: Kind = Kind.PROMOTE, **changes: Any
) -> Proposal:
    base = Proposal(
        number=number,
        branch=branch_name("digits", environment, kind, key),
        head="h" * 40,
        title="a proposal",
        body="",
        state=ProposalState.OPEN,
        author="tidegate",
        created_at=NOW - timedelta(minutes=5),
        updated_at=NOW - timedelta(minutes=5),
    )
    return replace(base, **changes)
