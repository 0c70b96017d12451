"""`tidegate restart-rollout`: from the first step, under today's policy."""

from __future__ import annotations

import click

from tidegate.cli.choice import dry_run
from tidegate.cli.session import Session, pass_session


@click.command("restart-rollout")
@click.argument("model")
@click.argument("environment")
@dry_run
@pass_session
def command(session: Session, model: str, environment: str, *, dry_run: bool) -> int:
    """Put the canary of MODEL in ENVIRONMENT back to its first step, judged by main's policy of now."""
    from tidegate.cli.asking import Asking
    from tidegate.people import restart_rollout
    from tidegate.steps.desired import WORKSPACE

    asking = Asking(session, model)
    place, main = asking.place(environment), asking.sources.desired.commit
    policy = asking.sources.repository.last_change(main, (asking.model.manifest_path, WORKSPACE)) or main
    first_step = asking.model.environment(environment).rollout.steps[0]
    return asking.propose(restart_rollout(place, policy, first_step), dry_run=dry_run)
