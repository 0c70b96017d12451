"""What the options before the command say: where we stand, who asks, and how much to tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidegate.wiring import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the program."""

    folder: str | None = None
    handle: str | None = None
    verbose: bool = False

    def context(self) -> Context:
        """The adapters for this folder. Loaded here, so that help and usage errors load none."""
        from tidegate.settings import read_settings
        from tidegate.wiring import Context

        if self.verbose:
            _log_everything()
        return Context(read_settings(self.folder, self.handle))

    def person(self, context: Context) -> str:
        """Who asks. Raises WrongUse with the ways to say so."""
        from tidegate.errors import WrongUse

        if context.settings.handle is None:
            raise WrongUse("who are you? Give your handle: tidegate --as @you …, or set TIDEGATE_HANDLE")
        return context.settings.handle


pass_session = click.make_pass_decorator(Session)


def tell(text: str) -> None:
    """One line of progress or log."""
    from tidegate.cli.crash import scrubbed

    print(scrubbed(text), file=sys.stderr, flush=True)


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
