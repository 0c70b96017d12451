"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from tidegate.steps.desired import Desired, Wanted

Command = TypeVar("Command", bound=Callable[..., Any])


def output_format(command: Command) -> Command:
    """`--format text|json`."""
    option = click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="How to print the result.",
    )  # fmt: skip
    return option(command)


def dry_run(command: Command) -> Command:
    """`--dry-run` of what proposes."""
    return click.option("--dry-run", is_flag=True, help="Show what would be proposed; write nothing.")(command)


def chosen(desired: Desired, name: str | None) -> tuple[Wanted, ...]:
    """The named model, or all of them. Raises WrongUse for a name that is not there."""
    return desired.models if name is None else (desired.model(name),)


def as_duration(context: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    """Callback of an option that takes `10s` or `1m30s`."""
    from tidegate.core.quantity import duration

    try:
        return duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def as_instant(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """Callback of an option that takes an ISO 8601 instant with its zone."""
    try:
        instant = None if value is None else datetime.fromisoformat(value)
        if instant is None or instant.tzinfo is not None:
            return instant
    except ValueError:
        pass
    words = f"{value!r} is not an instant with its zone, such as 2026-03-01T18:00:00Z or 2026-03-01T18:00:00+01:00"
    raise click.BadParameter(words, context, parameter)


def as_sentence(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Callback of an option that takes words for others to read: one line, and not a blank one."""
    line = " ".join(value.split())
    if not line:
        raise click.BadParameter('it is blank; say why, such as "audit until Friday"', context, parameter)
    return line
