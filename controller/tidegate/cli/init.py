"""`tidegate init`: a new models repository."""

from __future__ import annotations

from pathlib import Path

import click

from tidegate.cli.session import tell

_NEXT = """\
Next:
  1. edit {folder}/tidegate.yaml: the addresses of MLflow and Prometheus, and who approves
  2. make it a repository whose `origin` holds the proposals (a bare folder is enough):
       git init --bare --initial-branch=main {folder}.git
       cd {folder} && git init --initial-branch=main && git add . && git commit -m "models"
       git remote add origin {bare} && git push -u origin main
  3. tidegate train --wait && tidegate reconcile --once && tidegate status"""


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only list the files.")
def command(folder: Path, *, dry_run: bool) -> int:
    """Write a new models repository into FOLDER.

    Nothing that is there already is written over.
    """
    from tidegate.init import init

    for file in init(folder, dry_run=dry_run):
        print(folder / file)
    if not dry_run:
        tell(_NEXT.format(folder=folder, bare=f"{folder.resolve()}.git"))
    return 0
