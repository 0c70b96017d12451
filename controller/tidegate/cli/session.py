"""What the options before the command say: where we stand, who asks, and how much to tell."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidegate.wiring.context import Context

_HANDLE = re.compile(r"@[A-Za-z0-9-]+(/[A-Za-z0-9-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the program."""

    folder: str | None = None
    handle: str | None = None
    verbose: bool = False

    def context(self) -> Context:
        """The adapters for this folder. Loaded here, so that help and usage errors load none."""
        from tidegate.settings import read_settings
        from tidegate.wiring.context import Context

        if self.verbose:
            _log_everything()
        return Context(read_settings(self.folder, self.handle))

    def person(self, context: Context) -> str:
        """Who asks. Raises WrongUse with the ways to say so."""
        from tidegate.errors import WrongUse

        handle = context.settings.handle
        if handle is None:
            raise WrongUse("who are you? Give your handle: tidegate --as @you …, or set TIDEGATE_HANDLE")
        if not _HANDLE.fullmatch(handle):
            form = "letters, digits and dashes, such as @dana, or @org/team"
            raise WrongUse(f"{handle!r} is no handle ({form}); correct --as or TIDEGATE_HANDLE")
        return handle


pass_session = click.make_pass_decorator(Session)


def tell(text: str) -> None:
    """One line of progress or log."""
    from tidegate.cli.crash import scrubbed
    from tidegate.reporters.printable import printable_lines

    print(printable_lines(scrubbed(text)), file=sys.stderr, flush=True)


def _log_everything() -> None:
    """What the libraries log, on stderr, without credentials."""
    import logging

    from tidegate.cli.crash import scrubbed

    class Scrubbing(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return scrubbed(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Scrubbing("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
