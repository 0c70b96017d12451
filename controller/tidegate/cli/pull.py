"""`tidegate pull`: proposals of the local forge, as `gh pr` is for GitHub's."""

from __future__ import annotations

import click

from tidegate.cli.choice import output_format
from tidegate.cli.session import Session, pass_session, tell

NUMBER = click.argument("number", type=click.IntRange(min=1))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only tell what would be done.")


@click.group("pull")
def command() -> None:
    """List, show, approve, merge and close proposals."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Merged and closed ones too.")
@output_format
@pass_session
def list_(session: Session, form: str, *, everything: bool) -> int:
    """List the open proposals."""
    from tidegate.cli import pull_report

    proposals = session.context().forge.proposals()
    shown = [p for p in proposals if everything or p.state.value == "open"]
    pull_report.show_list(shown, form)
    if not shown:
        tell(f"no open proposals; --all shows the other {len(proposals)}" if proposals else "no proposals yet")
    return 0


@command.command("show")
@NUMBER
@output_format
@pass_session
def show(session: Session, number: int, form: str) -> int:
    """Show proposal NUMBER: what, why, its check, approvals and comments."""
    from tidegate.cli import pull_report

    pull_report.show_one(session.context().forge.proposal(number), form)
    return 0


@command.command("diff")
@NUMBER
@pass_session
def diff(session: Session, number: int) -> int:
    """Print the change of proposal NUMBER."""
    print(session.context().forge.diff(number), end="")
    return 0


@command.command("approve")
@NUMBER
@DRY_RUN
@pass_session
def approve(session: Session, number: int, *, dry_run: bool) -> int:
    """Approve proposal NUMBER as it is now. Counts only if you are listed in tidegate.yaml."""
    from tidegate.cli import pull_report
    from tidegate.pull import approve, require_open

    context = session.context()
    handle = session.person(context)
    require_open(context.forge.proposal(number))
    if dry_run:
        print(f"#{number} would be approved by {handle}")
        return 0
    pull_report.say_approved(approve(context.desk(context.desired()), number, handle))
    return 0


@command.command("merge")
@NUMBER
@DRY_RUN
@pass_session
def merge(session: Session, number: int, *, dry_run: bool) -> int:
    """Merge proposal NUMBER now, if the required check passes now."""
    from tidegate.pull import merge, require_open, required
    from tidegate.steps.deciding import Judges

    context = session.context()
    require_open(context.forge.proposal(number))
    sources = context.sources(context.desired())
    due = required(number, sources, Judges(metrics=context.metrics, clock=context.clock), context.clock.now())
    if dry_run:
        print(f"#{number} would be checked and merged")
        return 0
    merged = merge(context.desk(sources.desired), due)
    print(f"#{number}: merged as {merged.commit[:12]}")
    if merged.incident:
        print(f"INCIDENT  {merged.incident}")
    return 1 if merged.incident else 0


@command.command("close")
@NUMBER
@DRY_RUN
@pass_session
def close(session: Session, number: int, *, dry_run: bool) -> int:
    """Close proposal NUMBER: a veto, which Tidegate respects until `tidegate retry NUMBER`."""
    from tidegate.pull import require_open

    context = session.context()
    handle = session.person(context)
    proposal = context.forge.proposal(number)
    require_open(proposal)
    if not dry_run:
        context.forge.close(number, handle, context.clock.now())
    print(f"#{number} {proposal.title}: {'would be ' if dry_run else ''}closed by {handle}")
    print(f"This is a veto: the change is not proposed again. To lift it: tidegate retry {number}")
    return 0


@command.command("reopen")
@NUMBER
@DRY_RUN
@pass_session
def reopen(session: Session, number: int, *, dry_run: bool) -> int:
    """Open the closed proposal NUMBER again."""
    context = session.context()
    handle = session.person(context)
    if not dry_run:
        context.forge.reopen(number, handle, context.clock.now())
    print(f"#{number}: {'would be ' if dry_run else ''}open again")
    return 0


@command.command("comment")
@NUMBER
@click.argument("text")
@DRY_RUN
@pass_session
def comment(session: Session, number: int, text: str, *, dry_run: bool) -> int:
    """Add TEXT to the comments of proposal NUMBER."""
    context = session.context()
    handle = session.person(context)
    context.forge.proposal(number)
    if not dry_run:
        context.forge.comment(number, handle, text, "", context.clock.now())
    print(f"#{number}: comment {'would be ' if dry_run else ''}added")
    return 0
