"""`tidegate train`: launch the training of main's key, and wait for its end if asked to."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

import click

from tidegate.cli.choice import chosen
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidegate.core.manifest import Model
    from tidegate.core.observed import Training
    from tidegate.steps.desired import Desired
    from tidegate.wiring.context import Context

    _Act: TypeAlias = Callable[[Context, Desired, Model], int]

_POLL_SECONDS = 0.5


@click.command("train")
@click.argument("model", required=False)
@click.option("--wait", is_flag=True, help="Wait for the end; exit 1 when the command or a gate says no.")
@click.option("--explain-key", is_flag=True, help="Only print what the training key is made of.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be launched.")
@pass_session
def command(session: Session, model: str | None, *, wait: bool, explain_key: bool, dry_run: bool) -> int:
    """Launch the training of main's MODEL (of all models without one), unless its key was trained already.

    Without --wait the run goes on by itself; `tidegate reconcile` collects it. What stops one model stops no other one;
    the exit code is the worst.
    """
    context = session.context()
    desired = context.desired()
    wanted = [one for one in chosen(desired, model) if model or one.model.training]
    broken = [*(one.invalid for one in wanted if one.invalid), *(() if model else map(str, desired.unreadable))]
    for finding in broken:
        print(finding)
    act = _explain if explain_key else _foretell if dry_run else _wait if wait else _launch
    codes = [_guarded(act, context, desired, one.model) for one in wanted if not one.invalid]
    return max([1 if broken else 0, *codes])


def _guarded(act: _Act, context: Context, desired: Desired, model: Model) -> int:
    """The exit code of one model: what stops it stops no other one."""
    from tidegate.errors import TidegateError

    try:
        return act(context, desired, model)
    except TidegateError as error:
        tell(f"{model.name}: {error}")
        return error.exit_code


def _launch(context: Context, desired: Desired, model: Model) -> int:
    _print(model, _run(context, desired, model, wait=False))
    return 0


def _wait(context: Context, desired: Desired, model: Model) -> int:
    state = _run(context, desired, model, wait=True)
    _print(model, state)
    return 1 if state.version is None else 0


def _foretell(context: Context, desired: Desired, model: Model) -> int:
    _print(model, _stands(context, desired, model), dry=True)
    return 0


def _run(context: Context, desired: Desired, model: Model, *, wait: bool) -> Training:
    from tidegate.core.observed import TrainingState
    from tidegate.steps.champion import champion_of
    from tidegate.train import collect, train

    ports = context.training_ports()
    state = train(model, desired.commit, ports, context.clock.now())
    champion = champion_of(model, context.sources(desired)) if wait else None
    if wait:
        until = f"{state.until:%Y-%m-%d %H:%M:%S %Z}" if state.until else "its lease ends"
        tell(f"{model.name}: training {state.key}, run {state.run_id}, until {until}")
        state = collect(model, state.key, ports, context.clock.now(), champion)
    while wait and state.state is TrainingState.RUNNING:
        time.sleep(_POLL_SECONDS)
        train(model, desired.commit, ports, context.clock.now())  # a lost attempt is tried again
        state = collect(model, state.key, ports, context.clock.now(), champion)
    return state


def _stands(context: Context, desired: Desired, model: Model) -> Training:
    from tidegate.core.training_key import training_key
    from tidegate.steps.trainings import inputs_of, records_of, training_state

    key = training_key(inputs_of(model, desired.commit, context.repository))
    return training_state(model, key, records_of(context.repository, key))


def _explain(context: Context, desired: Desired, model: Model) -> int:
    from tidegate.core.training_key import training_key
    from tidegate.reporters import json
    from tidegate.steps.trainings import inputs_of

    inputs = inputs_of(model, desired.commit, context.repository)
    json.show({"model": model.name, "key": training_key(inputs), "inputs": asdict(inputs)})
    return 0


def _print(model: Model, state: Training, *, dry: bool = False) -> None:
    from tidegate.core.observed import TrainingState

    if dry and state.state is TrainingState.ABSENT:
        print(f"{model.name}: {state.key} would be launched")
        return
    version = f", version {state.version}" if state.version else ""
    print(f"{model.name}: {state.key} {state.state.value}{version}")
    if state.words:
        print(state.words)
