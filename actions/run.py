"""Runs the program as one step of an action: the command input's words, split as a shell would but never given to one.

The exit code becomes the output `exit-code` and the step's own. Which words are allowed is the program's business.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

WRONG_USE = 2


def main() -> int:
    """Environment: PROGRAM is the installed program, COMMAND the input, GITHUB_OUTPUT the runner's file."""
    code = _run(os.environ["PROGRAM"], os.environ["COMMAND"])
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"exit-code={code}\n")
    return code


def _run(program: str, command: str) -> int:
    try:
        words = shlex.split(command)
    except ValueError as error:
        print(f"::error title=Tidegate::the input `command` cannot be split into words: {error}", file=sys.stderr)
        return WRONG_USE
    done = subprocess.run([program, *words], check=False)
    # A process that a signal ended has -number; a shell, and so the runner, says 128 + number.
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


raise SystemExit(main())
