"""`tidegate approve`: the required check of a pull request, for the workflow that GitHub starts by its events."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tidegate.cli.choice import output_format
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from tidegate.adapters.workflow_event import Asked
    from tidegate.approve import Answer


@click.command("approve")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--event", is_flag=True, help="The pull request that the event of the GitHub workflow is about.")
@click.option("--dry-run", is_flag=True, help="Only tell what the check would say.")
@output_format
@pass_session
def command(session: Session, number: int | None, form: str, *, event: bool, dry_run: bool) -> int:
    """Compute the required check of pull request NUMBER and write it: who must still approve, and what.

    Any pull request to main has one: a person's needs the approvals that main's tidegate.yaml asks for, a proposal of
    Tidegate must also be due and untouched. Exits 1 when the check fails; one that waits for a person is no failure.
    """
    asked = _asked(number, event=event)
    if asked is None:
        tell("the event is about no pull request: nothing to check")
        return 0
    answer = _answer(session, asked, dry_run=dry_run)
    _show(answer, form)
    return 1 if answer.refused else 0


def _asked(number: int | None, *, event: bool) -> Asked | None:
    from tidegate.adapters.workflow_event import Asked, asked_by

    if (number is not None) == event:
        raise click.UsageError("give the NUMBER of a pull request, or --event")
    return asked_by(os.environ) if number is None else Asked(number=number)


def _answer(session: Session, asked: Asked, *, dry_run: bool) -> Answer:
    from tidegate.approve import approve, record
    from tidegate.steps.deciding import Judges

    context = session.context()
    desired = context.desired()
    desk = context.desk(desired)
    sources, judges = context.sources(desired), Judges(metrics=context.metrics, clock=context.clock)

    def computed() -> Answer:
        answer = approve(desk, sources, judges, asked.number)
        return answer.at(asked.queued) if asked.queued else answer

    return computed() if dry_run else record(desk, computed(), computed)


def _show(answer: Answer, form: str) -> None:
    from tidegate.reporters import json

    check = answer.check
    if form == "json":
        shown = {"head": check.head, "state": check.state, "summary": check.summary} if check else None
        json.show({"number": answer.number, "check": shown, "why": answer.why})
    elif check is None:
        print(f"#{answer.number} {answer.why}")
    else:
        print(f"#{answer.number} {check.state.value}: {check.summary}")
