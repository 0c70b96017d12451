"""`tidegate reconcile`: one pass, or passes until told to stop."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime, timedelta
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import click

from tidegate.cli.choice import as_duration, output_format
from tidegate.cli.session import Session, pass_session, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidegate.cli.passes import Pass
    from tidegate.wiring.context import Context

_EVERY_ALIAS = timedelta(minutes=10)
"""How often the aliases of settled models are looked at: somebody else may have moved them."""
_SHORTEST = timedelta(seconds=1)
"""Passes that follow one another without a pause would ask servers all the time for the same samples."""


def _as_interval(context: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    interval = as_duration(context, parameter, value)
    if interval < _SHORTEST:
        raise click.BadParameter(f"{value!r} is shorter than 1s; give 1s or more", context, parameter)
    return interval


@click.command("reconcile")
@click.option("--watch/--once", help="Pass after pass until SIGTERM or Ctrl-C, or one pass (the default).")
@click.option("--interval", callback=_as_interval, default="10s", show_default=True, help="From one pass to the next.")
@click.option("--no-launch", is_flag=True, help="Collect trainings and start none: something else does.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@output_format
@pass_session
def command(  # noqa: PLR0913 - one argument an option
    session: Session, form: str, interval: timedelta, *, watch: bool, no_launch: bool, dry_run: bool
) -> int:
    """Do what is due in every model: collect trainings, judge, propose, merge, and project aliases.

    One pass exits 3 when a server does not answer, 1 when a file cannot be read or a merge is not what was proposed.
    With --watch only news is printed (with --format json each pass, one a line).
    """
    from tidegate.cli.pass_report import lines, plain
    from tidegate.cli.passes import run_pass
    from tidegate.reporters import json

    context = session.context()
    context.require_addresses()
    look = partial(run_pass, context, dry_run=dry_run, launch=not no_launch)
    if watch:
        return _watch(context, look, interval, form)
    done = look()
    if form == "json":
        json.show(plain(done))
    else:
        print("\n".join(lines(done)) or "nothing to do")
    return done.exit_code


def _watch(context: Context, look: Callable[..., Pass], interval: timedelta, form: str) -> int:
    from tidegate.errors import TidegateError

    stop = _stop_signal()
    said: frozenset[str] = frozenset()
    projected: datetime | None = None
    tell(f"reconciling every {interval.total_seconds():g} s; Ctrl-C ends it")
    while not stop.is_set():
        now = context.clock.now()
        full = projected is None or now >= projected + _EVERY_ALIAS
        try:
            done = look(every_alias=full)
            projected = now if full and not done.projection.failures else projected
            said = _say(done, said, form)
        except TidegateError as error:
            tell(f"this pass failed, the next one tries again: {error}")
        stop.wait(max(interval - (context.clock.now() - now), timedelta(0)).total_seconds())
    return 0


def _say(done: Pass, said: frozenset[str], form: str) -> frozenset[str]:
    """Print what the pass before did not say; returns what this one says."""
    from tidegate.cli.pass_report import lines, plain
    from tidegate.reporters import json

    now = lines(done)
    if form == "json":
        json.show(plain(done), one_line=True)
    else:
        for line in now:
            if line not in said:
                print(f"{done.report.at:%H:%M:%S}  {line}")
    sys.stdout.flush()
    return frozenset(now)


def _stop_signal() -> threading.Event:
    """Set by the first SIGTERM or Ctrl-C, so that a pass is not cut short; a second Ctrl-C cuts it."""
    stop = threading.Event()

    def stopping(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal's signature
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, stopping)
    return stop
