"""`tidegate retry`: a veto is lifted by a person too."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("retry")
@click.argument("proposal", type=click.IntRange(min=1))
@dry_run
@pass_session
def command(session: Session, proposal: int, *, dry_run: bool) -> int:
    """Lift the veto on PROPOSAL, which a person closed: the next pass may propose the same change again."""
    from tidegate.pull import lift, require_veto

    context = session.context()
    handle = session.person(context)
    found = context.forge.proposal(proposal)
    require_veto(found)
    if not dry_run:
        lift(context.forge, proposal, handle, context.clock.now())
    print(f"#{proposal} {found.title}: the veto {'would be' if dry_run else 'is'} lifted; it is proposed anew when due")
    return 0
