"""The demo is the product in one evening: real git, MLflow and Prometheus, a bad version, and its revert merged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(400)]

EXPECTED = [
    ("promote", "staging", None, 1, 1.0),
    ("promote", "production", None, 1, 1.0),
    ("promote", "staging", 1, 2, 1.0),
    ("promote", "production", 1, 2, 0.25),
    ("advance", "production", 2, 2, 0.5),
    ("finish", "production", 1, 2, 1.0),
    ("promote", "staging", 2, 3, 1.0),
    ("promote", "production", 2, 3, 0.25),
    ("revert", "production", 3, 2, 1.0),
]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a short name: sockets are made in it, and their paths have a limit."""
    folder = Path(tempfile.mkdtemp(prefix="tg-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tidegate", "demo", *arguments],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_behind(temporary: Path) -> list[str]:
    """Command lines of living processes that name the demo's folder."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "stat=,args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(temporary) in line and not line.startswith("Z")]


def gone(temporary: Path, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not left_behind(temporary) and not any(temporary.iterdir()):
            return True
        time.sleep(0.2)
    return False


def test_the_demo_tells_the_whole_story_and_leaves_nothing_behind(temporary: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    demo = start(temporary, "--report", str(report))
    said, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, said
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    steps = [(t["kind"], t["environment"], t["from"], t["to"], t["weight"]) for t in told["transitions"]]
    assert steps == EXPECTED
    assert all(t["reasons"] and t["decided_at"] <= t["merged_at"] for t in told["transitions"])
    assert [t["proposal"] for t in told["transitions"]] == list(range(1, 10))
    assert 0 < told["breach_to_revert_seconds"] < 60
    assert said.count("approved") >= 3
    assert "digits/production: revert 3, back to 2" in said
    assert gone(temporary), left_behind(temporary)


def test_ctrl_c_leaves_no_process_and_no_folder(temporary: Path) -> None:
    demo = start(temporary)
    assert demo.stdout is not None
    for line in demo.stdout:
        if " train " in line:
            break
    assert left_behind(temporary)
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, said
    assert gone(temporary), left_behind(temporary)
