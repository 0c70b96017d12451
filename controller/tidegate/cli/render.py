"""`tidegate render`: the files that a deployer reads, printed or checked."""

from __future__ import annotations

import click

from tidegate.cli.choice import chosen
from tidegate.cli.session import Session, pass_session, tell


@click.command("render")
@click.argument("model", required=False)
@click.option("--check", is_flag=True, help="Compare with main: drift and orphans are findings (exit 1).")
@pass_session
def command(session: Session, model: str | None, *, check: bool) -> int:
    """Print the rendered files of MODEL (of all models without one) as main's pin files want them.

    The output is one YAML stream, each file after a comment with its path.
    """
    from tidegate.render import Main, render

    context = session.context()
    desired = context.desired()
    main = Main(desired=desired, repository=context.repository, reader=context.reader, targets=context.targets)
    rendering = render(main, [wanted.model for wanted in chosen(desired, model)])
    if not rendering.files and not rendering.findings:
        tell("nothing to render: no environment has a pin file yet; `tidegate status` shows what it waits for")
    if not check:
        for file in rendering.files:
            print(f"---\n# {file.path}\n{file.wanted}", end="")
        return 0
    for finding in rendering.findings:
        print(finding)
    return 1 if rendering.findings else 0
