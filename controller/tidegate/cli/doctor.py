"""`tidegate doctor`: what is amiss around the loop, and how to mend it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tidegate import errors
from tidegate.cli.session import Session, pass_session

if TYPE_CHECKING:
    from tidegate.doctor import Report


@click.command("doctor")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How to print the result.",
)  # fmt: skip
@pass_session
def command(session: Session, form: str) -> int:
    """Check what the loop depends on, as the files here name it: this clone, GitHub, MLflow, Prometheus.

    Says for each complaint why it matters and what mends it, and what could not be looked at. Reads only. Exit 1 for
    errors, 3 when a server does not answer; the others are asked all the same.
    """
    from tidegate.doctor import doctor
    from tidegate.wiring.doctoring import examined

    context = session.context()
    report = doctor(*examined(context), context.clock)
    _print(report, form)
    return errors.OUTSIDE if report.has_silence else errors.FINDINGS if report.has_errors else errors.FINE


def _print(report: Report, form: str) -> None:
    from tidegate.reporters import diagnosis_github, diagnosis_text, json
    from tidegate.reporters.printable import obeyed_by_nobody

    match form:
        case "json":
            json.show(report)
        case "github":
            sys.stdout.writelines(f"{line}\n" for line in diagnosis_github.lines(report.sections))
        case _:
            sys.stdout.writelines(f"{obeyed_by_nobody(line)}\n" for line in diagnosis_text.lines(report.sections))
