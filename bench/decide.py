"""How long deciding takes: figures for docs/benchmarks.md. `bench/run.py` calls these and prints the table.

A pass over one model is timed as `reconcile` makes it between observing and acting: ask `questions`, `judge` each of
them, `decide`. Observing (git, registry, Prometheus) is not in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from judge import CELLS, SCRAPE, SINCE, Timing, counters_of, fastest, objectives_of

from tidegate.core.decision import decide
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.questions import questions
from tidegate.core.judging.verdict import Counters
from tidegate.core.manifest import Environment, Judge, Lease, Model, Rollout, Training
from tidegate.core.observed import EnvironmentObserved, ModelVersion, Observed, PinChange, TrainingState
from tidegate.core.observed import Training as Progress
from tidegate.core.outcome import Hold, ModelDecision, Nothing
from tidegate.core.pin import Canary, Pin, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind, mark
from tidegate.core.workspace import Workspace

MODEL = Model(
    name="churn",
    folder="models/churn",
    owners=("@dana",),
    environments=(
        Environment(name="staging", rollout=Rollout(), objectives=objectives_of(3)),
        Environment(
            name="production",
            after=("staging",),
            approval_required=True,
            judge=Judge.OBJECTIVES,
            canaries=True,
            rollout=Rollout(),
            objectives=objectives_of(3),
        ),
    ),
    training=Training(source="training", command=("python", "train.py"), lease=Lease(deadline=timedelta(minutes=30))),
    registry_name="churn",
)
WORKSPACE = Workspace()


def settled_model(rollouts: int) -> Timing:
    """Two environments on one version since long, nothing open, so many rollouts in the pin file's history."""
    observed = _observed(*_settled(rollouts))

    def many() -> None:
        for _ in range(1000):
            _pass(observed, {}, SINCE)

    made = _pass(observed, {}, SINCE)
    if any(not isinstance(decision, Nothing) for decision in made.environments.values()):
        raise AssertionError(f"this model is not settled: {made}")
    return Timing(
        what=f"judge + decide: settled model, {rollouts} rollouts in its history", seconds=fastest(many, times=5) / 1000
    )


def rollout_of_240_cells(objectives: int = 3, targets: int = 1) -> Timing:
    """A canary after four hours at its first step, from raw samples at 15 s scrapes of both versions."""
    observed = _observed(*_rolling())
    now = SINCE + CELLS * Rollout().resolution + 2 * SCRAPE
    read = counters_of(objectives, targets, now)
    counters = {environment.name: read for environment in MODEL.environments}
    made = _pass(observed, counters, now).environments["production"]
    if isinstance(made, Nothing) or (isinstance(made, Hold) and made.unknown):
        raise AssertionError(f"this is not the rollout that was meant: {made}")
    return Timing(
        what=f"judge + decide: {CELLS} cells, {objectives} objectives, {targets} target(s) per version",
        seconds=fastest(lambda: _pass(observed, counters, now), times=5),
    )


def _pass(observed: Observed, counters: Mapping[str, Counters], now: datetime) -> ModelDecision:
    asked = questions(MODEL, observed, now, "version")
    verdicts = {name: judge(question, counters[name]) for name, question in asked.items()}
    return decide(MODEL, WORKSPACE, observed, verdicts, now)


def _settled(rollouts: int) -> tuple[tuple[PinChange, ...], tuple[PinChange, ...]]:
    staging, production = [], []
    stable = None
    for number in range(1, rollouts + 1):
        entering = _pin(number)
        staging.append((Kind.PROMOTE, Pin(stable=entering, previous=stable)))
        production += _rollout(stable, entering)
        stable = entering
    return _chain("staging", staging), _chain("production", production)


def _rollout(stable: VersionPin | None, entering: VersionPin) -> list[tuple[Kind, Pin]]:
    whole = Pin(stable=entering, previous=stable, policy="p" * 40)
    if stable is None:
        return [(Kind.PROMOTE, whole)]
    canary = Pin(stable=stable, canary=Canary(pin=entering, weight=0.1), policy="p" * 40)
    half = replace(canary, canary=Canary(pin=entering, weight=0.5))
    return [(Kind.PROMOTE, canary), (Kind.ADVANCE, half), (Kind.FINISH, whole)]


def _rolling() -> tuple[tuple[PinChange, ...], tuple[PinChange, ...]]:
    staging, production = _settled(11)
    entering = Pin(stable=_pin(12), previous=_pin(11))
    canary = replace(production[-1].pin or Pin(), canary=Canary(pin=_pin(12), weight=0.1))
    return (
        (*staging, _change("staging", Kind.PROMOTE, staging[-1].pin, entering, SINCE - timedelta(hours=2))),
        (*production, _change("production", Kind.PROMOTE, production[-1].pin, canary, SINCE)),
    )


def _chain(environment: str, steps: list[tuple[Kind, Pin]]) -> tuple[PinChange, ...]:
    """The steps as transitions wrote them, one a day, the last one thirty days ago."""
    changes: list[PinChange] = []
    for index, (kind, after) in enumerate(steps):
        at = SINCE - timedelta(days=30 + len(steps) - index)
        changes.append(_change(environment, kind, changes[-1].pin if changes else None, after, at))
    return tuple(changes)


def _change(environment: str, kind: Kind, before: Pin | None, after: Pin, at: datetime) -> PinChange:
    pin = stamped(MODEL.name, environment, after, mark(kind, before))
    return PinChange(commit=f"{at.timestamp():040.0f}", at=at, pin=pin, proposal=1)


def _observed(staging: tuple[PinChange, ...], production: tuple[PinChange, ...]) -> Observed:
    """Main's training key has led to the version that is stable in staging."""
    newest = staging[-1].pin.stable.version if staging[-1].pin and staging[-1].pin.stable else 0
    return Observed(
        main="m" * 40,
        policy_commits={"staging": "p" * 40, "production": "p" * 40},
        training=Progress(key=_key(newest), state=TrainingState.SUCCEEDED, version=newest),
        versions=tuple(_version(number) for number in range(max(1, newest - 5), newest + 1)),
        proposals=(),
        environments={
            "staging": EnvironmentObserved(history=staging),
            "production": EnvironmentObserved(history=production),
        },
    )


def _pin(number: int) -> VersionPin:
    return VersionPin(version=number, digest=f"sha256:{number:064x}")


def _key(number: int) -> str:
    return f"k{number:016x}"


def _version(number: int) -> ModelVersion:
    return ModelVersion(
        number=number, digest=_pin(number).digest, training_key=_key(number), run_id=f"run{number}", created_at=SINCE
    )
