"""`tidegate resume`: the loop goes on."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("resume")
@click.argument("model")
@click.argument("environment")
@dry_run
@pass_session
def command(session: Session, model: str, environment: str, *, dry_run: bool) -> int:
    """Lift the hold of MODEL in ENVIRONMENT, and let the loop go on from what was set by hand."""
    from tidegate.cli.asking import Asking
    from tidegate.people import resume

    asking = Asking(session, model)
    return asking.propose(resume(asking.place(environment)), dry_run=dry_run)
