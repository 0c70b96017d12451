"""`tidegate validate`: everything that is wrong with the files of the workspace, in one go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from tidegate.adapters.worktree import WorkTree
    from tidegate.validate import Report


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option("--changed-since", "since", metavar="REF", help="Only folders that differ from where HEAD left REF.")
@click.option("--no-cache", is_flag=True, help="Look at every file again, and remember nothing.")
@pass_session
def command(session: Session, paths: tuple[str, ...], form: str, since: str | None, *, no_cache: bool) -> int:
    """Check the files of the workspace as they lie on disk: all of them, or those in PATHS.

    A manifest and the pin files beside it are checked together. Errors exit with 1; warnings and notes are printed and
    pass. `github` prints annotations and adds a summary to the file that GITHUB_STEP_SUMMARY names.
    """
    from tidegate.validate import Scope, validate
    from tidegate.wiring.checkout import validation

    ports, tree, inside = validation(Path(session.folder or "."), paths, remember=not no_cache)
    report = validate(ports, Scope(paths=inside, since=since))
    _print(_shown(form, report, tree))
    return 1 if report.failed else 0


def _shown(form: str, report: Report, tree: WorkTree) -> Iterable[str]:
    """The lines of the result; reporters are loaded when they have something to say."""
    match form:
        case "json":
            from tidegate.reporters import findings_json

            return [findings_json.document(report.findings, report.checked)]
        case "github":
            return _annotated(report)
        case "sarif":
            return [_sarif(report, tree)]
        case _:
            from tidegate.reporters import findings_text

            return findings_text.lines(report.findings, _source(tree), checked=report.checked, colour=_coloured())


def _annotated(report: Report) -> Iterable[str]:
    from tidegate.reporters import findings_github

    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(findings_github.summary(report.findings, report.checked))
        except OSError as error:
            tell(f"no summary is written to {summary}: {error.strerror}")
    return findings_github.lines(report.findings, report.checked)


def _sarif(report: Report, tree: WorkTree) -> str:
    from tidegate import __version__
    from tidegate.core.checks.catalogue import RULES
    from tidegate.reporters import findings_sarif

    return findings_sarif.document(report.findings, RULES, _source(tree), __version__)


def _source(tree: WorkTree) -> Callable[[str], str | None]:
    """Files as they may be shown: a line with a finding may hold a secret, of which one may be the finding (I11)."""
    from tidegate.core.credentials import blanked_source

    def source(path: str) -> str | None:
        text = tree.text(path)
        return None if text is None else blanked_source(text)

    return source


def _coloured() -> bool:
    """https://no-color.org"""
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _print(lines: Iterable[str]) -> None:
    """File names need not be text: bytes that are none are shown by number."""
    for line in lines:
        print(line.encode("utf-8", "backslashreplace").decode())
