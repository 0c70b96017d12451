"""A command of the program, run once for both its readers: JSON for the action, Markdown for the job's summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tidegate.action.job import Job, Ran


def run_once(job: Job, words: Sequence[str]) -> tuple[Ran, str]:
    """What came of it, its JSON on stdout, and the Markdown; none where the program got nowhere."""
    command, *rest = words
    with TemporaryDirectory(prefix="tidegate-") as folder:
        file = Path(folder) / "summary.md"
        done = job.run([command, "--format=json", f"--also=markdown={file}", *rest])
        return done, file.read_text(encoding="utf-8") if file.is_file() else ""
