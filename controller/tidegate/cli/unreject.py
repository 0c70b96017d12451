"""`tidegate unreject`: a second chance."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("unreject")
@click.argument("model")
@click.argument("version", type=click.IntRange(min=1))
@dry_run
@pass_session
def command(session: Session, model: str, version: int, *, dry_run: bool) -> int:
    """Take VERSION of MODEL off the rejected list of every environment that has it there: one proposal each."""
    from tidegate.cli.asking import Asking
    from tidegate.errors import WrongUse
    from tidegate.people import unreject

    asking = Asking(session, model)
    places = [asking.place(environment.name) for environment in asking.model.environments]
    rejecting = [place for place in places if place.history and place.pin.rejects(version)]
    if not rejecting:
        raise WrongUse(f"no environment of {model} rejects version {version}")
    return max(asking.propose(unreject(place, version), dry_run=dry_run) for place in rejecting)
