"""`--also FORMAT=FILE`: one result in several formats, found once. Each command knows its own formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Wanted = tuple[str, Path]
"""A format, and the file to write it into."""


def also(forms: Sequence[str]) -> Callable[[Command], Command]:
    """`--also`, as often as one likes."""

    def parsed(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Wanted, ...]:
        return tuple(_wanted(value, forms, (context, parameter)) for value in values)

    return click.option("--also", "others", metavar="FORMAT=FILE", multiple=True, callback=parsed,
                        help="Write it into FILE in this format as well.")  # fmt: skip


def _wanted(value: str, forms: Sequence[str], where: tuple[click.Context, click.Parameter]) -> Wanted:
    form, _, file = value.partition("=")
    if form not in forms or not file:
        raise click.BadParameter(f"{value!r} is not FORMAT=FILE with one of {', '.join(forms)}", *where)
    return form, Path(file)


def write(text: str, file: Path) -> None:
    """Raises WrongUse for a file that cannot be written."""
    from tidegate.errors import WrongUse

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"{file} cannot be written: {error.strerror}") from error
