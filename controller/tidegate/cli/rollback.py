"""`tidegate rollback`: the one verb of the night."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("rollback")
@click.argument("model")
@click.argument("environment")
@click.option("--to", type=click.IntRange(min=1), metavar="VERSION", help="Not the previous version, but this one.")
@dry_run
@pass_session
def command(session: Session, model: str, environment: str, to: int | None, *, dry_run: bool) -> int:
    """Go back in ENVIRONMENT: remove the canary of MODEL, or return to its previous version.

    The version that is left is rejected: it does not come back by itself.
    """
    from tidegate.cli.asking import Asking
    from tidegate.people import rollback

    asking = Asking(session, model)
    place = asking.place(environment)
    if to is not None:
        asking.version(to)
    return asking.propose(rollback(place, asking.versions(), to), dry_run=dry_run)
