"""`tidegate evaluate`: the gates of a run or a version, against the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tidegate.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.core.gates import Evaluation
    from tidegate.core.launch_record import LaunchRecord
    from tidegate.core.manifest import Model
    from tidegate.core.observed import ModelVersion
    from tidegate.steps.observe import Sources


@click.command("evaluate")
@click.argument("model")
@click.option("--version", type=click.IntRange(min=1), help="A registered version.")
@click.option("--run", metavar="ID", help="A run of MLflow.")
@click.option("--candidate", metavar="REF", help="What `train --candidate REF` trained, by the gates of that commit.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True,
              help="How to print the result.")  # fmt: skip
@pass_session
def command(  # noqa: PLR0913 - one argument an option
    session: Session, model: str, *, version: int | None, run: str | None, candidate: str | None, form: str
) -> int:
    """Hold a candidate of MODEL against its gates and the champion (the version of the last environment).

    Without --version, --run or --candidate it is what main's training key has led to. Exit 1 when a gate says no.
    """
    from tidegate.evaluate import evaluate
    from tidegate.steps.champion import champion_of

    if sum(given is not None for given in (version, run, candidate)) > 1:
        raise click.UsageError("give one of --version, --run and --candidate")
    context = session.context()
    sources = context.sources(context.desired())
    there = sources.desired if candidate is None else context.desired_at(candidate)
    wanted = there.model(model).model
    judged = run or _version(wanted, version, sources) or _trained(wanted, there.commit, sources, candidate)
    evaluation = evaluate(wanted, judged, champion_of(wanted, sources), context.runs)
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


def _trained(model: Model, commit: str, sources: Sources, candidate: str | None) -> str:
    """The run of the commit's training key: main's, or a candidate's."""
    from tidegate.core.observed import TrainingState
    from tidegate.errors import WrongUse
    from tidegate.steps.trainings import key_at, records_of, training_state

    key = key_at(sources.repository, commit, model)
    records: Sequence[LaunchRecord] = sources.records_by_key.get(key, ())
    if candidate and not records:
        records = records_of(sources.repository, key, candidates=True)
    state = training_state(model, key, records)
    whose = f"{candidate}'s" if candidate else "main's"
    step = f"`tidegate train {model.name}{f' --candidate {candidate}' if candidate else ''}`, or give --run"
    if state.state is TrainingState.ABSENT:
        raise WrongUse(f"nothing was trained for {whose} {model.name} yet: {step}")
    if state.run_id is None:
        why = state.words or "its launch did not get as far as MLflow"
        raise WrongUse(f"training {key} has no run in MLflow ({why}): {step}")
    return state.run_id


def _print(evaluation: Evaluation, form: str) -> None:
    from tidegate.reporters import evaluation_markdown, json, text

    if form == "json":
        json.show(_plain(evaluation))
        return
    if form == "markdown":
        print(evaluation_markdown.document(evaluation), end="")
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
        "championMetrics": evaluation.champion_metrics,
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
