"""`tidegate pin`: a version set by hand."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("pin")
@click.argument("model")
@click.argument("environment")
@click.argument("version", type=click.IntRange(min=1))
@dry_run
@pass_session
def command(session: Session, model: str, environment: str, version: int, *, dry_run: bool) -> int:
    """Make VERSION of MODEL the stable one in ENVIRONMENT, and drop its canary.

    It counts as set by hand: the environment is held until main's training key changes or `tidegate resume`.
    """
    from tidegate.cli.asking import Asking
    from tidegate.people import pin

    asking = Asking(session, model)
    place = asking.place(environment)
    return asking.propose(pin(place, asking.version(version)), dry_run=dry_run)
