"""`tidegate plan`: what this change does when merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tidegate.cli.also import Wanted, also, write
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from pathlib import Path

    from tidegate.core.finding import Finding
    from tidegate.core.planning.effective import Effective
    from tidegate.core.planning.plan import Plan
    from tidegate.steps.changes import Changes


_FORMATS = ("text", "markdown", "json")


@click.command("plan")
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--base", metavar="REF", help="Merge the change into REF.  [default: origin's main]")
@click.option("--head", metavar="REF", help="Plan for this commit, not for the files as they are now.")
@click.option("--effective", is_flag=True, help="Print the manifests with every default filled in instead.")
@click.option("--allow-trainings", "allowed", metavar="N", type=click.IntRange(min=0), default=0,
              help="Consent to so many trainings by one merge.")  # fmt: skip
@click.option("--no-replay", metavar="WHY", help="Replay no past rollouts where a policy changes; the plan says WHY.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True,
              help="How to print the result.")  # fmt: skip
@also(_FORMATS)
@pass_session
def command(  # noqa: PLR0913 - one argument an option
    session: Session,
    *,
    models: tuple[str, ...],
    base: str | None,
    head: str | None,
    effective: bool,
    allowed: int,
    no_replay: str | None,
    form: str,
    others: tuple[Wanted, ...],
) -> int:
    """Show what the change in this clone does when it is merged, to MODEL or to every model: what trains and why, the
    way of the new version, what acts at once or later, what goes away.

    The change is everything that stands in the work tree, committed or not. Exit 1 for findings that are errors, and
    when more models train than limits.trainingsPerMerge lets pass.
    """
    from tidegate.plan import effective_manifests, only, plan, with_past
    from tidegate.wiring.planning import changes as between
    from tidegate.wiring.planning import past, work_tree

    context = session.context()
    changes, commits = between(context, base, head)
    if effective:
        return _print_effective(list(effective_manifests(changes, models)), changes, form)
    files = work_tree(context) if head is None else None
    findings = _findings(files, changes) if files else ()
    whole = plan(changes, context.clock.now(), findings=findings, allowed=allowed, conflict=commits.conflict)
    shown = only(whole, models, changes) if models else whole
    told = with_past(shown, changes, past(context, changes, commits.main, head, no_replay))
    print(_shown(told, form), end="")
    for kind, file in others:
        write(_shown(told, kind), file)
    return 0 if whole.fine else 1


def _findings(files: Path, changes: Changes) -> Sequence[Finding]:
    """What `validate` says of the models that the change touches, less its notes: they are about what was there before
    as much as about the change. Another commit's files do not lie on disk."""
    from tidegate.core.finding import Severity
    from tidegate.validate import Scope, validate
    from tidegate.wiring.checkout import validation

    ports, _, _ = validation(files, (), remember=True)
    found = validate(ports, Scope(since=changes.before.commit)).findings
    return [finding for finding in found if finding.severity is not Severity.NOTE]


def _shown(whole: Plan, form: str) -> str:
    from tidegate.reporters import plan_json, plan_markdown, plan_text

    match form:
        case "json":
            return plan_json.document(whole) + "\n"
        case "markdown":
            return plan_markdown.document(whole)
        case _:
            return "".join(f"{line}\n" for line in plan_text.lines(whole))


def _print_effective(found: list[Effective], changes: Changes, form: str) -> int:
    from tidegate.reporters import plan_json, plan_markdown, plan_text

    match form:
        case "json":
            print(plan_json.effective(found))
        case "markdown":
            print(plan_markdown.effective(found), end="")
        case _:
            print(plan_text.effective(found), end="")
    for finding in changes.findings:
        tell(str(finding))
    return 1 if changes.findings else 0
