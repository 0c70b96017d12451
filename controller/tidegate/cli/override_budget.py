"""`tidegate override-budget`: this version may enter although the error budget is spent."""

from __future__ import annotations

import click

from tidegate.cli.choice import as_sentence, dry_run
from tidegate.cli.session import Session, pass_session


@click.command("override-budget")
@click.argument("model")
@click.argument("environment")
@click.argument("version", type=click.IntRange(min=1))
@click.option("--reason", required=True, callback=as_sentence, metavar="TEXT", help="Why; everybody will read it.")
@dry_run
@pass_session
def command(  # noqa: PLR0913 - one parameter for each option
    session: Session, model: str, environment: str, version: int, reason: str, *, dry_run: bool
) -> int:
    """Let VERSION of MODEL enter ENVIRONMENT though its error budget is spent, or cannot be read.

    Takes the approval of those whom tidegate.yaml lists for the environment; where nobody is listed, nobody may. It is
    good for one entry, and for no longer than a window of the budget.
    """
    from tidegate.cli.asking import Asking
    from tidegate.people import override_budget

    asking = Asking(session, model)
    transition = override_budget(asking.place(environment), asking.version(version), reason)
    return asking.propose(transition, dry_run=dry_run)
