"""Changes of one model as facts for plans: a model before and after, with pins, rendered files and training inputs
that fit, and everything else as a test wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.situations import NOW, WORKSPACE, model, pin_of
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.manifest import Gate, Lease, Model, Training
from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin, stamped
from tidegate.core.planning.change import in_order, model_plan
from tidegate.core.planning.plan import Plan
from tidegate.core.planning.state import Facts, Rendered, State
from tidegate.core.training_key import Inputs
from tidegate.core.transition import Kind, mark

BASE = "5ba5e" + "0" * 35
TRAINING = Training(
    source="training",
    command=("python", "train.py", "--depth", "{{ parameters.depth }}"),
    lease=Lease(deadline=timedelta(minutes=30)),
    include=("shared/features",),
    environment="requirements.lock",
    parameters={"depth": 6},
)
GATES = (Gate(metric="roc_auc", minimum=0.8, max_drop=0.005),)
CHURN = model(name="churn", folder="models/churn", registry_name="churn", training=TRAINING, gates=GATES)
TREES = {"training": "a" * 40, "shared/features": "b" * 40}


def trained(parameters: Mapping[str, Any]) -> Model:
    """Churn with other parameters."""
    return replace(CHURN, training=replace(TRAINING, parameters=parameters))


def ours(wanted: Model, environment: str, pin: Pin) -> Pin:
    """The pin file as a first transition would have written it."""
    return stamped(wanted.name, environment, pin, mark(Kind.PROMOTE, None))


def settled(wanted: Model, number: int = 11) -> dict[str, Pin]:
    """One version long stable everywhere."""
    return {e.name: ours(wanted, e.name, Pin(stable=pin_of(number))) for e in wanted.environments}


def state(
    wanted: Model = CHURN,
    pins: Mapping[str, Pin] | None = None,
    trees: Mapping[str, str] = TREES,
    found: Mapping[str, str | None] | None = None,
) -> State:
    """The model with pin files (none given: version 11 everywhere), each rendered as it should be unless `found`."""
    pins = settled(wanted) if pins is None else pins
    return State(
        model=wanted,
        inputs=_inputs(wanted, trees) if wanted.training else None,
        pins=pins,
        rendered={e.name: _rendered(wanted, e.name, pins.get(e.name), found or {}) for e in wanted.environments},
    )


def _inputs(wanted: Model, trees: Mapping[str, str]) -> Inputs:
    training = wanted.training
    assert training is not None
    return Inputs(
        trees={path if "/" in path else f"{wanted.folder}/{path}": found for path, found in trees.items()},
        command=training.command,
        parameters=training.parameters,
        data={data.name: f"{data.uri} {data.digest}" for data in training.data},
        seed=training.seed,
        environment=training.environment,
    )


def _rendered(wanted: Model, environment: str, pin: Pin | None, found: Mapping[str, str | None]) -> Rendered:
    path, text = FileTarget().path(wanted, environment), None
    if pin is not None:
        text = FileTarget().render(wanted, environment, pin)
    return Rendered(path=path, wanted=text, found=found.get(environment, text))


def facts(before: State | None, after: State | None, **more: Any) -> Facts:
    return replace(Facts(before=before, after=after, workspace=WORKSPACE, now=NOW), **more)


def history(*pins: Pin | None) -> tuple[PinChange, ...]:
    """What a pin file held, a day apart."""
    days = len(pins)
    return tuple(
        PinChange(commit=f"{n:040x}", at=NOW - timedelta(days=days - n), pin=pin) for n, pin in enumerate(pins)
    )


def plan_of(*all_facts: Facts, **more: Any) -> Plan:
    """The plan of these changes."""
    plans = [plan for each in all_facts if (plan := model_plan(each)) is not None]
    trained_models = tuple(sorted(plan.name for plan in plans if plan.launches))
    return Plan(base=BASE, models=in_order(plans), trained=trained_models, **more)
