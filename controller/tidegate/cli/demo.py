"""`tidegate demo`: the whole loop on this machine."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write every transition as JSON.")
@click.option("--keep", is_flag=True, help="Leave the servers up at the end, and tell where they are.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Work in this folder.")
def command(report: Path | None, folder: Path | None, *, keep: bool) -> int:
    """Run the whole loop on real parts: train, promote step by step, and revert a bad version, each by a proposal.

    MLflow, Prometheus, a model server and its traffic run on free loopback ports. Takes about a minute.
    """
    from tidegate.demo import run

    return run(report=report, keep=keep, folder=folder)
