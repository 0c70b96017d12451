"""`tidegate train`: launch the training of main's key, and wait for its end if asked to."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

import click

from tidegate.cli.choice import chosen, output_format
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidegate.core.manifest import Model
    from tidegate.core.observed import ModelVersion, Training
    from tidegate.steps.desired import Desired
    from tidegate.wiring.context import Context

    _Act: TypeAlias = Callable[[Context, Desired, Model], int]

_POLL_SECONDS = 0.5


@click.command("train")
@click.argument("model", required=False)
@click.option("--wait", is_flag=True, help="Wait for the end; exit 1 when the command or a gate says no.")
@click.option("--candidate", metavar="REF", help="Train MODEL as this commit has it, to compare; never registered.")
@click.option("--explain-key", is_flag=True, help="Only print what the training key is made of.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be launched (and only then --format json).")
@output_format
@pass_session
def command(  # noqa: PLR0913 - one argument an option
    session: Session,
    model: str | None,
    form: str,
    *,
    wait: bool,
    candidate: str | None,
    explain_key: bool,
    dry_run: bool,
) -> int:
    """Launch the training of main's MODEL (of all models without one), unless its key was trained already.

    Without --wait the run goes on by itself; `tidegate reconcile` collects it. What stops one model stops no other one;
    the exit code is the worst.
    """
    context = session.context()
    if form == "json" and not dry_run:
        raise click.UsageError("--format json goes with --dry-run")
    if candidate is not None:
        if model is None or explain_key or dry_run:
            raise click.UsageError("--candidate REF trains one MODEL, and goes with --wait only")
        return _candidate(context, candidate, model, wait=wait)
    desired = context.desired()
    wanted = [one for one in chosen(desired, model) if model or one.model.training]
    broken = [*(one.invalid for one in wanted if one.invalid), *(() if model else map(str, desired.unreadable))]
    if form == "json":
        return _due(context, desired, [one.model for one in wanted if not one.invalid], broken)
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


def _due(context: Context, desired: Desired, models: Sequence[Model], broken: Sequence[str]) -> int:
    """For a program that launches: each model, whether it is due, and what cannot be read."""
    from tidegate.reporters import json
    from tidegate.steps.trainings import all_records, is_due, key_at

    records = all_records(context.repository)
    keys = [(model, key_at(context.repository, desired.commit, model)) for model in models]
    shown = [{"model": m.name, "key": key, "due": bool(key) and is_due(m, key, records)} for m, key in keys]
    json.show({"models": shown, "unreadable": list(broken)})
    return 1 if broken else 0


def _foretell(context: Context, desired: Desired, model: Model) -> int:
    _print(model, _stands(context, desired, model), dry=True)
    return 0


def _run(context: Context, desired: Desired, model: Model, *, wait: bool) -> Training:
    from tidegate.train import collect, train

    ports = context.training_ports()
    champion = _champion(context, desired, model) if wait else None
    return _until_it_ends(
        model,
        lambda: train(model, desired.commit, ports, context.clock.now()),
        lambda key: collect(model, key, ports, context.clock.now(), champion),
        wait=wait,
    )


def _candidate(context: Context, reference: str, name: str, *, wait: bool) -> int:
    """Train what is not on main; exit 1 when its command or a gate says no."""
    from tidegate.core.observed import TrainingState
    from tidegate.train import collect_candidate, train_candidate

    desired = context.desired_at(reference)
    wanted = desired.model(name)
    if wanted.invalid:
        print(wanted.invalid)
        return 1
    model, ports = wanted.model, context.training_ports()
    champion = _champion(context, context.desired(), model) if wait else None
    state = _until_it_ends(
        model,
        lambda: train_candidate(model, desired.commit, ports, context.clock.now()),
        lambda key: collect_candidate(model, key, ports, context.clock.now(), champion),
        wait=wait,
    )
    _print(model, state)
    return 1 if wait and state.state is not TrainingState.SUCCEEDED else 0


def _champion(context: Context, desired: Desired, model: Model) -> ModelVersion | None:
    from tidegate.steps.champion import champion_of

    return champion_of(model, context.sources(desired))


def _until_it_ends(
    model: Model, train: Callable[[], Training], collect: Callable[[str], Training], *, wait: bool
) -> Training:
    from tidegate.core.observed import TrainingState

    state = train()
    if wait:
        until = f"{state.until:%Y-%m-%d %H:%M:%S %Z}" if state.until else "its lease ends"
        tell(f"{model.name}: training {state.key}, run {state.run_id}, until {until}")
        state = collect(state.key)
    while wait and state.state is TrainingState.RUNNING:
        time.sleep(_POLL_SECONDS)
        train()  # a lost attempt is tried again
        state = collect(state.key)
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
