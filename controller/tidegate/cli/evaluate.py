"""`tidegate evaluate`: the gates of a run or a version, against the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tidegate.cli.choice import output_format
from tidegate.cli.session import Session, pass_session

if TYPE_CHECKING:
    from tidegate.core.manifest import Model
    from tidegate.core.observed import ModelVersion
    from tidegate.evaluate import Evaluation
    from tidegate.steps.observe import Sources


@click.command("evaluate")
@click.argument("model")
@click.option("--version", type=click.IntRange(min=1), help="A registered version.")
@click.option("--run", metavar="ID", help="A run of MLflow.")
@output_format
@pass_session
def command(session: Session, model: str, version: int | None, run: str | None, form: str) -> int:
    """Hold a candidate of MODEL against its gates and the champion (the version of the last environment).

    Without --version or --run it is what main's training key has led to. Exit 1 when a gate says no.
    """
    from tidegate.evaluate import evaluate
    from tidegate.steps.champion import champion_of

    if version is not None and run is not None:
        raise click.UsageError("give --version or --run, not both")
    context = session.context()
    sources = context.sources(context.desired())
    wanted = sources.desired.model(model).model
    candidate = run or _version(wanted, version, sources) or _trained(wanted, sources)
    evaluation = evaluate(wanted, candidate, champion_of(wanted, sources), context.runs)
    _print(evaluation, form)
    return 0 if evaluation.passed else 1


def _version(model: Model, number: int | None, sources: Sources) -> ModelVersion | None:
    from tidegate.errors import WrongUse

    if number is None:
        return None
    found = next((v for v in sources.registry.versions(model.registry_name) if v.number == number), None)
    if found is None:
        raise WrongUse(f"the registry has no version {number} of {model.registry_name}")
    return found


def _trained(model: Model, sources: Sources) -> str:
    from tidegate.core.observed import TrainingState
    from tidegate.errors import WrongUse
    from tidegate.steps.trainings import key_at, training_state

    key = key_at(sources.repository, sources.desired.commit, model)
    state = training_state(model, key, sources.records_by_key.get(key, ()))
    if state.state is TrainingState.ABSENT:
        raise WrongUse(f"nothing was trained for main's {model.name} yet: `tidegate train {model.name}`, or give --run")
    if state.run_id is None:
        why = state.words or "its launch did not get as far as MLflow"
        raise WrongUse(f"training {key} has no run in MLflow ({why}): `tidegate train {model.name}`, or give --run")
    return state.run_id


def _print(evaluation: Evaluation, form: str) -> None:
    from tidegate.reporters import json, text

    if form == "json":
        json.show(_plain(evaluation))
        return
    against = f"champion is version {evaluation.champion}" if evaluation.champion else "no champion yet"
    print(f"{evaluation.model}, run {evaluation.run_id}: {'passed' if evaluation.passed else 'failed'}; {against}")
    rows = [(result.gate.metric, result.outcome.value, result.words) for result in evaluation.results]
    text.table(("gate", "says", "because"), rows)


def _plain(evaluation: Evaluation) -> dict[str, object]:
    return {
        "model": evaluation.model,
        "run": evaluation.run_id,
        "champion": evaluation.champion,
        "passed": evaluation.passed,
        "metrics": evaluation.metrics,
        "gates": [
            {
                "metric": result.gate.metric,
                "outcome": result.outcome,
                "value": result.value,
                "bound": result.bound,
                "stops": result.stops,
                "words": result.words,
            }
            for result in evaluation.results
        ],
    }
