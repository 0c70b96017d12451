"""The command line: options in, one verb called, its result printed, an exit code out (`errors` lists the codes).

`main` is the one boundary where failures become messages. Here only click is loaded; each command loads what it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from tidegate import errors
from tidegate.cli.program import program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No failure leaves as a traceback (I14)."""
    _show_whatever_comes()
    try:
        code = program.main(arguments, prog_name="tidegate", standalone_mode=False) or errors.FINE
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        return _unread()
    except click.ClickException as error:
        error.show()
        return errors.WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return errors.INTERRUPTED
    except errors.TidegateError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever else comes here is a bug of ours
        return _crashed(error)
    return code


def _show_whatever_comes() -> None:
    """File names need not be text, and terminals not Unicode: what cannot be shown is shown by number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _unread() -> int:
    """Whoever read our output has enough of it, as `| head` does. Python must not try again to write the rest."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return errors.FINDINGS


def _failed(error: errors.TidegateError) -> int:
    from tidegate.cli.crash import scrubbed
    from tidegate.reporters.printable import obeyed_by_nobody

    print(obeyed_by_nobody(scrubbed(str(error))), file=sys.stderr)
    return error.exit_code


def _crashed(error: Exception) -> int:
    from tidegate.cli.crash import explained

    print(explained(error), file=sys.stderr)
    return errors.BUG
