"""`tidegate init`: a new models repository."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tidegate.cli.session import tell

_NEXT = """\
Next:
  1. edit {folder}/tidegate.yaml: the addresses of MLflow and Prometheus, and who approves
  2. make it a repository whose `origin` holds the proposals (a bare folder is enough):
       git init --bare --initial-branch=main {bare}
       cd {typed} && git init --initial-branch=main && git add . && git commit -m "models"
       git remote add origin {bare} && git push -u origin main
  3. tidegate train --wait && tidegate reconcile --once && tidegate status
On GitHub, README.md there says what to set up; its workflows then run these commands."""

_NEXT_ON_GITHUB = """\
Next:
  1. edit {folder}/tidegate.yaml: the addresses of MLflow and Prometheus, and who approves
  2. in {folder}/.github/CODEOWNERS and in the models, name people for @you
  3. go through "Set up on GitHub" in {folder}/README.md; the workflows there train and reconcile"""


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--schemas", is_flag=True, help="Only bring the schemas of an existing repository up to date.")
@click.option("--actions", metavar="OWNER/NAME@COMMIT", help="Where the workflows take Tidegate's actions from.")
@click.option("--dry-run", is_flag=True, help="Only list the files.")
def command(folder: Path, *, schemas: bool, actions: str | None, dry_run: bool) -> int:
    """Write a new models repository into FOLDER.

    Nothing that is there already is written over. With --schemas only the files in .tidegate/schemas that differ from
    this version's are.
    """
    from tidegate.init import init, refresh_schemas

    if schemas and actions:
        raise click.UsageError("--schemas touches no workflow; leave --actions out")
    files = refresh_schemas(folder, dry_run=dry_run) if schemas else init(folder, actions=actions, dry_run=dry_run)
    for file in files:
        print(folder / file)
    if not (dry_run or schemas):
        tell(_next(folder, on_github=actions is not None))
    return 0


def _next(folder: Path, *, on_github: bool) -> str:
    if on_github:
        return _NEXT_ON_GITHUB.format(folder=folder)
    bare = shlex.quote(f"{folder.resolve()}.git")
    return _NEXT.format(folder=folder, typed=shlex.quote(str(folder)), bare=bare)
