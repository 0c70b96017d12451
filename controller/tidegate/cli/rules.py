"""`tidegate rules`: Prometheus rules for the objectives, printed, written or checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.choice import chosen
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from tidegate.errors import InvalidManifest
    from tidegate.rules import Change, Ruled
    from tidegate.steps.desired import Wanted


@click.command("rules")
@click.argument("model", required=False)
@click.option(
    "-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="Write <model>.rules.yaml files into DIR, and remove those of ours that main no longer wants.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Compare DIR with main: drift is a finding (exit 1).")
@click.option("--dry-run", is_flag=True, help="Only list what would be written and removed.")
@pass_session
def command(session: Session, model: str | None, folder: Path | None, *, check: bool, dry_run: bool) -> int:
    """Print Prometheus' recording and alerting rules for the objectives of MODEL (of all models without one).

    They follow main. What is left out of them, and why, is told on stderr and in their comments.
    """
    from tidegate.rules import changes, rules

    if folder is None and (check or dry_run):
        raise click.UsageError("--check and --dry-run are about the files of -o DIR")
    desired = session.context().desired()
    names = {one.model.name for one in chosen(desired, model)}
    wanted = [one for one in desired.models if one.model.name in names]
    ruled = rules(desired.workspace.labels, [one.model for one in wanted])
    complete = _told(wanted, desired.unreadable if model is None else (), ruled)
    if folder is None:
        _print(ruled, complete=complete)
        return 0 if complete else 1
    found = changes(ruled, folder, whole=model is None and not desired.unreadable)
    if check:
        for change in found:
            print(change.finding())
        return 1 if found or not complete else 0
    _carry_out(found, dry_run=dry_run)
    if complete and not found:
        tell("every file is as it should be")
    return 0 if complete else 1


def _told(wanted: Sequence[Wanted], unreadable: Sequence[InvalidManifest], ruled: Sequence[Ruled]) -> bool:
    """Findings and remarks, on stderr; whether the rules are all of what main says."""
    findings = [str(error) for error in unreadable] + [str(finding) for one in ruled for finding in one.findings]
    outdated = [one for one in wanted if one.invalid]
    for one in outdated:
        tell(f"{one.invalid}\n{one.model.name}: its rules are those of the last valid text")
    for finding in findings:
        tell(finding)
    for group in (group for one in ruled for group in one.groups):
        for remark in group.remarks:
            tell(f"{group.name if group.name.isprintable() else repr(group.name)}: {remark}")
    return not findings and not outdated


def _print(ruled: Sequence[Ruled], *, complete: bool) -> None:
    from tidegate.core.alerting.rule_file import text

    groups = [group for one in ruled for group in one.groups]
    if complete and not groups:
        tell("no rules: no environment of a model has an objective")
    if complete or groups:
        print(text(groups), end="")


def _carry_out(found: Sequence[Change], *, dry_run: bool) -> None:
    from tidegate.rules import carry_out

    for change in found:
        if not dry_run:
            carry_out(change)
        print(change)
