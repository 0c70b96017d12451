"""`tidegate hold`: nothing goes on until `tidegate resume`."""

from __future__ import annotations

from datetime import datetime

import click

from tidegate.cli.choice import as_instant, as_sentence, dry_run
from tidegate.cli.session import Session, pass_session


@click.command("hold")
@click.argument("model")
@click.argument("environment")
@click.option("--reason", required=True, callback=as_sentence, metavar="TEXT", help="Why; everybody will read it.")
@click.option(
    "--scope", type=click.Choice(["promotions", "all"]), default="promotions", show_default=True,
    help="`all` stops reverts too.",
)  # fmt: skip
@click.option("--until", callback=as_instant, metavar="ISO", help="Its end, such as 2026-03-01T18:00:00Z.")
@dry_run
@pass_session
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    session: Session, model: str, environment: str, reason: str, scope: str, until: datetime | None, *, dry_run: bool
) -> int:
    """Hold MODEL in ENVIRONMENT: no promotions (reverts still go), or nothing at all."""
    from tidegate.cli.asking import Asking
    from tidegate.people import hold

    asking = Asking(session, model)
    now = asking.context.clock.now()
    transition = hold(asking.place(environment), now, scope=scope, reason=reason, until=until)
    return asking.propose(transition, dry_run=dry_run)
