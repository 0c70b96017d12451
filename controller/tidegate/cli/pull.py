"""`tidegate pull`: proposals of the local forge, as `gh pr` is for GitHub's."""

from __future__ import annotations

from string import hexdigits

import click

from tidegate.cli.choice import output_format
from tidegate.cli.session import Session, pass_session, tell

NUMBER = click.argument("number", type=click.IntRange(min=1))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only tell what would be done.")

_DIGITS = 40
"""Of a whole commit: two that begin alike are made in seconds."""


def _as_head(context: click.Context, parameter: click.Parameter, value: str) -> str:
    head = value.lower()
    if value and not (len(head) == _DIGITS and set(head) <= set(hexdigits)):
        words = f"{value!r} is no whole commit: give all {_DIGITS} digits, as `tidegate pull show` does"
        raise click.BadParameter(words, context, parameter)
    return head


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
    """Print the change of proposal NUMBER.

    How to approve just that follows on stderr: what is printed stays a diff.
    """
    from tidegate.cli.pull_report import how_to_approve

    forge = session.context().forge
    proposal = forge.proposal(number)  # its head is read before the change: a push in between is refused, not approved
    print(forge.diff(number), end="", flush=True)
    if words := how_to_approve(proposal):
        tell(words)
    return 0


@command.command("approve")
@NUMBER
@click.option(
    "--head", metavar="SHA", callback=_as_head, default="", help="The whole commit you looked at; refused if it moved."
)
@DRY_RUN
@pass_session
def approve(session: Session, number: int, head: str, *, dry_run: bool) -> int:
    """Approve proposal NUMBER. Counts only if you are listed in tidegate.yaml.

    `pull show` and `pull diff` end with the command that approves what they showed, and nothing pushed since. Without
    --head what is there at this moment is approved.
    """
    from tidegate.cli import pull_report
    from tidegate.pull import SHOWN_HEAD, approve, require_head, require_open

    context = session.context()
    handle = session.person(context)
    proposal = context.forge.proposal(number)
    require_open(proposal)
    require_head(proposal, head)
    if dry_run:
        print(f"#{number} would be approved by {handle} at {proposal.head[:SHOWN_HEAD]}")
        return 0
    pull_report.say_approved(approve(context.desk(context.desired()), number, handle, head))
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
