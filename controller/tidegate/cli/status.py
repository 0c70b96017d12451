"""`tidegate status`: desired against observed, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tidegate.cli.choice import chosen, output_format
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from tidegate.core.observed import Training
    from tidegate.status import EnvironmentStatus, Explained, ModelStatus, StatusReport


@click.command("status")
@click.argument("model", required=False)
@click.option("--explain", is_flag=True, help="All figures behind it, to redo by hand; asks for every error budget.")
@output_format
@pass_session
def command(session: Session, model: str | None, form: str, *, explain: bool) -> int:
    """Show what is wanted of MODEL (of all models without one), what serves, and why they differ.

    A server that does not answer makes Unknown what depends on it, and the exit code 3.
    """
    from tidegate.status import status
    from tidegate.steps.deciding import Judges

    context = session.context()
    sources = context.sources(context.desired())
    wanted = chosen(sources.desired, model)
    judges = Judges(metrics=context.metrics, clock=context.clock, thorough=explain)
    report = status(wanted, sources, judges, context.targets, context.clock.now())
    if form == "json":
        from tidegate.reporters import json

        json.show(report)
    else:
        _print(report)
    for failure in report.failures:
        tell(failure)
    return 3 if report.failures else 1 if report.unreadable or any(m.invalid for m in report.models) else 0


def _print(report: StatusReport) -> None:
    from tidegate.reporters import text
    from tidegate.reporters.printable import printable, printable_lines

    headers = ("model", "environment", "status", "stable", "canary", "previous", "proposal", "reason")
    text.table(headers, [_row(model, there) for model in report.models for there in model.environments])
    for model in report.models:
        if model.failure:
            print(printable(f"{model.model}: Unknown: {model.failure}"))
        if model.training and (line := _training(model.training)):
            print(printable(f"{model.model}: {line}"))
        for there in model.explained:
            _explain(model.model, there)
    for finding in dict.fromkeys([*(m.invalid for m in report.models if m.invalid), *report.unreadable]):
        print(printable_lines(finding))


def _explain(model: str, there: Explained) -> None:
    from tidegate.core.explaining import account_lines, budget_lines
    from tidegate.reporters.printable import printable

    print()
    print(printable(f"{model} in {there.environment}: {there.reason or 'the desired state is reached'}"))
    lines = account_lines(there.account) if there.account else ["nothing is in flight here: nothing was judged"]
    for line in lines + budget_lines(there.budgets, there.budgets_from):
        print(f"  {printable(line)}" if line else "")


def _row(model: ModelStatus, there: EnvironmentStatus) -> tuple[str, ...]:
    from tidegate.core.quantity import show_share
    from tidegate.reporters.printable import printable

    canary = f"{there.canary} at {show_share(there.weight or 0)}" if there.canary else "–"
    reason = there.reason if there.rendered is not False else f"out of sync (rendered file); {there.reason}"
    until = f" (until {there.until:%Y-%m-%d %H:%M:%S %Z})" if there.until else ""
    return (
        model.model,
        there.environment,
        there.status.value,
        str(there.stable or "–"),
        canary,
        str(there.previous or "–"),
        f"#{there.proposal}" if there.proposal else "–",
        printable(" ".join(f"{reason}{until}".split())),
    )


def _training(training: Training) -> str:
    if not training.key:
        return ""
    version = f", version {training.version}" if training.version else ""
    words = f": {training.words}" if training.words else ""
    return f"training {training.key} {training.state.value}{version}{words}"
