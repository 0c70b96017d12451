"""The command line: options in, one verb called, its result printed, an exit code out (`errors` lists the codes).

`main` is the one boundary where failures become messages. Here only click is loaded; each command loads what it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from tidegate import errors
from tidegate.cli.program import program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No failure leaves as a traceback (I14)."""
    try:
        return program.main(arguments, prog_name="tidegate", standalone_mode=False) or errors.FINE
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


def _failed(error: errors.TidegateError) -> int:
    from tidegate.cli.crash import scrubbed

    print(scrubbed(str(error)), file=sys.stderr)
    return error.exit_code


def _crashed(error: Exception) -> int:
    from tidegate.cli.crash import explained

    print(explained(error), file=sys.stderr)
    return errors.BUG
