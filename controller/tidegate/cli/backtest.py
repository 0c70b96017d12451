"""`tidegate backtest`: past rollouts replayed through the judge, by the policies of then or by others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.also import Wanted, also, write
from tidegate.cli.choice import as_duration, as_instant
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from tidegate.core.replay.report import Backtest

_FORMATS = ("text", "markdown", "json", "html")


def _as_time(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | timedelta | None:
    """An instant, or how long ago."""
    if value is None or any(character in value for character in "-:T"):
        return as_instant(context, parameter, value)
    return as_duration(context, parameter, value)


def _as_step(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
    from tidegate.steps.replaying import SHORTEST_STEP

    if value is None:
        return None
    step = as_duration(context, parameter, value)
    if step < SHORTEST_STEP:
        raise click.BadParameter(
            f"{value!r} is shorter than 1s; git knows instants by whole seconds", context, parameter
        )
    return step


@click.command("backtest")
@click.argument("model")
@click.option("--from", "since", metavar="TIME", callback=_as_time, default="30d", show_default=True,
              help="Rollouts that entered since: how long ago, or an instant.")  # fmt: skip
@click.option("--to", "until", metavar="TIME", callback=_as_time, help="And before this time.  [default: now]")
@click.option("--step", metavar="DURATION", callback=_as_step,
              help="From one decision to the next.  [default: 1m, or a shorter `resolution`]")  # fmt: skip
@click.option("--policy", metavar="FILE|REF",
              help="Objectives and rollout of this manifest, with the clone's tidegate.yaml as it lies there; or of "
                   "the model at a commit.")  # fmt: skip
@click.option("--compare", metavar="FILE|REF", help="Replay by this policy as well, and set both side by side.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text",
              show_default=True, help="How to print the result.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write it into FILE.")  # fmt: skip
@also(_FORMATS)
@pass_session
def command(  # noqa: PLR0913 - one argument an option
    session: Session,
    model: str,
    *,
    since: datetime | timedelta,
    until: datetime | timedelta | None,
    step: timedelta | None,
    policy: str | None,
    compare: str | None,
    form: str,
    output: Path | None,
    others: tuple[Wanted, ...],
) -> int:
    """Replay the rollouts of MODEL through the judge: what would have been promoted, advanced, held or reverted, when
    and why, against what really happened.

    After each real transition the replay starts anew from what really was. It reads git and Prometheus and writes
    nothing. `html` is one page with charts. Exit 3 when Prometheus does not answer.
    """
    from tidegate.backtest import backtest
    from tidegate.steps.replaying import Period, usual_step
    from tidegate.wiring.backtesting import archive_of, policies_of

    context = session.context()
    now = context.clock.now()
    archive = archive_of(context, model)
    policies = policies_of(context, archive, policy, compare)
    every = step or usual_step(archive.model, policies)
    period = Period(since=_instant(since, now), until=min(_instant(until, now), now), step=every)
    with _progress() as progress:
        report = backtest(archive, context.metrics, period, policies, progress)
    if output is None:
        print(_shown(report, form), end="")
    for kind, file in [*([(form, output)] if output else []), *others]:
        write(_shown(report, kind), file)
    if report.unreachable:
        tell(report.unreachable)
    return 3 if report.unreachable else 0


def _instant(given: datetime | timedelta | None, now: datetime) -> datetime:
    if given is None:
        return now
    return now - given if isinstance(given, timedelta) else given


def _shown(report: Backtest, form: str) -> str:
    match form:
        case "json":
            from tidegate.reporters import backtest_json

            return backtest_json.document(report) + "\n"
        case "markdown":
            from tidegate.reporters import backtest_markdown

            return backtest_markdown.document(report)
        case "html":
            from tidegate.reporters import backtest_html

            return backtest_html.document(report)
        case _:
            from tidegate.reporters import backtest_text

            return "".join(f"{line}\n" for line in backtest_text.lines(report))


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _words, _share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("reading git", total=1.0)
        yield lambda words, share: shown.update(task, description=words, completed=share)
