"""`tidegate demo`: the whole loop on real parts, in one temporary folder, with a person watching.

`servers` starts and ends processes, `workspace` plays the people who commit, `story` is what must happen,
`timeline` tells it, `show` is the whole evening. Nothing here is a special path: training, reconciling and approving
run as the ordinary commands do.
"""

from __future__ import annotations

from pathlib import Path


def run(report: Path | None = None, folder: Path | None = None, *, keep: bool = False) -> int:
    """Play the demo, telling on standard output; the exit code is 0 only if everything happened that must."""
    from tidegate.demo.show import Wish, run_show

    return run_show(Wish(report=report, keep=keep, folder=folder), lambda words: print(words, flush=True))
