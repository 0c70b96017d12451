"""How long a bad version stays: read from a demo's report, or from a demo played now. `bench/run.py` calls this."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """Seconds to the merged revert: from the end of the cell that was evidence enough, and from the first bad event."""

    from_evidence: float
    from_first_bad_event: float


def played() -> Revert:
    """Play the demo; what it tells goes to stderr. Raises CalledProcessError when it fails."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tidegate", "demo", "--report", str(report)]
        subprocess.run(command, stdout=sys.stderr, check=True)
        return reported(report)


def reported(report: Path) -> Revert:
    """From the report that `tidegate demo --report FILE` wrote."""
    told = json.loads(report.read_text(encoding="utf-8"))
    if not told["succeeded"]:
        raise SystemExit(f"{report}: that demo failed; its figures say nothing")
    return Revert(
        from_evidence=told["evidence_to_revert_seconds"], from_first_bad_event=told["breach_to_revert_seconds"]
    )
