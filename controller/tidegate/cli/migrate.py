"""`tidegate migrate`: files of older versions of the format, rewritten in the current one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from tidegate.cli.session import Session, pass_session


@click.command("migrate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--dry-run", is_flag=True, help="Only say what would be rewritten.")
@pass_session
def command(session: Session, paths: tuple[str, ...], *, dry_run: bool) -> int:
    """Rewrite files of older versions of the format in the current one: all of the workspace, or those in PATHS.

    Every byte stays that need not change, comments included. Files that cannot be rewritten are left alone and exit
    with 1. `tidegate validate` checks the result.
    """
    from tidegate.core.pin import API_VERSION
    from tidegate.migrate import migrate, write
    from tidegate.wiring.checkout import checkout

    tree, inside = checkout(Path(session.folder or "."), paths)
    seen: Counter[str] = Counter()
    for file in migrate(tree, inside):
        seen["left" if file.problems else "rewritten" if file.text is not None else "current"] += 1
        for problem in file.problems:
            print(problem)
        if file.text is not None:
            print(f"{file.path}: {file.before} → {API_VERSION}")
            if not dry_run:
                write(tree.root, file)
    verb = "would be rewritten" if dry_run else "rewritten"
    print(f"{seen['rewritten']} {verb}, {seen['current']} already {API_VERSION}, {seen['left']} left alone")
    return 1 if seen["left"] else 0
